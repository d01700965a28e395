package packet

import (
	"context"
	"net/netip"
	"slices"

	flowpb "weir/proto"
	"weir/proxy/packet/link"
	"weir/proxy/packet/tcp"
)

// speaker makes flows out of one conversation. from is the side that speaks:
// SideRequest is the client. No call comes after close.
type speaker interface {
	data(ctx context.Context, from flowpb.Side, p []byte, at int64) error
	// gap tells of n bytes that were sent and not captured; 0: nobody knows how many.
	gap(ctx context.Context, from flowpb.Side, n, at int64) error
	// end tells that a side sends nothing more.
	end(ctx context.Context, from flowpb.Side, at int64) error
	close(ctx context.Context, why ending, at int64) error
}

// ending says how a conversation ended.
type ending uint8

const (
	cut    ending = iota // the capture ends, or nothing came for long
	closed               // both sides said that they are done
	reset
	mistaken // weir made a mistake, and reads no more of it
)

// broken is why a connection that ended so is an error by itself, "" where it is none.
func (e ending) broken() string {
	if e == reset || e == mistaken {
		return endings[e]
	}
	return ""
}

// code is that of the error of what was open.
func (e ending) code() flowpb.ErrorCode {
	if e == mistaken {
		return flowpb.CodeInternal
	}
	return flowpb.CodeServerGone
}

// conversation is what two addresses have to say to each other: a TCP connection, or
// datagrams without long pauses.
type conversation struct {
	a     *Assembler
	key   pair
	class int
	last  int64 // when its last packet was captured

	client, server netip.AddrPort
	clientText     []byte          // of every flow
	address        *flowpb.Address // the server's
	sure           bool            // who is the client was seen, not guessed
	streams        [2]*tcp.Stream
	early          []earlySegment
	ends           [2]bool // the speaker was told of the end
	answered       bool    // the server accepted
	disputed       bool    // what is said now was said otherwise as well
	conn           *flowpb.Conn
	target         *flowpb.Address // where a proxy was asked to connect to, nil without one
	name           []byte          // by which the client asked for the server in TLS
	tls            *flowpb.Tls     // nil without any
	http2          *flowpb.Http2   // nil without any
	secure         bool            // what is said now is inside TLS
	begun          int64
	connectedNs    int64
	tlsNs          int64
	waits          *tlsTalk // for secrets that may come, even behind its end
	why            ending   // of one that waits
	endedNs        int64
	speaker        speaker
}

func newConversation(a *Assembler, key pair, seg *link.Segment) *conversation {
	c := &conversation{a: a, key: key, class: connection, client: seg.Src, server: seg.Dst}
	if seg.UDP {
		if seg.Src.Port() < 1024 && seg.Src.Port() < seg.Dst.Port() { // its question was not captured
			c.client, c.server = seg.Dst, seg.Src
		}
		c.class = datagrams
		c.speaker = newDatagrams(c, seg)
		return c
	}
	a.stats.Conns++
	switch {
	case seg.Flags&link.SYN != 0 && seg.Flags&link.ACK == 0:
		c.sure = true
	case seg.Flags&link.SYN != 0:
		c.client, c.server, c.sure = seg.Dst, seg.Src, true
	case seg.Src.Port() < seg.Dst.Port():
		c.client, c.server = seg.Dst, seg.Src
	}
	c.streams = [2]*tcp.Stream{tcp.NewStream(&a.budget), tcp.NewStream(&a.budget)}
	c.speaker = newDetector(c)
	return c
}

// reused reports whether seg begins another connection between the same ports.
func (c *conversation) reused(seg *link.Segment) bool {
	if seg.UDP || seg.Flags&link.SYN == 0 || seg.Flags&link.ACK != 0 {
		return false
	}
	if c.class == over || c.class == aborted {
		return true
	}
	s := c.streams[index(c.side(seg.Src))]
	return s.Started() && !s.Begins(seg.Seq+1)
}

