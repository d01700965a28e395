package synth

import (
	"errors"
	"fmt"
	"io"
	"strings"

	flowpb "weir/proto"
)

// bodyPiece is how much of a body is said at a time, in bytes: with its framing less
// than a window.
const bodyPiece = 15 << 10

// script says what passed in one flow.
type script struct {
	w       *Writer
	whole   *flowpb.Whole
	flow    *flowpb.Flow
	talk    *talk
	last    int64  // when the flow said something last
	comment string // for its first packet
	// put says content: as it is, or in frames.
	put func(from flowpb.Side, at int64, p []byte) error
}

// comment is what a person said of a flow, a line each.
func comment(n *flowpb.Note) string {
	var lines []string
	if n.Marked != "" {
		lines = append(lines, "marked "+n.Marked)
	}
	if n.Comment != "" {
		lines = append(lines, n.Comment)
	}
	if len(n.Tags) > 0 {
		lines = append(lines, "tags: "+strings.Join(n.Tags, ", "))
	}
	return strings.ToValidUTF8(strings.Join(lines, "\n"), "\uFFFD")
}

// connect finds the connection of the flow, or opens one. version2 is whether it must
// be one of HTTP/2.
func (x *script) connect(tls, version2 bool) error {
	id, shared := identify(x.whole, tls)
	if shared {
		if t := x.w.talks.find(id); t != nil && (t.h2 != nil) == version2 {
			x.talk = t
			return nil
		} else if t != nil {
			x.w.talks.remove(t)
		}
	}
	t := &talk{id: id, shared: shared, addr: x.w.talks.claim(endsOf(x.whole)), ends: x.whole.Client.GetEndedNs()}
	t.next = [2]uint32{uint32(x.w.flows) << 8, uint32(x.w.flows)<<8 + 1<<31}
	if tls {
		t.secure = newSecure(x.whole, x.w.flows)
	}
	x.talk = t
	if silent := x.w.talks.add(t); silent != nil {
		if err := x.w.finish(silent, flowpb.SideResponse, silent.latest); err != nil {
			return err
		}
	}
	return x.open(version2)
}

// open says how the connection begins.
func (x *script) open(version2 bool) error {
	begin := min(orElse(x.whole.Client.GetStartedNs(), x.last), x.last)
	if err := x.w.say(said{talk: x.talk, at: begin, kind: syn}); err != nil {
		return err
	}
	if x.talk.secure != nil {
		at := orElse(x.whole.Client.GetTlsNs(), x.whole.Server.GetTlsNs())
		at = max(begin, min(orElse(at, x.last), x.last))
		if err := x.w.say(said{talk: x.talk, at: at, kind: keys}); err != nil {
			return err
		}
	}
	if !version2 {
		return nil
	}
	return x.open2()
}

func orElse(a, b int64) int64 {
	if a > 0 {
		return a
	}
	return b
}

// say says something at that time, or when the flow spoke last, if that was later.
// What is said in clear order, which is all but HTTP/2, waits for other flows of the
// connection as well.
func (x *script) say(from flowpb.Side, at int64, p []byte) error {
	if len(p) == 0 {
		return nil
	}
	x.last = max(x.last, at)
	if x.talk.h2 == nil {
		x.last = max(x.last, x.talk.latest)
	}
	text := x.comment
	x.comment = ""
	return x.w.say(said{talk: x.talk, at: x.last, from: from, kind: data, p: p, comment: text})
}

// miss says that n bytes passed that nobody has.
func (x *script) miss(from flowpb.Side, at int64, n uint64) error {
	x.last = max(x.last, at, x.talk.latest)
	return x.w.say(said{talk: x.talk, at: x.last, from: from, kind: lost, missing: n})
}

// end ends the connection after the flow.
func (x *script) end(first flowpb.Side, at int64) error {
	return x.w.finish(x.talk, first, max(at, x.last, x.talk.latest))
}

// body says the pieces of a body, spread over the time until ended.
func (x *script) body(side flowpb.Side, b *flowpb.Body, ended int64, say func(at int64, p []byte) error) error {
	if b.GetSize() == 0 || b.GetState() == flowpb.BodyDropped || x.whole.Body == nil {
		return nil
	}
	r, err := x.whole.Body(side)
	if err != nil || r == nil {
		return err
	}
	begin, done := x.last, uint64(0)
	ended = max(ended, begin)
	for {
		p := make([]byte, bodyPiece) // it waits in the queue
		n, err := io.ReadFull(r, p)
		done += uint64(n)
		at := begin + int64(float64(ended-begin)*min(1, float64(done)/float64(b.GetSize())))
		if n > 0 {
			if e := say(min(at, ended), p[:n]); e != nil {
				return e
			}
		}
		switch {
		case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
			return nil
		case err != nil:
			return fmt.Errorf("read a body of flow %d: %w", x.flow.GetId(), err)
		}
	}
}

// messages calls do for each message of the flow.
func (x *script) messages(do func(m *flowpb.Message) error) error {
	if x.whole.Messages == nil {
		return nil
	}
	for m, err := range x.whole.Messages {
		if err != nil {
			return fmt.Errorf("read the messages of flow %d: %w", x.flow.GetId(), err)
		}
		if err := do(m); err != nil {
			return err
		}
	}
	return nil
}

// raw says a message as it came, in pieces that fit into a window.
func (x *script) raw(m *flowpb.Message) error {
	p := m.GetContent()
	for len(p) > 0 {
		n := min(len(p), bodyPiece)
		if err := x.put(m.GetSide(), m.GetAtNs(), p[:n:n]); err != nil {
			return err
		}
		p = p[n:]
	}
	return nil
}
