package filter

import (
	"fmt"
	"strconv"
	"strings"

	flowpb "weir/proto"
)

// Clock is the time at which an expression is asked: what `~time -5m` counts from, and
// the zone of `~time 12:00`. The zero value is the beginning of 1970, in UTC.
type Clock struct {
	Now    int64 // ns since the Unix epoch
	Offset int64 // of the local time from UTC, in ns
}

// Lengths in ns.
const (
	second = 1_000_000_000
	minute = 60 * second
	day    = 24 * 60 * minute
)

// Bind returns e as it reads at a time. What has no times in it is returned as it is;
// an expression that was never bound reads as with the zero Clock.
func Bind(e Expr, c Clock) Expr {
	switch e := e.(type) {
	case *And:
		if args, changed := bindAll(e.Args, c); changed {
			return &And{Args: args, span: e.span, cheapFirst: cheapFirst(args)}
		}
	case *Or:
		if args, changed := bindAll(e.Args, c); changed {
			return &Or{Args: args, span: e.span, cheapFirst: cheapFirst(args)}
		}
	case *Not:
		if arg := Bind(e.Arg, c); arg != e.Arg {
			return &Not{Arg: arg, span: e.span}
		}
	case *Leaf:
		if e.operator.arg == argTime {
			bound := *e
			bound.clock = c
			return &bound
		}
	}
	return e
}

func bindAll(args []Expr, c Clock) (bound []Expr, changed bool) {
	for _, a := range args {
		b := Bind(a, c)
		changed = changed || b != a
		bound = append(bound, b)
	}
	return bound, changed
}

// The three ways to say when.
const (
	timeDate   = iota // 2026-11-21, perhaps with a time of day
	timeOfDay         // 12:00, on any day
	timeBefore        // -5m, before now
)

// timeKind tells them apart.
func timeKind(text string) int {
	switch {
	case strings.HasPrefix(text, "-") || text == "now":
		return timeBefore
	case len(text) > 4 && text[4] == '-':
		return timeDate
	default:
		return timeOfDay
	}
}

// moment reads a time: local for a date, from midnight for a time of day, from now
// for one before now. A date with "z" at its end is in UTC; its canonical form has it.
func moment(text string) (measure, error) {
	switch timeKind(text) {
	case timeBefore:
		if text == "now" {
			return measure{0, 0, 0, text}, nil
		}
		m, err := quantity(text[1:], durationUnits, "a time before now such as -5m")
		return measure{-m.first, -m.first, -m.first, "-" + m.text}, err
	case timeOfDay:
		at, length, err := dayTime(text)
		return measure{at, at + length - 1, at + length - 1, text}, err
	}
	date, clock, timed := strings.Cut(strings.TrimSuffix(text, "z"), "t")
	days, err := parseDate(date)
	if err != nil {
		return measure{}, err
	}
	at, length := int64(0), int64(day)
	if timed {
		if at, length, err = dayTime(clock); err != nil {
			return measure{}, err
		}
	}
	at += days * day
	return measure{at, at + length - 1, at + length - 1, text}, nil
}

// dayTime reads "12:00", "12:00:30" or "12:00:30.5": when it begins, in ns from
// midnight, and how long it lasts.
func dayTime(text string) (at, length int64, err error) {
	wrong := fmt.Errorf("%q is not a time such as 12:00, 2026-11-21T12:00:30 or -5m", text)
	clock, fraction, dot := strings.Cut(text, ".")
	parts := strings.Split(clock, ":")
	if len(parts) < 2 || len(parts) > 3 || dot && len(parts) < 3 {
		return 0, 0, wrong
	}
	limits := []int64{24, 60, 60}
	length = day
	for i, part := range parts {
		n, ok := twoDigits(part)
		if !ok || n >= limits[i] {
			return 0, 0, wrong
		}
		length /= limits[i]
		at += n * length
	}
	if dot {
		m, err := quantity("0."+fraction+"s", durationUnits, "a fraction of a second")
		if err != nil {
			return 0, 0, wrong
		}
		at, length = at+m.first, m.last-m.first+1
	}
	return at, length, nil
}

