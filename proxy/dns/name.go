package dns

import "fmt"

// name reads a name and returns its presentation form.
func (p *parser) name() ([]byte, error) {
	wire, err := p.wireName()
	if err != nil {
		return nil, err
	}
	name := AppendName(nil, wire)
	p.expanded += len(name)
	return name, nil
}

// wireName reads a name and returns it without compression: labels behind their
// length, up to the empty one. A pointer must lead to before the name it is in,
// and each further one to before the one it follows.
func (p *parser) wireName() (wire []byte, err error) {
	at, lowest, jumped := p.at, p.at, false
	for {
		if at >= len(p.p) {
			return nil, p.wrong("a name that is not whole")
		}
		n := int(p.p[at])
		switch {
		case n >= 0xc0:
			if at+1 >= len(p.p) {
				return nil, p.wrong("a pointer that is not whole")
			}
			to := n&0x3f<<8 | int(p.p[at+1])
			if to >= lowest {
				return nil, p.wrong("a pointer that does not lead backwards")
			}
			if !jumped {
				p.at, jumped = at+2, true
			}
			at, lowest, p.headed = to, to, p.headed || to < headerSize
			continue
		case n >= 0x40:
			return nil, p.wrong("a label of a kind that does not exist")
		case at+1+n > len(p.p):
			return nil, p.wrong("a label that is not whole")
		case len(wire)+1+n > maxName:
			return nil, p.wrong("a name of more than 255 bytes")
		}
		wire = append(wire, p.p[at:at+1+n]...)
		at += 1 + n
		if n > 0 {
			continue
		}
		if !jumped {
			p.at = at
		}
		if p.expanded += len(wire); p.expanded > maxExpanded {
			return nil, p.wrong("names that expand to more than is taken")
		}
		return wire, nil
	}
}

// AppendName appends the presentation form of a name without compression to dst,
// as far as wire holds one.
func AppendName(dst, wire []byte) []byte {
	first := true
	for len(wire) > 0 && wire[0] > 0 {
		n := min(int(wire[0]), len(wire)-1)
		if !first {
			dst = append(dst, '.')
		}
		first = false
		for _, c := range wire[1 : 1+n] {
			switch {
			case c == '.' || c == '\\':
				dst = append(dst, '\\', c)
			case c <= ' ' || c >= 0x7f:
				dst = fmt.Appendf(dst, `\%03d`, c)
			default:
				dst = append(dst, c)
			}
		}
		wire = wire[1+n:]
	}
	if first {
		dst = append(dst, '.')
	}
	return dst
}
