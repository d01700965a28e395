package httptext

import (
	"errors"
	"fmt"
	"io"

	flowpb "weir/proto"
)

// Halves says which half of an exchange is written.
type Halves uint8

// The halves.
const (
	Both Halves = iota
	Requests
	Responses
)

// chunkSize is the most that is one chunk where the sizes of chunks are not known,
// in bytes.
const chunkSize = 64 << 10

// Writer writes flows one behind the other: HTTP as its text, tcp and udp flows as
// what was said.
type Writer struct {
	w      io.Writer
	halves Halves
}

// NewWriter returns a Writer.
func NewWriter(w io.Writer, halves Halves) *Writer { return &Writer{w, halves} }

// Close does nothing: such text has no end.
func (p *Writer) Close() error { return nil }

// Write adds a flow. The error is [flowpb.ErrNoForm], or that of reading or writing.
func (p *Writer) Write(f *flowpb.Whole) error {
	if h := f.Flow.GetHttp(); h != nil {
		return p.exchange(f, h)
	}
	if f.Flow.GetTcp() == nil && f.Flow.GetUdp() == nil || f.Messages == nil {
		return flowpb.ErrNoForm
	}
	for m, err := range f.Messages {
		if err != nil {
			return err
		}
		if p.halves == Requests && m.GetSide() != flowpb.SideRequest || p.halves == Responses && m.GetSide() != flowpb.SideResponse {
			continue
		}
		if _, err := p.w.Write(m.GetContent()); err != nil {
			return err
		}
	}
	return nil
}

func (p *Writer) exchange(f *flowpb.Whole, h *flowpb.Http) error {
	q, a := h.GetRequest(), h.GetResponse()
	if q == nil && p.halves != Responses || a == nil && p.halves == Responses {
		return flowpb.ErrNoForm
	}
	if p.halves != Responses {
		if err := p.message(f, flowpb.SideRequest, Request(q), q.GetBody(), q.GetTrailers()); err != nil {
			return err
		}
	}
	if p.halves == Requests {
		return nil
	}
	for _, i := range h.GetInformational() {
		if _, err := p.w.Write(Response(i)); err != nil {
			return err
		}
	}
	if a == nil {
		return nil
	}
	return p.message(f, flowpb.SideResponse, Response(a), a.GetBody(), a.GetTrailers())
}

func (p *Writer) message(f *flowpb.Whole, side flowpb.Side, head []byte, b *flowpb.Body, trailers []*flowpb.Field) error {
	if _, err := p.w.Write(head); err != nil {
		return err
	}
	if b == nil || b.GetState() == flowpb.BodyDropped {
		return nil
	}
	var body io.Reader = noBody{}
	if b.GetSize() > 0 && f.Body != nil {
		var err error
		if body, err = f.Body(side); err != nil || body == nil {
			return err
		}
	}
	var err error
	if b.GetChunked() {
		err = p.chunks(body, b, trailers)
	} else {
		_, err = io.Copy(p.w, body)
	}
	if err != nil {
		return fmt.Errorf("export flow %d: %w", f.Flow.GetId(), err)
	}
	return nil
}

// chunks frames a body again.
func (p *Writer) chunks(body io.Reader, b *flowpb.Body, trailers []*flowpb.Field) error {
	chunks := NewChunker(b)
	buf := make([]byte, chunkSize)
	var out []byte
	for {
		n, err := io.ReadFull(body, buf)
		out = chunks.Append(out[:0], buf[:n])
		if _, e := p.w.Write(out); e != nil {
			return e
		}
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			break
		}
		if err != nil {
			return err
		}
	}
	if state := b.GetState(); state == flowpb.BodyCut || state == flowpb.BodyStreaming {
		return nil
	}
	_, err := p.w.Write(chunks.End(nil, trailers))
	return err
}

// noBody is a body of no bytes.
type noBody struct{}

func (noBody) Read([]byte) (int, error) { return 0, io.EOF }
