package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	"weir/store/compact"
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
	compact.Done
	Total uint64 // flows to look at
}

// CompactResult is what a compaction came to.
type CompactResult struct {
	compact.Done
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
	r.Before = fileSize(s.path)
	if r.Dropped, err = s.Purge(ctx); err == nil {
		r.Done, err = s.compactAll(ctx, o, points.wrote)
	}
	err = errors.Join(err, points.close())
	r.After = fileSize(s.path)
	return r, err
}

// compactAll compacts to the end with nobody to wait for.
func (s *Session) compactAll(ctx context.Context, o CompactOptions, wrote func(context.Context, int64)) (done compact.Done, err error) {
	total, err := s.Count(ctx)
	if err != nil {
		return done, err
	}
	var c *compact.Compactor
	c, db, err := s.compactor(ctx, compact.Options{Wrote: wrote, Pause: func(ctx context.Context) error {
		if o.Progress != nil {
			o.Progress(CompactProgress{Done: c.Done(), Total: max(total, c.Done().Flows)})
		}
		return context.Cause(ctx)
	}})
	if err != nil {
		return done, err
	}
	total -= min(total, c.Place())
	err = c.Run(ctx)
	if err == nil && o.Rewrite {
		s.writing.Lock()
		_, err = db.ExecContext(ctx, "VACUUM")
		s.writing.Unlock()
	}
	return c.Done(), classify(errors.Join(err, db.Close()))
}

// compactor makes a compactor and a connection for it, which the caller closes.
func (s *Session) compactor(ctx context.Context, o compact.Options) (*compact.Compactor, *sql.DB, error) {
	// Nothing is lost with these commits: what they replace is still there then.
	db := s.pool(dsn{mode: modeReadWrite, cache: noteCache, synchronous: SyncNormal, noCheckpoint: true}, 1)
	// It also reads by that: the cache of another connection would be as dear as all else of it.
	c, err := compact.New(ctx, compact.File{Read: db, Write: db, Bodies: s.bodies, Begin: s.begin}, o)
	if err != nil {
		return nil, nil, errors.Join(err, db.Close())
	}
	return c, db, nil
}

// fileSize is the size of the file at path, 0 if that cannot be told.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
