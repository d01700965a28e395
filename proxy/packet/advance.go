package packet

import (
	"cmp"
	"context"
	"maps"
	"slices"

	flowpb "weir/proto"
)

// tellEvery is how often Advance tells what open flows came to, in nanoseconds. Most
// exchanges are over by then and are told of once more, when they end.
const tellEvery = 250e6

// Advance says what time it is, in nanoseconds since 1970, so that what waits for time
// to pass does not wait for the next packet: conversations that were silent for too
// long end, and bytes that were not captured become gaps. With [Options].Live the sink
// is told of open flows that changed. It is for captures that go on; in a file the
// packets say what time it is. Errors are the sink's.
func (a *Assembler) Advance(ctx context.Context, now int64) error {
	a.now = max(a.now, now)
	if err := a.expire(ctx); err != nil {
		return err
	}
	if a.now-a.told < tellEvery {
		return nil
	}
	a.told = a.now
	if err := a.wake(ctx); err != nil {
		return err
	}
	if err := a.seekKeys(ctx); err != nil {
		return err
	}
	return a.tellChanged(ctx)
}

// changed notes that the sink has not been told of a flow's present state.
func (a *Assembler) changed(f *flowpb.Flow) {
	if a.opts.Live {
		a.untold[f] = struct{}{}
	}
}

// tell tells the sink a flow's present state.
func (a *Assembler) tell(ctx context.Context, f *flowpb.Flow) error {
	delete(a.untold, f)
	return a.sink.Flow(ctx, f)
}

func (a *Assembler) tellChanged(ctx context.Context) error {
	flows := slices.SortedFunc(maps.Keys(a.untold), func(f, g *flowpb.Flow) int { return cmp.Compare(f.GetId(), g.GetId()) })
	clear(a.untold)
	for _, f := range flows {
		if f.GetId() == 0 {
			continue // it is told of when it has begun
		}
		if err := a.sink.Flow(ctx, f); err != nil {
			return err
		}
	}
	return nil
}

// wake makes gaps of the holes that have been waited for, where there are any.
func (a *Assembler) wake(ctx context.Context) error {
	if a.budget.Left == a.opts.WaitingBytes {
		return nil
	}
	for e := a.silent[connection].Front(); e != nil; {
		c := e.Value.(*conversation)
		e = e.Next() // the conversation may end, and leave the list
		if err := a.guard(ctx, c, func() error { return c.wake(ctx, a.now) }); err != nil {
			return err
		}
	}
	return nil
}

func (c *conversation) wake(ctx context.Context, at int64) error {
	waits := len(c.early) > 0
	if err := c.release(ctx, at); err != nil || c.class == over {
		return err
	}
	for i, s := range c.streams {
		if !s.Waits() {
			continue
		}
		waits = true
		if err := s.Wake(at, c.yield(ctx, flowpb.SideRequest+flowpb.Side(i))); err != nil {
			return err
		}
	}
	if !waits {
		return nil
	}
	return c.settle(ctx, at)
}
