package main

import (
	"strings"
	"testing"
	"time"
)

func TestQuantile(t *testing.T) {
	values := []int{5, 1, 4, 2, 3}
	for q, want := range map[float64]int{0: 1, 0.5: 3, 0.75: 4, 1: 5} {
		if got := quantile(values, q); got != want {
			t.Errorf("quantile %v: got %d, want %d", q, got, want)
		}
	}
	if got := quantile([]int{7}, 0.99); got != 7 {
		t.Errorf("of one: got %d, want 7", got)
	}
}

func TestVerdicts(t *testing.T) {
	for _, tt := range []struct {
		got  verdict
		want string
	}{
		{verdict{}, ""},
		{under(time.Millisecond, 2*time.Millisecond), "< 2ms\tmet"},
		{under(2*time.Millisecond, 2*time.Millisecond), "< 2ms\tMISSED"},
		{underMB(19_999_999, 20_000_000), "< 20.0 MB\tmet"},
		{atLeast(0.8, 0.8), ">= 0.80\tmet"},
		{atLeast(0.79, 0.8), ">= 0.80\tMISSED"},
	} {
		if got := tt.got.String(); got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
	}
}

func TestTable(t *testing.T) {
	var out strings.Builder
	table := newTable(&out, "weir")
	table.add(result{what: "speed", weir: "2/s", other: "1/s", ratio: "2.00", bar: atLeast(2, 0.8)})
	if err := table.flush(); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	if len(lines) != 3 || strings.Join(strings.Fields(lines[1]), " ") != "speed 2/s 1/s 2.00 >= 0.80 met" {
		t.Errorf("got %q", out.String())
	}
}
