package store

import (
	"context"
	"database/sql"
	"encoding/binary"
	"fmt"
	"slices"
	"sync"
	"time"

	"weir/store/rowid"
)

// The change log has a row a transaction, with the flows it touched. Who has seen
// the session up to a revision finds there what to look at again, without a
// column of the flow table being indexed or scanned.
const (
	keptChanges = 4096 // rows at least; older ones are trimmed
	trimEvery   = 64   // rows
	// maxChanges bounds what one call of Changes collects, in ids.
	maxChanges = 1 << 18
	// loggedIDs bounds a row, in ids.
	loggedIDs = 1 << 16
	// pollEvery is how often the commits of other processes are looked for.
	pollEvery = 50 * time.Millisecond
	// Where a glance shows nothing, SQLite is asked at every nth look: if a
	// glance is possible, in case it is wrong; and if it is not.
	pollAnyway = 40
	pollBlind  = 3

	nextRevision = "SELECT coalesce(max(revision), 0) + 1 FROM change"
	logChange    = "INSERT INTO change (revision, flows) VALUES (?, ?)"
	trimChanges  = "DELETE FROM change WHERE revision <= ?"
)

// appendIDs appends ids, ascending, as differences in varints.
func appendIDs(dst []byte, ids []uint64) []byte {
	var last uint64
	for _, id := range ids {
		dst = binary.AppendUvarint(dst, id-last)
		last = id
	}
	return dst
}

// readIDs appends to dst the ids that appendIDs wrote; false if p is not that.
func readIDs(dst []uint64, p []byte) ([]uint64, bool) {
	var last uint64
	for len(p) > 0 {
		d, n := binary.Uvarint(p)
		if n <= 0 {
			return dst, false
		}
		p = p[n:]
		last += d
		dst = append(dst, last)
	}
	return dst, true
}

// logChanges logs that a transaction touches ids.
func logChanges(ctx context.Context, tx *sql.Tx, ids []uint64) error {
	ids = slices.Compact(slices.Sorted(slices.Values(ids)))
	for part := range slices.Chunk(ids, loggedIDs) {
		var revision int64
		if err := tx.QueryRowContext(ctx, nextRevision).Scan(&revision); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, logChange, revision, appendIDs(nil, part)); err != nil {
			return err
		}
		if revision%trimEvery == 0 {
			if _, err := tx.ExecContext(ctx, trimChanges, revision-keptChanges); err != nil {
				return err
			}
		}
	}
	return nil
}

// Revision is that of the last change to flows and notes; 0 if there was none.
func (s *Session) Revision(ctx context.Context) (revision uint64, err error) {
	err = s.read.QueryRowContext(ctx, nextRevision).Scan(&revision)
	if err != nil {
		return 0, fmt.Errorf("read revision: %w", classify(err))
	}
	return revision - 1, nil
}

// Changes returns the flows whose rows, bodies, messages or notes changed after
// revision since, ascending, and the revision up to which this holds. truncated means
// that the log does not reach back so far, or holds too much: everything may have changed, and
// ids is nil.
func (s *Session) Changes(ctx context.Context, since uint64) (ids []uint64, upto uint64, truncated bool, err error) {
	return changes(ctx, s.read, since)
}

func changes(ctx context.Context, db rowid.Querier, since uint64) (ids []uint64, upto uint64, truncated bool, err error) {
	rows, err := db.QueryContext(ctx, "SELECT revision, flows FROM change WHERE revision > ? ORDER BY revision", int64(since))
	if err != nil {
		return nil, since, false, fmt.Errorf("read changes: %w", classify(err))
	}
	defer rows.Close()
	upto = since
	for rows.Next() {
		var revision uint64
		var flows sql.RawBytes
		if err := rows.Scan(&revision, &flows); err != nil {
			return nil, since, false, fmt.Errorf("read changes: %w", classify(err))
		}
		// Revisions have no holes: if the next one is missing it was trimmed.
		truncated = truncated || revision != upto+1
		upto = revision
		if !truncated {
			var ok bool
			ids, ok = readIDs(ids, flows)
			truncated = !ok || len(ids) > maxChanges
		}
	}
	if err := rows.Err(); err != nil {
		return nil, since, false, fmt.Errorf("read changes: %w", classify(err))
	}
	if truncated {
		return nil, upto, true, nil
	}
	slices.Sort(ids)
	return slices.Compact(ids), upto, false, nil
}

// Wait blocks until there is a revision after since and returns the last one. A
// commit of this process is seen at once, one of another within 50 ms.
func (s *Session) Wait(ctx context.Context, since uint64) (revision uint64, err error) {
	t := time.NewTicker(pollEvery)
	defer t.Stop()
	for {
		next, closed := s.feed.watch()
		if closed {
			return since, fmt.Errorf("wait for changes: %w", ErrClosed)
		}
		seen, ok := s.glance.look() // before the revision is read, so that no commit falls between
		if revision, err = s.Revision(ctx); err != nil || revision > since {
			return revision, err
		}
		if err := s.rest(ctx, next, t.C, seen, ok); err != nil {
			return since, err
		}
	}
}

// rest waits until there may be something new: until next is closed, the wal-index is
// another than seen, or, where that cannot be known, a while has passed.
func (s *Session) rest(ctx context.Context, next <-chan struct{}, tick <-chan time.Time, seen mark, ok bool) error {
	for n := 1; ; n++ {
		select {
		case <-next:
			return nil
		case <-tick:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
		every := pollBlind
		if ok {
			every = pollAnyway
		}
		if now, still := s.glance.look(); still != ok || now != seen || n%every == 0 {
			return nil
		}
	}
}

// feed wakes those in this process who wait for a commit.
type feed struct {
	mu     sync.Mutex
	next   chan struct{} // closed at the next commit
	closed bool
}

func (f *feed) init() { f.next = make(chan struct{}) }

// watch returns what the next commit closes.
func (f *feed) watch() (next <-chan struct{}, closed bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.next, f.closed
}

// poke wakes all who wait.
func (f *feed) poke() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		close(f.next)
		f.next = make(chan struct{})
	}
}

// close wakes all who wait for good.
func (f *feed) close() {
	f.mu.Lock()
	defer f.mu.Unlock()
	if !f.closed {
		f.closed = true
		close(f.next)
	}
}
