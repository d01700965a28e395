package h1

import "bytes"

// parseFields appends the field lines of section from offset at up to its
// empty line. Offsets in faults count from the start of section.
func parseFields(dst []Field, section []byte, at, limit int, part string, odd *notes) ([]Field, *fault) {
	for at < len(section) && odd.fault == nil {
		end, folded, bare := fieldEnd(section, at)
		line := section[at:end]
		if bare {
			odd.add(BareLF, part, at, "line ends in LF without CR")
		}
		if len(trimLineEnd(line)) == 0 {
			return dst, odd.fault
		}
		if len(dst) >= limit {
			return dst, tooLarge(part, at, "number of fields", limit)
		}
		if isBlank(line[0]) {
			return dst, malformed(part, at, "continuation line without a field before it")
		}
		f := parseField(line, folded)
		f.check(folded, part, at, odd)
		dst = append(dst, f)
		at = end
	}
	return dst, odd.fault
}

// fieldEnd returns where the field line at offset at ends, with the lines that
// continue it (obs-fold, RFC 9112 §5.2), whether there are such lines, and
// whether one of them ends in LF alone.
func fieldEnd(section []byte, at int) (end int, folded, bare bool) {
	first := true
	for {
		i := bytes.IndexByte(section[at:], '\n')
		if i < 0 {
			return len(section), folded, bare
		}
		bare = bare || i == 0 || section[at+i-1] != '\r'
		empty := first && len(trimLineEnd(section[at:at+i+1])) == 0
		at += i + 1
		if empty || at >= len(section) || !isBlank(section[at]) {
			return at, folded, bare
		}
		first, folded = false, true
	}
}

// parseField splits one field line. It allocates for folded values only.
func parseField(line []byte, folded bool) Field {
	var f Field
	text := trimLineEnd(line)
	i := bytes.IndexByte(text, ':')
	if i < 0 {
		return Field{Value: unfold(text, folded), Raw: line}
	}
	f.Name = bytes.TrimRight(text[:i], " \t")
	f.Value = unfold(trimBlank(text[i+1:]), folded)
	plain := !folded && i > 0 && len(f.Name) == i && bytes.HasPrefix(text[i:], []byte(": ")) &&
		len(line) == len(f.Name)+2+len(f.Value)+2 && line[len(line)-2] == '\r'
	if !plain {
		f.Raw = line
	}
	return f
}

// unfold joins the lines of a folded value with single spaces.
func unfold(v []byte, folded bool) []byte {
	if !folded {
		return v
	}
	out := make([]byte, 0, len(v))
	for part := range bytes.SplitSeq(v, []byte{'\n'}) {
		part = trimBlank(trimLineEnd(part))
		if len(out) > 0 && len(part) > 0 {
			out = append(out, ' ')
		}
		out = append(out, part...)
	}
	return out
}

// check notes what is odd about f, whose line is at offset at. In a field that
// decides the framing it counts for more.
func (f *Field) check(folded bool, part string, at int, odd *notes) {
	colon := len(f.Name)
	spaced := f.Raw != nil && colon > 0 && f.Raw[colon] != ':'
	bare := bytes.TrimFunc(f.Name, func(c rune) bool { return c > 0x7e || !isTokenByte(byte(c)) })
	framing := equalFold(bare, "Content-Length") || equalFold(bare, "Transfer-Encoding")
	switch {
	case framing && folded:
		odd.add(OddFramingField, part, at, "folded "+string(bare))
	case framing && len(bare) != len(f.Name):
		odd.add(OddFramingField, part, at, "stray bytes beside the field name "+string(bare))
	case framing && spaced:
		odd.add(OddFramingField, part, at, "white space between "+string(bare)+" and its colon")
	case folded:
		odd.add(Folded, part, at, "folded field (obs-fold)")
	case spaced:
		odd.add(SpaceBeforeColon, part, at, "white space before the colon")
	case len(f.Name) == 0:
		odd.add(NoField, part, at, "line that is no field")
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' }

func trimBlank(b []byte) []byte {
	for len(b) > 0 && isBlank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isBlank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}
