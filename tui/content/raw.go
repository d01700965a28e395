package content

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"weir/proto/coding"
)

// renderRaw shows the bytes as UTF-8, line by line, and what is not UTF-8 or
// cannot be shown as an escape.
func renderRaw(b *Builder, in *Input) error {
	putRaw(b, in)
	return nil
}

func putRaw(b *Builder, in *Input) {
	data := in.Data
	if in.More {
		data = wholeRunes(data)
	}
	skip := 0
	for in.Base > 0 && skip < min(len(data), utf8.UTFMax-1) && !utf8.RuneStart(data[skip]) {
		skip++
	}
	at := in.Base + int64(skip)
	for data = data[skip:]; len(data) > 0 && !b.Full(); {
		line, rest, ended := bytes.Cut(data, []byte{'\n'})
		b.At(at)
		putLong(b, at, trimReturn(line, ended))
		at += int64(len(data) - len(rest))
		if ended {
			b.Newline()
		}
		data = rest
	}
}

// putLong puts a line in pieces that each know where they come from.
func putLong(b *Builder, at int64, line []byte) {
	for len(line) > 0 && !b.Full() {
		piece := line
		if len(piece) > maxLine/4 {
			piece = wholeRunes(piece[:maxLine/4])
		}
		b.From(at)
		b.Put(Plain, piece)
		at += int64(len(piece))
		line = line[len(piece):]
	}
}

// trimReturn leaves out the carriage return of a line end.
func trimReturn(line []byte, ended bool) []byte {
	if ended {
		return bytes.TrimSuffix(line, []byte{'\r'})
	}
	return line
}

// renderText shows text in the charset it declares.
func renderText(b *Builder, in *Input) error {
	putLines(b, Plain, in.text())
	return nil
}

// foreign reports whether the text is in another charset than UTF-8.
func foreign(in *Input) bool {
	head := wholeRunes(in.Data[:min(len(in.Data), 1<<10)])
	_, charset := coding.Text(head, in.Type)
	return charset != "utf-8" && (charset != fallback || in.declares() || !multibyte(head))
}

// putLines puts text of several lines.
func putLines(b *Builder, kind Kind, text []byte) {
	for len(text) > 0 && !b.Full() {
		line, rest, ended := bytes.Cut(text, []byte{'\n'})
		b.Put(kind, trimReturn(line, ended))
		if ended {
			b.Newline()
		}
		text = rest
	}
}

// plural is "1 byte" or "2 bytes".
func plural(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}
