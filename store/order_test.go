package store

import (
	"database/sql/driver"
	"math"
	"slices"
	"strings"
	"testing"
)

func TestOrdersAreTheSortKeysOfTheCommandLine(t *testing.T) {
	const keys = "id started method host path url status type request_size response_size duration"
	for i, name := range strings.Fields(keys) {
		o, err := ParseOrder(name)
		if err != nil || o != Order(i) || o.String() != name {
			t.Errorf("order %q: got %d (%v), %v, want %d", name, o, o, err, i)
		}
	}
	if o, err := ParseOrder(""); o != OrderID || err != nil {
		t.Errorf("no order: got %v, %v, want %v", o, err, OrderID)
	}
	if _, err := ParseOrder("size"); err == nil || !strings.Contains(err.Error(), keys) {
		t.Errorf("unknown order: got %v, want the names of all", err)
	}
	if got, want := Order(200).String(), "order(200)"; got != want {
		t.Errorf("order 200: got %q, want %q", got, want)
	}
	if _, err := newSession(t).View(t.Context(), Query{Order: 200}); err == nil {
		t.Error("view in order 200: got no error")
	}
}

func TestNumberKeysSortAsNumbersDo(t *testing.T) {
	ascending := []driver.Value{nil, int64(math.MinInt64 + 1), int64(-1), int64(0), int64(1), int64(math.MaxInt64)}
	var keys []string
	for _, v := range ascending {
		keys = append(keys, numberKey([]driver.Value{v}))
	}
	if !slices.IsSorted(keys) || len(slices.Compact(slices.Clone(keys))) != len(ascending) {
		t.Errorf("keys of %v: got %x, want them ascending", ascending, keys)
	}
	if got := numberKey([]driver.Value{int64(math.MinInt64)}); got == numberKey([]driver.Value{nil}) {
		t.Errorf("key of the least number: got %x, that of NULL", got)
	}
}
