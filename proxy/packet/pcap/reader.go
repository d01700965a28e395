package pcap

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// LinkType says what the first bytes of a packet are (tcpdump.org/linktypes.html).
type LinkType uint32

// Packet is one packet as it was captured.
type Packet struct {
	AtNs   int64 // nanoseconds since the epoch; 0: not known
	Link   LinkType
	Data   []byte // what was captured of it; valid until the next call of Next
	Length int    // what it had on the wire, at least len(Data)
	Offset int64  // of its record in the file
}

// MaxPacket bounds one packet, in bytes. Records that claim more end the reading.
const MaxPacket = 16 << 20

// Error is why a file cannot be read on.
type Error struct {
	Offset int64 // in bytes
	Reason string
	Err    error // io.ErrUnexpectedEOF for a file that was cut; may be nil
}

func (e *Error) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("byte %d: %s: %v", e.Offset, e.Reason, e.Err)
	}
	return fmt.Sprintf("byte %d: %s", e.Offset, e.Reason)
}

func (e *Error) Unwrap() error { return e.Err }

// Reader reads a capture file.
type Reader struct {
	// Secrets, if set, is told the TLS key log lines of a pcapng file as they come.
	Secrets func(keyLog []byte)

	r      *bufio.Reader
	offset int64 // of the next byte
	buf    []byte
	order  binary.ByteOrder
	next   func() (Packet, error)
	err    error

	classic classic
	ifaces  []iface // of the pcapng section
	last    int64   // time of the last packet
}

// Magic is how many bytes [Detect] needs.
const Magic = 4

// Detect reports whether a file that begins so is a capture.
func Detect(head []byte) bool {
	if len(head) < Magic {
		return false
	}
	_, _, ok := classicFormat(head)
	return ok || binary.BigEndian.Uint32(head) == blockSection
}

// NewReader begins to read r.
func NewReader(r io.Reader) (*Reader, error) {
	p := &Reader{r: bufio.NewReaderSize(r, 256<<10)}
	head, err := p.r.Peek(Magic)
	if err != nil {
		return nil, &Error{0, "no capture: too short", unexpected(err)}
	}
	order, form, ok := classicFormat(head)
	switch {
	case ok:
		p.order, p.classic = order, form
		p.next = p.classicPacket
		return p, p.classicHeader()
	case binary.BigEndian.Uint32(head) == blockSection:
		p.next = p.ngPacket
		return p, nil
	}
	return nil, &Error{0, fmt.Sprintf("no capture: it begins with % x", head), nil}
}

// CarriesSecrets reports whether the format of the file has room for secrets, so that
// some may come behind the packets that they open.
func (p *Reader) CarriesSecrets() bool { return p.classic == (classic{}) }

// Next returns the next packet, io.EOF behind the last, or an [Error].
func (p *Reader) Next() (Packet, error) {
	if p.err != nil {
		return Packet{}, p.err
	}
	pk, err := p.next()
	p.err = err
	return pk, err
}

// take reads n bytes, valid until the next take. At the end of the file, before the
// first of them, it returns io.EOF if that may be.
func (p *Reader) take(n int, what string, last bool) ([]byte, error) {
	if n <= 64<<10 {
		got, err := p.r.Peek(n)
		if err != nil {
			return nil, p.short(len(got), what, err, last)
		}
		// The bytes stay where they are until the buffer is filled again, which no
		// call does before the next take.
		p.buf = append(p.buf[:0], got...)
		_, _ = p.r.Discard(n)
		p.offset += int64(n)
		return p.buf, nil
	}
	// Grow with what is there, not with what was claimed.
	var all bytes.Buffer
	got, err := io.CopyN(&all, p.r, int64(n))
	p.offset += got
	if err != nil {
		return nil, p.short(int(got), what, err, last)
	}
	return all.Bytes(), nil
}

func (p *Reader) short(got int, what string, err error, last bool) error {
	if got == 0 && last && errors.Is(err, io.EOF) {
		return io.EOF
	}
	return &Error{p.offset, "the file ends inside " + what, unexpected(err)}
}

// skip passes over n bytes.
func (p *Reader) skip(n int64, what string) error {
	got, err := io.CopyN(io.Discard, p.r, n)
	p.offset += got
	if err != nil {
		return &Error{p.offset, "the file ends inside " + what, unexpected(err)}
	}
	return nil
}

func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.ErrUnexpectedEOF
	}
	return err
}
