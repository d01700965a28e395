package dns

import (
	"encoding/binary"
	"fmt"
)

// Error says what is wrong with a message and where.
type Error struct {
	Offset int // bytes of the message before the place
	Reason string
}

// Error returns one line that names the place and the reason.
func (e *Error) Error() string {
	return fmt.Sprintf("read DNS message (byte %d): %s", e.Offset, e.Reason)
}

// parser reads one message.
type parser struct {
	p        []byte
	at       int
	expanded int // bytes of names so far
	// headed is whether a name went on in the header, and so changes with it.
	headed bool
}

func (p *parser) wrong(reason string) error { return &Error{Offset: p.at, Reason: reason} }

// Parse reads one message. With an error, which is an *Error, it returns what
// came before the place; nil where there is not even a header.
func Parse(b []byte) (*Message, error) {
	p := &parser{p: b}
	switch {
	case len(b) < headerSize:
		return nil, p.wrong("shorter than its header")
	case len(b) > maxMessage:
		return nil, p.wrong("longer than a message can be")
	}
	m := &Message{}
	counts := p.header(m)
	err := p.questions(m, counts[0])
	for i, section := range []*[]Record{&m.Answers, &m.Authorities, &m.Additionals} {
		if err == nil {
			*section, err = p.records(counts[i+1])
		}
	}
	if err != nil {
		return m, err
	}
	for _, r := range m.Additionals {
		if r.Type == TypeOPT {
			m.Code |= uint16(r.TTL>>24) << 4
		}
	}
	m.Trailing = len(b) - p.at
	return m, nil
}

// header reads the header and returns how many there are of each section.
func (p *parser) header(m *Message) (counts [4]int) {
	b := p.p
	m.ID = binary.BigEndian.Uint16(b)
	m.Response, m.OpCode = b[2]&0x80 != 0, b[2]>>3&0xf
	m.Authoritative, m.Truncated, m.RecursionDesired = b[2]&4 != 0, b[2]&2 != 0, b[2]&1 != 0
	m.RecursionAvailable, m.Reserved, m.Code = b[3]&0x80 != 0, b[3]>>4&7, uint16(b[3]&0xf)
	for i := range counts {
		counts[i] = int(binary.BigEndian.Uint16(b[4+2*i:]))
	}
	p.at = headerSize
	return counts
}

func (p *parser) questions(m *Message, n int) error {
	for range n {
		name, err := p.name()
		if err != nil {
			return err
		}
		if len(p.p)-p.at < 4 {
			return p.wrong("a question that is not whole")
		}
		m.Questions = append(m.Questions, Question{Name: name, Type: p.uint16(), Class: p.uint16()})
	}
	return nil
}

func (p *parser) records(n int) (all []Record, err error) {
	for range n {
		name, err := p.name()
		if err != nil {
			return all, err
		}
		if len(p.p)-p.at < 10 {
			return all, p.wrong("a record that is not whole")
		}
		r := Record{Name: name, Type: p.uint16(), Class: p.uint16()}
		r.TTL = uint32(p.uint16())<<16 | uint32(p.uint16())
		size := int(p.uint16())
		if len(p.p)-p.at < size {
			return all, p.wrong("data that is not whole")
		}
		if r.Data, err = p.data(r.Type, p.at+size); err != nil {
			return all, err
		}
		all = append(all, r)
	}
	return all, nil
}

func (p *parser) uint16() uint16 {
	v := binary.BigEndian.Uint16(p.p[p.at:])
	p.at += 2
	return v
}

// data takes the data of a record, up to end, and expands the names in it. Data
// that is not as its type says is taken as it is.
func (p *parser) data(typ uint16, end int) ([]byte, error) {
	raw := p.p[p.at:end]
	shape, named := shapes[typ]
	if named {
		inner := parser{p: p.p[:end], at: p.at, expanded: p.expanded}
		out, ok := inner.expand(shape)
		if ok {
			p.expanded = inner.expanded
			p.at = end
			return out, nil
		}
	}
	p.at = end
	return append([]byte{}, raw...), nil
}

// expand copies the data of a record that has the shape, its names without compression.
func (p *parser) expand(s shape) (out []byte, ok bool) {
	if len(p.p)-p.at < s.before {
		return nil, false
	}
	out = append(out, p.p[p.at:p.at+s.before]...)
	p.at += s.before
	for range s.strings {
		if p.at >= len(p.p) || len(p.p)-p.at-1 < int(p.p[p.at]) {
			return nil, false
		}
		n := 1 + int(p.p[p.at])
		out = append(out, p.p[p.at:p.at+n]...)
		p.at += n
	}
	for range s.names {
		wire, err := p.wireName()
		if err != nil {
			return nil, false
		}
		out = append(out, wire...)
	}
	return append(out, p.p[p.at:]...), true
}

// shape is where a record's data has names: behind so many bytes and so many
// strings with a length. What follows the names is taken as it is.
type shape struct{ before, strings, names int }

// shapes are the types in whose data names may be compressed (RFC 3597 §4), and
// those where it is seen although it is forbidden.
var shapes = map[uint16]shape{
	2:  {names: 1},                        // NS
	3:  {names: 1},                        // MD
	4:  {names: 1},                        // MF
	5:  {names: 1},                        // CNAME
	6:  {names: 2},                        // SOA
	7:  {names: 1},                        // MB
	8:  {names: 1},                        // MG
	9:  {names: 1},                        // MR
	12: {names: 1},                        // PTR
	14: {names: 2},                        // MINFO
	15: {before: 2, names: 1},             // MX
	17: {names: 2},                        // RP
	18: {before: 2, names: 1},             // AFSDB
	21: {before: 2, names: 1},             // RT
	26: {before: 2, names: 2},             // PX
	33: {before: 6, names: 1},             // SRV
	35: {before: 4, strings: 3, names: 1}, // NAPTR
	36: {before: 2, names: 1},             // KX
	39: {names: 1},                        // DNAME
}
