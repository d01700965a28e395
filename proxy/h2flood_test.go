package proxy

import (
	"io"
	"strings"
	"testing"
	"time"

	"golang.org/x/net/http2"

	flowpb "weir/proto"
)

// flood is what one end does too much of.
type flood struct {
	name  string
	send  func(f *frames)
	code  http2.ErrCode // the connection ends with, 0 where it goes on
	limit string        // in the error of the flow
}

// floods are what either end of a connection can do, under floodOptions.
var floods = []flood{
	{"CONTINUATION", func(f *frames) {
		f.must(f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1}))
		for range 12 {
			f.must(f.WriteContinuation(1, false, nil))
		}
	}, http2.ErrCodeEnhanceYourCalm, "more than 10 CONTINUATION frames"},
	{"a header bomb", func(f *frames) {
		f.headers(3, true, bombOf(100)...)
	}, 0, ""},
	{"a header block", func(f *frames) {
		f.must(f.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: make([]byte, 9000), EndHeaders: true}))
	}, http2.ErrCodeEnhanceYourCalm, "header block of more than 8000 bytes"},
	{"SETTINGS", func(f *frames) {
		for range 60 {
			f.must(f.WriteSettings())
		}
	}, http2.ErrCodeEnhanceYourCalm, "more than 50 frames in a moment that move nothing, the last one SETTINGS"},
	{"PING", func(f *frames) {
		for range 60 {
			f.must(f.WritePing(false, [8]byte{}))
		}
	}, http2.ErrCodeEnhanceYourCalm, "the last one PING"},
	{"unknown frames", func(f *frames) {
		for range 60 {
			f.must(f.WriteRawFrame(0xfa, 0, 0, nil))
		}
	}, http2.ErrCodeEnhanceYourCalm, "the last one unknown frame"},
	{"PRIORITY", func(f *frames) {
		for range 60 {
			f.must(f.WritePriority(9, http2.PriorityParam{Weight: 1}))
		}
	}, http2.ErrCodeEnhanceYourCalm, "the last one PRIORITY"},
}

// resetFlood is what only a client can do: it opens streams.
var resetFlood = flood{"rapid reset", func(f *frames) {
	for i := range uint32(30) {
		f.headers(2*i+5, true, plainGet...)
		f.must(f.WriteRSTStream(2*i+5, http2.ErrCodeCancel))
	}
}, http2.ErrCodeEnhanceYourCalm, "more than 20 streams reset in a moment"}

func floodOptions() Options {
	var o Options
	o.HTTP2.Continuations, o.HTTP2.HeaderList, o.HTTP2.HeaderBlock = 10, 4000, 8000
	o.HTTP2.Controls, o.HTTP2.Resets = 50, 20
	return o
}

// survives demands that s still answers.
func survives(t *testing.T, s *Server) {
	t.Helper()
	addr := origin(t, func(p *peer) {
		p.head()
		p.send("HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")
	})
	c := dial(t, s)
	if s.opts.Mode.Kind == Regular {
		c.send(get(addr))
		c.expect("HTTP/1.1 204 No Content\r\n")
	}
}

// TestFloodsOfClients has a client with an open request do too much of something,
// where its HTTP/2 is relayed and where it is translated.
func TestFloodsOfClients(t *testing.T) {
	for _, fl := range append(floods[:len(floods):len(floods)], resetFlood) {
		for name, serve := range map[string]func(p *peer){
			"relayed":    func(p *peer) { serveFrames(p).untilClosed() },
			"translated": func(p *peer) { p.head(); _, _ = io.Copy(io.Discard, p.r) },
		} {
			t.Run(fl.name+", "+name, func(t *testing.T) {
				addr := origin(t, serve)
				s, sink := start(t, floodOptions())
				p, get := tunnel(t, s, addr), plainGet
				if name == "translated" {
					p, get = dial(t, s), proxyGet("GET", addr)
				}
				f := dialFrames(p)
				f.headers(1, true, get...)
				sink.await(t, "the request", func() bool { return len(sink.flows) == 1 })
				f.rude = true
				fl.send(f)
				f.judge(t, fl)
				f.Close()
				if f := sink.finished(t, 1); fl.limit != "" && (f.Error.GetCode() != flowpb.CodeLimit || !strings.Contains(f.Error.Message, fl.limit)) {
					t.Errorf("flow: got %v, want %q", f.Error, fl.limit)
				}
				survives(t, s)
			})
		}
	}
}

