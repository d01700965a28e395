package filter

import (
	"fmt"
	"math"
	"strings"
)

// measure is a value of a comparing argument, as written. Alone it stands for all
// from first to last, which is as exact as it was written: "2s" is all of the second
// second. A comparison is with first, but for an upper end, which is upto.
type measure struct {
	first, last, upto int64
	text              string // canonical
}

// unit is a unit of an argument. Names are in lower case, the first is canonical.
type unit struct {
	names []string
	size  int64
}

// The units; the first is that of a bare number.
var (
	durationUnits = []unit{
		{[]string{"ms"}, 1e6},
		{[]string{"ns"}, 1},
		{[]string{"us", "µs", "μs"}, 1e3},
		{[]string{"s"}, 1e9},
		{[]string{"m", "min"}, 60e9},
		{[]string{"h"}, 3600e9},
		{[]string{"d"}, 86400e9},
	}
	sizeUnits = []unit{
		{[]string{"b"}, 1},
		{[]string{"k", "kb", "kib"}, 1 << 10},
		{[]string{"m", "mb", "mib"}, 1 << 20},
		{[]string{"g", "gb", "gib"}, 1 << 30},
		{[]string{"t", "tb", "tib"}, 1 << 40},
	}
)

// measure reads a value as the argument's kind has them.
func (a argument) measure(text string) (measure, error) {
	switch a {
	case argDuration:
		return quantity(text, durationUnits, "a duration such as 500ms or 1.5s")
	case argSize:
		return quantity(text, sizeUnits, "a size such as 512, 10k or 1.5m")
	case argTime:
		return moment(text)
	}
	n, err := parseNumber(text)
	return measure{n, n, n, itoa(n)}, err
}

// quantity reads digits, perhaps with a fraction, and a unit.
func quantity(text string, units []unit, want string) (measure, error) {
	wrong := fmt.Errorf("%q is not %s", text, want)
	end := run(text, "abcdefghijklmnopqrstuvwxyzµμ")
	number, name := text[:end], text[end:]
	of := units[0]
	for _, u := range units {
		for _, n := range u.names {
			if n == name {
				of, name = u, ""
			}
		}
	}
	whole, fraction, dot := strings.Cut(number, ".")
	n, err := parseNumber(whole)
	if err != nil || name != "" || dot && fraction == "" || n > math.MaxInt64/4/of.size {
		return measure{}, wrong
	}
	first, step := n*of.size, of.size
	for _, digit := range []byte(fraction) {
		if digit < '0' || digit > '9' {
			return measure{}, wrong
		}
		step /= 10 // below the smallest there is, digits add nothing
		first += int64(digit-'0') * step
	}
	canonical := itoa(n)
	if dot {
		canonical += "." + fraction
	}
	if of.size > 1 || &of.names[0] != &units[0].names[0] {
		canonical += of.names[0]
	}
	return measure{first, first + max(step, 1) - 1, first, canonical}, nil
}
