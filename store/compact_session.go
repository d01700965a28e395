package store

import (
	"context"
	"errors"
	"fmt"
	"os"

	"weir/store/lock"
)

// CompactOptions say how far a compaction goes.
type CompactOptions struct {
	// Rewrite also writes the whole file anew, which packs what is left densely and in
	// order. It needs as much free space as the session takes, for a while.
	Rewrite bool
	// Progress, if set, is called between steps, from the goroutine of the call.
	Progress func(CompactProgress)
}

// CompactProgress is how far a compaction is.
type CompactProgress struct {
	Compacted
	Total uint64 // flows to look at
}

// CompactResult is what a compaction came to.
type CompactResult struct {
	Compacted
	Dropped       int   // removed flows, which cannot be brought back any more
	Before, After int64 // bytes of the file
}

// Compact does, to the end, what is done in the background while a capture is idle:
// codes bodies, keeps equal ones once, and gives back the space of what was removed,
// for which it drops the flows that could still be brought back.
// The session must not be captured into; that is [lock.ErrCapturing]. It may be ended at
// any time and loses nothing.
func (s *Session) Compact(ctx context.Context, o CompactOptions) (CompactResult, error) {
	r, err := s.compact(ctx, o)
	if err != nil {
		return r, fmt.Errorf("compact session %q: %w", s.path, err)
	}
	return r, nil
}

func (s *Session) compact(ctx context.Context, o CompactOptions) (r CompactResult, err error) {
	if s.readOnly {
		return r, ErrReadOnly
	}
	held, err := lock.Take(s.path)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, held.Release()) }()
	points, err := newCheckpointer(ctx, s)
	if err != nil {
		return r, classify(err)
	}
	c, err := newCompactor(ctx, s)
	if err != nil {
		return r, errors.Join(err, points.close())
	}
	r.Before = fileSize(s.path)
	if r.Dropped, err = s.Purge(ctx); err == nil {
		err = c.foreground(ctx, o, points)
	}
	r.Compacted = c.done
	err = errors.Join(err, c.close(), points.close())
	r.After = fileSize(s.path)
	return r, err
}

// foreground runs to the end with nobody to wait for.
func (c *compactor) foreground(ctx context.Context, o CompactOptions, points *checkpointer) error {
	total, err := c.s.Count(ctx)
	if err != nil {
		return err
	}
	total -= min(total, uint64(c.upto))
	c.wrote = points.wrote
	c.pause = func(ctx context.Context) error {
		if o.Progress != nil {
			o.Progress(CompactProgress{Compacted: c.done, Total: max(total, c.done.Flows)})
		}
		return context.Cause(ctx)
	}
	if err := c.run(ctx); err != nil || !o.Rewrite {
		return err
	}
	c.s.writing.Lock()
	defer c.s.writing.Unlock()
	_, err = c.db.ExecContext(ctx, "VACUUM")
	return classify(err)
}

// fileSize is the size of the file at path, 0 if that cannot be told.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
