package store

import (
	"database/sql/driver"
	"slices"
	"testing"

	flowpb "weir/proto"
)

func TestRanksAreTheOrderOfTexts(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	for i, host := range []string{"b.example", "a.example", "c.example", "b.example"} {
		f := httpFlow(i)
		q := f.GetHttp().Request
		q.Host, q.Authority, q.Port = []byte(host), nil, uint32(80+i)
		record(t, w, f)
	}
	r, err := s.ranks(t.Context(), hosts, 4)
	if want := (ranks{0, 2, 1, 3, 2}); err != nil || !slices.Equal(r, want) {
		t.Errorf("ranks: got %v, %v, want %v", r, err, want)
	}
	for _, number := range []driver.Value{nil, int64(-1), int64(0), int64(5), "x"} {
		if got := r.of(number); got != 0 {
			t.Errorf("rank of %v: got %d, want 0", number, got)
		}
	}
	if r, err := s.ranks(t.Context(), hosts, 3); err != nil || r != nil {
		t.Errorf("ranks of four sites where three may be: got %v, %v, want none", r, err)
	}
}

// A number that stands for nothing must not hide its flow.
func TestFlowsWithoutATermAreSorted(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	put := func(f *flowpb.Flow) *flowpb.Flow {
		f.GetHttp().Request.Method = []byte("PUT")
		return f
	}
	record(t, w, httpFlow(1), put(httpFlow(2)), httpFlow(3))
	if _, err := s.note.Exec("UPDATE flow SET method = 1 << 40 WHERE id = 3"); err != nil {
		t.Fatal(err)
	}
	if got, want := newView(t, s, Query{Order: OrderMethod}).IDs(0, 9), []uint64{3, 1, 2}; !slices.Equal(got, want) {
		t.Errorf("flows by method: got %v, want %v", got, want)
	}
}
