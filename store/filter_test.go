package store

import (
	"slices"
	"testing"

	"weir/filter"
)

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
