package facts

import (
	"encoding/hex"
	"strconv"
	"strings"
)

// readData writes the data of a DNS record by its shape. It is false where the
// data is not so.
func readData(shape string, data []byte) (string, bool) {
	var parts []string
	for _, part := range shape {
		var text string
		n := 0
		switch part {
		case 'n':
			text, n = readName(data)
		case '1', '2', '4':
			text, n = readNumber(data, int(part-'0'))
		case 's':
			text, n = readString(data)
		case 't':
			text, n = readStrings(data)
		case 'r':
			text, n = strconv.Quote(string(data)), len(data)
		case 'x':
			text, n = hex.EncodeToString(data[:min(len(data), 256)]), len(data)
		}
		if n == 0 && part != 'x' && part != 'r' {
			return "", false
		}
		data = data[n:]
		parts = append(parts, text)
	}
	return strings.Join(parts, " "), len(parts) > 0 && len(data) == 0
}

// readName reads a name without compression; n is 0 where there is none.
func readName(p []byte) (text string, n int) {
	var labels []string
	for n < len(p) {
		size := int(p[n])
		switch {
		case size == 0 && len(labels) == 0:
			return ".", n + 1
		case size == 0:
			return strings.Join(labels, "."), n + 1
		case size > 63 || n+1+size > len(p):
			return "", 0
		}
		labels = append(labels, string(p[n+1:n+1+size]))
		n += 1 + size
	}
	return "", 0
}

func readNumber(p []byte, size int) (text string, n int) {
	if len(p) < size {
		return "", 0
	}
	var v uint64
	for _, b := range p[:size] {
		v = v<<8 | uint64(b)
	}
	return strconv.FormatUint(v, 10), size
}

func readString(p []byte) (text string, n int) {
	if len(p) == 0 || len(p) < 1+int(p[0]) {
		return "", 0
	}
	n = 1 + int(p[0])
	return strconv.Quote(string(p[1:n])), n
}

func readStrings(p []byte) (text string, n int) {
	var all []string
	for n < len(p) {
		s, size := readString(p[n:])
		if size == 0 {
			return "", 0
		}
		all = append(all, s)
		n += size
	}
	return strings.Join(all, " "), n
}
