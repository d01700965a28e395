package synth

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"

	"golang.org/x/net/http2/hpack"

	flowpb "weir/proto"
	"weir/proxy/h2"
)

// Flags of frames (RFC 9113 section 6).
const (
	flagAck        = 0x1
	flagEndStream  = 0x1
	flagEndHeaders = 0x4
)

// maxFrame is the most that a frame carries before anything else was agreed on.
const maxFrame = 16384

// connection2 is what a connection of HTTP/2 has used up.
type connection2 struct{ stream uint32 }

// take returns the stream of a flow: its own, where no later one was used.
func (c *connection2) take(id uint32) uint32 {
	if id%2 == 0 || id <= c.stream || id >= 1<<31 {
		id = c.stream + 2
		if c.stream == 0 {
			id = 1
		}
	}
	c.stream = id
	return id
}

// exchange2 says an exchange as frames of HTTP/2.
func (x *script) exchange2(h *flowpb.Http) error {
	s := &stream2{x: x, id: x.talk.h2.take(h.GetStreamId())}
	x.put = s.data
	if q := h.GetRequest(); q != nil {
		m := message1{flowpb.SideRequest, q.GetBody(), q.GetTrailers(), q.GetStartedNs(), q.GetEndedNs()}
		if err := s.message(m, requestFields(q), h.GetUpgrade() != nil); err != nil {
			return err
		}
	}
	for _, p := range h.GetInformational() {
		if err := s.headers(flowpb.SideResponse, p.GetStartedNs(), responseFields(p), false); err != nil {
			return err
		}
	}
	p := h.GetResponse()
	if p == nil {
		return s.reset()
	}
	m := message1{flowpb.SideResponse, p.GetBody(), p.GetTrailers(), p.GetStartedNs(), p.GetEndedNs()}
	if err := s.message(m, responseFields(p), h.GetUpgrade() != nil); err != nil {
		return err
	}
	if h.GetUpgrade() == nil && h.GetWebsocket() == nil {
		return s.reset()
	}
	if err := x.upgraded(h); err != nil {
		return err
	}
	if at := max(h.GetUpgrade().GetEndedNs(), h.GetWebsocket().GetEndedNs()); at > 0 {
		for _, from := range []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse} {
			if err := s.frame(from, at, h2.FrameData, flagEndStream, nil); err != nil {
				return err
			}
		}
	}
	return s.reset()
}

// open2 says how a connection of HTTP/2 begins (RFC 9113 section 3.4).
func (x *script) open2() error {
	t := x.talk
	t.h2 = &connection2{}
	at := t.latest
	client, server := x.whole.Client.GetHttp2(), x.whole.Server.GetHttp2()
	hello := append([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), begins2(client)...)
	ack := appendFrame(nil, h2.FrameSettings, flagAck, 0, nil)
	for _, s := range []said{
		{from: flowpb.SideRequest, p: hello}, {from: flowpb.SideResponse, p: append(begins2(server), ack...)}, {from: flowpb.SideRequest, p: ack},
	} {
		s.talk, s.at, s.kind = t, at, data
		if err := x.w.say(s); err != nil {
			return err
		}
	}
	return nil
}

// begins2 is the frames with which one end says what it takes.
func begins2(end *flowpb.Http2) []byte {
	var settings []byte
	for _, s := range end.GetSettings()[:min(len(end.GetSettings()), 256)] {
		settings = binary.BigEndian.AppendUint16(settings, uint16(s.GetId()))
		settings = binary.BigEndian.AppendUint32(settings, s.GetValue())
	}
	out := appendFrame(nil, h2.FrameSettings, 0, 0, settings)
	if n := end.GetWindowUpdate(); n > 0 && n < 1<<30 {
		out = appendFrame(out, h2.FrameWindowUpdate, 0, 0, binary.BigEndian.AppendUint32(nil, n))
	}
	return out
}

// stream2 says what passed on one stream.
type stream2 struct {
	x  *script
	id uint32
	// broken is whether a side did not end what it says.
	broken bool
}

// message says one half of an exchange; open is whether more follows it.
func (s *stream2) message(m message1, fields []hpack.HeaderField, open bool) error {
	bare := m.body == nil && len(m.trailers) == 0
	if err := s.headers(m.side, m.started, fields, bare && !open); err != nil || bare {
		return err
	}
	if m.body.GetState() == flowpb.BodyDropped {
		// A frame of bytes that nobody has could not be told from one that was lost.
		s.broken = true
		return nil
	}
	// The last piece ends the stream, so that one is held back.
	var held []byte
	var at int64
	err := s.x.body(m.side, m.body, m.ended, func(next int64, p []byte) error {
		piece, when := held, at
		held, at = p, next
		if piece == nil {
			return nil
		}
		return s.data(m.side, when, piece)
	})
	if err != nil {
		return err
	}
	cut := m.body.GetState() == flowpb.BodyCut || m.body.GetState() == flowpb.BodyStreaming
	if len(m.trailers) == 0 && !cut {
		return s.frame(m.side, m.ended, h2.FrameData, flagEndStream, held)
	}
	if held != nil {
		if err := s.data(m.side, at, held); err != nil {
			return err
		}
	}
	if s.broken = s.broken || cut; cut {
		return nil
	}
	return s.headers(m.side, m.ended, plainFields(nil, m.trailers, false), true)
}

