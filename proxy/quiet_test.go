package proxy

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"golang.org/x/net/http2"

	flowpb "weir/proto"
)

// TestQuiet holds that a tunnel in which one direction moves is not silent, that
// one in which none does ends, and that one without a limit never does.
func TestQuiet(t *testing.T) {
	for name, tt := range map[string]struct {
		limit time.Duration
		says  int // how often the other direction moves, once a minute
		want  time.Duration
	}{
		"silent":   {90 * time.Second, 0, 90 * time.Second},
		"moving":   {90 * time.Second, 10, 10*time.Minute + 90*time.Second},
		"no limit": {-1, 0, 24 * time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q := &quiet{limit: tt.limit}
				q.moved()
				ours, theirs := net.Pipe()
				time.AfterFunc(24*time.Hour, func() { theirs.Close() })
				go func() {
					for range tt.says {
						time.Sleep(time.Minute)
						q.moved()
					}
				}()
				begun := time.Now()
				_, err := quietReader{ours, ours, q}.Read(make([]byte, 1))
				if got := time.Since(begun); got != tt.want {
					t.Errorf("it ended after %v, want %v", got, tt.want)
				}
				if f, ok := errors.AsType[*flowError](err); ok != (tt.limit > 0) || ok && f.code != flowpb.CodeTimeout {
					t.Errorf("got %v", err)
				}
				theirs.Close()
			})
		})
	}
}

// TestQuietWriter has an end that takes nothing.
func TestQuietWriter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ours, theirs := net.Pipe()
		defer theirs.Close()
		_, err := quietWriter{ours, ours, &quiet{limit: time.Minute}}.Write([]byte("x"))
		if f, ok := errors.AsType[*flowError](err); !ok || f.code != flowpb.CodeTimeout {
			t.Errorf("got %v, want a time-out", err)
		}
	})
}

// TestTunnelsThatAreSilent bounds the silence of everything that is not HTTP any more.
func TestTunnelsThatAreSilent(t *testing.T) {
	opts := Options{Timeouts: Timeouts{Tunnel: 30 * time.Millisecond}}
	const switched = "HTTP/1.1 101 Go\r\nUpgrade: foo\r\nConnection: upgrade\r\n\r\n"
	for name, open := range map[string]func(t *testing.T) *memory{
		"raw": func(t *testing.T) *memory {
			addr := origin(t, func(p *peer) { _, _ = p.r.ReadByte() })
			s, sink := start(t, opts)
			tunnel(t, s, addr).send("\x00")
			return sink
		},
		"upgrade": func(t *testing.T) *memory {
			addr := origin(t, func(p *peer) { p.head(); p.send(switched); _, _ = p.r.ReadByte() })
			s, sink := start(t, opts)
			dial(t, s).send("GET http://" + addr + "/ HTTP/1.1\r\nHost: a\r\nUpgrade: foo\r\nConnection: upgrade\r\n\r\n")
			return sink
		},
		"a stream that is relayed": func(t *testing.T) *memory {
			addr := origin(t, func(p *peer) {
				f := serveFrames(p)
				f.readHeaders()
				f.headers(1, false, [2]string{":status", "200"})
				f.untilClosed()
			})
			s, sink := start(t, opts)
			f := dialFrames(tunnel(t, s, addr))
			f.headers(1, false, [2]string{":method", "CONNECT"}, [2]string{":authority", "a.test:1"})
			f.readHeaders()
			if r, ok := f.next().(*http2.RSTStreamFrame); !ok || r.ErrCode != http2.ErrCodeCancel {
				t.Errorf("got %v, want the end of the stream", r)
			}
			return sink
		},
		"a WebSocket that is translated": func(t *testing.T) *memory {
			s, sink := reverseSockets(t, opts, func(f *frames) { serveSocket(f); f.untilClosed() })
			dial(t, s).send(upgradeRequest)
			return sink
		},
	} {
		t.Run(name, func(t *testing.T) {
			f := open(t).finished(t, 1)
			if f.Error.GetCode() != flowpb.CodeTimeout || !strings.Contains(f.Error.Message, "the limit on silence") {
				t.Errorf("flow: got %v", f.Error)
			}
		})
	}
}

// TestVanished explains the error of a connection that the system gave up.
func TestVanished(t *testing.T) {
	gone := &net.OpError{Op: "read", Err: fmt.Errorf("read: %w", syscall.ETIMEDOUT)}
	to := route{host: "a.test", port: 443}
	for want, err := range map[string]error{
		"a.test:443 " + vanished:         sideFailure(flowpb.SideResponse, to, gone),
		"the client " + vanished:         sideFailure(flowpb.SideRequest, to, gone),
		"a.test:443 does not answer any": serverFailure(to, gone),
		"the client does not answer any": clientFailure(gone),
		"connecting to a.test:443 timed": dialFailure(to, gone),
	} {
		if f := asFailure(err); !strings.HasPrefix(f.message, want) || f.code != flowpb.CodeTimeout || f.status == 408 {
			t.Errorf("got %q (%v), want %q", f.message, f.code, want)
		}
	}
	if isTimeout(gone) {
		t.Error("it is taken for a deadline of ours, after which one reads again")
	}
}

// TestTimeoutsByName sets every phase by its name.
func TestTimeoutsByName(t *testing.T) {
	for _, p := range Phases() {
		var set Timeouts
		if err := set.Set(p.Name, 0); err != nil {
			t.Error(err)
		}
		if set == (Timeouts{}) || set.withDefaults() == (Timeouts{}).withDefaults() && p.Default > 0 {
			t.Errorf("%s: nothing was set", p.Name)
		}
	}
	if err := new(Timeouts).Set("nap", 1); err == nil || !strings.Contains(err.Error(), "none of connect, handshake") {
		t.Errorf("an unknown phase: got %v", err)
	}
}
