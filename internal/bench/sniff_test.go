package main

import (
	"errors"
	"testing"
	"time"
)

func TestSniffed(t *testing.T) {
	for _, c := range []struct {
		line                string
		packets, lost, gaps int64
	}{
		{"sniffed 10 packets on lo, 0 TCP connections", 10, 0, 0},
		{"sniffed 123456 packets on lo, eth0, 64 TCP connections, 7 gaps, LOST 99 packets", 123456, 99, 7},
	} {
		packets, lost, gaps, err := sniffed([]string{"weir: something", c.line})
		if err != nil || packets != c.packets || lost != c.lost || gaps != c.gaps {
			t.Errorf("%q: got %d, %d lost, %d gaps, %v", c.line, packets, lost, gaps, err)
		}
	}
	if _, _, _, err := sniffed([]string{"weir: disk full"}); err == nil {
		t.Error("without that line: no error")
	}
}

// However late a tick is, what is due by the end is asked for, and no more.
func TestPace(t *testing.T) {
	total := 0
	err := pace(t.Context(), 12345, 50*time.Millisecond, func(n int) error {
		total += n
		return nil
	})
	if want := 617; err != nil || total != want {
		t.Errorf("got %d, %v, want %d", total, err, want)
	}
	broken := errors.New("broken")
	if err := pace(t.Context(), 1000, time.Minute, func(int) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("got %v, want %v", err, broken)
	}
}
