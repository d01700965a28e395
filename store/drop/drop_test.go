package drop_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/drop"
	"weir/store/rowid"
	"weir/store/storetest"
)

// flows is how many flows the session of TestRemoved has. Those with odd ids share the body
// of flow 1, if they have one.
const flows = 12

// fill makes flows with all that they can have, as it is drawn; all of them were removed, at
// the second of their id.
func fill(t *rapid.T, f *storetest.File) {
	for _, table := range []string{"removed", "head", "body", "shared", "freed", "message", "note", "origin", "session"} {
		f.Exec(t, "DELETE FROM "+table)
	}
	uses := 0
	for id := uint64(1); id <= flows; id++ {
		f.Exec(t, `INSERT INTO removed SELECT ?1, ?1, 0, 1, 5, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, ''`, id)
		f.Exec(t, "INSERT INTO head (id, blob) VALUES (?, x'01')", id)
		f.Exec(t, "INSERT INTO note (flow, comment) VALUES (?, 'x')", id)
		f.Exec(t, "INSERT INTO origin (flow, source, sequence) VALUES (?, 1, ?)", id, id)
		for n := range rapid.Uint64Range(0, 3).Draw(t, "messages") {
			f.Exec(t, "INSERT INTO message VALUES (?, 0, 1, 1, 0, NULL, zeroblob(10))", rowid.Message(id, n+1))
		}
		pieces := rapid.IntRange(0, 3).Draw(t, "pieces")
		if id%2 == 1 {
			pieces = 2
			uses++
		}
		for n := range pieces {
			data, enc := any(fmt.Appendf(nil, "%05d", id)), body.EncNone
			if id%2 == 1 && id > 1 {
				data, enc = rowid.Piece(1, flowpb.SideResponse, 0), body.EncShared
			}
			f.Exec(t, "INSERT INTO body (id, start, size, enc, data) VALUES (?, ?, 5, ?, ?)", rowid.Piece(id, flowpb.SideResponse, n), 5*n, enc, data)
		}
	}
	f.Exec(t, "INSERT INTO shared (body, sha256, size, uses) VALUES (?, x'00', 10, ?)", rowid.Piece(1, flowpb.SideResponse, 0), uses)
}

// TestRemoved deletes flows a little at a time, in the order of their removal. Nothing of
// those that are gone is left, and nothing of the others is touched: a body that was shared
// is there until its last user goes.
func TestRemoved(t *testing.T) {
	f := storetest.New(t)
	rapid.Check(t, func(t *rapid.T) {
		fill(t, f)
		for upto := int64(0); upto <= flows; upto += rapid.Int64Range(1, 5).Draw(t, "further") {
			gone := 0
			for more := true; more; {
				allowance := drop.Allowance{Bytes: rapid.Int64Range(1, 40).Draw(t, "bytes"), Rows: rapid.IntRange(1, 6).Draw(t, "rows")}
				n, again, err := removed(f.DB, upto, allowance)
				if err != nil {
					t.Fatal(err)
				}
				gone, more = gone+n, again
			}
			check(t, f, upto)
		}
	})
}

// removed runs drop.Removed in a transaction.
func removed(db *sql.DB, upto int64, left drop.Allowance) (n int, more bool, err error) {
	tx, err := db.Begin()
	if err != nil {
		return 0, false, err
	}
	defer tx.Rollback()
	if n, more, err = drop.Removed(context.Background(), tx, upto, left); err != nil {
		return n, more, err
	}
	return n, more, tx.Commit()
}

// check compares the file with one whose flows up to one were never there.
func check(t *rapid.T, f *storetest.File, upto int64) {
	var want []uint64
	for id := upto + 1; id <= flows; id++ {
		want = append(want, uint64(id))
	}
	for _, query := range []string{
		"SELECT id FROM removed", "SELECT id FROM head", "SELECT flow FROM note", "SELECT flow FROM origin",
	} {
		got, err := rowid.Select(t.Context(), f.DB, query)
		slices.Sort(got)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Fatalf("%s after %d: %v (-want +got):\n%s", query, upto, err, diff)
		}
	}
	left, err := rowid.Select(t.Context(), f.DB, `SELECT id >> 28 FROM message WHERE id >> 28 <= ?1
		UNION ALL SELECT id >> 23 FROM body WHERE id >> 23 <= ?1 AND (id >> 23 > 1 OR ?1 >= ?2) UNION ALL SELECT body FROM freed`, upto, flows-1)
	if err != nil || len(left) > 0 {
		t.Fatalf("after %d: got something left of %v, %v", upto, left, err)
	}
	for id := uint64(upto) + 1; id <= flows; id++ {
		if id%2 == 0 {
			continue
		}
		b, err := f.Bodies(f.DB).Open(t.Context(), id, flowpb.SideResponse)
		if err != nil {
			t.Fatal(err)
		}
		if content, err := io.ReadAll(b.NewReader(t.Context())); err != nil || string(content) != "0000100001" {
			t.Fatalf("the shared body by flow %d after %d: got %q, %v", id, upto, content, err)
		}
	}
}

// TestPacked keeps the sums of packed bytes right.
func TestPacked(t *testing.T) {
	f := storetest.New(t)
	for id := uint64(1); id <= 3; id++ {
		f.Exec(t, `INSERT INTO removed SELECT ?1, ?1, 0, 1, 5, 0, 0, 0, NULL, NULL, NULL, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, ''`, id)
		f.Exec(t, "INSERT INTO head (id, blob) VALUES (?, x'01')", id)
		for n := range int(id) { // one that is plain, and others
			f.Exec(t, "INSERT INTO body (id, start, size, enc, data) VALUES (?, ?, 100, 1, zeroblob(7))", rowid.Piece(id, flowpb.SideRequest, n), 100*n)
		}
	}
	f.Exec(t, body.AddPacked, body.KeyPackedFrom, 600, body.KeyPackedTo, 42)
	if n, more, err := removed(f.DB, 2, drop.Allowance{Bytes: 1 << 20, Rows: drop.Rows}); n != 2 || more || err != nil {
		t.Fatalf("removed: got %d, %v, %v, want 2 and no more", n, more, err)
	}
	sums, err := rowid.Select(t.Context(), f.DB, "SELECT value FROM session ORDER BY key")
	if diff := cmp.Diff([]uint64{300, 21}, sums); err != nil || diff != "" {
		t.Errorf("bytes before and after packing: %v (-want +got):\n%s", err, diff)
	}
}
