package store

import (
	"database/sql/driver"
	"errors"
	"testing"

	"weir/filter"
)

func TestScanFunctionsNeedAScan(t *testing.T) {
	s := newSession(t)
	for _, q := range []string{
		"SELECT weir_match(1, 0, 'a')", "SELECT weir_collect(1)", "SELECT weir_collect()",
		"SELECT weir_match()", "SELECT weir_match('x', 0, 'a')", "SELECT weir_match(-1, 0, 'a')", "SELECT weir_match(1000, 0, 'a')",
		"SELECT weir_known(1, 0, 1)", "SELECT weir_learn(1, 0, 1, 'a')", "SELECT weir_known_url()", "SELECT weir_learn_url(1)",
	} {
		var got any
		if err := s.read.QueryRowContext(t.Context(), q).Scan(&got); err == nil {
			t.Errorf("%s: got %v, want an error", q, got)
		}
	}
}

func TestAScanPassesOnWhatItsRowsFailWith(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	sel, err := s.selection(Query{})
	if err != nil {
		t.Fatal(err)
	}
	sentinel := errors.New("enough")
	err = sel.each(t.Context(), s.read, span{1, 9}.condition(true), columns{}, func([]driver.Value) error { return sentinel })
	if !errors.Is(err, sentinel) {
		t.Errorf("scan: got %v, want %v", err, sentinel)
	}
}

func TestPatternFunctionsCheckTheirArguments(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	for _, where := range []string{
		"weir_match(?, 1, '')", "weir_match(?, -1, '')", "weir_match(?, 'x', '')", "weir_match(?, 0)",
		"weir_known(?, 0)", "weir_learn(?, 0, 1)", "weir_known_url(?, 0, 1, 1)", "weir_learn_url(?, 0, 1, 1, '')",
	} {
		sel, err := s.selection(Query{Filter: parse(t, "~d a")})
		if err != nil {
			t.Fatal(err)
		}
		sel.where, sel.args = where, []any{filter.PlanToken{}}
		sel.memos.patterns = sel.memos.patterns[:1]
		if _, err := sel.collect(t.Context(), s.read, span{1, 9}.condition(true)); err == nil {
			t.Errorf("%s: got no error, want one", where)
		}
	}
}
