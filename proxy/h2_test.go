package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/http2"

	flowpb "weir/proto"
)

// h2Origin is an HTTPS server that speaks HTTP/2, and the pool that trusts it.
func h2Origin(t testing.TB, h http.HandlerFunc) (addr string, pool *x509.CertPool) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	srv.EnableHTTP2 = true
	srv.Config.ErrorLog = log.New(io.Discard, "", 0)
	srv.StartTLS()
	t.Cleanup(srv.Close)
	pool = x509.NewCertPool()
	pool.AddCert(srv.Certificate())
	return srv.Listener.Addr().String(), pool
}

// h2Client is a client that speaks HTTP/2 through the proxy to addr.
func h2Client(t testing.TB, s *Server, addr string, trust *x509.CertPool) *http.Transport {
	t.Helper()
	// One connection: those dialled beside it would be given up, which fails the test.
	tr := &http.Transport{DisableCompression: true, ForceAttemptHTTP2: true, MaxConnsPerHost: 1}
	tr.DialTLSContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn := tls.Client(tunnel(t, s, addr).Conn, &tls.Config{RootCAs: trust, ServerName: "example.com", NextProtos: []string{"h2"}})
		return conn, conn.HandshakeContext(ctx)
	}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// ask sends one request and returns the response with its body.
func ask(cc http.RoundTripper, req *http.Request) (*http.Response, string, error) {
	res, err := cc.RoundTrip(req)
	if err != nil {
		return nil, "", err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return res, string(body), err
}

func h2Request(method, url string, body io.Reader) *http.Request {
	req, err := http.NewRequestWithContext(context.Background(), method, url, body)
	if err != nil {
		panic(err) // a URL of a test
	}
	return req
}

// start2 is a proxy with an origin of HTTP/2 behind it, and a client of it.
func start2(t testing.TB, h http.HandlerFunc) (*http.Transport, *memory) {
	t.Helper()
	addr, pool := h2Origin(t, h)
	a, trust := authority(t)
	s, sink := start(t, Options{Authority: a, UpstreamCAs: pool})
	return h2Client(t, s, addr, trust), sink
}

func TestHTTP2Exchange(t *testing.T) {
	cc, sink := start2(t, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.Header().Set("Trailer", "X-Sum")
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = fmt.Fprintf(w, "%s %s %s", r.Proto, r.Host, body)
		w.Header().Set("X-Sum", "7")
	})
	req := h2Request("POST", "https://example.com/a?b=1", strings.NewReader("content"))
	req.Header.Set("Authorization", "secret")
	req.Trailer = http.Header{"X-After": {"9"}}
	res, body, err := ask(cc, req)
	if err != nil || body != "HTTP/2.0 example.com content" || res.Trailer.Get("X-Sum") != "7" {
		t.Fatalf("got %q, trailer %v, %v", body, res.Trailer, err)
	}
	f := sink.finished(t, 1)
	if f.State != flowpb.StateComplete || f.Error != nil {
		t.Fatalf("flow: got %v", f)
	}
	h := f.GetHttp()
	if got := fmt.Sprintf("%s %s %s %s", h.Request.Method, h.Request.Authority, h.Request.Path, h.Request.Version); got != "POST example.com /a?b=1 HTTP/2" {
		t.Errorf("request: got %q", got)
	}
	if h.StreamId != 1 || len(h.Request.PseudoOrder) != 4 || len(h.Informational) != 1 || h.Informational[0].Status != 103 {
		t.Errorf("stream %d, order %q, interim %v", h.StreamId, h.Request.PseudoOrder, h.Informational)
	}
	for _, fields := range [][]*flowpb.Field{h.Request.Trailers, h.Response.Trailers} {
		if len(fields) != 1 {
			t.Errorf("trailers: got %v, want one", fields)
		}
	}
	if got := sink.body(1, flowpb.SideRequest) + "|" + sink.body(1, flowpb.SideResponse); got != "content|HTTP/2.0 example.com content" {
		t.Errorf("bodies: got %q", got)
	}
	for _, id := range []uint64{f.ClientConn, f.ServerConn} {
		c := sink.conn(id)
		if string(c.Tls.GetAlpn()) != "h2" || len(c.Http2.GetSettings()) == 0 {
			t.Errorf("connection %d: ALPN %q, settings %v", id, c.Tls.GetAlpn(), c.Http2)
		}
	}
}

