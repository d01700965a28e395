package content

import (
	"fmt"
	"regexp"
)

// renderHex shows bytes in rows of 16, or of 8 or 4 where the screen is narrow:
// the offset, the bytes, and those that are printable ASCII.
func renderHex(b *Builder, in *Input) error {
	putHex(b, in)
	return nil
}

func putHex(b *Builder, in *Input) {
	perRow := HexRow(in.Columns)
	digits := offsetDigits(in)
	for at := 0; at < len(in.Data) && !b.Full(); at += perRow {
		b.At(in.Base + int64(at))
		b.Say(Dim, fmt.Sprintf("%0*x  ", digits, in.Base+int64(at)))
		hexRow(b, in.Data[at:min(at+perRow, len(in.Data))], perRow)
		b.Newline()
	}
}

// offsetDigits is how many digits the offsets of the lines need.
func offsetDigits(in *Input) int {
	digits := 4
	for end := in.Base + int64(len(in.Data)); digits < 16 && end > 1<<(4*digits); {
		digits += 2
	}
	return digits
}

// HexRow is how many bytes a row of the hex view has at that width.
func HexRow(columns int) int {
	switch {
	case columns >= 78:
		return 16
	case columns >= 44:
		return 8
	}
	return 4
}

func hexRow(b *Builder, row []byte, perRow int) {
	const hex = "0123456789abcdef"
	cells := make([]byte, 0, 64)
	for i := range perRow {
		if i > 0 && i%8 == 0 {
			cells = append(cells, ' ')
		}
		if i < len(row) {
			cells = append(cells, hex[row[i]>>4], hex[row[i]&15], ' ')
		} else {
			cells = append(cells, "   "...)
		}
	}
	b.Say(Plain, string(append(cells, ' ')))
	for i := 0; i < len(row); {
		from := i
		shown := row[i] >= ' ' && row[i] <= '~'
		for i < len(row) && (row[i] >= ' ' && row[i] <= '~') == shown {
			i++
		}
		if shown {
			b.Say(String, string(row[from:i]))
		} else {
			b.Say(Dim, "................"[:i-from])
		}
	}
}

// FindHex returns where the bytes of a hex dump match: the places in the ASCII
// column of the lines that Render makes of the input.
func FindHex(in Input, re *regexp.Regexp, limit int) []Hit {
	perRow := HexRow(in.Columns)
	column := offsetDigits(&in) + 2 + 3*perRow + (perRow-1)/8 + 1
	var hits []Hit
	for _, m := range re.FindAllIndex(in.Data, limit) {
		for at := m[0]; at < m[1] && len(hits) < limit; {
			row := at / perRow
			end := min(m[1], (row+1)*perRow)
			hits = append(hits, Hit{Line: row, From: column + at - row*perRow, To: column + end - row*perRow})
			at = end
		}
	}
	return hits
}
