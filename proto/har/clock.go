package har

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// layouts are the dates that programs write, the standard's first.
var layouts = []string{
	time.RFC3339Nano,
	"2006-01-02T15:04:05.999999999Z0700",
	"2006-01-02T15:04:05.999999999",
	"2006-01-02 15:04:05.999999999Z07:00",
	"2006-01-02 15:04:05.999999999",
	"2006-01-02T15:04Z07:00",
	"2006-01-02",
}

// moment reads a date as nanoseconds since the epoch; 0 is one that is not told,
// is before it, or cannot be read. A date without a zone is taken for UTC, a number for
// milliseconds since then, or for seconds where it is too small for that.
func moment(s string) int64 {
	s = strings.TrimSpace(s)
	if n, err := strconv.ParseFloat(s, 64); err == nil {
		return sinceEpoch(n)
	}
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			if y := t.Year(); y < 1970 || y > 2200 {
				return 0
			}
			return max(0, t.UnixNano())
		}
	}
	return 0
}

// sinceEpoch is a number of milliseconds, or of seconds, as nanoseconds since 1970.
func sinceEpoch(n float64) int64 {
	const leastMs = 1e11 // 1973 in milliseconds, and the year 5138 in seconds
	if n < leastMs {
		n *= 1e3
	}
	if !(n > 0 && n < math.MaxInt64/1e6) {
		return 0
	}
	return int64(n) * 1e6 // the rest is less than a millisecond, and noise of the number
}

func appendMoment(dst []byte, ns int64) []byte {
	return time.Unix(0, ns).UTC().AppendFormat(dst, time.RFC3339Nano)
}

// maxSpan bounds what a duration may claim: a hundred years, in nanoseconds.
const maxSpan = 100 * 365 * 24 * int64(time.Hour)

// span reads milliseconds as nanoseconds; ok is false for a negative number, which
// means "does not apply", and for none.
func span(v value) (ns int64, ok bool) {
	ms, ok := v.number()
	if !ok || ms < 0 || ms*1e6 > float64(maxSpan) {
		return 0, false
	}
	return int64(math.Round(ms * 1e6)), true
}

// appendSpan writes nanoseconds as milliseconds.
func appendSpan(dst []byte, ns int64) []byte {
	return strconv.AppendFloat(dst, float64(ns)/1e6, 'f', -1, 64)
}

// seconds reads seconds since the epoch as nanoseconds, to the last digit, which a
// float64 would lose; 0 where there are none.
func seconds(v value) int64 {
	whole, fraction, _ := strings.Cut(v.text(), ".")
	n, err := strconv.ParseInt(whole, 10, 64)
	if err != nil || n < 0 || n > math.MaxInt64/int64(time.Second)-1 {
		return 0
	}
	fraction = (fraction + "000000000")[:9]
	ns, err := strconv.ParseUint(fraction, 10, 32)
	if err != nil {
		return n * int64(time.Second)
	}
	return n*int64(time.Second) + int64(ns)
}

func appendSeconds(dst []byte, ns int64) []byte {
	dst = strconv.AppendInt(dst, ns/1e9, 10)
	if f := ns % 1e9; f != 0 {
		digits := strconv.AppendInt(nil, 1e9+f, 10)[1:]
		dst = append(append(dst, '.'), strings.TrimRight(string(digits), "0")...)
	}
	return dst
}