// TestHTTP2OrderIsKept looks at fields that a client library would not send so.
func TestHTTP2OrderIsKept(t *testing.T) {
	fields := [][2]string{{":path", "/x"}, {":method", "GET"}, {":authority", "a.test"}, {":scheme", "http"}, {"b", "1"}, {"a", "2"}, {"b", "3"}}
	var seen [][2]string
	addr := origin(t, func(p *peer) {
		o := serveFrames(p)
		seen = o.readHeaders()
		o.headers(1, true, [2]string{":status", "200"}, [2]string{"z", "1"}, [2]string{"y", "2"})
		o.untilClosed()
	})
	s, sink := start(t, Options{})
	c := dialFrames(tunnel(t, s, addr))
	c.headers(1, true, fields...)
	if got := fmt.Sprint(c.readHeaders()); got != "[[:status 200] [z 1] [y 2]]" {
		t.Errorf("response: got %s", got)
	}
	if fmt.Sprint(seen) != fmt.Sprint(fields) {
		t.Errorf("request: got %v, want %v", seen, fields)
	}
	f := sink.finished(t, 1)
	if q := f.GetHttp().Request; string(q.PseudoOrder) != "pmas" || string(q.Headers[0].Name)+string(q.Headers[1].Name) != "ba" || string(q.Scheme) != "http" {
		t.Errorf("recorded: got order %q, %v", q.PseudoOrder, q.Headers)
	}
}

func TestHTTP2StreamsAtOnce(t *testing.T) {
	const streams = 50
	var ready sync.WaitGroup
	ready.Add(streams)
	cc, sink := start2(t, func(w http.ResponseWriter, r *http.Request) {
		ready.Done()
		ready.Wait() // nobody is answered before all have asked
		_, _ = io.WriteString(w, r.URL.Path)
	})
	var wg sync.WaitGroup
	for i := range streams {
		wg.Go(func() {
			want := fmt.Sprintf("/%d", i)
			if _, body, err := ask(cc, h2Request("GET", "https://example.com"+want, nil)); err != nil || body != want {
				t.Errorf("got %q, %v, want %q", body, err, want)
			}
		})
	}
	wg.Wait()
	for id := range uint64(streams) {
		f := sink.finished(t, id+1)
		if got, want := sink.body(f.Id, flowpb.SideResponse), string(f.GetHttp().Request.Path); got != want || f.Error != nil {
			t.Errorf("flow %d: body %q, want %q; error %v", f.Id, got, want, f.Error)
		}
	}
}

// TestHTTP2LargeBodies sends more than any window both ways.
func TestHTTP2LargeBodies(t *testing.T) {
	cc, sink := start2(t, func(w http.ResponseWriter, r *http.Request) { _, _ = io.Copy(w, r.Body) })
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<16)
	_, body, err := ask(cc, h2Request("POST", "https://example.com/", bytes.NewReader(want)))
	if err != nil || body != string(want) {
		t.Fatalf("echo: %d bytes, %v", len(body), err)
	}
	sink.finished(t, 1)
	for _, side := range []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse} {
		if got := sink.body(1, side); got != string(want) {
			t.Errorf("%v: recorded %d bytes, want %d", side, len(got), len(want))
		}
	}
}

