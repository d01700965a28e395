package packet

import (
	"context"

	flowpb "weir/proto"
	"weir/proxy/contain"
	"weir/proxy/packet/tcp"
)

// A mistake of ours that panics is contained in the conversation that it is about, see
// package contain. Where the speaker made it, what was open is failed and what follows
// is told as it came; where anything else did, the conversation is over.

// mistook tells of a panic.
func (a *Assembler) mistook(p *contain.PanicError) {
	a.stats.Mistakes++
	if a.opts.Mistake != nil {
		a.opts.Mistake(p)
	}
}

// guard calls f, which is about c, and ends c where that panics.
func (a *Assembler) guard(ctx context.Context, c *conversation, f func() error) error {
	return contain.Call(f, func(p *contain.PanicError) error { return c.abandon(ctx, p) })
}

// tell has the speaker take something. One that panics is asked no more.
func (c *conversation) tell(ctx context.Context, at int64, say func(speaker) error) error {
	return contain.Call(func() error { return say(c.speaker) }, func(p *contain.PanicError) error {
		return c.misunderstand(ctx, p, at, say)
	})
}

// misunderstand replaces the speaker, which panicked, by one that tells what follows as
// it came. That is told again of which the panic was.
func (c *conversation) misunderstand(ctx context.Context, p *contain.PanicError, at int64, say func(speaker) error) error {
	c.a.mistook(p)
	failed := c.speaker
	if f, ok := failed.(*streamFlow); ok && f.mistake != "" {
		c.speaker = mute{} // there is nothing simpler
		return nil
	}
	rest := &streamFlow{c: c, mistake: p.Error()}
	c.speaker = rest
	if err := c.silence(ctx, failed, at); err != nil {
		return err
	}
	return c.tell(ctx, at, func(s speaker) error {
		if err := rest.open(ctx, at); err != nil {
			return err
		}
		return say(s)
	})
}

// silence has a speaker that panicked fail what it has open, as far as it still can.
func (c *conversation) silence(ctx context.Context, s speaker, at int64) error {
	if c.waits != nil {
		c.waits.forget()
	}
	return contain.Call(func() error { return s.close(ctx, mistaken, at) }, func(*contain.PanicError) error { return nil })
}

// abandon ends a conversation in whatever state it is.
func (c *conversation) abandon(ctx context.Context, p *contain.PanicError) error {
	a, at, s := c.a, c.last, c.speaker
	a.mistook(p)
	c.letGo(at)
	c.speaker = nil
	if e := a.table[c.key]; e != nil && e.Value == c {
		a.classify(c, over)
	} else {
		c.class = over
	}
	if s == nil {
		return nil
	}
	if err := c.silence(ctx, s, at); err != nil {
		return err
	}
	rest := &streamFlow{c: c, mistake: p.Error()}
	if err := rest.open(ctx, at); err != nil {
		return err
	}
	if err := rest.close(ctx, cut, at); err != nil {
		return err
	}
	return c.disconnected(ctx, at)
}

// letGo gives back what the conversation holds of its segments.
func (c *conversation) letGo(at int64) {
	for _, e := range c.early {
		c.a.budget.Left += int64(len(e.Payload)) + earlyCost
	}
	streams := c.streams
	c.early, c.streams = nil, [2]*tcp.Stream{}
	for _, s := range streams {
		if s == nil {
			continue
		}
		drop := func() error { return s.Close(at, func(tcp.Event) error { return nil }) }
		_ = contain.Call(drop, func(*contain.PanicError) error { return nil }) // then it stays taken
	}
}

// mistakeError is the error of a flow of which weir made a mess.
func mistakeError(why string, at int64) *flowpb.Error {
	return &flowpb.Error{
		Code: flowpb.CodeInternal, Message: "weir made a mistake and could not read on, so what follows is as it came: " + why, AtNs: at,
		Hint: "please report it with the last entry of the crash log",
	}
}

// mute takes anything and tells nothing.
type mute struct{}

func (mute) data(context.Context, flowpb.Side, []byte, int64) error { return nil }
func (mute) gap(context.Context, flowpb.Side, int64, int64) error   { return nil }
func (mute) end(context.Context, flowpb.Side, int64) error          { return nil }
func (mute) close(context.Context, ending, int64) error             { return nil }
