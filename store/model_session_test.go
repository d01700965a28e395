package store

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"
	"pgregory.net/rapid"

	flowpb "weir/proto"
)

// Tools are packages that stand on this one, which its tests inside cannot import.
type Tools struct {
	Merge  func(ctx context.Context, paths []string, to string) (flows, duplicates uint64, err error)
	Repair func(ctx context.Context, path, to string) (whole bool, err error)
}

// AgainstModel does all that can be done to a session, in any order, and
// compares after each step: the session, a second one that has the same file open, and
// the views of both, with a plain memory of what was done.
//
// It stands for the whole of the package, where the tests of its parts look closer.
func AgainstModel(t *testing.T, tools Tools) {
	drawCases(t, 12)
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		m := &modelled{tools: tools, dir: filepath.Join(dir, strconv.Itoa(n)), tune: drawTuning(rt)}
		if err := os.Mkdir(m.dir, 0o700); err != nil {
			rt.Fatal(err)
		}
		m.options = drawOptions(rt)
		m.begin(rt)
		defer func() {
			m.closeAll(rt)
			_ = os.RemoveAll(m.dir)
		}()
		rt.Repeat(map[string]func(*rapid.T){
			"flow": m.flow, "more flows": m.moreFlows, "body": m.body, "message": m.message, "end": m.end, "change": m.change, "late": m.late, "connection": m.connection,
			"note": m.annotate, "unmark": m.unmark, "state": m.setState,
			"remove": m.remove, "others": m.others, "undo": m.undo, "drop": m.drop, "purge": m.purge, "retain": m.retain, "retain bytes": m.retainBytes,
			"compact": m.compact, "compact beside": m.compactBeside, "settle": m.settle,
			"reopen": m.reopen, "kill": m.kill, "second": m.openSecond, "view": m.view, "close view": m.closeView,
			"branch": m.branchOff, "elsewhere": m.elsewhere, "merge": m.merge,
			"": m.check,
		})
		m.repaired(rt)
	})
}

// drawCases sets how many cases rapid draws: so many, or ten for each round that the
// environment asks for.
func drawCases(t *testing.T, usual int) {
	t.Helper()
	f := flag.Lookup("rapid.checks")
	was := f.Value.String()
	if was != f.DefValue {
		return // somebody wants it so
	}
	cases := soakRounds(t, usual)
	if os.Getenv(soakVariable) != "" {
		cases *= 10
	}
	if err := f.Value.Set(strconv.Itoa(cases)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Value.Set(was) })
}

func drawOptions(t *rapid.T) WriterOptions {
	return WriterOptions{
		BatchFlows: rapid.IntRange(1, 8).Draw(t, "batch flows"), BatchBytes: rapid.Int64Range(1, 1<<20).Draw(t, "batch bytes"),
		QueueBytes: rapid.Int64Range(1, 1<<20).Draw(t, "queue bytes"), BatchDelay: time.Millisecond,
		CompactAfter: rapid.SampledFrom([]time.Duration{-1, time.Millisecond}).Draw(t, "compact after"),
	}
}

// modelled is a session beside the memory of what it should hold.
type modelled struct {
	*memory
	tools   Tools
	dir     string
	files   int // made so far
	options WriterOptions
	tune    tuning

	s       *Session
	w       *Writer
	second  *Session // has the same file open; nil: nobody has
	views   []*View
	ages    ages            // of s, told of nothing but by the change log
	seen    uint64          // the second session's last revision
	touched map[uint64]bool // flows that changed since

	branch     *memory // of another session, or of this one as it was
	branchPath string
}

// path is that of a new file.
func (m *modelled) path() string {
	m.files++
	return filepath.Join(m.dir, fmt.Sprintf("%d.weir", m.files))
}

// begin makes a session and records into it from now on.
func (m *modelled) begin(t *rapid.T) {
	path := m.path()
	s, err := Create(context.Background(), path, Options{Synchronous: SyncNormal})
	must(t, err)
	must(t, s.Close())
	m.open(t, path)
	m.memory = &memory{uuid: m.s.UUID()}
}

