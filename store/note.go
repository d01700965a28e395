package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"strings"

	flowpb "weir/proto"
	"weir/store/rowid"
)

// NoteChange is what to change in notes; a nil field stays as it is, an empty
// value takes away what was there.
type NoteChange struct {
	Marked    *string
	Comment   *string
	Highlight *string
	Tags      *[]string // replaces all tags; a tag with a comma in it is several
}

// apply changes n.
func (c NoteChange) apply(n *flowpb.Note) {
	set := func(to *string, from *string) {
		if from != nil {
			*to = *from
		}
	}
	set(&n.Marked, c.Marked)
	set(&n.Comment, c.Comment)
	set(&n.Highlight, c.Highlight)
	if c.Tags != nil {
		n.Tags = splitTags(joinTags(*c.Tags))
	}
}

// joinTags is the stored form of tags: sorted, each once, a comma around each, so
// that ",a," finds the tag a and no other.
func joinTags(tags []string) string {
	var clean []string
	for _, t := range tags {
		for part := range strings.SplitSeq(t, ",") {
			if part = strings.TrimSpace(part); part != "" {
				clean = append(clean, part)
			}
		}
	}
	if len(clean) == 0 {
		return ""
	}
	slices.Sort(clean)
	return "," + strings.Join(slices.Compact(clean), ",") + ","
}

// splitTags reads the stored form.
func splitTags(stored string) []string {
	if stored = strings.Trim(stored, ","); stored == "" {
		return nil
	}
	return strings.Split(stored, ",")
}

const noteColumns = "marked, tags, comment, highlight"

// Note returns what was said of a flow; nothing said is the zero Note.
func (s *Session) Note(ctx context.Context, flow uint64) (flowpb.Note, error) {
	n, err := readNote(ctx, s.read, flow)
	if err != nil {
		return n, fmt.Errorf("read note of flow %d: %w", flow, classify(err))
	}
	return n, nil
}

func readNote(ctx context.Context, q rowid.Querier, flow uint64) (n flowpb.Note, err error) {
	var tags string
	err = q.QueryRowContext(ctx, "SELECT "+noteColumns+" FROM note WHERE flow = ?", int64(flow)).
		Scan(&n.Marked, &tags, &n.Comment, &n.Highlight)
	if errors.Is(err, sql.ErrNoRows) {
		return flowpb.Note{}, nil
	}
	n.Tags = splitTags(tags)
	return n, err
}

// Annotate changes the notes of flows in one transaction and returns them as they
// now are, in the order of ids. It may be called while this or another process
// captures into the session, and those who watch the session see the change.
// An id without a flow fails the call with [ErrNotFound], and then nothing changes.
func (s *Session) Annotate(ctx context.Context, ids []uint64, change NoteChange) ([]flowpb.Note, error) {
	notes := make([]flowpb.Note, 0, len(ids))
	err := s.update(ctx, func(tx *sql.Tx) error {
		for _, id := range ids {
			n, err := annotate(ctx, tx, id, change)
			if err != nil {
				return fmt.Errorf("flow %d: %w", id, err)
			}
			notes = append(notes, n)
		}
		return logChanges(ctx, tx, ids)
	})
	if err != nil {
		return nil, fmt.Errorf("annotate: %w", err)
	}
	return notes, nil
}

func annotate(ctx context.Context, tx *sql.Tx, id uint64, change NoteChange) (flowpb.Note, error) {
	var there bool
	if err := tx.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM flow WHERE id = ?)", int64(id)).Scan(&there); err != nil {
		return flowpb.Note{}, err
	}
	if !there {
		return flowpb.Note{}, ErrNotFound
	}
	n, err := readNote(ctx, tx, id)
	if err != nil {
		return n, err
	}
	change.apply(&n)
	if n.Empty() {
		_, err = tx.ExecContext(ctx, "DELETE FROM note WHERE flow = ?", int64(id))
		return n, err
	}
	_, err = tx.ExecContext(ctx, "INSERT OR REPLACE INTO note (flow, "+noteColumns+") VALUES (?, ?, ?, ?, ?)",
		int64(id), n.Marked, joinTags(n.Tags), n.Comment, n.Highlight)
	return n, err
}

// Unmark takes the marks off all flows and returns how many had one.
func (s *Session) Unmark(ctx context.Context) (int, error) {
	var ids []uint64
	err := s.update(ctx, func(tx *sql.Tx) (err error) {
		if ids, err = marked(ctx, tx); err != nil || len(ids) == 0 {
			return err
		}
		for _, q := range []string{
			"UPDATE note SET marked = '' WHERE marked <> '' AND flow IN (SELECT id FROM flow)",
			"DELETE FROM note WHERE marked = '' AND tags = '' AND comment = '' AND highlight = ''",
		} {
			if _, err := tx.ExecContext(ctx, q); err != nil {
				return err
			}
		}
		return logChanges(ctx, tx, ids)
	})
	if err != nil {
		return 0, fmt.Errorf("unmark: %w", err)
	}
	return len(ids), nil
}

// marked returns the marked flows, ascending.
func marked(ctx context.Context, q rowid.Querier) ([]uint64, error) {
	return rowid.Select(ctx, q, "SELECT flow FROM note WHERE marked <> '' AND flow IN (SELECT id FROM flow) ORDER BY flow")
}

// update runs change in a short transaction beside the writer's.
func (s *Session) update(ctx context.Context, change func(*sql.Tx) error) error {
	if s.readOnly {
		return ErrReadOnly
	}
	tx, end, err := s.begin(ctx, s.note)
	if err != nil {
		return classify(err)
	}
	defer end()
	if err := change(tx); err != nil {
		return errors.Join(classify(err), tx.Rollback())
	}
	if err := tx.Commit(); err != nil {
		return classify(err)
	}
	s.feed.poke()
	return nil
}

// begin begins a write transaction on a connection of db when it is this process's turn.
// The caller calls end when the transaction has ended.
func (s *Session) begin(ctx context.Context, db *sql.DB) (tx *sql.Tx, end func(), err error) {
	s.writing.Lock()
	err = s.inTurn(ctx, func() (err error) { // may wait for those who annotate from another process
		tx, err = db.BeginTx(ctx, nil)
		return err
	})
	if err != nil {
		s.writing.Unlock()
		return nil, nil, err
	}
	return tx, s.writing.Unlock, nil
}

// inTurn runs begin, which takes the session's write lock, when it is this process's
// turn. s.writing is held.
func (s *Session) inTurn(ctx context.Context, begin func() error) error {
	defer s.turn.Enter(ctx)()
	return begin()
}
