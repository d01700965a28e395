package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"time"

	flowpb "weir/proto"
	"weir/store/drop"
	"weir/store/rowid"
)

// Retention says what a capture keeps of its past: the newest flows, within all of the
// limits. A limit of 0 is none.
//
// What people said something of stays: a flow with a mark, tags, a comment or a
// highlight is dropped only with Noted, and one that has not ended never.
type Retention struct {
	Age   time.Duration // that a flow may have, since it began
	Flows uint64        // in the session
	Bytes int64         // of the session file, its free pages and the -wal file not counted
	Noted bool          // drop flows that people said something of as well
}

// Retained is what a round of retention did.
type Retained struct {
	TooOld  uint64 // flows dropped because of Retention.Age
	TooMany uint64 // because of Flows
	TooBig  uint64 // because of Bytes
	Removed uint64 // flows dropped that Session.Undo could have brought back
	// Stuck says that a limit is exceeded and nothing is left that may be dropped. It
	// is said once.
	Stuck bool
	Err   error // why the round ended early; there will be another one
}

// Dropped is the number of flows that are gone from the session's lists.
func (r Retained) Dropped() uint64 { return r.TooOld + r.TooMany + r.TooBig }

// Retention looks at the limits so often.
const retainEvery = time.Second

// Flows that one step drops at most.
const retainFlows = 512

// Retain keeps the session within the limits until ctx ends, and returns ctx's error.
// Flows over the age go wherever they stand; for the other limits those that arrived
// first go first. They go for good and with all they had, in
// transactions of some milliseconds with rests between; what could still be undone
// goes before them when bytes are short. Space goes back to the file system, but
// for a reserve that new flows use up. When ctx ends there is one last round, of a
// second at most. tell is called after each round, once a second, from the goroutine of
// the call; of most there is nothing to tell.
func (w *Writer) Retain(ctx context.Context, limits Retention, tell func(Retained)) error {
	k := newRetainer(w.s, limits)
	k.w = w
	for {
		done, more := k.round(ctx, time.Now())
		if done.Err == nil && done.Dropped()+done.Removed > 0 {
			done.Err = k.tidy(ctx, done.Dropped()+done.Removed)
		}
		if ctx.Err() != nil {
			done.Err = nil // cut short, which is no failure
		}
		tell(done)
		pause := retainEvery
		if more {
			pause = 0
		}
		if rest(ctx, pause) != nil {
			done, _ := k.round(context.WithoutCancel(ctx), time.Now())
			tell(done)
			return context.Cause(ctx)
		}
	}
}

// retainer is a retention on its way.
type retainer struct {
	w       *Writer
	s       *Session
	limits  Retention
	flows   ages   // those that may go
	removed ages   // those that were removed
	stuck   bool   // was told
	dropped uint64 // flows since orphans were looked for
}

func newRetainer(s *Session, limits Retention) *retainer {
	return &retainer{
		s: s, limits: limits,
		flows:   ages{s: s, rows: mayGo(limits.Noted)},
		removed: ages{s: s, rows: fmt.Sprintf("removed WHERE +at > %d", drop.Never)},
	}
}

// round drops what is over the limits now. It ends after a while even if that is not
// all, so that it can be told of; more is true then.
func (k *retainer) round(ctx context.Context, now time.Time) (done Retained, more bool) {
	var blocked bool
	var err error
	for begun := time.Now(); ; {
		if more, blocked, err = k.step(ctx, now, &done); err != nil {
			done.Err = fmt.Errorf("retention: %w", err)
			return done, false
		}
		if !more || time.Since(begun) > retainEvery {
			break
		}
	}
	done.Stuck = blocked && !k.stuck
	k.stuck = blocked
	return done, more
}