// open goes on with the session at path.
func (m *modelled) open(t *rapid.T, path string) {
	var err error
	m.s, err = Open(context.Background(), path, Options{Synchronous: SyncNormal})
	must(t, err)
	m.write(t)
}

func (m *modelled) write(t *rapid.T) {
	var err error
	m.w, err = m.s.NewWriter(context.Background(), m.options)
	must(t, err)
}

// closeAll closes the session and who looks at it.
func (m *modelled) closeAll(t *rapid.T) {
	m.closeViews(t)
	m.closeSecond(t)
	must(t, m.s.Close())
}

func (m *modelled) closeViews(t *rapid.T) {
	for _, v := range m.views {
		must(t, v.Close())
	}
	m.views = nil
}

func (m *modelled) closeSecond(t *rapid.T) {
	if m.second == nil {
		return
	}
	m.views = slices.DeleteFunc(m.views, func(v *View) bool {
		if v.session == m.second {
			must(t, v.Close())
		}
		return v.session == m.second
	})
	must(t, m.second.Close())
	m.second = nil
}

func must(t *rapid.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// expect compares how many flows something was done to, and takes note of that.
func (m *modelled) expect(t *rapid.T, what string, n int, err error, want []uint64) {
	t.Helper()
	if err != nil || n != len(want) {
		t.Fatalf("%s: got %d, %v, want %v", what, n, err, want)
	}
	m.touch(want...)
}

func (m *modelled) touch(ids ...uint64) {
	for _, id := range ids {
		if m.touched == nil {
			m.touched = map[uint64]bool{}
		}
		m.touched[id] = true
	}
}

// either is the session or, where it may write, the second one.
func (m *modelled) either(t *rapid.T) *Session {
	must(t, m.w.Flush(context.Background()))
	if m.second != nil && !m.second.ReadOnly() && rapid.Bool().Draw(t, "by the second") {
		return m.second
	}
	return m.s
}

// openSecond opens the file once more, or ends that.
func (m *modelled) openSecond(t *rapid.T) {
	if m.second != nil {
		m.closeSecond(t)
		return
	}
	var err error
	m.second, err = Open(context.Background(), m.s.Path(), Options{ReadOnly: rapid.Bool().Draw(t, "read-only"), Synchronous: SyncNormal})
	must(t, err)
	must(t, m.w.Flush(context.Background()))
	m.seen, err = m.second.Revision(context.Background())
	must(t, err)
	m.touched = nil
}

// reopen closes the session and opens it again; the second one stays.
func (m *modelled) reopen(t *rapid.T) {
	m.closeViews(t)
	must(t, m.s.Close())
	m.open(t, m.s.Path())
}

// kill goes on with the files as they are, as after the death of the process.
func (m *modelled) kill(t *rapid.T) {
	path := m.copyFiles(t)
	m.closeAll(t)
	m.open(t, path)
}

// copyFiles copies the session's file and its -wal file while nothing is written.
func (m *modelled) copyFiles(t *rapid.T) (path string) {
	must(t, m.w.Flush(context.Background()))
	m.s.writing.Lock()
	defer m.s.writing.Unlock()
	path = m.path()
	// A checkpoint may be under way: what it copies has to be in the first file.
	for _, end := range []string{"-wal", ""} {
		from, err := os.Open(m.s.Path() + end)
		if errors.Is(err, os.ErrNotExist) {
			continue
		}
		must(t, err)
		to, err := os.Create(path + end)
		must(t, err)
		_, err = io.Copy(to, from)
		must(t, errors.Join(err, to.Close(), from.Close()))
	}
	return path
}

// view looks at the session, or the second one, in some way.
func (m *modelled) view(t *rapid.T) {
	if len(m.views) > 3 {
		m.closeView(t)
	}
	s := m.s
	if m.second != nil && rapid.Bool().Draw(t, "by the second") {
		s = m.second
	}
	v, err := s.view(context.Background(), drawQuery(t), m.tune)
	must(t, err)
	m.views = append(m.views, v)
}

func (m *modelled) closeView(t *rapid.T) {
	if len(m.views) > 0 {
		i := rapid.IntRange(0, len(m.views)-1).Draw(t, "view")
		must(t, m.views[i].Close())
		m.views = slices.Delete(m.views, i, i+1)
	}
}

// branchOff keeps the session as it is now, to be merged with what it will be.
func (m *modelled) branchOff(t *rapid.T) {
	m.branchPath = m.copyFiles(t)
	m.branch = m.memory.clone()
}

// elsewhere records into a new session from now on, and keeps the other one.
func (m *modelled) elsewhere(t *rapid.T) {
	m.branchPath, m.branch = m.s.Path(), m.memory
	m.closeAll(t)
	m.begin(t)
}

// merge merges the session with the other one, in either order, and goes on with
// what comes of it.
func (m *modelled) merge(t *rapid.T) {
	if m.branch == nil {
		return
	}
	must(t, m.w.Flush(context.Background()))
	memories, paths := []*memory{m.memory.clone(), m.branch.clone()}, []string{m.s.Path(), m.branchPath}
	if rapid.Bool().Draw(t, "the other first") {
		slices.Reverse(memories)
		slices.Reverse(paths)
	}
	to := m.path()
	flows, duplicates, err := m.tools.Merge(context.Background(), paths, to)
	must(t, err)
	merged, wantDuplicates := mergedMemory(memories...)
	if flows != uint64(len(merged.flows)) || duplicates != wantDuplicates {
		t.Fatalf("merged: got %d flows and %d duplicates, want %d and %d", flows, duplicates, len(merged.flows), wantDuplicates)
	}
	m.closeAll(t)
	m.memory = merged
	m.open(t, to)
	m.uuid = m.s.UUID()
}

// repaired repairs the file, which is sound: all of it is in the new one.
func (m *modelled) repaired(t *rapid.T) {
	m.closeAll(t)
	to := m.path()
	whole, err := m.tools.Repair(context.Background(), m.s.Path(), to)
	switch {
	case errors.Is(err, ErrNotSession) && len(m.there()) == 0:
		to = m.s.Path() // there is nothing to save
	case err != nil:
		t.Fatal(err)
	case !whole:
		t.Fatal("repair of a sound session: something was damaged")
	}
	m.open(t, to)
	m.check(t)
}

// connection records a connection for a flow, lends it another flow's, or changes the
// one that it has.
func (m *modelled) connection(t *rapid.T) {
	ids := m.there()
	if len(ids) == 0 {
		return
	}
	must(t, m.w.Flush(context.Background()))
	ctx, r := context.Background(), m.of(rapid.SampledFrom(ids).Draw(t, "flow"))
	c := &flowpb.Conn{Side: flowpb.SideResponse, StartedNs: rapid.Int64Range(1, 9).Draw(t, "at"), Tls: &flowpb.Tls{
		Presented: &flowpb.Certificate{Der: []byte(rapid.SampledFrom([]string{"one", "two"}).Draw(t, "certificate"))},
	}}
	head, err := m.s.Flow(ctx, r.head.GetId())
	must(t, err)
	other := m.of(rapid.SampledFrom(ids).Draw(t, "used by"))
	if r.conn == nil {
		r.conn = other.conn
		stored, err := m.s.Flow(ctx, other.head.GetId())
		must(t, err)
		head.ServerConn = stored.GetServerConn()
	}
	c.Id = head.GetServerConn()
	must(t, m.w.Conn(ctx, c))
	if r.conn == nil {
		r.conn = &flowpb.Conn{}
	}
	head.ServerConn = c.GetId()
	must(t, m.w.Flow(ctx, head))
	proto.Reset(r.conn)
	proto.Merge(r.conn, c)
	r.conn.Id = 0
	m.touch(r.head.GetId())
}
