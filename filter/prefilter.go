package filter

import (
	"weir/filter/rex"
	flowpb "weir/proto"
)

// Prefilter finds flows that an expression cannot match by their stored bodies alone,
// at the speed of a search for bytes. It says nothing of flows that are not
// [Prefilter.Plain].
type Prefilter struct {
	finders           []rex.Finder // one of them is in a body of every match
	request, response bool         // the bodies that have to be looked at
}

// PlainKind and PlainMask are the columns of a flow all of whose searchable content is
// its bodies as stored: flags & PlainMask is 0, and the kind is PlainKind.
const (
	PlainKind = flowpb.KindHTTP
	PlainMask = flowpb.FlagWebSocket | flowpb.FlagUpgrade | flowpb.FlagCoded
)

// In reports whether b contains what makes a match possible.
func (p *Prefilter) In(b []byte) bool {
	for _, f := range p.finders {
		if f.In(b) {
			return true
		}
	}
	return false
}

// Longest is the length of the longest text that In looks for, in bytes: so much less
// one of the end of a piece belongs before the next one.
func (p *Prefilter) Longest() (n int) {
	for _, f := range p.finders {
		n = max(n, f.Len())
	}
	return n
}

// Searches reports whether the bodies of a side have to be looked at.
func (p *Prefilter) Searches(side flowpb.Side) bool {
	return side == flowpb.SideRequest && p.request || side == flowpb.SideResponse && p.response
}

// prefilter is what every match of e has in one of its bodies, nil if there is no such
// thing. Of several conditions that must all hold, that with the longest text says
// the most.
func prefilter(e Expr) *Prefilter {
	switch e := e.(type) {
	case *And:
		var best *Prefilter
		for _, a := range e.Args {
			if p := prefilter(a); p != nil && (best == nil || p.shortest() > best.shortest()) {
				best = p
			}
		}
		return best
	case *Or:
		all := &Prefilter{}
		for _, a := range e.Args {
			p := prefilter(a)
			if p == nil {
				return nil
			}
			all.finders = append(all.finders, p.finders...)
			all.request, all.response = all.request || p.request, all.response || p.response
		}
		return all
	case *Leaf:
		test, ok := e.operator.content.(bodyTest)
		if !ok {
			return nil
		}
		if f, ok := e.pattern.Finder(); ok {
			return &Prefilter{finders: []rex.Finder{f}, request: test.request, response: test.response}
		}
	}
	return nil
}

func (p *Prefilter) shortest() int {
	n := p.finders[0].Len()
	for _, f := range p.finders {
		n = min(n, f.Len())
	}
	return n
}
