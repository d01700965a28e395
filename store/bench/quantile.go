package bench

import (
	"cmp"
	"fmt"
	"slices"
	"time"
)

// Spread tells how a measurement varies. All are milliseconds in JSON and 0 if
// there was nothing to measure.
type Spread struct {
	Half Millis `json:"p50_ms"`
	Most Millis `json:"p99_ms"`
	Max  Millis `json:"max_ms"`
}

// Millis is a duration in milliseconds.
type Millis float64

func millis(d time.Duration) Millis { return Millis(float64(d) / float64(time.Millisecond)) }

// spread sorts times and tells how they vary.
func spread(times []time.Duration) Spread {
	if len(times) == 0 {
		return Spread{}
	}
	slices.Sort(times)
	at := func(q float64) Millis { return millis(times[int(q*float64(len(times)-1))]) }
	return Spread{Half: at(0.5), Most: at(0.99), Max: at(1)}
}

// middle is the item whose key is the (lower) median. There must be one.
func middle[E any](items []E, key func(E) float64) E {
	sorted := slices.SortedFunc(slices.Values(items), func(a, b E) int { return cmp.Compare(key(a), key(b)) })
	return sorted[(len(sorted)-1)/2]
}

// String is for people.
func (s Spread) String() string {
	return fmt.Sprintf("half in %.2f ms, 99 %% in %.2f ms, all in %.2f ms", float64(s.Half), float64(s.Most), float64(s.Max))
}
