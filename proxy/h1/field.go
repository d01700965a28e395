package h1

import "bytes"

// parseFields appends the field lines of section from offset at up to its
// empty line. Offsets in faults count from the start of section.
func parseFields(dst []Field, section []byte, at, limit int, part string) ([]Field, *fault) {
	for at < len(section) {
		end, folded := fieldEnd(section, at)
		line := section[at:end]
		if len(trimLineEnd(line)) == 0 {
			return dst, nil
		}
		if len(dst) >= limit {
			return dst, tooLarge(part, at, "number of fields", limit)
		}
		if isBlank(line[0]) {
			return dst, malformed(part, at, "continuation line without a field before it")
		}
		f := parseField(line, folded)
		if reason := f.ambiguous(folded); reason != "" {
			return dst, malformed(part, at, reason)
		}
		dst = append(dst, f)
		at = end
	}
	return dst, nil
}

// fieldEnd returns where the field line at offset at ends, with the lines that
// continue it (obs-fold, RFC 9112 §5.2), and whether there are such lines.
func fieldEnd(section []byte, at int) (end int, folded bool) {
	first := true
	for {
		i := bytes.IndexByte(section[at:], '\n')
		if i < 0 {
			return len(section), folded
		}
		empty := first && len(trimLineEnd(section[at:at+i+1])) == 0
		at += i + 1
		if empty || at >= len(section) || !isBlank(section[at]) {
			return at, folded
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
	if folded || len(f.Name) == 0 || len(f.Name)+2+len(f.Value)+2 != len(line) || text[i+1:][0] != ' ' || len(f.Name) != i || line[len(line)-2] != '\r' {
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

// ambiguous says why a field that decides the framing could be understood
// differently by another reader, or returns "".
func (f *Field) ambiguous(folded bool) string {
	bare := bytes.TrimFunc(f.Name, func(c rune) bool { return c > 0x7e || !isTokenByte(byte(c)) })
	if !equalFold(bare, "Content-Length") && !equalFold(bare, "Transfer-Encoding") {
		return ""
	}
	switch {
	case folded:
		return "folded " + string(bare)
	case len(bare) != len(f.Name):
		return "stray bytes beside the field name " + string(bare)
	case f.Raw != nil && f.Raw[len(f.Name)] != ':':
		return "white space between " + string(bare) + " and its colon"
	}
	return ""
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
