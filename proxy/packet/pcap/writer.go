package pcap

import (
	"encoding/binary"
	"fmt"
	"io"
	"slices"
)

// Writer writes a pcapng file of one section in little endian, with an interface for
// each link type, whose times count nanoseconds. It keeps nothing but the packet at hand.
type Writer struct {
	w     io.Writer
	buf   []byte
	links []LinkType // of the interfaces that were written
	// err is the first error; nothing is written after it.
	err error
}

// Options of the blocks that a [Writer] writes.
const (
	optEnd         = 0
	optComment     = 1
	optApplication = 4 // of a section
	optResolution  = 9 // of an interface
)

// maxOption bounds the value of an option, whose length has 16 bits.
const maxOption = 65535

// NewWriter begins a file of packets with that link type. application names the
// program that made it.
func NewWriter(w io.Writer, link LinkType, application string) (*Writer, error) {
	p := &Writer{w: w}
	le := binary.LittleEndian
	section := le.AppendUint32(nil, orderMagic)
	section = append(section, 1, 0, 0, 0)       // version 1.0
	section = le.AppendUint64(section, 1<<64-1) // of a length that is not known yet
	section = appendOption(section, optApplication, application)
	p.block(blockSection, appendOption(section, optEnd, ""))
	p.device(link)
	return p, p.err
}

// device is the number of the interface with a link type, which is written if need be.
func (p *Writer) device(link LinkType) int {
	if i := slices.Index(p.links, link); i >= 0 {
		return i
	}
	le := binary.LittleEndian
	device := le.AppendUint16(nil, uint16(link))
	device = append(device, 0, 0)
	device = le.AppendUint32(device, 0) // no limit on what is captured of a packet
	device = appendOption(device, optResolution, "\x09")
	p.block(blockInterface, appendOption(device, optEnd, ""))
	p.links = append(p.links, link)
	return len(p.links) - 1
}

// Captured writes a packet as it was captured: with its own link type, and the length
// that it had on the wire.
func (p *Writer) Captured(k Packet) error {
	return p.enhanced(p.device(k.Link), k.AtNs, k.Data, max(k.Length, len(k.Data)), "")
}

// Secrets writes lines of a TLS key log. They serve the packets that follow.
func (p *Writer) Secrets(keyLog []byte) error {
	le := binary.LittleEndian
	body := le.AppendUint32(nil, secretsTLS)
	body = le.AppendUint32(body, uint32(len(keyLog)))
	p.block(blockSecrets, append(body, keyLog...))
	return p.err
}

// Packet writes one packet and what is to be said of it, in UTF-8; "" is nothing. Of
// a comment that is longer than 64 KB the beginning is written.
func (p *Writer) Packet(atNs int64, data []byte, comment string) error {
	return p.enhanced(0, atNs, data, len(data), comment)
}

// enhanced writes an enhanced packet block (draft-ietf-opsawg-pcapng section 4.3).
func (p *Writer) enhanced(device int, atNs int64, data []byte, length int, comment string) error {
	if len(data) > MaxPacket {
		return fmt.Errorf("write a packet of %d bytes: at most %d fit", len(data), MaxPacket)
	}
	le := binary.LittleEndian
	at := uint64(max(atNs, 0))
	body := p.buf[:0]
	body = le.AppendUint32(body, uint32(device))
	body = le.AppendUint32(body, uint32(at>>32))
	body = le.AppendUint32(body, uint32(at))
	body = le.AppendUint32(body, uint32(len(data)))
	body = le.AppendUint32(body, uint32(length))
	body = pad(append(body, data...))
	if comment != "" {
		body = appendOption(body, optComment, comment)
		body = appendOption(body, optEnd, "")
	}
	p.buf = body
	p.block(blockEnhanced, body)
	return p.err
}

// block writes one block (draft-ietf-opsawg-pcapng section 3.1).
func (p *Writer) block(kind uint32, body []byte) {
	if p.err != nil {
		return
	}
	le := binary.LittleEndian
	padded := (len(body) + 3) &^ 3
	var head [8]byte
	le.PutUint32(head[:], kind)
	le.PutUint32(head[4:], uint32(12+padded))
	for _, part := range [][]byte{head[:], body, make([]byte, padded-len(body)), head[4:]} {
		if _, err := p.w.Write(part); err != nil {
			p.err = fmt.Errorf("write a pcapng block: %w", err)
			return
		}
	}
}

// appendOption appends one option, cut to what fits.
func appendOption(dst []byte, code uint16, value string) []byte {
	value = value[:min(len(value), maxOption)]
	dst = binary.LittleEndian.AppendUint16(dst, code)
	dst = binary.LittleEndian.AppendUint16(dst, uint16(len(value)))
	return pad(append(dst, value...))
}

// pad fills up to the next 32 bits. What is before it must be whole words.
func pad(p []byte) []byte {
	for len(p)%4 != 0 {
		p = append(p, 0)
	}
	return p
}
