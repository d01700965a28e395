package main

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"weir/store"
)

func TestParseAge(t *testing.T) {
	for _, tt := range []struct {
		text string
		want time.Duration
		back string // as it is written
	}{
		{"24h", day, "24h"},
		{"7d", 7 * day, "7d"},
		{"2w", 14 * day, "14d"},
		{"90m", 90 * time.Minute, "1h30m"},
		{"1h", time.Hour, "1h"},
		{"45s", 45 * time.Second, "45s"},
		{"1.5h", 90 * time.Minute, "1h30m"},
		{"106751d", 106751 * day, "106751d"},
		{"106752d", 0, ""},
		{"0", 0, ""},
		{"0d", 0, ""},
		{"-1h", 0, ""},
		{"-1d", 0, ""},
		{"1.5d", 0, ""},
		{"d", 0, ""},
		{"", 0, ""},
		{"24", 0, ""},
	} {
		got, err := parseAge(tt.text)
		if got != tt.want || (err != nil) != (tt.want == 0) {
			t.Errorf("%q: got %v, %v, want %v", tt.text, got, err, tt.want)
		}
		if back := ageText(got); tt.want != 0 && back != tt.back {
			t.Errorf("%q: written as %q, want %q", tt.text, back, tt.back)
		}
	}
}

func TestParseSize(t *testing.T) {
	for text, want := range map[string]int64{
		"10G": 10 << 30, "500m": 500 << 20, "1k": 1024, "2T": 2 << 40, "123": 123, "1.5G": 3 << 29,
		"": 0, "G": 0, "0": 0, "-1": 0, "1e9": 0, "NaN": 0, "Inf": 0, "10GB": 0, "1.2.3": 0, "0x10": 0, "9999999T": 0, "1_0": 0,
	} {
		if got, err := parseSize(text); got != want || (err != nil) != (want == 0) {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
}

// TestRetentionIsToldInSums holds the news to one a minute, however much is dropped,
// and to the whole of it.
func TestRetentionIsToldInSums(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &retention{limits: store.Retention{Flows: 1000}, notices: newNotices()}
		for range 150 { // seconds of a busy capture
			r.note(store.Retained{TooMany: 10})
			time.Sleep(time.Second)
		}
		for range 100 { // and of a quiet one
			r.note(store.Retained{})
			time.Sleep(time.Second)
		}
		r.note(store.Retained{TooMany: 1, TooOld: 2})
		r.announce(time.Now())
		var said []string
		for len(r.notices.queue) > 0 {
			said = append(said, (<-r.notices.queue).Text)
		}
		want := []string{
			"kept the newest 1,000 flows; 610 older ones dropped",
			"kept the newest 1,000 flows; 610 older ones dropped",
			"kept the newest 1,000 flows; 280 older ones dropped",
			"kept the flows of the last 0s; 2 older ones dropped; kept the newest 1,000 flows; 1 older ones dropped",
		}
		if got := strings.Join(said, "\n"); got != strings.Join(want, "\n") {
			t.Errorf("news:\n%s\nwant:\n%s", got, strings.Join(want, "\n"))
		}
		if n := r.dropped.Load(); n != 1503 {
			t.Errorf("dropped: got %d, want 1503", n)
		}
	})
}
