package proxy

import (
	"bytes"
	"errors"
	"io"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
)

// frames is one end of an HTTP/2 connection, spoken frame by frame.
type frames struct {
	*peer
	*http2.Framer
	block bytes.Buffer
	rude  bool // it goes on speaking to who hung up
	enc   *hpack.Encoder
	dec   *hpack.Decoder
}

func newFrames(p *peer) *frames {
	f := &frames{peer: p, Framer: http2.NewFramer(p.Conn, p.r), dec: hpack.NewDecoder(4096, nil)}
	f.enc = hpack.NewEncoder(&f.block)
	return f
}

// dialFrames begins as a client.
func dialFrames(p *peer) *frames {
	p.send(http2.ClientPreface)
	f := newFrames(p)
	f.must(f.WriteSettings())
	return f
}

// serveFrames begins as a server.
func serveFrames(p *peer) *frames {
	p.expect(http2.ClientPreface)
	f := newFrames(p)
	f.must(f.WriteSettings())
	return f
}

func (f *frames) must(err error) {
	if err != nil && !f.rude {
		f.t.Errorf("speak HTTP/2: %v", err)
	}
}

// headers sends a header block.
func (f *frames) headers(id uint32, end bool, fields ...[2]string) {
	f.block.Reset()
	for _, x := range fields {
		f.must(f.enc.WriteField(hpack.HeaderField{Name: x[0], Value: x[1]}))
	}
	f.must(f.WriteHeaders(http2.HeadersFrameParam{StreamID: id, BlockFragment: f.block.Bytes(), EndStream: end, EndHeaders: true}))
}

// next returns the next frame that is of interest, and acknowledges settings.
func (f *frames) next() http2.Frame {
	f.t.Helper()
	for {
		frame, err := f.ReadFrame()
		if err != nil {
			if !errors.Is(err, io.EOF) {
				f.t.Errorf("read a frame: %v", err)
			}
			return nil
		}
		switch frame := frame.(type) {
		case *http2.SettingsFrame:
			if !frame.IsAck() {
				f.must(f.WriteSettingsAck())
			}
		case *http2.WindowUpdateFrame:
		default:
			return frame
		}
	}
}

// readHeaders waits for a header block and returns its fields.
func (f *frames) readHeaders() (fields [][2]string) {
	f.t.Helper()
	h, ok := f.next().(*http2.HeadersFrame)
	if !ok {
		f.t.Errorf("no HEADERS came")
		return nil
	}
	all, err := f.dec.DecodeFull(h.HeaderBlockFragment())
	f.must(err)
	for _, x := range all {
		fields = append(fields, [2]string{x.Name, x.Value})
	}
	return fields
}

// untilClosed takes what comes until the other end closes.
func (f *frames) untilClosed() { _, _ = io.Copy(io.Discard, f.peer.r) }
