package content

import (
	"encoding/binary"
	"fmt"
	"strings"
)

// maxEntries bounds the entries of one EXIF directory that are looked at.
const maxEntries = 256

// exif prints the entries of a TIFF structure (Exif 2.32, section 4.6) that have
// a name in the table: the first directory, and the two it points to.
func (f *facts) exif(data []byte) {
	t := tiff{data: data}
	switch {
	case len(data) < 8:
		return
	case string(data[:4]) == "II*\x00":
		t.order = binary.LittleEndian
	case string(data[:4]) == "MM\x00*":
		t.order = binary.BigEndian
	default:
		return
	}
	first := t.order.Uint32(data[4:])
	f.directory(t, first)
	for _, pointer := range []uint16{0x8769, 0x8825} {
		t.entries(first, func(tag, kind uint16, count uint32, value []byte) {
			if tag == pointer && kind == 4 && len(value) >= 4 {
				f.directory(t, t.order.Uint32(value))
			}
		})
	}
}

func (f *facts) directory(t tiff, at uint32) {
	t.entries(at, func(tag, kind uint16, count uint32, value []byte) {
		if name := exifName(tag); name != "" {
			f.text(name, []byte(t.show(kind, count, value)))
		}
	})
}

type tiff struct {
	data  []byte
	order binary.ByteOrder
}

// entries calls found for each entry of the directory at an offset, with the
// bytes of its value as far as they are there.
func (t tiff) entries(at uint32, found func(tag, kind uint16, count uint32, value []byte)) {
	if uint64(at)+2 > uint64(len(t.data)) {
		return
	}
	n := int(t.order.Uint16(t.data[at:]))
	rest := t.data[at+2:]
	for i := 0; i < min(n, maxEntries) && 12*(i+1) <= len(rest); i++ {
		e := rest[12*i:]
		kind, count := t.order.Uint16(e[2:]), t.order.Uint32(e[4:])
		size := uint64(count) * typeSize(kind)
		value := e[8:12]
		if size > 4 {
			from := uint64(t.order.Uint32(e[8:]))
			value = t.data[min(from, uint64(len(t.data))):min(from+size, uint64(len(t.data)))]
		}
		found(t.order.Uint16(e), kind, count, value[:min(size, uint64(len(value)))])
	}
}

func typeSize(kind uint16) uint64 {
	switch kind {
	case 1, 2, 6, 7:
		return 1
	case 3, 8:
		return 2
	case 4, 9, 11:
		return 4
	case 5, 10, 12:
		return 8
	}
	return 0
}

// show prints a value: text as it is, of numbers at most four.
func (t tiff) show(kind uint16, count uint32, value []byte) string {
	if kind == 2 {
		return string(value[:min(len(value), maxFact)])
	}
	size := int(typeSize(kind))
	var out []string
	for i := 0; i < int(min(count, 4)) && size > 0 && size*(i+1) <= len(value); i++ {
		v := value[size*i:]
		switch kind {
		case 1, 6, 7:
			out = append(out, fmt.Sprint(v[0]))
		case 3, 8:
			out = append(out, fmt.Sprint(t.order.Uint16(v)))
		case 4, 9:
			out = append(out, fmt.Sprint(t.order.Uint32(v)))
		case 5, 10:
			out = append(out, ratio(t.order.Uint32(v), t.order.Uint32(v[4:])))
		}
	}
	return strings.Join(out, " ")
}

func ratio(a, b uint32) string {
	switch {
	case b == 0:
		return fmt.Sprintf("%d/0", a)
	case a%b == 0:
		return fmt.Sprint(a / b)
	case a < b && b%a == 0:
		return fmt.Sprintf("1/%d", b/a)
	}
	return fmt.Sprintf("%.4g", float64(a)/float64(b))
}
