package filter

import (
	"math"
	"strconv"
	"strings"

	flowpb "weir/proto"
)

// columnTest decides an operator by a flow's columns and note alone: in Go by
// holds, in SQL by where. Both say the same of every flow, which a property test
// beside the SQL engine checks.
type columnTest interface {
	holds(l *Leaf, s *flowpb.Summary, n *flowpb.Note) bool
	where(l *Leaf, p *planner) condition
}

// factTest is about the kind and flags of a flow.
type factTest struct {
	kinds []flowpb.Kind // nil: any
	// Of the flags in mask, exactly those in want are set.
	mask, want flowpb.Flags
}

func (t factTest) holds(_ *Leaf, s *flowpb.Summary, _ *flowpb.Note) bool {
	return oneOf(s.Kind, t.kinds) && s.Flags&t.mask == t.want
}

func (t factTest) where(*Leaf, *planner) condition {
	var parts []condition
	if t.kinds != nil {
		parts = append(parts, kindIs(t.kinds))
	}
	if t.mask != 0 {
		parts = append(parts, plain("f.flags & "+itoa(int64(t.mask))+" = "+itoa(int64(t.want))))
	}
	return allOf(parts)
}

// replayTest is about which half weir sent again.
type replayTest struct {
	half flowpb.Replay // ReplayNone: either
}

func (t replayTest) holds(_ *Leaf, s *flowpb.Summary, _ *flowpb.Note) bool {
	if t.half == flowpb.ReplayNone {
		return s.Replay != flowpb.ReplayNone
	}
	return s.Replay == t.half
}

func (t replayTest) where(*Leaf, *planner) condition {
	if t.half == flowpb.ReplayNone {
		return plain("f.replay <> 0")
	}
	return plain("f.replay = " + itoa(int64(t.half)))
}

// numberTest is about a number that is 0, in the Summary and in SQL, where there
// is none, or below 0 if 0 is one. Such a flow is in no range.
type numberTest struct {
	kinds  []flowpb.Kind // nil: any
	column string        // "": the number belongs to what ref names
	ref    reference
	value  func(*flowpb.Summary) int64
	zero   bool // 0 is a number too
}

// least is the lowest number there is.
func (t numberTest) least() int64 {
	if t.zero {
		return 0
	}
	return 1
}

func (t numberTest) holds(l *Leaf, s *flowpb.Summary, _ *flowpb.Note) bool {
	v := t.value(s)
	return oneOf(s.Kind, t.kinds) && v >= t.least() && v >= l.low && v <= l.high
}

func (t numberTest) where(l *Leaf, p *planner) condition {
	low := max(l.low, t.least())
	var in condition
	switch {
	case low > l.high:
		return never
	case t.column == "":
		in = p.refers(t.ref, func(s string) bool {
			v, err := strconv.ParseInt(s, 10, 64)
			return err == nil && v >= low && v <= l.high
		})
	case low == l.high:
		in = plain(t.column+" = ?", low)
	case l.high == math.MaxInt64:
		in = plain(t.column+" >= ?", low)
	default:
		in = plain(t.column+" BETWEEN ? AND ?", low, l.high)
	}
	if t.kinds == nil {
		return in
	}
	return allOf([]condition{kindIs(t.kinds), in})
}

// bothSizes is the sum of the sizes that there are.
func bothSizes(s *flowpb.Summary) int64 {
	switch {
	case s.RequestSize < 0:
		return s.ResponseSize
	case s.ResponseSize < 0:
		return s.RequestSize
	default:
		return s.RequestSize + s.ResponseSize
	}
}

// text is one text of a flow.
type text struct {
	ref   reference // where SQL finds it; none for the URL, which is made of several columns
	value func(*flowpb.Summary) string
	// split cuts the text into those that are tested one by one, nil: it is one.
	split    func(text string, accept func(string) bool) bool
	optional bool // "" means that there is none, so nothing accepts it
}