// step drops up to retainFlows flows. more means that there may be more to drop,
// blocked that a limit is exceeded and nothing may be dropped.
func (k *retainer) step(ctx context.Context, now time.Time, done *Retained) (more, blocked bool, err error) {
	over, err := k.measure(ctx)
	if err != nil {
		return false, false, err
	}
	if n, err := k.forget(ctx, now, over.bytes > 0); err != nil || n > 0 {
		done.Removed += uint64(n)
		return true, false, err
	}
	v, err := k.drop(ctx, min(over.need(), retainFlows), now)
	n, old := uint64(v.len()), uint64(len(v.old))
	if n == 0 {
		return false, err == nil && over.need() > 0, err
	}
	tooMany := min(n-old, over.flows)
	done.TooOld, done.TooMany, done.TooBig = done.TooOld+old, done.TooMany+tooMany, done.TooBig+n-old-tooMany
	more = over.bytes > 0 || n >= retainFlows
	return more, !more && over.need() > n, err
}

// drop drops flows: those that are too old, and the oldest others, as many as are
// needed. If it fails, those that it returns are gone from the lists all the same.
func (k *retainer) drop(ctx context.Context, need uint64, now time.Time) (v victims, err error) {
	// A look without a lock, for most rounds find nothing.
	if v, err = k.pick(ctx, need, now); err != nil || v.len() == 0 {
		return victims{}, classify(err)
	}
	err = k.s.update(ctx, func(tx *sql.Tx) error {
		// Another one with it: a flow that somebody has just marked stays.
		ids, err := rowid.Select(ctx, tx, "SELECT id FROM "+k.flows.rows+" AND id IN (SELECT value FROM json_each(?)) ORDER BY id", rowid.List(v.ids()))
		if v = v.only(ids); err != nil || v.len() == 0 {
			return err
		}
		_, err = hide(ctx, tx, ids, drop.Never)
		return err
	})
	if err != nil {
		return victims{}, err
	}
	_, err = k.s.purge(ctx, drop.Never)
	return v, err
}

// tidy frees what n dropped flows have left behind, and gives free space back.
func (k *retainer) tidy(ctx context.Context, n uint64) error {
	kept, err := k.s.Count(ctx)
	if err != nil {
		return err
	}
	if k.dropped += n; k.dropped >= max(orphansAfter, kept) {
		k.dropped = 0
		if err := k.w.dropOrphans(ctx, time.Now()); err != nil && !errors.Is(err, errTooBusy) {
			return err
		}
	}
	return k.shrink(ctx)
}

// excess is how far a session is over its limits.
type excess struct {
	flows uint64
	bytes int64
	each  int64 // bytes that a flow takes, about
}

// need is how many flows have to go, about.
func (e excess) need() uint64 {
	if e.bytes <= 0 {
		return e.flows
	}
	return max(e.flows, uint64(e.bytes/max(e.each, 1))+1)
}

func (k *retainer) measure(ctx context.Context) (e excess, err error) {
	if k.limits.Flows == 0 && k.limits.Bytes == 0 {
		return e, nil
	}
	n, err := k.s.Count(ctx)
	if err != nil {
		return e, err
	}
	if k.limits.Flows > 0 {
		e.flows = n - min(n, k.limits.Flows)
	}
	if k.limits.Bytes > 0 {
		pages, free, err := k.s.pages(ctx)
		if err != nil {
			return e, err
		}
		used := (pages - free) * PageSize
		e.bytes, e.each = used-k.limits.Bytes, used/int64(max(n, 1))
	}
	return e, nil
}

// pages is how many pages the file has, and how many of them hold nothing.
func (s *Session) pages(ctx context.Context) (all, free int64, err error) {
	err = s.read.QueryRowContext(ctx, "SELECT page_count, freelist_count FROM pragma_page_count, pragma_freelist_count").Scan(&all, &free)
	return all, free, classify(err)
}

// victims are flows to drop.
type victims struct {
	old   []uint64 // that are too old
	spare []uint64 // that the other limits need
}

func (v victims) len() int      { return len(v.old) + len(v.spare) }
func (v victims) ids() []uint64 { return slices.Concat(v.old, v.spare) }

// only returns those of the victims that are among ids, which ascend.
func (v victims) only(ids []uint64) victims {
	gone := func(id uint64) bool {
		_, there := slices.BinarySearch(ids, id)
		return !there
	}
	return victims{old: slices.DeleteFunc(v.old, gone), spare: slices.DeleteFunc(v.spare, gone)}
}

