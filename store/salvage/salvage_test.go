package salvage

import (
	"bytes"
	"database/sql"
	"fmt"
	"math"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	_ "modernc.org/sqlite"
)

const testPage = 1024

// sample is a database that SQLite made: a table of rows of all sizes and types, and one
// without rowids. keep leaves what was written last in the -wal file.
type sample struct {
	db, wal []byte
	rows    map[int64][]any
	names   map[string]string
}

func newSample(tb testing.TB, rows int) *sample {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "sample.db")
	db, err := sql.Open("sqlite", path)
	if err != nil {
		tb.Fatal(err)
	}
	defer db.Close()
	db.SetMaxOpenConns(1)
	run := func(query string, args ...any) {
		tb.Helper()
		if _, err := db.ExecContext(tb.Context(), query, args...); err != nil {
			tb.Fatalf("%s: %v", query, err)
		}
	}
	run(fmt.Sprintf("PRAGMA page_size = %d; PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0", testPage))
	run("CREATE TABLE thing (id INTEGER PRIMARY KEY, a, b, c)")
	run("CREATE TABLE name (name TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID")
	s := &sample{rows: map[int64][]any{}, names: map[string]string{}}
	r := rand.New(rand.NewPCG(1, 2))
	run("BEGIN")
	for i := range rows {
		id := int64(i*3 + 1)
		blob := make([]byte, r.IntN(20))
		if i%10 == 0 {
			blob = make([]byte, r.IntN(9000))
		}
		for k := range blob {
			blob[k] = byte(r.IntN(256))
		}
		row := []any{nil, []any{nil, int64(r.Uint64()) >> r.IntN(64), 0.5}[i%3], "text é", blob}
		run("INSERT INTO thing VALUES (?, ?, ?, ?)", id, row[1], row[2], row[3])
		s.rows[id] = row
		name := fmt.Sprintf("name %d", i)
		run("INSERT INTO name VALUES (?, ?)", name, "value")
		s.names[name] = "value"
		if i == rows/2 {
			run("COMMIT")
			run("PRAGMA wal_checkpoint(TRUNCATE)")
			run("BEGIN")
		}
	}
	run("COMMIT")
	if s.db, err = os.ReadFile(path); err != nil {
		tb.Fatal(err)
	}
	if s.wal, err = os.ReadFile(path + "-wal"); err != nil {
		tb.Fatal(err)
	}
	return s
}

