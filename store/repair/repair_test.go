package repair_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
	"weir/store"
	"weir/store/body"
	"weir/store/lock"
	"weir/store/repair"
	"weir/store/storetest"
)

// damageable makes a session to damage: flows with bodies of all storage, messages, notes,
// connections, removed flows.
func damageable(t *testing.T) string {
	t.Helper()
	s, w := storetest.Create(t, store.WriterOptions{})
	ctx := t.Context()
	conn := &flowpb.Conn{Tls: &flowpb.Tls{Presented: &flowpb.Certificate{Der: []byte("der")}}}
	if err := w.Conn(ctx, conn); err != nil {
		t.Fatal(err)
	}
	for n := range 240 {
		size := 100 + n
		if n%40 == 0 {
			size = 30000 // two of each
		}
		if n == 100 {
			size = body.PieceSize + 5000
		}
		f := storetest.HTTPFlow(fmt.Sprintf("/path/%d", n), size)
		f.ServerConn = conn.GetId()
		if err := w.Flow(ctx, f); err != nil {
			t.Fatal(err)
		}
		if err := w.Body(ctx, f.GetId(), flowpb.SideResponse, storetest.Pattern(n%3, size)); err != nil {
			t.Fatal(err)
		}
		if n%50 == 0 {
			for range 3 {
				if err := w.Message(ctx, &flowpb.Message{Flow: f.GetId(), Content: []byte("hi")}); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	mark := "x"
	if _, err := s.Annotate(ctx, []uint64{7, 9}, store.NoteChange{Marked: &mark}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Compact(ctx, store.CompactOptions{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(ctx, []uint64{11, 12}); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return s.Path()
}

// mended repairs a file that has the bytes and opens the result, which must be whole.
func mended(t *testing.T, content []byte) (*store.Session, *repair.Report) {
	t.Helper()
	dir := t.TempDir()
	from, to := filepath.Join(dir, "damaged.weir"), filepath.Join(dir, "new.weir")
	if err := os.WriteFile(from, content, 0o400); err != nil {
		t.Fatal(err)
	}
	r, err := repair.File(t.Context(), from, to, repair.Options{})
	if errors.Is(err, store.ErrNotSession) {
		return nil, nil
	}
	if err != nil {
		t.Fatal(err)
	}
	after, err := os.ReadFile(from)
	if err != nil || !bytes.Equal(after, content) {
		t.Errorf("the damaged file was changed (%v)", err)
	}
	s := storetest.Whole(t, to, r.Flows)
	listed := uint64(0)
	err = s.Select(t.Context(), store.Query{}, func(id uint64) bool {
		rows, err := s.Rows(t.Context(), []uint64{id})
		if err != nil || len(rows) != 1 {
			t.Errorf("row of flow %d: got %d, %v", id, len(rows), err)
		}
		listed++
		return true
	})
	if err != nil || listed != r.Flows {
		t.Errorf("listed: got %d, %v, want %d", listed, err, r.Flows)
	}
	return s, r
}

// A sound session comes through as it is.
func TestRepairWhole(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long and shares nothing between goroutines")
	}
	path := damageable(t)
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	s, r := mended(t, content)
	if !r.Whole() || r.Flows != 238 || len(r.Missing) > 0 {
		t.Errorf("repaired: got %+v, want 238 flows and nothing lost", r)
	}
	old, err := store.Open(t.Context(), path, store.Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer old.Close()
	for _, table := range []string{"flow", "site", "term", "removed", "head", "body", "shared", "message", "conn", "cert", "note", "state"} {
		want, got := storetest.Rows(t, old, "SELECT * FROM "+table), storetest.Rows(t, s, "SELECT * FROM "+table)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("table %s (-want +got):\n%s", table, diff)
		}
	}
	if got, want := s.UUID(), old.UUID(); got != want {
		t.Errorf("uuid: got %x, want %x", got, want)
	}
	if n, err := s.Undo(t.Context()); err != nil || n != 2 {
		t.Errorf("undo in the new session: got %d, %v, want 2", n, err)
	}
}

// One page is gone, whichever: nearly everything else comes through.
func TestRepairOnePage(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long and shares nothing between goroutines")
	}
	whole, err := os.ReadFile(damageable(t))
	if err != nil {
		t.Fatal(err)
	}
	pages := len(whole) / store.PageSize
	step := 1
	if testing.Short() {
		step = 9
	}
	for page := 0; page < pages; page += step {
		content := bytes.Clone(whole)
		copy(content[page*store.PageSize:], make([]byte, store.PageSize))
		s, r := mended(t, content)
		if s == nil {
			t.Errorf("page %d of %d: nothing was saved", page+1, pages)
			continue
		}
		// A page of heads has some eighty of these small ones, which can be rebuilt.
		if r.Flows < 230 || r.Rebuilt > 110 {
			t.Errorf("page %d of %d: %d flows saved, %d of them rebuilt; %d lost", page+1, pages, r.Flows, r.Rebuilt, r.Lost)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestRepairFlippedBits(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long and shares nothing between goroutines")
	}
	whole, err := os.ReadFile(damageable(t))
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(5, 6))
	rounds := 20
	if testing.Short() {
		rounds = 4
	}
	for range rounds {
		content := bytes.Clone(whole)
		bits := 1 + r.IntN(20)
		for range bits {
			bit := r.IntN(8 * len(content))
			content[bit/8] ^= 1 << (bit % 8)
		}
		s, got := mended(t, content)
		if s == nil || bits == 1 && got.Flows < 230 {
			t.Errorf("%d bits flipped: saved %+v", bits, got)
		}
	}
}

func TestRepairCut(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes long and shares nothing between goroutines")
	}
	whole, err := os.ReadFile(damageable(t))
	if err != nil {
		t.Fatal(err)
	}
	saved := 0
	for _, part := range []int{0, 1, 2, 5, 8, 12, 16, 19} {
		if s, r := mended(t, whole[:len(whole)*part/20]); s != nil {
			saved = max(saved, int(r.Flows))
		}
	}
	if saved < 100 {
		t.Errorf("flows saved of a file that was cut: got at most %d", saved)
	}
}

func TestRepairRefused(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "notes.txt")
	if err := os.WriteFile(text, bytes.Repeat([]byte("just some notes\n"), 5000), 0o600); err != nil {
		t.Fatal(err)
	}
	s, _ := storetest.Create(t, store.WriterOptions{})
	for _, c := range []struct {
		name, from, to string
		want           error
	}{
		{"no session", text, filepath.Join(dir, "a.weir"), store.ErrNotSession},
		{"missing", filepath.Join(dir, "none"), filepath.Join(dir, "b.weir"), os.ErrNotExist},
		{"there is one", s.Path(), text, lock.ErrCapturing},
		{"being captured", s.Path(), filepath.Join(dir, "c.weir"), lock.ErrCapturing},
	} {
		if _, err := repair.File(t.Context(), c.from, c.to, repair.Options{}); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", c.name, err, c.want)
		}
	}
	left, err := filepath.Glob(filepath.Join(dir, "*.weir*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v", left, err)
	}
}

// What was committed but not folded into the file yet is taken in.
func TestRepairWithLog(t *testing.T) {
	s, w := storetest.Create(t, store.WriterOptions{})
	for range 2 {
		if err := w.Flow(t.Context(), storetest.HTTPFlow("/", 0)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	from := filepath.Join(dir, "copy.weir")
	for _, suffix := range []string{"", "-wal"} {
		content, err := os.ReadFile(s.Path() + suffix)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(from+suffix, content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r, err := repair.File(t.Context(), from, filepath.Join(dir, "new.weir"), repair.Options{})
	if err != nil || r.Flows != 2 || !r.Whole() {
		t.Errorf("repaired: got %+v, %v, want 2 flows", r, err)
	}
}
