package store

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
)

func TestAnnotate(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1), httpFlow(2), httpFlow(3))
	str := func(s string) *string { return &s }
	tags := func(s ...string) *[]string { return &s }
	for _, step := range []struct {
		ids    []uint64
		change NoteChange
		want   []flowpb.Note
	}{
		{[]uint64{2, 1}, NoteChange{Marked: str("m")}, []flowpb.Note{{Marked: "m"}, {Marked: "m"}}},
		{[]uint64{1}, NoteChange{Comment: str("c")}, []flowpb.Note{{Marked: "m", Comment: "c"}}},
		{[]uint64{1}, NoteChange{Tags: tags("b", " a ", "b", "", "c,d")}, []flowpb.Note{{Marked: "m", Comment: "c", Tags: []string{"a", "b", "c", "d"}}}},
		{[]uint64{1}, NoteChange{Highlight: str("red"), Marked: str("")}, []flowpb.Note{{Comment: "c", Tags: []string{"a", "b", "c", "d"}, Highlight: "red"}}},
		{[]uint64{1}, NoteChange{}, []flowpb.Note{{Comment: "c", Tags: []string{"a", "b", "c", "d"}, Highlight: "red"}}},
		{[]uint64{1}, NoteChange{Highlight: str(""), Comment: str(""), Tags: tags()}, []flowpb.Note{{}}},
	} {
		got, err := s.Annotate(t.Context(), step.ids, step.change)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(step.want, got); d != "" {
			t.Errorf("annotate %v %+v (-want +got):\n%s", step.ids, step.change, d)
		}
		for i, id := range step.ids {
			if n, err := s.Note(t.Context(), id); err != nil || !cmp.Equal(n, step.want[i]) {
				t.Errorf("note of flow %d: got %+v, %v, want %+v", id, n, err, step.want[i])
			}
		}
	}
	var rows int
	if err := s.read.QueryRow("SELECT count(*) FROM note").Scan(&rows); err != nil || rows != 1 {
		t.Errorf("rows in the note table: got %d, %v, want 1: one flow has a note left", rows, err)
	}
}

// TestAnnotateUnknownFlow sees that a call changes all or nothing.
func TestAnnotateUnknownFlow(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	before, _ := s.Revision(t.Context())
	mark := "x"
	if _, err := s.Annotate(t.Context(), []uint64{1, 9}, NoteChange{Marked: &mark}); !errors.Is(err, ErrNotFound) {
		t.Errorf("got %v, want %v", err, ErrNotFound)
	}
	if n, err := s.Note(t.Context(), 1); err != nil || !n.Empty() {
		t.Errorf("note of flow 1: got %+v, %v, want none", n, err)
	}
	if after, _ := s.Revision(t.Context()); after != before {
		t.Errorf("revision: got %d, want %d as before", after, before)
	}
}

func TestUnmark(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1), httpFlow(2), httpFlow(3))
	mark, comment := "x", "keep me"
	if _, err := s.Annotate(t.Context(), []uint64{1, 3}, NoteChange{Marked: &mark}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Annotate(t.Context(), []uint64{3}, NoteChange{Comment: &comment}); err != nil {
		t.Fatal(err)
	}
	since, err := s.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{2, 0} {
		if n, err := s.Unmark(t.Context()); err != nil || n != want {
			t.Errorf("unmark: got %d, %v, want %d", n, err, want)
		}
	}
	ids, _, _, err := s.Changes(t.Context(), since)
	if d := cmp.Diff([]uint64{1, 3}, ids); err != nil || d != "" {
		t.Errorf("changes: %v (-want +got):\n%s", err, d)
	}
	if n, err := s.Note(t.Context(), 3); err != nil || n.Comment != comment || n.Marked != "" {
		t.Errorf("note of flow 3: got %+v, %v, want the comment alone", n, err)
	}
}

func TestState(t *testing.T) {
	s := newSession(t)
	for _, want := range [][]byte{nil, {}, {1, 0, 2}, nil} {
		if err := s.SetState(t.Context(), "view", want); err != nil {
			t.Fatal(err)
		}
		got, err := s.State(t.Context(), "view")
		if err != nil || string(got) != string(want) || (got == nil) != (want == nil) {
			t.Errorf("state: got %v, %v, want %v", got, err, want)
		}
	}
	if err := s.SetState(t.Context(), "view", make([]byte, maxState+1)); !errors.Is(err, ErrLimit) {
		t.Errorf("state too large: got %v, want %v", err, ErrLimit)
	}
}