// folded is the sample without a -wal file: all of it in the file.
func (s *sample) folded(tb testing.TB) []byte {
	tb.Helper()
	path := filepath.Join(tb.TempDir(), "folded.db")
	for name, data := range map[string][]byte{path: s.db, path + "-wal": s.wal} {
		if err := os.WriteFile(name, data, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	db, err := sql.Open("sqlite", path)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := db.ExecContext(tb.Context(), "PRAGMA wal_checkpoint(TRUNCATE)"); err != nil {
		tb.Fatal(err)
	}
	if err := db.Close(); err != nil {
		tb.Fatal(err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		tb.Fatal(err)
	}
	return data
}

func source(p []byte) Source { return Source{ReaderAt: bytes.NewReader(p), Size: int64(len(p))} }

// got is what was read of a file.
type got struct {
	rows    map[int64][]any
	names   map[string]string
	guessed int // rows whose table the file did not tell
	damage  Damage
}

// readAll reads the sample's tables out of db and wal, orphans last.
func readAll(tb testing.TB, db, wal []byte) got {
	tb.Helper()
	g := got{rows: map[int64][]any{}, names: map[string]string{}}
	f, err := Open(source(db), source(wal), testPage)
	if err != nil {
		return g
	}
	tables, err := f.Tables(tb.Context())
	if err != nil {
		tb.Fatal(err)
	}
	if len(tables) == 0 {
		tables = []Table{{"thing", 3}, {"name", 4}} // where SQLite puts the first ones
	}
	put := func(r Row) error {
		if name, ok := at(r, 0).(string); ok && len(r.Values) == 2 {
			if value, ok := at(r, 1).(string); ok && g.names[name] == "" {
				g.names[name] = value
			}
		} else if _, there := g.rows[r.ID]; !there && len(r.Values) == 4 {
			g.rows[r.ID] = r.Values
		}
		return nil
	}
	for _, t := range tables {
		if err := f.Walk(tb.Context(), t.Root, put); err != nil {
			tb.Fatal(err)
		}
	}
	if f.Broken() {
		err := f.Orphans(tb.Context(), func(root uint32, r Row) error {
			if root == 0 {
				g.guessed++
			}
			return put(r)
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
	g.damage = f.Damage()
	return g
}

func at(r Row, i int) any {
	if i >= len(r.Values) {
		return nil
	}
	return r.Values[i]
}

// same compares rows; cmp takes too long for so many.
func same(x, y []any) bool {
	return slices.EqualFunc(x, y, func(x, y any) bool {
		p, bytesX := x.([]byte)
		q, bytesY := y.([]byte)
		return bytesX && bytesY && bytes.Equal(p, q) || !bytesX && !bytesY && x == y
	})
}

// lost counts the rows that are missing or wrong.
func (s *sample) lost(tb testing.TB, g got) (n int) {
	tb.Helper()
	for id, want := range s.rows {
		if row, ok := g.rows[id]; !ok || !same(row, want) {
			n++
		}
	}
	for name, want := range s.names {
		if g.names[name] != want {
			n++
		}
	}
	return n
}

func TestWhole(t *testing.T) {
	s := newSample(t, 400)
	for name, files := range map[string][2][]byte{
		"with a -wal file": {s.db, s.wal},
		"folded":           {s.folded(t), nil},
		"stale -wal file":  {s.folded(t), s.wal},
	} {
		t.Run(name, func(t *testing.T) {
			g := readAll(t, files[0], files[1])
			if g.damage.Any() {
				t.Errorf("damage: got %+v, want none", g.damage)
			}
			if lost := s.lost(t, g); lost > 0 || len(g.rows) != len(s.rows) || len(g.names) != len(s.names) {
				t.Errorf("rows: got %d and %d, %d of them not as written, want %d and %d",
					len(g.rows), len(g.names), lost, len(s.rows), len(s.names))
			}
		})
	}
}

// What follows damage in the -wal file is not taken in, what came before is.
func TestDamagedLog(t *testing.T) {
	s := newSample(t, 200)
	g := readAll(t, s.db, nil)
	before := len(g.rows)
	s.wal[len(s.wal)-1] ^= 1
	g = readAll(t, s.db, s.wal)
	if len(g.rows) != before || len(g.rows) == len(s.rows) {
		t.Errorf("rows: got %d, want the %d of the file", len(g.rows), before)
	}
}

// One page of the file is gone, whichever: what is lost is what stood on it.
func TestOnePage(t *testing.T) {
	s := newSample(t, 400)
	whole := s.folded(t)
	most := 0
	for page := range len(whole) / testPage {
		for _, fill := range []byte{0, 0xa5} {
			broken := bytes.Clone(whole)
			copy(broken[page*testPage:], bytes.Repeat([]byte{fill}, testPage))
			g := readAll(t, broken, nil)
			most = max(most, s.lost(t, g))
		}
	}
	// A page holds at most some sixty rows of the smallest kind.
	if limit := 70; most > limit {
		t.Errorf("lost with one page: got up to %d of %d rows, want at most %d", most, len(s.rows)+len(s.names), limit)
	}
}

func TestFlippedBits(t *testing.T) {
	s := newSample(t, 400)
	whole := s.folded(t)
	r := rand.New(rand.NewPCG(3, 4))
	for range 300 {
		broken := bytes.Clone(whole)
		bit := r.IntN(8 * len(broken))
		broken[bit/8] ^= 1 << (bit % 8)
		if lost := s.lost(t, readAll(t, broken, nil)); lost > 70 {
			t.Errorf("bit %d of byte %d: lost %d rows", bit%8, bit/8, lost)
		}
	}
}

func TestCut(t *testing.T) {
	s := newSample(t, 400)
	whole := s.folded(t)
	for size := 0; size < len(whole); size += 5003 {
		g := readAll(t, whole[:size], nil)
		if size < len(whole)/2 {
			continue
		}
		if len(g.rows) < len(s.rows)/10 {
			t.Errorf("cut to %d of %d bytes: got %d rows", size, len(whole), len(g.rows))
		}
	}
}

func TestJudge(t *testing.T) {
	for _, tt := range []struct {
		ids  []int64
		want []bool
	}{
		{nil, nil},
		{[]int64{1}, []bool{true}},
		{[]int64{1, 2, 3}, []bool{true, true, true}},
		{[]int64{5, 6, 1000, 7, 8}, []bool{true, true, false, true, true}},
		{[]int64{5, 6, 2, 8}, []bool{true, true, false, true}},
		{[]int64{900, 5, 6}, []bool{false, true, true}},
		{[]int64{5, 6, 1}, []bool{true, true, false}},
		{[]int64{2, 1}, []bool{false, false}},
		{[]int64{1, 2, 2, 3}, []bool{true, true, true, true}},
	} {
		got := make([]bool, len(tt.ids))
		for i := range got {
			got[i] = true
		}
		judge(tt.ids, got)
		if len(tt.ids) > 0 && !cmp.Equal(got, tt.want) {
			t.Errorf("judge(%v): got %v, want %v", tt.ids, got, tt.want)
		}
	}
}

func TestRecord(t *testing.T) {
	for _, tt := range []struct {
		name string
		in   []byte
		want []any
		ok   bool
	}{
		{"nothing", nil, nil, false},
		{"no columns", []byte{1}, nil, true},
		{"types", []byte{6, 0, 1, 8, 9, 19, 0xff, 'a', 'b', 'c'}, []any{nil, int64(-1), int64(0), int64(1), "abc"}, true},
		{"24 bits", []byte{2, 3, 0x80, 0, 1}, []any{int64(-0x7fffff)}, true},
		{"float", []byte{2, 7, 0x3f, 0xe0, 0, 0, 0, 0, 0, 0}, []any{0.5}, true},
		{"reserved type", []byte{2, 10}, nil, false},
		{"too short", []byte{2, 19, 'a'}, nil, false},
		{"too long", []byte{2, 15, 'a', 'b'}, nil, false},
		{"header beyond the end", []byte{9, 1}, nil, false},
	} {
		got, ok := record(tt.in)
		if ok != tt.ok || ok && !cmp.Equal(got, tt.want) {
			t.Errorf("%s: got %v, %v, want %v, %v", tt.name, got, ok, tt.want, tt.ok)
		}
	}
}

func TestVarint(t *testing.T) {
	for _, tt := range []struct {
		in   []byte
		want uint64
		n    int
	}{
		{nil, 0, 0},
		{[]byte{0x80}, 0, 0},
		{[]byte{0x7f, 1}, 127, 1},
		{[]byte{0x81, 0x00}, 128, 2},
		{bytes.Repeat([]byte{0xff}, 9), math.MaxUint64, 9},
		{bytes.Repeat([]byte{0xff}, 8), 0, 0},
	} {
		if got, n := varint(tt.in); got != tt.want || n != tt.n {
			t.Errorf("varint(%x): got %d, %d, want %d, %d", tt.in, got, n, tt.want, tt.n)
		}
	}
}

// Whatever the bytes are, reading them ends, and gives no more rows than fit.
func FuzzFile(f *testing.F) {
	s := newSample(f, 8)
	f.Add(s.folded(f), []byte{})
	f.Add(s.db, s.wal)
	f.Add([]byte(magic), []byte{})
	f.Fuzz(func(t *testing.T, db, wal []byte) {
		g := readAll(t, db, wal)
		if limit := (len(db) + len(wal)) * 8; len(g.rows)+len(g.names) > limit {
			t.Errorf("rows: got %d of %d bytes", len(g.rows), len(db)+len(wal))
		}
	})
}
