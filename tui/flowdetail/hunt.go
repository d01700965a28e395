package flowdetail

import (
	"context"
	"regexp"

	tea "charm.land/bubbletea/v2"

	flowpb "weir/proto"
	"weir/tui/widget"
)

// huntPage is how many messages a step of a hunt reads.
const huntPage = 512

// hunt looks for a message with what is searched, from the one that is chosen to
// the end of the list, and from its other end on. It goes a page at a time, so
// that it shows how far it is and can be ended.
type hunt struct {
	step   int    // 1 or -1
	from   uint64 // the message that was chosen
	next   uint64 // the first that is not looked at yet, in the direction of step
	turned bool
	seen   uint64
}

// hunted is the answer to a step of a hunt.
type hunted struct {
	opened, asked uint64
	hunt          hunt
	found         uint64 // 0: none so far
	done          bool
	err           error
}

// beginHunt looks on in the other messages.
func (m *Model) beginHunt(step int) tea.Cmd {
	m.stop()
	m.generation++
	m.search.walking, m.search.progress = m.generation, 0
	m.search.scope, m.search.cancel = m.scope.Scope()
	from := max(1, m.msgs.selected)
	h := hunt{step: step, from: from, next: from + 1}
	if step < 0 {
		h.next = from - 1
	}
	return m.hunt(h)
}

// hunt makes a step.
func (m *Model) hunt(h hunt) tea.Cmd {
	source, id, re := m.source, m.id, m.search.needle.Re
	answer := hunted{opened: m.opened, asked: m.search.walking, hunt: h}
	return m.search.scope.Do(func(ctx context.Context) tea.Msg {
		answer.found, answer.done, answer.err = answer.hunt.page(ctx, source, id, re)
		return answer
	})
}

// hunted takes the answer to a step.
func (m *Model) hunted(msg hunted) tea.Cmd {
	s := &m.search
	if msg.opened != m.opened || msg.asked != s.walking || s.needle == nil {
		return nil
	}
	s.progress = int(min(99, 100*msg.hunt.seen/max(1, m.msgs.total)))
	if !msg.done && msg.err == nil && msg.found == 0 {
		return m.hunt(msg.hunt)
	}
	m.stop()
	switch {
	case msg.err != nil:
		m.notice = "the messages cannot be read: " + widget.Sanitize(msg.err.Error())
		return nil
	case msg.found == 0:
		return m.around(msg.hunt.step)
	case msg.hunt.turned:
		m.notice = "the search went on at the other end"
	}
	m.msgs.selected, s.current = msg.found, -1
	m.msgs.arrive = after{kind: nextHit}
	if msg.hunt.step < 0 {
		m.msgs.arrive.hit = maxHits
	}
	return m.ensureMessages(false)
}

// page looks at the next messages. Done means that there are no more.
func (h *hunt) page(ctx context.Context, source Source, id uint64, re *regexp.Regexp) (found uint64, done bool, err error) {
	got, err := h.read(ctx, source, id)
	if err != nil {
		return 0, false, err
	}
	for i := range got {
		g := got[i]
		if h.step < 0 {
			g = got[len(got)-1-i]
		}
		switch n := g.GetSequence(); {
		case h.turned && (h.step > 0 && n >= h.from || h.step < 0 && n <= h.from):
			return 0, true, nil
		default:
			h.seen++
			h.next = n + 1
			if h.step < 0 {
				h.next = n - 1
			}
		}
		ok, err := matches(ctx, source, id, g, re)
		if err != nil {
			return 0, false, err
		}
		if ok {
			return g.GetSequence(), false, nil
		}
	}
	if len(got) > 0 && (h.step > 0 || h.next > 0) {
		return 0, false, nil
	}
	if h.turned {
		return 0, true, nil
	}
	h.turned, h.next = true, 1
	if h.step < 0 {
		h.next = lastOne
	}
	return 0, false, nil
}

// read reads the page at h.next, in ascending order.
func (h *hunt) read(ctx context.Context, source Source, id uint64) ([]*flowpb.Message, error) {
	switch {
	case h.step > 0:
		return source.Messages(ctx, id, h.next, huntPage)
	case h.next == lastOne:
		return source.Messages(ctx, id, 0, huntPage)
	case h.next == 0:
		return nil, nil
	}
	n := min(h.next, huntPage)
	return source.Messages(ctx, id, h.next-n+1, int(n))
}

// matches looks at all of a message.
func matches(ctx context.Context, source Source, id uint64, g *flowpb.Message, re *regexp.Regexp) (bool, error) {
	if re.Match(g.GetContent()) || g.GetSize() == 0 {
		return re.Match(g.GetContent()), nil
	}
	whole, err := source.Message(ctx, id, g.GetSequence())
	return err == nil && re.Match(whole.GetContent()), err
}
