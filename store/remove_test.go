package store

import (
	"errors"
	"slices"
	"testing"

	"weir/filter"
	flowpb "weir/proto"
)

func TestRemove(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	for n := range 5 {
		f := httpFlow(n)
		record(t, w, f)
		if err := w.Body(t.Context(), f.GetId(), flowpb.SideResponse, []byte("body!")); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, w)
	mark := flowpb.DefaultMarker
	if _, err := s.Annotate(t.Context(), []uint64{2, 5}, NoteChange{Marked: &mark}); err != nil {
		t.Fatal(err)
	}
	// One in the middle, the last, one that is not there.
	if err := s.Remove(t.Context(), []uint64{2, 5, 99}); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Count(t.Context()); err != nil || n != 3 {
		t.Errorf("%d flows (%v), want 3", n, err)
	}
	if _, err := s.Flow(t.Context(), 2); !errors.Is(err, ErrNotFound) {
		t.Errorf("a removed flow: %v, want ErrNotFound", err)
	}
	if b, err := s.Body(t.Context(), 5, flowpb.SideResponse); err != nil || b.Size() != 0 {
		t.Errorf("body of a removed flow: %v", err)
	}
	var ids []uint64
	err := s.Select(t.Context(), Query{}, func(id uint64) bool { ids = append(ids, id); return true })
	if want := []uint64{1, 3, 4}; err != nil || !slices.Equal(ids, want) {
		t.Errorf("flows %v (%v), want %v", ids, err, want)
	}
	// No id is given twice.
	f := httpFlow(6)
	record(t, w, f)
	if f.GetId() != 6 {
		t.Errorf("the next flow got id %d, want 6", f.GetId())
	}
	if err := s.Remove(t.Context(), []uint64{6}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	w, err = s.NewWriter(t.Context(), WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	f = httpFlow(7)
	f.GetHttp().Response.Body = nil
	record(t, w, f)
	if n, err := s.Count(t.Context()); f.GetId() != 7 || err != nil || n != 4 {
		t.Errorf("after reopening: id %d, %d flows (%v), want 7 and 4", f.GetId(), n, err)
	}
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify: %v %v", problems, err)
	}
}

func TestRemoveFromReadOnly(t *testing.T) {
	s := newSession(t)
	ro, err := Open(t.Context(), s.Path(), Options{ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer ro.Close()
	if err := ro.Remove(t.Context(), []uint64{1}); !errors.Is(err, ErrReadOnly) {
		t.Errorf("remove: %v, want ErrReadOnly", err)
	}
}

func TestFilterOfSomeFlows(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	for n := range 6 {
		f := httpFlow(n)
		f.GetHttp().Response.Status = uint32(200 + n)
		record(t, w, f)
	}
	e, err := filter.Parse("~c >=203")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		expr filter.Expr
		want []uint64
	}{{e, []uint64{4, 5}}, {nil, []uint64{2, 4, 5}}} {
		got, err := s.Filter(t.Context(), tt.expr, []uint64{5, 2, 4, 77})
		if err != nil || !slices.Equal(got, tt.want) {
			t.Errorf("%v: %v (%v), want %v", tt.expr, got, err, tt.want)
		}
	}
}