// side is which end of the conversation an address is.
func (c *conversation) side(from netip.AddrPort) flowpb.Side {
	if from == c.client {
		return flowpb.SideRequest
	}
	return flowpb.SideResponse
}

func index(s flowpb.Side) int { return int(s - flowpb.SideRequest) }

func other(s flowpb.Side) flowpb.Side { return flowpb.SideRequest + flowpb.SideResponse - s }

// turn changes who is taken for the client, where that was a guess.
func (c *conversation) turn() bool {
	if c.sure {
		return false
	}
	c.sure = true
	c.client, c.server = c.server, c.client
	c.clientText, c.address = nil, nil
	c.streams[0], c.streams[1] = c.streams[1], c.streams[0]
	c.ends[0], c.ends[1] = c.ends[1], c.ends[0]
	return true
}

// inTLS returns who understands what the connection carries inside TLS. It is given
// what was decrypted, as that of a connection of its own would be, gaps and ends included;
// protocol is what was agreed on in the handshake (ALPN), empty where nothing was.
func (c *conversation) inTLS(protocol []byte) speaker {
	c.secure = true
	switch {
	case string(protocol) == "h2":
		return newHTTP2(c, false)
	case string(protocol) == "dot" || c.to().GetPort() == portDNSTLS:
		return &dnsTalk{c: c}
	}
	return &detector{c: c, tunnel: true}
}

// dispute flags a flow, of which something is said now, where other bytes were sent for
// that as well: which ones the receiver took is not known.
func (c *conversation) dispute(f *flowpb.Flow) {
	const key = "overlap"
	if !c.disputed || slices.ContainsFunc(f.Meta, func(m *flowpb.Meta) bool { return m.GetKey() == key }) {
		return
	}
	f.Meta = append(f.Meta, &flowpb.Meta{Key: key, Value: "bytes of it were sent twice, differently; the first are kept"})
}

// scheme is that of what is asked for now.
func (c *conversation) scheme() string {
	if c.secure {
		return "https"
	}
	return "http"
}

// segment takes a TCP segment.
func (c *conversation) segment(ctx context.Context, seg *link.Segment, at int64) error {
	if c.begun == 0 {
		c.begun = at
	}
	if c.class == over {
		return nil
	}
	if c.ahead(seg) {
		return c.hold(ctx, seg, at)
	}
	if err := c.take(ctx, seg, at); err != nil || c.early == nil {
		return err
	}
	return c.release(ctx, at)
}

// take takes a TCP segment whose turn it is.
func (c *conversation) take(ctx context.Context, seg *link.Segment, at int64) error {
	from := c.side(seg.Src)
	s := c.streams[index(from)]
	seq := seg.Seq
	if seg.Flags&link.SYN != 0 {
		seq++
		s.Start(seq)
		if from == flowpb.SideResponse && !c.answered {
			c.answered = true
			c.connected(at)
		}
	}
	if err := c.acknowledged(ctx, seg, at); err != nil {
		return err
	}
	if len(seg.Payload) > 0 || seg.Missing > 0 {
		if err := s.Push(seq, seg.Payload, seg.Missing, at, c.yield(ctx, from)); err != nil {
			return err
		}
	}
	if seg.Flags&link.RST != 0 {
		return c.abort(ctx, at)
	}
	if seg.Flags&link.FIN != 0 {
		s.Finish(seq + uint32(len(seg.Payload)+seg.Missing))
	}
	return c.settle(ctx, at)
}

// abort takes a RST. What the other side had sent by then may come behind it, and so
// may the rest of a connection that somebody else wanted reset.
func (c *conversation) abort(ctx context.Context, at int64) error {
	if !c.streams[1].Started() {
		return c.finish(ctx, reset, at)
	}
	if c.class != aborted {
		c.endedNs = at
		c.a.classify(c, aborted)
	}
	return nil
}

// acknowledged tells the other side's stream what the sender of a segment has of it.
func (c *conversation) acknowledged(ctx context.Context, seg *link.Segment, at int64) error {
	if seg.Flags&link.ACK == 0 {
		return nil
	}
	side := other(c.side(seg.Src))
	return c.streams[index(side)].Acknowledge(seg.Ack, at, c.yield(ctx, side))
}

