package mitmdump

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"weir/proto/mitmdump/tnetstring"
)

// state is a dictionary of a flow's state, as Python has it: text keys, no order.
type state map[string]any

// plain turns what was read into states and lists of them. Keys that are bytes, as old
// dumps have them, become text.
func plain(v any) any {
	switch v := v.(type) {
	case tnetstring.Dict:
		out := make(state, len(v))
		for _, e := range v {
			switch k := e.Key.(type) {
			case string:
				out[k] = plain(e.Value)
			case []byte:
				out[string(k)] = plain(e.Value)
			}
		}
		return out
	case tnetstring.List:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	default:
		return v
	}
}

// dict is a dictionary under key; nil where there is none, from which everything
// reads as absent. It must not be written to then.
func (s state) dict(key string) state {
	d, _ := s[key].(state)
	return d
}

func (s state) list(key string) []any {
	l, _ := s[key].([]any)
	return l
}

// bytes is bytes or text under key; nil where there is neither.
func (s state) bytes(key string) []byte { return asBytes(s[key]) }

func asBytes(v any) []byte {
	switch v := v.(type) {
	case []byte:
		return v
	case string:
		return []byte(v)
	}
	return nil
}

// text is text under key, with U+FFFD for what is not UTF-8.
func (s state) text(key string) string { return asText(s[key]) }

func asText(v any) string { return strings.ToValidUTF8(string(asBytes(v)), "\ufffd") }

func asInt(v any) int64 {
	switch v := v.(type) {
	case int64:
		return v
	case float64:
		if math.Abs(v) < 1<<53 {
			return int64(v)
		}
	case bool:
		if v {
			return 1
		}
	}
	return 0
}

// within is an integer that has to be in [0, most]; 0 where it is not.
func within(v any, most int64) uint32 {
	if n := asInt(v); n >= 0 && n <= most {
		return uint32(n)
	}
	return 0
}

func (s state) bool(key string) bool { return asBool(s[key]) }

func asBool(v any) bool {
	b, _ := v.(bool)
	return b
}

// ns is a time under key in nanoseconds, 0 for none.
func (s state) ns(key string) int64 { return asNs(s[key]) }

// asNs reads a Python time, which has seven digits that mean something.
func asNs(v any) int64 {
	var sec float64
	switch v := v.(type) {
	case float64:
		sec = v
	case int64:
		sec = float64(v)
	}
	if !(sec > 0 && sec < 1<<33) { // false for NaN, too
		return 0
	}
	whole, fraction := math.Modf(sec)
	return int64(whole)*1e9 + int64(math.Round(fraction*1e7))*100
}

// seconds is asNs the other way round; nil for 0.
func seconds(ns int64) any {
	if ns <= 0 {
		return nil
	}
	f, err := strconv.ParseFloat(fmt.Sprintf("%d.%09d", ns/1e9, ns%1e9), 64)
	if err != nil {
		return nil
	}
	return f
}

// address is a [host, port, …] under key; ok is false where there is none.
func (s state) address(key string) (host []byte, port uint32, ok bool) {
	l := s.list(key)
	if len(l) < 2 {
		return nil, 0, false
	}
	return asBytes(l[0]), within(l[1], 1<<16-1), true
}
