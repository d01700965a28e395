package filter

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	flowpb "weir/proto"
)

// A date is the day that package time says it is.
func TestDates(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := time.Unix(rapid.Int64Range(0, 230*365*86400).Draw(t, "at"), 0).UTC()
		days, err := parseDate(at.Format(time.DateOnly))
		if want := at.Unix() / 86400; err != nil || days != want {
			t.Fatalf("%s: got day %d, %v, want %d", at.Format(time.DateOnly), days, err, want)
		}
	})
	for _, bad := range []string{"2026-13-01", "2026-00-10", "2026-04-31", "1900-02-29", "2100-02-29", "2026-1-1", "1969-12-31", "2026-01-01x"} {
		if days, err := parseDate(bad); err == nil {
			t.Errorf("%s: got day %d, want an error", bad, days)
		}
	}
}

// Times are read by the clock that the expression is bound to.
func TestBind(t *testing.T) {
	zone := time.FixedZone("", 2*3600)
	now := time.Date(2026, 11, 21, 14, 30, 0, 0, zone)
	clock := Clock{Now: now.UnixNano(), Offset: 2 * 3600 * second}
	for _, tt := range []struct {
		src     string
		yes, no []time.Duration // from now
	}{
		{"~time >-5m", []time.Duration{-time.Minute, 0, time.Hour}, []time.Duration{-5 * time.Minute, -time.Hour}},
		{"~time -2h..-1h", []time.Duration{-2 * time.Hour, -time.Hour}, []time.Duration{-time.Hour + 1, 0}},
		{"~time 14:30", []time.Duration{0, time.Minute - 1, -24 * time.Hour}, []time.Duration{-1, time.Minute}},
		{"~time 23:30..1:00", []time.Duration{9 * time.Hour, 10 * time.Hour, -14 * time.Hour}, []time.Duration{0, 10*time.Hour + 31*time.Minute}},
		{"~time 2026-11-21", []time.Duration{0, -14 * time.Hour}, []time.Duration{-15 * time.Hour, 10 * time.Hour}},
		{"~time 2026-11-21T12:30z", []time.Duration{0}, []time.Duration{-time.Second, time.Minute}},
		{"~time >=2026-11-21T14:30", []time.Duration{0, time.Hour}, []time.Duration{-1}},
		{"~all (~e | !~time <now)", []time.Duration{0, 1}, []time.Duration{-1}},
	} {
		e := Bind(mustParse(t, tt.src), clock)
		for i, offsets := range [][]time.Duration{tt.yes, tt.no} {
			for _, offset := range offsets {
				s := &subject{flow: &flowpb.Flow{}, summary: flowpb.Summary{Started: now.Add(offset).UnixNano()}}
				if got, err := Match(e, s); err != nil || got != (i == 0) {
					t.Errorf("%s, %v from now: got %v, %v", tt.src, offset, got, err)
				}
			}
		}
	}
}

// What has no times in it stays the expression that it is.
func TestBindKeepsTheRest(t *testing.T) {
	e := mustParse(t, "~q & (a | !~dur >5s)")
	if got := Bind(e, Clock{Now: 1}); got != e {
		t.Errorf("got another expression: %v", got)
	}
	if got := Bind(nil, Clock{}); got != nil {
		t.Errorf("no filter: got %v", got)
	}
	timed := mustParse(t, "~q & ~time >-5m")
	if got := Bind(timed, Clock{Now: 1}); got == timed || got.String() != timed.String() {
		t.Errorf("got %v, want a copy that prints the same", got)
	}
}