// TestHTTP2SlowClientSlowsTheServer has a client that takes no more than its
// window, and a server that would send without end.
func TestHTTP2SlowClientSlowsTheServer(t *testing.T) {
	sent := make(chan int, 1)
	cc, sink := start2(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			return
		}
		n, chunk := 0, make([]byte, 64<<10)
		for r.Context().Err() == nil {
			m, err := w.Write(chunk)
			if n += m; err != nil {
				break
			}
		}
		sent <- n
	})
	ctx, cancel := context.WithCancel(t.Context())
	res, err := cc.RoundTrip(h2Request("GET", "https://example.com/", nil).WithContext(ctx))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(res.Body, make([]byte, 1<<20)); err != nil {
		t.Fatal(err)
	}
	sink.await(t, "a full window", func() bool { return len(sink.bodies[bodyKey{1, flowpb.SideResponse}]) >= 4<<20 })
	for range 100 { // time in which the server could send more, were it not held back
		if _, _, err := ask(cc, h2Request("GET", "https://example.com/beside", nil)); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	res.Body.Close()
	f := sink.finished(t, 1)
	if f.Error.GetCode() != flowpb.CodeClientGone || !strings.Contains(f.Error.Message, "CANCEL") || f.GetHttp().Response.Body.State != flowpb.BodyCut {
		t.Errorf("flow: got %v, body %v", f.Error, f.GetHttp().Response.Body)
	}
	if n := <-sent; n > 16<<20 {
		t.Errorf("the server could send %d bytes to a client that took 1 MiB", n)
	}
}

func TestHTTP2ServerResets(t *testing.T) {
	cc, sink := start2(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/bad" {
			_, _ = io.WriteString(w, "half")
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}
		_, _ = io.WriteString(w, "good")
	})
	_, body, err := ask(cc, h2Request("GET", "https://example.com/bad", nil))
	if reset, ok := errors.AsType[http2.StreamError](err); !ok || reset.Code != http2.ErrCodeInternal || body != "half" {
		t.Errorf("got %q, %v, want a reset", body, err)
	}
	if _, body, err := ask(cc, h2Request("GET", "https://example.com/good", nil)); err != nil || body != "good" {
		t.Errorf("another stream: got %q, %v", body, err)
	}
	if f := sink.finished(t, 1); f.Error.GetCode() != flowpb.CodeServerGone || !strings.Contains(f.Error.Message, "reset the stream (INTERNAL_ERROR)") {
		t.Errorf("flow: got %v", f.Error)
	}
	if f := sink.finished(t, 2); f.Error != nil || f.ServerConn != sink.flows[0].ServerConn {
		t.Errorf("second flow: got %v on connection %d", f.Error, f.ServerConn)
	}
}

func TestHTTP2UnreachableServerIsAPage(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := ln.Addr().String()
	ln.Close()
	a, trust := authority(t)
	s, sink := start(t, Options{Authority: a})
	cc := h2Client(t, s, addr, trust)
	for id := range uint64(2) {
		res, body, err := ask(cc, h2Request("POST", "https://example.com/", strings.NewReader(strings.Repeat("x", 1<<20))))
		if err != nil || res.StatusCode != 502 || !strings.Contains(body, "refused the connection") {
			t.Fatalf("got %v, %q, %v", res, body, err)
		}
		f := sink.finished(t, id+1)
		if f.Error.GetCode() != flowpb.CodeConnect || f.ServerConn == 0 || f.GetHttp().StreamId == 0 {
			t.Errorf("flow: got %v", f)
		}
	}
}

// TestHTTP2RecordingFails demands that nothing is passed on that is not recorded.
func TestHTTP2RecordingFails(t *testing.T) {
	reached := make(chan struct{}, 1)
	cc, sink := start2(t, func(http.ResponseWriter, *http.Request) { reached <- struct{}{} })
	if _, _, err := ask(cc, h2Request("GET", "https://example.com/", nil)); err != nil {
		t.Fatal(err)
	}
	<-reached
	sink.mu.Lock()
	sink.fail = errors.New("disk full")
	sink.mu.Unlock()
	if res, _, err := ask(cc, h2Request("GET", "https://example.com/", nil)); err == nil && res.StatusCode != 502 {
		t.Errorf("got %v, want an error", res.Status)
	}
	select {
	case <-reached:
		t.Error("a request that was not recorded reached the server")
	case <-time.After(50 * time.Millisecond):
	}
}