// The texts that operators look at. Each needs no more than the columns.
var (
	method       = text{ref: termOf("method"), value: func(s *flowpb.Summary) string { return s.Method }}
	scheme       = text{ref: siteOf("scheme"), value: func(s *flowpb.Summary) string { return s.Scheme }}
	version      = text{ref: termOf("version"), value: func(s *flowpb.Summary) string { return s.Version }}
	host         = text{ref: siteOf("host"), value: func(s *flowpb.Summary) string { return s.Host }}
	namedHost    = text{ref: siteOf("authority"), value: func(s *flowpb.Summary) string { return s.Authority }, split: hostOf, optional: true}
	requestType  = text{ref: termOf("request_type"), value: func(s *flowpb.Summary) string { return s.RequestType }, split: eachType, optional: true}
	responseType = text{ref: termOf("content_type"), value: func(s *flowpb.Summary) string { return s.ContentType }, split: eachType, optional: true}
	client       = text{ref: termOf("client"), value: func(s *flowpb.Summary) string { return s.Client }, split: address, optional: true}
	server       = text{ref: termOf("server"), value: func(s *flowpb.Summary) string { return s.Server }, split: address, optional: true}
	agent        = text{ref: termOf("agent"), value: func(s *flowpb.Summary) string { return s.Agent }, optional: true}
	url          = text{value: (*flowpb.Summary).URL}
)

// accepted reports whether the leaf accepts the text s, split as t says.
func (t text) accepted(l *Leaf, s string) bool {
	switch {
	case s == "" && t.optional:
		return false
	case t.split == nil:
		return l.accepts(s)
	default:
		return t.split(s, l.accepts)
	}
}

// where is accepted in SQL.
func (t text) where(l *Leaf, p *planner) condition {
	if t.ref == (reference{}) {
		return p.url(Pattern{Match: l.accepts, Begins: l.pattern.MatchBeginning})
	}
	return p.refers(t.ref, func(s string) bool { return t.accepted(l, s) })
}

// textTest is about texts of the flow, any of which may be accepted.
type textTest struct {
	kinds []flowpb.Kind // nil: any
	texts []text
}

func (t textTest) holds(l *Leaf, s *flowpb.Summary, _ *flowpb.Note) bool {
	if !oneOf(s.Kind, t.kinds) {
		return false
	}
	for _, text := range t.texts {
		if text.accepted(l, text.value(s)) {
			return true
		}
	}
	return false
}

func (t textTest) where(l *Leaf, p *planner) condition {
	var texts []condition
	for _, text := range t.texts {
		texts = append(texts, text.where(l, p))
	}
	if t.kinds == nil {
		return anyOf(texts)
	}
	return allOf([]condition{kindIs(t.kinds), anyOf(texts)})
}

// hostOf tests the host of an authority, without port and brackets.
func hostOf(authority string, accept func(string) bool) bool {
	host := authority
	if n := strings.LastIndexByte(authority, ':'); n >= 0 && strings.Trim(authority[n+1:], "0123456789") == "" {
		host = authority[:n]
	}
	if strings.HasPrefix(host, "[") && strings.HasSuffix(host, "]") {
		host = host[1 : len(host)-1]
	}
	return accept(host)
}

// eachType tests the values of several Content-Type fields, which the column
// joins. A comma within one value cannot be told from that, so the whole is
// tested too.
func eachType(joined string, accept func(string) bool) bool {
	rest, more := joined, true
	for more {
		var one string
		if one, rest, more = strings.Cut(rest, ", "); accept(one) {
			return true
		}
	}
	return accept(joined)
}

// address tests a "host:port" with and without the brackets of an IPv6 address.
func address(hostPort string, accept func(string) bool) bool {
	if accept(hostPort) {
		return true
	}
	host, port, ok := strings.Cut(strings.TrimPrefix(hostPort, "["), "]")
	return ok && hostPort[0] == '[' && accept(host+port)
}

// oneOf reports whether kinds, nil for all, has k.
func oneOf(k flowpb.Kind, kinds []flowpb.Kind) bool {
	for _, one := range kinds {
		if one == k {
			return true
		}
	}
	return kinds == nil
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
