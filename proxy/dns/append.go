package dns

import (
	"encoding/binary"
	"errors"
)

// errName is returned for a name that has no form in a message.
var errName = errors.New("write DNS message: a name with a label that is empty or longer than 63 bytes, or of more than 255 bytes")

// errTooLong is returned for a message or its data beyond what lengths can say.
var errTooLong = errors.New("write DNS message: longer than a message can be")

// Append appends m as it goes into a datagram, names without compression. Parse
// reads the same message back, as long as the upper bits of Code are those of its OPT
// record. Trailing bytes are not known and not written.
func Append(dst []byte, m *Message) ([]byte, error) {
	begin := len(dst)
	be := binary.BigEndian
	dst = be.AppendUint16(dst, m.ID)
	dst = append(dst,
		bit(m.Response, 7)|m.OpCode&0xf<<3|bit(m.Authoritative, 2)|bit(m.Truncated, 1)|bit(m.RecursionDesired, 0),
		bit(m.RecursionAvailable, 7)|m.Reserved&7<<4|uint8(m.Code&0xf))
	sections := [][]Record{m.Answers, m.Authorities, m.Additionals}
	counts := []int{len(m.Questions), len(m.Answers), len(m.Authorities), len(m.Additionals)}
	for _, n := range counts {
		if n > 0xffff {
			return nil, errTooLong
		}
		dst = be.AppendUint16(dst, uint16(n))
	}
	var err error
	for _, q := range m.Questions {
		if dst, err = appendOwner(dst, q.Name, q.Type, q.Class); err != nil {
			return nil, err
		}
	}
	for _, records := range sections {
		for _, r := range records {
			if dst, err = appendOwner(dst, r.Name, r.Type, r.Class); err != nil {
				return nil, err
			}
			if len(r.Data) > 0xffff {
				return nil, errTooLong
			}
			dst = be.AppendUint32(dst, r.TTL)
			dst = be.AppendUint16(dst, uint16(len(r.Data)))
			dst = append(dst, r.Data...)
		}
	}
	if len(dst)-begin > maxMessage {
		return nil, errTooLong
	}
	return dst, nil
}

func bit(set bool, at uint) uint8 {
	if !set {
		return 0
	}
	return 1 << at
}

// appendOwner appends what questions and records begin with.
func appendOwner(dst, name []byte, kind, class uint16) ([]byte, error) {
	dst, err := appendWireName(dst, name)
	if err != nil {
		return nil, err
	}
	dst = binary.BigEndian.AppendUint16(dst, kind)
	return binary.BigEndian.AppendUint16(dst, class), nil
}

// appendWireName appends a name given in its presentation form; see [AppendName]. A
// dot at its end is not needed.
func appendWireName(dst, name []byte) ([]byte, error) {
	begin := len(dst)
	if string(name) == "." {
		name = nil
	}
	for len(name) > 0 {
		at := len(dst)
		dst = append(dst, 0)
		for len(name) > 0 && name[0] != '.' {
			var c byte
			c, name = unescape(name)
			dst = append(dst, c)
		}
		n := len(dst) - at - 1
		if n == 0 || n > 63 {
			return nil, errName
		}
		dst[at] = byte(n)
		if len(name) > 0 {
			name = name[1:]
		}
	}
	if dst = append(dst, 0); len(dst)-begin > maxName {
		return nil, errName
	}
	return dst, nil
}

// unescape takes the first byte that a name means.
func unescape(name []byte) (c byte, rest []byte) {
	if name[0] != '\\' || len(name) == 1 {
		return name[0], name[1:]
	}
	if len(name) >= 4 {
		n := 0
		for _, d := range name[1:4] {
			if d < '0' || d > '9' {
				return name[1], name[2:]
			}
			n = n*10 + int(d-'0')
		}
		if n < 256 {
			return byte(n), name[4:]
		}
	}
	return name[1], name[2:]
}
