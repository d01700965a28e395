package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"
	"slices"
	"time"

	"weir/store/drop"
)

const (
	// dropBytes is what one transaction deletes of bodies and messages, about, so that the
	// writer gets its turn.
	dropBytes = 4 << 20

	laterThanAll = math.MaxInt64 // any removed.at
)

// Drop deletes flows with all they had: bodies, messages, notes. They do not come
// back. It returns how many there were; ids that are not there are passed over.
// From the first transaction on they are in no list; deleting the rest takes a
// few more, and is gone on with by the next Drop or Purge if this one fails.
func (s *Session) Drop(ctx context.Context, ids []uint64) (int, error) {
	r := removal{session: s, drop: true}
	for some := range slices.Chunk(slices.Compact(slices.Sorted(slices.Values(ids))), moveFlows) {
		if err := r.take(ctx, some); err != nil {
			return r.n, fmt.Errorf("drop %d flows: %w", len(ids), err)
		}
	}
	if r.n == 0 {
		return 0, nil
	}
	_, err := s.purge(ctx, drop.Never)
	return r.n, err
}

// Purge deletes for good all flows that were removed, so that [Session.Undo] finds
// nothing more, and returns how many there were. It takes many short transactions
// and rests between them, so that it can run beside a capture; if it fails, those that
// it counted are gone. Space in the file becomes free, the file itself no smaller.
func (s *Session) Purge(ctx context.Context) (int, error) { return s.purge(ctx, laterThanAll) }

// purge deletes what was removed up to a time.
func (s *Session) purge(ctx context.Context, upto int64) (flows int, err error) {
	for {
		begun := time.Now()
		n, more, err := s.purgeSome(ctx, upto)
		flows += n
		if err != nil {
			return flows, fmt.Errorf("drop removed flows: %w", err)
		}
		if !more {
			return flows, nil
		}
		if err := rest(ctx, time.Since(begun)); err != nil {
			return flows, err
		}
	}
}

// purgeSome deletes, in one transaction, some of what was removed up to a time, and
// returns how many flows are gone entirely. more means that there may be others.
func (s *Session) purgeSome(ctx context.Context, upto int64) (flows int, more bool, err error) {
	err = s.update(ctx, func(tx *sql.Tx) error {
		flows, more, err = drop.Removed(ctx, tx, upto, drop.Allowance{Bytes: dropBytes, Rows: drop.Rows})
		return err
	})
	return flows, more, err
}