// reset ends a stream that did not end by itself, unless it is still open.
func (s *stream2) reset() error {
	x := s.x
	unanswered := x.flow.GetHttp().GetResponse() == nil
	if !s.broken && !unanswered || x.flow.GetState() != flowpb.StateError && x.flow.GetState() != flowpb.StateComplete {
		return nil
	}
	from := flowpb.SideResponse
	if x.flow.GetError().GetSide() == flowpb.SideRequest || x.flow.GetError().GetCode() == flowpb.CodeClientGone {
		from = flowpb.SideRequest
	}
	return s.frame(from, x.flow.GetError().GetAtNs(), h2.FrameReset, 0, binary.BigEndian.AppendUint32(nil, uint32(h2.Cancel)))
}

// headers says a block of fields in as many frames as it takes. Fields enter no
// table, so that blocks can come in any order.
func (s *stream2) headers(from flowpb.Side, at int64, fields []hpack.HeaderField, end bool) error {
	var block bytes.Buffer
	enc := hpack.NewEncoder(&block)
	enc.SetMaxDynamicTableSize(0)
	for _, f := range fields {
		if err := enc.WriteField(f); err != nil {
			return fmt.Errorf("write the fields of flow %d: %w", s.x.flow.GetId(), err)
		}
	}
	kind, flags := h2.FrameHeaders, byte(0)
	if end {
		flags = flagEndStream
	}
	for {
		p := block.Next(maxFrame)
		if block.Len() == 0 {
			flags |= flagEndHeaders
		}
		if err := s.frame(from, at, kind, flags, p); err != nil || block.Len() == 0 {
			return err
		}
		kind, flags = h2.FrameContinuation, 0
	}
}

// data says content, and that the other side takes as much again.
func (s *stream2) data(from flowpb.Side, at int64, p []byte) error {
	if err := s.frame(from, at, h2.FrameData, 0, p); err != nil {
		return err
	}
	n := binary.BigEndian.AppendUint32(nil, uint32(len(p)))
	taken := appendFrame(nil, h2.FrameWindowUpdate, 0, 0, n)
	return s.x.say(other(from), s.x.last, appendFrame(taken, h2.FrameWindowUpdate, 0, s.id, n))
}

func other(s flowpb.Side) flowpb.Side {
	if s == flowpb.SideRequest {
		return flowpb.SideResponse
	}
	return flowpb.SideRequest
}

func (s *stream2) frame(from flowpb.Side, at int64, kind h2.FrameType, flags byte, p []byte) error {
	return s.x.say(from, at, appendFrame(nil, kind, flags, s.id, p))
}

// appendFrame appends one frame (RFC 9113 section 4.1).
func appendFrame(dst []byte, kind h2.FrameType, flags byte, stream uint32, p []byte) []byte {
	dst = append(dst, byte(len(p)>>16), byte(len(p)>>8), byte(len(p)), byte(kind), flags)
	dst = binary.BigEndian.AppendUint32(dst, stream)
	return append(dst, p...)
}

// requestFields are the fields of a request, pseudo-header fields in the order sent
// where that is known (RFC 9113 section 8.3.1).
func requestFields(q *flowpb.Request) []hpack.HeaderField {
	order := string(q.GetPseudoOrder())
	foreign := order == ""
	authority := string(q.GetAuthority())
	if foreign {
		order = "mspa"
		if string(q.GetMethod()) == "CONNECT" && len(q.GetProtocol()) == 0 {
			order = "ma"
		}
		if authority == "" && len(flowpb.Get(q.GetHeaders(), "host")) > 0 {
			order = strings.TrimSuffix(order, "a")
		} else if authority == "" {
			s := flowpb.Summarize(&flowpb.Flow{Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{Request: q}}})
			authority = s.HostPort()
		}
	}
	scheme := q.GetScheme()
	if q.SentScheme != nil {
		scheme = q.GetSentScheme()
	}
	var out []hpack.HeaderField
	for _, c := range order {
		switch c {
		case 'm':
			out = append(out, hpack.HeaderField{Name: ":method", Value: string(q.GetMethod())})
		case 's':
			out = append(out, hpack.HeaderField{Name: ":scheme", Value: string(scheme)})
		case 'a':
			out = append(out, hpack.HeaderField{Name: ":authority", Value: authority})
		case 'p':
			out = append(out, hpack.HeaderField{Name: ":path", Value: string(q.GetPath())})
		case 'r':
			out = append(out, hpack.HeaderField{Name: ":protocol", Value: string(q.GetProtocol())})
		}
	}
	return plainFields(out, q.GetHeaders(), foreign)
}

func responseFields(p *flowpb.Response) []hpack.HeaderField {
	status := fmt.Sprintf("%03d", p.GetStatus())
	return plainFields([]hpack.HeaderField{{Name: ":status", Value: status}}, p.GetHeaders(), true)
}

// plainFields appends fields; those of an archive, which may have the form they have in
// HTTP/1, in lower case and without pseudo-header fields.
func plainFields(dst []hpack.HeaderField, fields []*flowpb.Field, foreign bool) []hpack.HeaderField {
	for _, f := range fields {
		name := string(f.GetName())
		if foreign {
			name = strings.ToLower(name)
			if strings.HasPrefix(name, ":") {
				continue
			}
		}
		dst = append(dst, hpack.HeaderField{Name: name, Value: string(f.GetValue()), Sensitive: f.GetSensitive()})
	}
	return dst
}
