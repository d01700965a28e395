package filter

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"strconv"
	"strings"

	"weir/filter/rex"
)

// argument is the kind of argument that an operator takes.
type argument uint8

const (
	argNone     argument = iota
	argRegex             // searched for anywhere in the text
	argNumber            // a number, a range, a comparison
	argWord              // the whole text, in either case
	argChoice            // one of operator.choices
	argDuration          // a number as above, with a unit of time
	argSize              // likewise, of bytes
	argTime              // a range or comparison of times
)

// compares reports whether arguments of the kind may begin with a comparison sign.
func (a argument) compares() bool { return a == argNumber || a >= argDuration }

// Ends of ranges that are open.
const (
	noLow  = math.MinInt64
	noHigh = math.MaxInt64
)

// describe names the kind after "needs".
func (a argument) describe() string {
	switch a {
	case argRegex:
		return "a regular expression"
	case argNumber:
		return "a number or a range"
	case argWord:
		return "a word"
	case argChoice:
		return "one of its values"
	case argDuration:
		return "a duration or a range"
	case argSize:
		return "a size or a range"
	case argTime:
		return "a time or a range"
	default:
		return "no argument"
	}
}

// read compiles text into the leaf. An error that is no *rex.Error is about the
// whole argument.
func (a argument) read(l *Leaf, text string) error {
	switch a {
	case argRegex:
		l.Arg = text
		return l.compile(text)
	case argNumber, argDuration, argSize, argTime:
		return l.number(text)
	case argWord:
		if text == "" {
			return errors.New(l.Op + " needs a word, not an empty text")
		}
		l.Arg, l.words = text, []string{text}
		return nil
	case argChoice:
		return l.choice(text)
	default:
		return l.compile(l.operator.fixed)
	}
}

// compile makes the leaf's pattern.
func (l *Leaf) compile(text string) (err error) {
	l.pattern, err = rex.Compile(text, l.operator.regex)
	return err
}

// number reads "200", "4xx", "40x", "400-499", "400..499", "..10", "5..", ">=500",
// and the like with units and times.
func (l *Leaf) number(text string) error {
	text = strings.ToLower(text)
	switch {
	case strings.Trim(text, "<>=") != text:
		return l.comparison(text)
	case l.operator.digits > 0 && strings.HasSuffix(text, "x"):
		return l.class(text)
	case strings.Contains(text, ".."):
		return l.between(text, "..")
	case strings.Contains(text, "-") && l.operator.arg != argTime:
		return l.between(text, "-")
	}
	m, err := l.operator.arg.measure(text)
	if err != nil {
		return err
	}
	l.low, l.high, l.Arg = m.first, m.last, m.text
	return l.timeRange(text)
}

// between reads a range; with "..", one of its ends may be left out.
func (l *Leaf) between(text, joint string) error {
	low, high, _ := strings.Cut(text, joint)
	if low == "" && high == "" || joint == "-" && (low == "" || high == "") {
		return fmt.Errorf("%q is not %s", text, l.operator.arg.describe())
	}
	l.low, l.high, l.Arg = noLow, noHigh, joint
	var ends []string
	if low != "" {
		m, err := l.operator.arg.measure(low)
		if err != nil {
			return fmt.Errorf("%q is not %s", text, l.operator.arg.describe())
		}
		l.low, l.Arg, ends = m.first, m.text+l.Arg, append(ends, low)
	}
	if high != "" {
		m, err := l.operator.arg.measure(high)
		if err != nil {
			return fmt.Errorf("%q is not %s", text, l.operator.arg.describe())
		}
		l.high, l.Arg, ends = m.upto, l.Arg+m.text, append(ends, high)
	}
	if err := l.timeRange(ends...); err != nil {
		return err
	}
	if l.low > l.high && !(l.operator.arg == argTime && l.times == timeOfDay) {
		return fmt.Errorf("the range %s is empty: its first end is the larger", text)
	}
	return nil
}

// comparison reads "<400", "<=399", ">499", ">=500" or "=200".
func (l *Leaf) comparison(text string) error {
	value := strings.TrimLeft(text, "<>=")
	sign := text[:len(text)-len(value)]
	m, err := l.operator.arg.measure(value)
	if err != nil {
		noun, _, _ := strings.Cut(l.operator.arg.describe(), " or ")
		return fmt.Errorf("%q is not a comparison with %s", text, noun)
	}
	l.low, l.high = noLow, noHigh
	switch sign {
	case "=", "==":
		l.low, l.high, sign = m.first, m.last, "="
	case "<":
		l.high = m.first - 1
	case "<=":
		l.high = m.upto
	case ">":
		l.low = m.first + 1
	case ">=":
		l.low = m.first
	default:
		return fmt.Errorf("%q is none of < <= > >= =", sign)
	}
	l.Arg = sign + m.text
	return l.timeRange(value)
}

// class reads "4xx" or "40x": digits, then an x for each one that is free.
func (l *Leaf) class(text string) error {
	free := len(text) - len(strings.TrimRight(text, "x"))
	n, err := parseNumber(text[:len(text)-free])
	if err != nil || len(text) != l.operator.digits {
		return fmt.Errorf("%q is not a number or a class such as 4xx", text)
	}
	size := int64(1)
	for range free {
		size *= 10
	}
	l.low, l.high = n*size, n*size+size-1
	l.Arg = text
	return nil
}

// parseNumber reads decimal digits and nothing else, at most 18 of them.
func parseNumber(text string) (int64, error) {
	if text == "" || len(text) > 18 || strings.Trim(text, "0123456789") != "" {
		return 0, fmt.Errorf("%q is not a number or a range", text)
	}
	return strconv.ParseInt(text, 10, 64)
}

// choice reads one of the operator's values.
func (l *Leaf) choice(text string) error {
	var names []string
	for _, c := range l.operator.choices {
		if slices.ContainsFunc(c.names, func(name string) bool { return foldEqual(name, text) }) {
			l.Arg, l.words = c.names[0], c.values
			return nil
		}
		names = append(names, c.names[0])
	}
	return fmt.Errorf("%s knows no %q, only %s", l.Op, text, strings.Join(names, " "))
}

// choice is a value that an argChoice operator takes.
type choice struct {
	names  []string // the first is canonical
	values []string // what the column then is, in either case
	help   string
}

// accepts reports whether the argument, a regex or words, accepts the text.
func (l *Leaf) accepts(text string) bool {
	if l.words == nil {
		return l.pattern.MatchString(text)
	}
	return slices.ContainsFunc(l.words, func(w string) bool { return foldEqual(w, text) })
}

// foldEqual compares as SQLite's NOCASE does: ASCII letters in either case.
func foldEqual(a, b string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range len(a) {
		if lower(a[i]) != lower(b[i]) {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}
