package salvage

import (
	"encoding/binary"
	"math"
)

// Row is one row of a table.
type Row struct {
	ID int64 // the rowid; 0 in tables without one
	// Values are the columns that the record has: nil, int64, float64, string or []byte.
	// A column that is the rowid is nil. They may be kept.
	Values []any
}

// varint reads a variable-length integer (section 1.6); n is 0 if p ends before it does.
func varint(p []byte) (v uint64, n int) {
	for n < 8 && n < len(p) {
		b := p[n]
		n++
		v = v<<7 | uint64(b&0x7f)
		if b < 0x80 {
			return v, n
		}
	}
	if n < 8 || len(p) < 9 {
		return 0, 0
	}
	return v<<8 | uint64(p[8]), 9
}

// maxColumns is SQLite's own limit.
const maxColumns = 2000

// record reads a record (section 2.1). One that is not exactly as long as its
// header says is none.
func record(p []byte) (values []any, ok bool) {
	length, n := varint(p)
	if n == 0 || length < uint64(n) || length > uint64(len(p)) {
		return nil, false
	}
	types, content := p[n:length], p[length:]
	for len(types) > 0 {
		serial, n := varint(types)
		if n == 0 || len(values) == maxColumns {
			return nil, false
		}
		types = types[n:]
		size, known := serialSize(serial)
		if !known || size > uint64(len(content)) {
			return nil, false
		}
		values = append(values, value(serial, content[:size]))
		content = content[size:]
	}
	return values, len(content) == 0
}

// serialSize is the length of a value by its serial type.
func serialSize(serial uint64) (size uint64, known bool) {
	switch {
	case serial >= 12:
		return (serial - 12) / 2, true
	case serial <= 9:
		return [10]uint64{0, 1, 2, 3, 4, 6, 8, 8, 0, 0}[serial], true
	default:
		return 0, false
	}
}

// value is the value of that serial type in p, which has its length.
func value(serial uint64, p []byte) any {
	switch {
	case serial >= 12 && serial%2 == 0:
		return append([]byte{}, p...)
	case serial >= 12:
		return string(p)
	case serial == 0:
		return nil
	case serial == 7:
		return math.Float64frombits(binary.BigEndian.Uint64(p))
	case serial >= 8:
		return int64(serial - 8)
	}
	v := int64(int8(p[0])) // the first byte carries the sign
	for _, b := range p[1:] {
		v = v<<8 | int64(b)
	}
	return v
}
