package packet

import (
	"bytes"
	"context"
	"slices"

	"weir/proxy/packet/link"
)

// A segment says how much its sender has of what the other side said. Where that is
// more than was captured so far, the capture has mixed up the two directions, as it does
// where packets come in over several queues or mirrored ports: the segment is early, and
// waits for what it answers, so that no response is told before its request. What is
// waited for may be missing from the capture, so the wait is short.

// Bounds of the wait of early segments.
const (
	earlyNs       = 200e6
	earlySegments = 64 // of one conversation
	earlyCost     = 96 // bytes of each beside its payload
)

// earlySegment is a segment that waits, with a payload of its own.
type earlySegment struct {
	link.Segment
	at int64
}

// ahead reports whether a segment answers what was not captured so far.
func (c *conversation) ahead(seg *link.Segment) bool {
	if seg.Flags&link.ACK == 0 || len(seg.Payload)+seg.Missing == 0 && seg.Flags&link.FIN == 0 {
		return false
	}
	return c.streams[index(other(c.side(seg.Src)))].Lacks(seg.Ack)
}

// hold lets an early segment wait.
func (c *conversation) hold(ctx context.Context, seg *link.Segment, at int64) error {
	e := earlySegment{*seg, at}
	e.Payload = bytes.Clone(seg.Payload)
	c.early = append(c.early, e)
	c.a.budget.Left -= int64(len(e.Payload)) + earlyCost
	return c.release(ctx, at)
}

// release takes the early segments that need not wait any more.
func (c *conversation) release(ctx context.Context, at int64) error {
	for len(c.early) > 0 {
		i := slices.IndexFunc(c.early, func(e earlySegment) bool { return !c.ahead(&e.Segment) })
		if i < 0 {
			if at-c.early[0].at <= earlyNs && len(c.early) <= earlySegments && c.a.budget.Left >= 0 {
				return nil
			}
			i = 0
			if err := c.acknowledged(ctx, &c.early[i].Segment, at); err != nil {
				return err
			}
		}
		if err := c.admit(ctx, i); err != nil {
			return err
		}
	}
	c.early = nil
	return nil
}

// releaseAll takes them all: nothing more comes.
func (c *conversation) releaseAll(ctx context.Context) error {
	for len(c.early) > 0 {
		if err := c.admit(ctx, 0); err != nil {
			return err
		}
	}
	return nil
}

// admit takes an early segment. What it answers is not waited for again.
func (c *conversation) admit(ctx context.Context, i int) error {
	e := c.early[i]
	c.early = slices.Delete(c.early, i, i+1)
	c.a.budget.Left += int64(len(e.Payload)) + earlyCost
	if c.class == over {
		return nil
	}
	c.streams[index(other(c.side(e.Src)))].Excuse(e.Ack)
	return c.take(ctx, &e.Segment, e.at)
}