func twoDigits(text string) (int64, bool) {
	n, err := parseNumber(text)
	return n, err == nil && len(text) <= 2
}

// parseDate reads "2026-11-21" as days since the Unix epoch, by the Gregorian calendar.
func parseDate(text string) (int64, error) {
	wrong := fmt.Errorf("%q is not a date such as 2026-11-21", text)
	if len(text) != len("2026-11-21") || text[4] != '-' || text[7] != '-' {
		return 0, wrong
	}
	y, errYear := strconv.ParseUint(text[:4], 10, 32)
	m, errMonth := strconv.ParseUint(text[5:7], 10, 32)
	d, errDay := strconv.ParseUint(text[8:], 10, 32)
	if errYear != nil || errMonth != nil || errDay != nil || y < 1970 || y > 2200 || m < 1 || m > 12 || d < 1 || d > monthDays(y, m) {
		return 0, wrong
	}
	// Years that begin in March have their leap day at the end.
	year, month := int64(y), int64(m)
	if month < 3 {
		year, month = year-1, month+12
	}
	return 365*year + year/4 - year/100 + year/400 + (153*(month-3)+2)/5 + int64(d) - 1 - epochDays, nil
}

// epochDays is 1 January 1970 in days since 1 March of the year 0.
const epochDays = 719468

func monthDays(y, m uint64) uint64 {
	switch {
	case m == 2 && (y%4 == 0 && y%100 != 0 || y%400 == 0):
		return 29
	case m == 2:
		return 28
	case m == 4 || m == 6 || m == 9 || m == 11:
		return 30
	default:
		return 31
	}
}

// timeTest is about when a flow began. A flow of which that is not known (0) is in
// no range.
type timeTest struct{}

func (t timeTest) holds(l *Leaf, s *flowpb.Summary, _ *flowpb.Note) bool {
	if s.Started <= 0 {
		return false
	}
	low, high, of := l.when()
	at := s.Started
	if of == timeOfDay {
		at = (at + dayOffset(l.clock)) % day
		if low > high { // over midnight
			return at >= low || at <= high
		}
	}
	return at >= low && at <= high
}

func (t timeTest) where(l *Leaf, _ *planner) condition {
	low, high, of := l.when()
	if of != timeOfDay {
		if low = max(low, 1); low > high {
			return never
		}
		return plain("f.started BETWEEN ? AND ?", low, high)
	}
	joint := " AND "
	if low > high {
		joint = " OR "
	}
	at := "(f.started + ?) % " + itoa(day)
	offset := dayOffset(l.clock)
	return plain("(f.started > 0 AND ("+at+" >= ?"+joint+at+" <= ?))", offset, low, offset, high)
}

// dayOffset is the clock's offset without a sign, so that remainders have none.
func dayOffset(c Clock) int64 { return (c.Offset%day + day) % day }

// when is the leaf's range by its clock, and what it is a range of.
func (l *Leaf) when() (low, high int64, of int) {
	shift := int64(0)
	switch {
	case l.times == timeBefore:
		shift = l.clock.Now
	case l.times == timeDate && !l.utc:
		shift = -l.clock.Offset
	}
	low, high = l.low, l.high
	if low != noLow {
		low += shift
	}
	if high != noHigh {
		high += shift
	}
	return low, high, l.times
}

// timeRange checks that the ends of a range, as written, are of one kind.
func (l *Leaf) timeRange(ends ...string) error {
	for i, end := range ends {
		kind, utc := timeKind(end), strings.HasSuffix(end, "z")
		if i > 0 && (kind != l.times || utc != l.utc) {
			return fmt.Errorf("%s and %s are times of two kinds", ends[0], end)
		}
		l.times, l.utc = kind, utc
	}
	return nil
}
