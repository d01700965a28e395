package packet

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	flowpb "weir/proto"
	"weir/proxy/packet/link"
	"weir/proxy/packet/pcap"
)

const second = int64(1e9)

// wire is a TCP connection between two hosts as a capture on its way sees it.
type wire struct {
	t      testing.TB
	a      *Assembler
	sink   *memory
	client netip.AddrPort
	server netip.AddrPort
	seq    [2]uint32 // next of client and server
	at     int64
	// advances lets time be told behind each packet, as a capture that goes on does.
	advances bool
	tape     [][]byte // what was captured
}

func newWire(t testing.TB, o Options) *wire {
	sink := newMemory()
	return &wire{
		t: t, sink: sink, a: NewAssembler(sink, o), at: 1700000000 * second, seq: [2]uint32{100, 0xfffffff0},
		client: netip.MustParseAddrPort("10.0.0.1:40000"), server: netip.MustParseAddrPort("10.0.0.2:80"),
	}
}

// segment is one TCP segment of a wire, by its place in what its side says.
type segment struct {
	from  int // 0 the client, 1 the server
	flags uint8
	seq   uint32
	p     []byte
}

func (w *wire) send(s segment) {
	w.t.Helper()
	src, dst := w.client, w.server
	if s.from == 1 {
		src, dst = dst, src
	}
	ack := w.seq[1-s.from]
	w.at += second / 1000
	w.packet(tcpPacket(src, dst, s.seq, ack, s.flags, s.p))
}

func (w *wire) packet(p []byte) {
	w.t.Helper()
	w.tape = append(w.tape, p)
	if err := w.a.Packet(w.t.Context(), pcap.Packet{AtNs: w.at, Link: 101, Data: p, Length: len(p)}); err != nil {
		w.t.Fatal(err)
	}
	if w.advances {
		w.advance(0)
	}
}

// advance lets so many nanoseconds pass without a packet.
func (w *wire) advance(by int64) *wire {
	w.t.Helper()
	w.at += by
	w.a.told = 0 // each time tells
	if err := w.a.Advance(w.t.Context(), w.at); err != nil {
		w.t.Fatal(err)
	}
	return w
}

// open sends the three segments that begin a connection.
func (w *wire) open() *wire {
	w.send(segment{0, link.SYN, w.seq[0], nil})
	w.seq[0]++
	w.send(segment{1, link.SYN | link.ACK, w.seq[1], nil})
	w.seq[1]++
	w.send(segment{0, link.ACK, w.seq[0], nil})
	return w
}

// next makes a segment of what a side says next.
func (w *wire) next(from int, text string) segment {
	s := segment{from, link.ACK | link.PSH, w.seq[from], []byte(text)}
	w.seq[from] += uint32(len(text))
	return s
}

func (w *wire) say(from int, text string) *wire {
	w.t.Helper()
	w.send(w.next(from, text))
	return w
}

// lose lets a side say something that the capture misses.
func (w *wire) lose(from int, text string) *wire {
	w.seq[from] += uint32(len(text))
	return w
}

func (w *wire) finish(from int) *wire {
	w.send(segment{from, link.ACK | link.FIN, w.seq[from], nil})
	w.seq[from]++
	return w
}

// shut ends the connection in good order, and the capture.
func (w *wire) shut() *wire {
	w.finish(0).finish(1)
	return w.end()
}

func (w *wire) end() *wire {
	w.t.Helper()
	if err := w.a.Close(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
	return w
}

func tcpPacket(src, dst netip.AddrPort, seq, ack uint32, flags uint8, p []byte) []byte {
	h := make([]byte, 20, 20+len(p))
	be := binary.BigEndian
	be.PutUint16(h, src.Port())
	be.PutUint16(h[2:], dst.Port())
	be.PutUint32(h[4:], seq)
	be.PutUint32(h[8:], ack)
	h[12], h[13] = 5<<4, flags
	return ipPacket(src.Addr(), dst.Addr(), 6, append(h, p...))
}

func ipPacket(src, dst netip.Addr, proto byte, p []byte) []byte {
	h := make([]byte, 20, 20+len(p))
	h[0], h[8], h[9] = 0x45, 64, proto
	binary.BigEndian.PutUint16(h[2:], uint16(20+len(p)))
	copy(h[12:], src.AsSlice())
	copy(h[16:], dst.AsSlice())
	return append(h, p...)
}

// story tells the flows of a sink, a line each, with their bodies, messages and gaps.
func story(m *memory) string {
	var b strings.Builder
	for _, f := range m.flows {
		s := flowpb.Summarize(f)
		fmt.Fprintf(&b, "%s %s", s.Kind, f.GetState().Label())
		if h := f.GetHttp(); h != nil {
			fmt.Fprintf(&b, " %s %s", h.GetRequest().GetMethod(), s.URL())
			tellBody(&b, m, f, flowpb.SideRequest, h.GetRequest().GetBody())
			for _, i := range h.GetInformational() {
				fmt.Fprintf(&b, " (%d)", i.GetStatus())
			}
			if p := h.GetResponse(); p != nil {
				fmt.Fprintf(&b, " -> %d", p.GetStatus())
				tellBody(&b, m, f, flowpb.SideResponse, p.GetBody())
				for _, t := range p.GetTrailers() {
					fmt.Fprintf(&b, " %s: %s", t.GetName(), t.GetValue())
				}
			}
		}
		for _, msg := range m.messages[f.GetId()] {
			fmt.Fprintf(&b, " %c%q", " ><"[msg.GetSide()], msg.GetContent())
		}
		for _, g := range f.GetGaps() {
			fmt.Fprintf(&b, " [%d missing of %v at %d]", g.GetLength(), sideWord(g.GetSide()), g.GetOffset())
		}
		if e := f.GetError(); e != nil {
			fmt.Fprintf(&b, " !%s", e.GetMessage())
		}
		for _, x := range f.GetMeta() {
			fmt.Fprintf(&b, " {%s: %s}", x.GetKey(), x.GetValue())
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func sideWord(s flowpb.Side) string {
	if s == flowpb.SideRequest {
		return "request"
	}
	return "response"
}

func tellBody(b *strings.Builder, m *memory, f *flowpb.Flow, side flowpb.Side, body *flowpb.Body) {
	if body == nil {
		return
	}
	fmt.Fprintf(b, " %q", m.bodies[[2]uint64{f.GetId(), uint64(side)}])
	if body.GetState() != flowpb.BodyComplete {
		fmt.Fprintf(b, "(%s)", strings.ToLower(strings.TrimPrefix(body.GetState().String(), "BODY_STATE_")))
	}
}