// judge looks for what a flood is answered with.
func (f *frames) judge(t *testing.T, fl flood) {
	t.Helper()
	for {
		switch frame := f.next().(type) {
		case nil:
			t.Error("the connection ended without a word")
			return
		case *http2.GoAwayFrame:
			if frame.ErrCode != fl.code {
				t.Errorf("got GOAWAY %v, want %v", frame.ErrCode, fl.code)
			}
			return
		case *http2.RSTStreamFrame:
			if fl.code == 0 && frame.StreamID == 3 {
				if frame.ErrCode != http2.ErrCodeEnhanceYourCalm {
					t.Errorf("got %v", frame)
				}
				return
			}
		}
	}
}

// TestFloodsOfServers has a server do so instead of answering.
func TestFloodsOfServers(t *testing.T) {
	for _, fl := range floods {
		for _, name := range []string{"relayed", "translated"} {
			t.Run(fl.name+", "+name, func(t *testing.T) {
				if fl.code == 0 {
					fl.send = func(f *frames) { f.headers(1, true, bombOf(100)...) }
					fl.limit = "header of more than 4000 bytes"
				}
				s, sink := reverseH2C(t, floodOptions(), func(f *frames) {
					f.readHeaders()
					f.rude = true
					fl.send(f)
					f.untilClosed()
				})
				if name == "relayed" {
					f := dialFrames(dial(t, s))
					f.headers(1, true, plainGet...)
					if got := f.untilEnd(); !strings.HasPrefix(got, "HEADERS 502") && got != "RST_STREAM" {
						t.Errorf("the client saw %q", got)
					}
				} else {
					c := dial(t, s)
					c.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n")
					c.expect("HTTP/1.1 502 ")
				}
				if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeLimit || !strings.Contains(f.Error.Message, fl.limit) {
					t.Errorf("flow: got %v, want %q", f.Error, fl.limit)
				}
				survives(t, s)
			})
		}
	}
}

// bombOf is fields of a hundred bytes, of which all but the first take one.
func bombOf(n int) (fields [][2]string) {
	for range n {
		fields = append(fields, [2]string{"a", strings.Repeat("x", 100)})
	}
	return fields
}

// TestZeroWindow has a client ask and never open a window for the answer.
func TestZeroWindow(t *testing.T) {
	for name, serve := range map[string]func(p *peer){
		"relayed": func(p *peer) {
			f := serveFrames(p)
			f.readHeaders()
			f.headers(1, false, [2]string{":status", "200"})
			f.untilClosed()
		},
		"translated": func(p *peer) {
			p.head()
			p.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello")
			_, _ = io.Copy(io.Discard, p.r)
		},
	} {
		t.Run(name, func(t *testing.T) {
			addr := origin(t, serve)
			s, sink := start(t, Options{Timeouts: Timeouts{Silence: 80 * time.Millisecond}})
			p, get := tunnel(t, s, addr), plainGet
			if name == "translated" {
				p, get = dial(t, s), proxyGet("GET", addr)
			}
			f := dialFrames(p)
			f.must(f.WriteSettings(http2.Setting{ID: http2.SettingInitialWindowSize, Val: 0}))
			f.headers(1, true, get...)
			if got := f.untilEnd(); got != "HEADERS 200 RST_STREAM" {
				t.Errorf("got %q", got)
			}
			if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeTimeout || !strings.Contains(f.Error.Message, "80ms") {
				t.Errorf("flow: got %v", f.Error)
			}
		})
	}
}
