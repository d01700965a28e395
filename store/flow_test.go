package store

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	flowpb "weir/proto"
)

func TestRows(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	waiting := httpFlow(2)
	waiting.State, waiting.GetHttp().Response = flowpb.StateError, nil
	waiting.Error = &flowpb.Error{Message: "connection refused"}
	record(t, w, httpFlow(1), waiting, httpFlow(3))
	mark, comment, tags := "x", "look", []string{"b", "a"}
	if _, err := s.Annotate(t.Context(), []uint64{3}, NoteChange{Marked: &mark, Comment: &comment, Tags: &tags}); err != nil {
		t.Fatal(err)
	}
	row := func(f *flowpb.Flow, n flowpb.Note, reason, failure string) flowpb.Row {
		summary := flowpb.Summarize(f)
		summary.Session = s.Name()
		return flowpb.Row{Summary: summary, Note: n, Reason: reason, Error: failure}
	}
	first, third := httpFlow(1), httpFlow(3)
	first.Id, third.Id = 1, 3
	want := []flowpb.Row{
		row(third, flowpb.Note{Marked: "x", Comment: "look", Tags: []string{"a", "b"}}, "Not Found", ""),
		row(waiting, flowpb.Note{}, "", "connection refused"),
		row(first, flowpb.Note{}, "Not Found", ""),
	}
	got, err := s.Rows(t.Context(), []uint64{3, 99, 2, 1})
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("rows (-want +got):\n%s", d)
	}
	if got, err := s.Rows(t.Context(), nil); err != nil || len(got) != 0 {
		t.Errorf("rows of nothing: got %v, %v, want none", got, err)
	}
	heads, err := s.Heads(t.Context(), []uint64{3, 99, 1})
	if err != nil || len(heads) != 2 || heads[0].GetId() != 3 || heads[1].GetId() != 1 {
		t.Errorf("heads: got %v, %v, want flows 3 and 1", heads, err)
	}
	if _, err := s.Flow(t.Context(), 99); !errors.Is(err, ErrNotFound) {
		t.Errorf("flow 99: got %v, want %v", err, ErrNotFound)
	}
}

// TestRowsOfAWideWindow reads more rows than a statement may have parameters.
func TestRowsOfAWideWindow(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	ids := make([]uint64, 40_000)
	ids[39_999] = 1
	if rows, err := s.Rows(t.Context(), ids); err != nil || len(rows) != 1 {
		t.Errorf("got %d rows, %v, want 1", len(rows), err)
	}
}

// TestDamagedHeadDoesNotHideItsPage sees that one bad blob is one bad row.
func TestDamagedHeadDoesNotHideItsPage(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1), httpFlow(2))
	if _, err := s.note.Exec("UPDATE head SET blob = x'01ffff' WHERE id = 1"); err != nil {
		t.Fatal(err)
	}
	rows, err := s.Rows(t.Context(), []uint64{1, 2})
	if err != nil || len(rows) != 2 {
		t.Fatalf("rows: got %d, %v, want 2", len(rows), err)
	}
	if !strings.Contains(rows[0].Error, "damaged") || rows[1].Reason != "Not Found" {
		t.Errorf("rows: got error %q and reason %q, want the damage said and the other row whole", rows[0].Error, rows[1].Reason)
	}
	if _, err := s.Flow(t.Context(), 1); !errors.Is(err, flowpb.ErrBlob) {
		t.Errorf("flow: got %v, want %v", err, flowpb.ErrBlob)
	}
}

// TestColumnsAreTheSummary writes random summaries and reads them back.
func TestColumnsAreTheSummary(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	text := rapid.Map(rapid.SliceOfN(rapid.Byte(), 0, 20), func(b []byte) []byte { return b })
	rapid.Check(t, func(rt *rapid.T) {
		f := httpFlow(0)
		f.CreatedNs = rapid.Int64Range(0, 1<<62).Draw(rt, "created")
		f.State = flowpb.State(rapid.Int32Range(0, 9).Draw(rt, "state"))
		f.Replay = flowpb.Replay(rapid.Int32Range(0, 3).Draw(rt, "replay"))
		q := f.GetHttp().Request
		q.Method, q.Host, q.Path, q.Authority = text.Draw(rt, "method"), text.Draw(rt, "host"), text.Draw(rt, "path"), text.Draw(rt, "authority")
		f.Agent = text.Draw(rt, "agent")
		q.Port = rapid.Uint32().Draw(rt, "port")
		f.GetHttp().Response.Status = rapid.Uint32().Draw(rt, "status")
		if rapid.Bool().Draw(rt, "no response") {
			f.GetHttp().Response = nil
		}
		record(t, w, f)
		rows, err := s.Rows(t.Context(), []uint64{f.GetId()})
		if err != nil || len(rows) != 1 {
			rt.Fatalf("rows: got %d, %v", len(rows), err)
		}
		want := flowpb.Summarize(f)
		want.Session = s.Name()
		if d := cmp.Diff(want, rows[0].Summary); d != "" {
			rt.Fatalf("columns (-want +got):\n%s", d)
		}
	})
}
