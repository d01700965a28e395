package widget

import (
	"strconv"
	"time"
)

// NumberWidth is the most cells that Count, Size and Duration need.
const NumberWidth = 6

// Count is a number in thousands: "999", "1.2k", "18.4k", "184k", "1.2M".
func Count(n uint64) string { return scaled(n, 1000, "kMGTPE") }

// Size is a number of bytes in steps of 1024: "0", "311", "1.2k", "18.4k", "1.0M".
// A negative size means there is none, and is "".
func Size(n int64) string {
	if n < 0 {
		return ""
	}
	return scaled(uint64(n), 1024, "kMGTPE")
}

func scaled(n, base uint64, units string) string {
	if n < 1000 {
		return strconv.FormatUint(n, 10)
	}
	v, unit := float64(n)/float64(base), 0
	for v >= 999.5 && unit < len(units)-1 {
		v /= float64(base)
		unit++
	}
	if v < 99.95 {
		return strconv.FormatFloat(v, 'f', 1, 64) + units[unit:unit+1]
	}
	return strconv.FormatFloat(v, 'f', 0, 64) + units[unit:unit+1]
}

// Duration is a time span of ns nanoseconds: "0.3ms", "340ms", "1.12s", "10.5s",
// "100s", "17m", "2h", "3d", "4y". A negative span means there is none, and is "".
func Duration(ns int64) string {
	d := time.Duration(ns)
	switch {
	case d < 0:
		return ""
	case d < 9950*time.Microsecond:
		return decimals(d, time.Millisecond, 1) + "ms"
	case d < 999500*time.Microsecond:
		return decimals(d, time.Millisecond, 0) + "ms"
	case d < 9995*time.Millisecond:
		return decimals(d, time.Second, 2) + "s"
	case d < 99950*time.Millisecond:
		return decimals(d, time.Second, 1) + "s"
	case d < 1000*time.Second:
		return decimals(d, time.Second, 0) + "s"
	case d < 100*time.Minute:
		return decimals(d, time.Minute, 0) + "m"
	case d < 100*time.Hour:
		return decimals(d, time.Hour, 0) + "h"
	case d < 1000*24*time.Hour:
		return decimals(d, 24*time.Hour, 0) + "d"
	default:
		return decimals(d, 365*24*time.Hour, 0) + "y"
	}
}

func decimals(d, unit time.Duration, n int) string {
	return strconv.FormatFloat(float64(d)/float64(unit), 'f', n, 64)
}

// Group is a whole number with its thousands apart: "1,048,220".
func Group(n uint64) string {
	s := strconv.FormatUint(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// Clock is the time of day, to the tenth of a second, of ns nanoseconds since the
// epoch in a zone (nil: UTC): "12:06:01.1". 0 is no time, and is "".
func Clock(ns int64, zone *time.Location) string {
	if ns == 0 {
		return ""
	}
	if zone == nil {
		zone = time.UTC
	}
	return time.Unix(0, ns).In(zone).Format("15:04:05.0")
}