// mayGo is the flows that may be dropped, as a table and a condition.
func mayGo(noted bool) string {
	from := fmt.Sprintf("flow f WHERE state IN (%d, %d)", flowpb.StateComplete, flowpb.StateError)
	if !noted {
		from += " AND NOT EXISTS (SELECT 1 FROM note WHERE flow = f.id)"
	}
	return from
}

// pick returns flows that may go: those that are too old, and then the first that
// arrived, as many as are needed in all.
func (k *retainer) pick(ctx context.Context, need uint64, now time.Time) (v victims, err error) {
	if v.old, err = k.tooOld(ctx, &k.flows, now); err != nil || uint64(len(v.old)) >= need {
		return v, err
	}
	first, err := rowid.Select(ctx, k.s.read, "SELECT id FROM "+k.flows.rows+" ORDER BY id LIMIT ?", int(need))
	if err != nil {
		return v, err
	}
	first = slices.DeleteFunc(first, func(id uint64) bool { return slices.Contains(v.old, id) })
	v.spare = first[:min(len(first), int(need)-len(v.old))]
	return v, nil
}

// tooOld returns some of the flows of a table that are over the limit of age.
func (k *retainer) tooOld(ctx context.Context, of *ages, now time.Time) ([]uint64, error) {
	if k.limits.Age == 0 {
		return nil, nil
	}
	return of.before(ctx, now.Add(-k.limits.Age).UnixNano(), retainFlows)
}

// forget drops some of the flows that were removed before: those that are too old and,
// where space is short, the earliest removed ones.
func (k *retainer) forget(ctx context.Context, now time.Time, short bool) (n int, err error) {
	if err := k.resume(ctx); err != nil {
		return 0, err
	}
	for more := short; more && n == 0 && err == nil; {
		begun := time.Now()
		if n, more, err = k.s.purgeSome(ctx, laterThanAll); err == nil {
			err = rest(ctx, time.Since(begun))
		}
	}
	if err != nil || n > 0 {
		return n, err
	}
	ids, err := k.tooOld(ctx, &k.removed, now)
	if err != nil || len(ids) == 0 {
		return 0, classify(err)
	}
	err = k.s.update(ctx, func(tx *sql.Tx) error {
		dropped, err := affected(tx.ExecContext(ctx, "UPDATE removed SET at = ?"+these, drop.Never, rowid.List(ids)))
		n = int(dropped)
		return err
	})
	if err == nil {
		_, err = k.s.purge(ctx, drop.Never)
	}
	return n, err
}

// resume deletes what is left of flows that were dropped before, and told of then.
func (k *retainer) resume(ctx context.Context) error {
	var some bool
	err := k.s.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM removed WHERE at = ?)", drop.Never).Scan(&some)
	if err != nil || !some {
		return classify(err)
	}
	_, err = k.s.purge(ctx, drop.Never)
	return err
}

// What retention leaves of free pages: a share of the file, and some. New flows fill
// them, where pages that were given back would have to be asked for again.
const (
	reserveShare = 16
	reservePages = 256
	shrinkPages  = 64 // given back in one transaction
)

// shrink gives free pages back to the file system, but for the reserve.
func (k *retainer) shrink(ctx context.Context) error {
	given := false
	for {
		pages, free, err := k.s.pages(ctx)
		if err != nil {
			return fmt.Errorf("give back free space: %w", err)
		}
		if free <= pages/reserveShare+reservePages {
			break
		}
		given = true
		begun := time.Now()
		err = k.s.update(ctx, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", shrinkPages))
			return err
		})
		if err != nil {
			return fmt.Errorf("give back free space: %w", err)
		}
		if err := rest(ctx, time.Since(begun)); err != nil {
			return err
		}
	}
	if given {
		// Only a checkpoint makes the file itself shorter.
		_, err := k.s.note.ExecContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)")
		return classify(err)
	}
	return nil
}
