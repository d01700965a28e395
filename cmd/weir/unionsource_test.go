package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	flowpb "weir/proto"
	"weir/store/seed"
	"weir/tui"
)

// seededFolder is a folder of sessions, and a file that is none.
func seededFolder(t *testing.T, names ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i, name := range names {
		if err := seedSession(t.Context(), filepath.Join(dir, name+".weir"), seed.Options{Flows: 20 * (i + 1), BodySize: 100}); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "junk.weir"), []byte("junk"), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir
}

// rowsOf are all rows of a source's list.
func rowsOf(t *testing.T, s tui.Source, q tui.Query) []flowpb.Row {
	t.Helper()
	l, err := s.List(t.Context(), q)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for seen := uint64(0); ; {
		status, err := l.Wait(t.Context(), seen)
		if err != nil {
			t.Fatal(err)
		}
		if seen = status.Version; !status.Building {
			rows, err := l.Page(t.Context(), 0, status.Len)
			if err != nil {
				t.Fatal(err)
			}
			return rows
		}
	}
}

// TestUnionSource asks for all that the interface asks for, of the flows of two sessions
// in one list: each question goes to the session that has the flow.
func TestUnionSource(t *testing.T) {
	ctx, dir := t.Context(), seededFolder(t, "a", "b")
	v, err := openSource(ctx, []string{dir}, false)
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if n, err := v.Notice(ctx); err != nil || !strings.Contains(n.Text, "junk.weir") {
		t.Errorf("notice: got %+v, %v, want that junk.weir is left out", n, err)
	}
	stats, err := v.Stats(ctx)
	if err != nil || stats.Total != 60 || stats.Sessions != 2 || stats.Mode != tui.Offline {
		t.Errorf("stats: got %+v, %v, want 60 flows of two sessions", stats, err)
	}
	rows := rowsOf(t, v, tui.Query{Filter: "~http & ~s & ~sizes >0", Order: "host"})
	names := map[string]int{}
	for i := range rows {
		names[rows[i].Session]++
		checkFlow(t, v, &rows[i])
	}
	if names["a"] == 0 || names["b"] == 0 {
		t.Errorf("flows by session: got %v, want some of both", names)
	}
	checkNotes(t, v, []uint64{rows[0].ID, rows[len(rows)-1].ID})
}

// checkFlow reads a flow, its body and its export, and compares them with its row.
func checkFlow(t *testing.T, v viewed, row *flowpb.Row) {
	t.Helper()
	d, err := v.Flow(t.Context(), row.ID)
	if err != nil {
		t.Fatal(err)
	}
	summary := flowpb.Summarize(d.Flow)
	if got := summary.URL(); got != row.URL() {
		t.Errorf("flow %x: got %s, want %s", row.ID, got, row.URL())
	}
	body, err := v.Body(t.Context(), row.ID, flowpb.SideResponse, 0, 1<<20)
	if err != nil || int64(len(body)) != row.ResponseSize {
		t.Errorf("body of flow %x: got %d bytes, %v, want %d", row.ID, len(body), err, row.ResponseSize)
	}
	out, err := v.Export(t.Context(), "url", row.ID, false, 1<<20)
	if err != nil || string(out.Text) != row.URL() {
		t.Errorf("url of flow %x: got %q, %v, want %q", row.ID, out.Text, err, row.URL())
	}
}

// checkNotes marks, exports, removes and brings back flows of several sessions.
func checkNotes(t *testing.T, v viewed, ids []uint64) {
	t.Helper()
	ctx, mark := t.Context(), "x"
	if notes, err := v.Annotate(ctx, ids, tui.NoteChange{Marked: &mark}); err != nil || len(notes) != 2 || notes[1].Marked != "x" {
		t.Fatalf("annotate: got %v, %v", notes, err)
	}
	marked := rowsOf(t, v, tui.Query{MarkedOnly: true})
	var got []uint64
	for i := range marked {
		got = append(got, marked[i].ID)
	}
	slices.Sort(got)
	slices.Sort(ids)
	if !slices.Equal(got, ids) {
		t.Errorf("marked: got %x, want %x", got, ids)
	}
	path := filepath.Join(t.TempDir(), "out.har")
	if saved, err := v.Save(ctx, "har", path, ids, false); err != nil || saved.Flows != 2 {
		t.Errorf("save: got %+v, %v, want two flows", saved, err)
	}
	for _, one := range v.shelf.sessions() {
		if _, err := v.Save(ctx, "har", one.Path(), ids, false); err == nil {
			t.Errorf("save over %s: got no error", one.Path())
		}
	}
	for _, act := range []func(context.Context) (int, error){
		func(ctx context.Context) (int, error) { return v.Remove(ctx, ids) },
		v.Undo,
		func(ctx context.Context) (int, error) { return v.RemoveOthers(ctx, tui.Query{Filter: "!~marked"}) },
		v.Undo, v.Unmark,
	} {
		if n, err := act(ctx); n != 2 || err != nil {
			t.Errorf("got %d flows, %v, want 2", n, err)
		}
	}
	if n, err := v.RemoveAll(ctx); n != 60 || err != nil {
		t.Errorf("remove all: got %d, %v, want 60", n, err)
	}
}

// TestLibrary lists and describes the sessions of a folder, and opens several as one.
func TestLibrary(t *testing.T) {
	ctx, dir := t.Context(), seededFolder(t, "a", "b")
	l := library{folders: []string{dir, filepath.Join(dir, "none")}}
	entries, err := l.List(ctx)
	if err != nil || len(entries) != 3 {
		t.Fatalf("list: got %+v, %v, want three files", entries, err)
	}
	facts, err := l.Describe(ctx, entries[1].Path)
	if err != nil || entries[1].Name != "b" || facts.Flows != 40 || facts.First == 0 || facts.Last < facts.First {
		t.Errorf("describe %+v: got %+v, %v, want 40 flows", entries[1], facts, err)
	}
	if _, err := l.Describe(ctx, entries[2].Path); err == nil {
		t.Errorf("describe %s: got no error", entries[2].Path)
	}
	opened, err := l.Open(ctx, []string{entries[0].Path, entries[1].Path}, true)
	if err != nil {
		t.Fatal(err)
	}
	if stats, err := opened.Stats(ctx); err != nil || stats.Total != 60 || stats.Mode != tui.ReadOnly {
		t.Errorf("stats: got %+v, %v, want 60 flows, read-only", stats, err)
	}
	if err := opened.Close(); err != nil {
		t.Error(err)
	}
	if _, err := (library{folders: []string{entries[0].Path}}).List(ctx); err == nil {
		t.Error("a folder that is none: got no error")
	}
}
