package traffic

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"math/rand/v2"
)

// Capture says what to make up. The zero value of each field is its default.
type Capture struct {
	Size        int64 // bytes of the file, about; 16 MB
	Connections int   // at a time; 64
}

// Made is what a capture has in it.
type Made struct {
	Bytes       int64 // of the file
	Packets     int
	Connections int
	Requests    int // each with its response
	Needles     int // responses that have [Needle] in them
}

// Needle is in the body of few responses and nowhere else.
const Needle = "a needle in a haystack"

// needleEvery is how many responses come to one with a needle.
const needleEvery = 101

// Bounds of what is made up, inclusive.
const (
	leastBody, mostBody         = 1 << 10, 100 << 10
	leastRequests, mostRequests = 1, 40 // of a connection
	burst                       = 6     // packets of one connection in a row, at most
	reorderEvery                = 200   // segments to one that is overtaken
	repeatEvery                 = 500   // segments to one that is sent again
	gapNs                       = 12_000
	begun                       = 1_790_000_000_000_000_000 // ns since 1970
)

// Write makes the capture up and writes it.
func (c Capture) Write(w io.Writer) (Made, error) {
	if c.Size <= 0 {
		c.Size = 16 << 20
	}
	if c.Connections <= 0 {
		c.Connections = 64
	}
	m := &maker{
		out: bufio.NewWriterSize(w, 1<<20), random: rand.New(rand.NewPCG(5, 9)), //nolint:gosec // the same on each run
		now: begun, text: text(),
	}
	m.header()
	for m.err == nil && (m.made.Bytes < c.Size || len(m.live) > 0) {
		if len(m.live) < c.Connections && m.made.Bytes < c.Size {
			m.live = append(m.live, m.connect())
			m.made.Connections++
		}
		m.turn(m.random.IntN(len(m.live)), m.made.Bytes >= c.Size)
	}
	if err := m.out.Flush(); m.err == nil {
		m.err = err
	}
	if m.err != nil {
		return m.made, fmt.Errorf("write capture: %w", m.err)
	}
	return m.made, nil
}

// maker writes one capture.
type maker struct {
	out    *bufio.Writer
	random *rand.Rand
	now    int64
	text   []byte // what bodies are cut from
	live   []*connection
	packet []byte
	made   Made
	err    error
}

// turn lets one connection send some packets. With last it sends what it has begun.
func (m *maker) turn(i int, last bool) {
	c := m.live[i]
	for range 1 + m.random.IntN(burst) {
		if len(c.queue) == 0 && !m.refill(c, last) {
			m.live = append(m.live[:i], m.live[i+1:]...)
			return
		}
		m.send(c, c.queue[0])
		c.queue = c.queue[1:]
	}
}

// refill makes up the next exchange, or the end of the connection; it reports false
// behind that.
func (m *maker) refill(c *connection, last bool) bool {
	switch {
	case c.over:
		return false
	case c.left == 0, last && c.asked:
		c.over = true
		c.finish()
	default:
		c.left--
		c.asked = true
		m.exchange(c)
	}
	return true
}

// between returns a number in that range.
func (m *maker) between(least, most int) int { return least + m.random.IntN(most-least+1) }

// header begins the file: microseconds, little endian, Ethernet.
func (m *maker) header() {
	le := binary.LittleEndian
	h := le.AppendUint32(nil, 0xa1b2c3d4)
	h = le.AppendUint16(h, 2)
	h = le.AppendUint16(h, 4)
	h = append(h, make([]byte, 8)...)
	h = le.AppendUint32(h, 262144)
	m.write(le.AppendUint32(h, 1))
}

func (m *maker) write(p []byte) {
	if m.err == nil {
		_, m.err = m.out.Write(p)
		m.made.Bytes += int64(len(p))
	}
}

// send writes one packet.
func (m *maker) send(c *connection, s segment) {
	m.now += int64(m.between(1, 2*gapNs))
	frame := c.frame(m.packet[:0], s)
	m.packet = frame
	le := binary.LittleEndian
	var h [16]byte
	le.PutUint32(h[:], uint32(m.now/1e9))
	le.PutUint32(h[4:], uint32(m.now%1e9/1e3))
	le.PutUint32(h[8:], uint32(len(frame)))
	le.PutUint32(h[12:], uint32(len(frame)))
	m.write(h[:])
	m.write(frame)
	m.made.Packets++
}