// yield passes on what a stream has to tell. Which side it is may turn out while the
// first bytes are looked at, so it is asked again each time.
func (c *conversation) yield(ctx context.Context, from flowpb.Side) func(tcp.Event) error {
	stream := c.streams[index(from)]
	return func(e tcp.Event) error {
		side := flowpb.SideRequest
		if c.streams[1] == stream {
			side = flowpb.SideResponse
		}
		switch e.Kind {
		case tcp.Gap:
			c.a.stats.Gaps++
			return c.tell(ctx, e.AtNs, func(s speaker) error { return s.gap(ctx, side, e.Length, e.AtNs) })
		case tcp.Conflict:
			c.a.stats.Conflicts++
			return nil
		}
		c.disputed = e.Disputed
		err := c.tell(ctx, e.AtNs, func(s speaker) error { return s.data(ctx, side, e.Data, e.AtNs) })
		c.disputed = false
		return err
	}
}

// settle tells the speaker of ends, and ends the conversation after both.
func (c *conversation) settle(ctx context.Context, at int64) error {
	for i, s := range c.streams {
		if !s.Finished() || c.ends[i] {
			continue
		}
		c.ends[i] = true
		side := flowpb.SideRequest + flowpb.Side(i)
		if err := c.tell(ctx, at, func(s speaker) error { return s.end(ctx, side, at) }); err != nil {
			return err
		}
	}
	switch {
	case !c.ends[0] || !c.ends[1]:
		return nil
	case c.class == aborted:
		return c.finish(ctx, reset, c.endedNs)
	}
	return c.finish(ctx, closed, at)
}

// finish ends the conversation while its place in the table stays.
func (c *conversation) finish(ctx context.Context, why ending, at int64) error {
	if err := c.releaseAll(ctx); err != nil || c.class == over {
		return err
	}
	err := c.over(ctx, why, at)
	c.a.classify(c, over)
	return err
}

// close ends the conversation where it is not over yet.
func (c *conversation) close(ctx context.Context, at int64) error {
	switch {
	case c.class == aborted:
		return c.over(ctx, reset, c.endedNs)
	case c.class != over && c.streams[0] != nil && c.streams[0].Ended() && c.streams[1].Ended():
		return c.over(ctx, closed, at)
	case c.class != over:
		return c.over(ctx, cut, at)
	case c.speaker != nil:
		return c.part(ctx, c.why, c.endedNs)
	}
	return nil
}

// over tells the speaker all that waits, and that this is all.
func (c *conversation) over(ctx context.Context, why ending, at int64) error {
	for i, s := range c.streams {
		if s == nil {
			continue
		}
		if err := s.Close(at, c.yield(ctx, flowpb.SideRequest+flowpb.Side(i))); err != nil {
			return err
		}
	}
	c.streams = [2]*tcp.Stream{}
	if c.waits != nil && why != cut {
		c.why, c.endedNs = why, at
		return nil
	}
	return c.part(ctx, why, at)
}

// part lets the speaker tell the end.
func (c *conversation) part(ctx context.Context, why ending, at int64) error {
	err := c.tell(ctx, at, func(s speaker) error { return s.close(ctx, why, at) })
	c.speaker = nil
	if err != nil {
		return err
	}
	return c.disconnected(ctx, at)
}

// datagram takes a UDP datagram.
func (c *conversation) datagram(ctx context.Context, seg *link.Segment, at int64) error {
	if c.begun == 0 {
		c.begun = at
	}
	from := c.side(seg.Src)
	err := c.tell(ctx, at, func(s speaker) error { return s.data(ctx, from, seg.Payload, at) })
	if err != nil || seg.Missing == 0 {
		return err
	}
	return c.tell(ctx, at, func(s speaker) error { return s.gap(ctx, from, int64(seg.Missing), at) })
}
