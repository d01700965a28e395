package store

import (
	"testing"
)

func TestInfo(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	empty, err := s.Info(t.Context())
	if err != nil || empty.Flows != 0 || empty.First != 0 || empty.FileBytes == 0 {
		t.Errorf("an empty session: got %+v, %v, want no flows", empty, err)
	}
	first, last := httpFlow(1), httpFlow(100)
	record(t, w, first, httpFlow(50), last)
	mark := "x"
	if _, err := s.Annotate(t.Context(), []uint64{2, 3}, NoteChange{Marked: &mark}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Info(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if got.Created == 0 || got.FileBytes <= empty.FileBytes {
		t.Errorf("created %d, %d bytes; want a time and more bytes than %d", got.Created, got.FileBytes, empty.FileBytes)
	}
	got.Created, got.FileBytes = 0, 0
	want := Info{
		UUID: s.UUID(), Path: s.Path(), Creator: "weir test", Format: formatVersion,
		Flows: 3, First: first.GetCreatedNs(), Last: last.GetCreatedNs(), Marked: 2, ResponseBytes: 15,
	}
	if got != want {
		t.Errorf("info:\ngot  %+v\nwant %+v", got, want)
	}
}
