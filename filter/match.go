package filter

import (
	"io"

	flowpb "weir/proto"
)

// Subject is one flow, as far as a filter may have to look at it. The methods
// are called from one goroutine, the cheap ones first, and only when the answer
// depends on them.
type Subject interface {
	Summary() *flowpb.Summary
	Note() *flowpb.Note // never nil
	// Flow returns the flow's head. It may be called more than once.
	Flow() (*flowpb.Flow, error)
	// Body returns the body of a side as stored (content coding kept), nil where
	// there is none. A body may be asked for again, and is then read from its start.
	// If the reader has a method Bytes() []byte, as a [bytes.Buffer] does, it is
	// taken to hold the whole body. A reader that is an io.Closer is closed.
	Body(side flowpb.Side) (io.Reader, error)
	// Messages calls yield for each message in order until it returns false.
	Messages(yield func(*flowpb.Message) bool) error
}

// Match reports whether the flow s matches e; a nil Expr matches every flow.
// Errors are those of s. Where the columns decide it allocates nothing, but for
// a URL. Whoever matches many bodies saves their buffers with a [Matcher].
func Match(e Expr, s Subject) (bool, error) {
	m := Matcher{}
	return m.Match(e, s)
}

// Matcher is [Match] with memory to reuse. The zero value is ready. It belongs
// to one goroutine.
type Matcher struct{ buf []byte }

// Match is the function [Match].
func (m *Matcher) Match(e Expr, s Subject) (bool, error) {
	if e == nil {
		return true, nil
	}
	summary, note := s.Summary(), s.Note()
	v, err := fold(e, func(l *Leaf) (verdict, error) {
		if l.operator.column == nil {
			return unknown, nil
		}
		return verdictOf(l.operator.column.holds(l, summary, note)), nil
	})
	if v != unknown || err != nil {
		return v == yes, err
	}
	return m.read(e, s)
}

// read decides what the columns left open: by the head if that is enough, else
// by the bodies.
func (m *Matcher) read(e Expr, s Subject) (bool, error) {
	r := &reading{Subject: s, summary: s.Summary(), buf: m.buf}
	defer func() { m.buf = r.buf }()
	note := s.Note()
	for level := NeedHead; ; level++ {
		v, err := fold(e, func(l *Leaf) (verdict, error) {
			switch {
			case l.operator.column != nil:
				return verdictOf(l.operator.column.holds(l, r.summary, note)), nil
			case l.need() > level:
				return unknown, nil
			}
			ok, err := l.operator.content.holds(l, r)
			return verdictOf(ok), err
		})
		if v != unknown || err != nil || level == NeedBody {
			return v == yes && err == nil, err
		}
	}
}

// verdict is an answer that may still be open.
type verdict uint8

const (
	unknown verdict = iota
	no
	yes
)

func verdictOf(ok bool) verdict {
	if ok {
		return yes
	}
	return no
}

// opposite is the verdict on the negation.
func (v verdict) opposite() verdict {
	switch v {
	case yes:
		return no
	case no:
		return yes
	default:
		return unknown
	}
}

// fold decides e, given a decider for its leaves. The cheap operands of a node
// are asked first, and no more of them than it takes.
func fold(e Expr, leaf func(*Leaf) (verdict, error)) (verdict, error) {
	switch e := e.(type) {
	case *Leaf:
		return leaf(e)
	case *Not:
		v, err := fold(e.Arg, leaf)
		return v.opposite(), err
	case *And:
		return foldAll(e.cheapFirst, no, leaf)
	case *Or:
		return foldAll(e.cheapFirst, yes, leaf)
	}
	return no, nil
}

// foldAll is decisive if one of args is, open if one is open, else the opposite.
func foldAll(args []Expr, decisive verdict, leaf func(*Leaf) (verdict, error)) (verdict, error) {
	whole := decisive.opposite()
	for _, a := range args {
		v, err := fold(a, leaf)
		if err != nil || v == decisive {
			return v, err
		}
		if v == unknown {
			whole = unknown
		}
	}
	return whole, nil
}
