package proxy

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	flowpb "weir/proto"
)

// h1Origin is a server of HTTP/1 alone, with TLS where secure.
func h1Origin(t *testing.T, secure bool, h http.HandlerFunc) (addr string, pool *x509.CertPool) {
	t.Helper()
	srv := httptest.NewUnstartedServer(h)
	pool = x509.NewCertPool()
	if secure {
		srv.StartTLS()
		pool.AddCert(srv.Certificate())
	} else {
		srv.Start()
	}
	t.Cleanup(srv.Close)
	return srv.Listener.Addr().String(), pool
}

// h2OnlyOrigin is an HTTPS server that knows HTTP/2 alone.
func h2OnlyOrigin(t *testing.T, h http.HandlerFunc) (addr string, pool *x509.CertPool) {
	t.Helper()
	other := httptest.NewTLSServer(nil) // for its certificate
	defer other.Close()
	own := &tls.Config{Certificates: other.TLS.Certificates, NextProtos: []string{"h2"}}
	strict := &tls.Config{Certificates: other.TLS.Certificates, NextProtos: []string{"none"}} // as crypto/tls is too lenient by itself
	own.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		if slices.Contains(hello.SupportedProtos, "h2") {
			return nil, nil
		}
		return strict, nil
	}
	ln, err := tls.Listen("tcp", "127.0.0.1:0", own)
	if err != nil {
		t.Fatal(err)
	}
	srv := &http.Server{Handler: h, Protocols: new(http.Protocols), ErrorLog: log.New(io.Discard, "", 0)}
	srv.Protocols.SetHTTP2(true)
	var serving sync.WaitGroup
	serving.Go(func() { _ = srv.Serve(ln) })
	t.Cleanup(func() { srv.Close(); serving.Wait() })
	pool = x509.NewCertPool()
	pool.AddCert(other.Certificate())
	return ln.Addr().String(), pool
}

// h2cClient is a client that knows that the proxy, or what is behind its tunnel,
// speaks HTTP/2 without TLS.
func h2cClient(t *testing.T, dial func() net.Conn) *http.Transport {
	t.Helper()
	tr := &http.Transport{DisableCompression: true, Protocols: new(http.Protocols)}
	tr.Protocols.SetUnencryptedHTTP2(true)
	tr.DialContext = func(context.Context, string, string) (net.Conn, error) { return dial(), nil }
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// tlsClient is a client that speaks HTTP/2 to a reverse proxy, over TLS.
func tlsClient(t *testing.T, s *Server, trust *x509.CertPool) *http.Transport {
	t.Helper()
	tr := &http.Transport{DisableCompression: true, ForceAttemptHTTP2: true}
	tr.DialTLSContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn := tls.Client(dial(t, s).Conn, &tls.Config{RootCAs: trust, ServerName: "example.com", NextProtos: []string{"h2"}})
		return conn, conn.HandshakeContext(ctx)
	}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// TestReverseH2CWithTLS has HTTP/2 on both sides, and TLS on one: it is relayed.
func TestReverseH2CWithTLS(t *testing.T) {
	a, trust := authority(t)
	s, sink := reverseH2C(t, Options{Authority: a}, func(f *frames) {
		f.readHeaders()
		f.headers(1, true, [2]string{":status", "204"}, [2]string{"z", "1"})
		f.untilClosed()
	})
	res, _, err := ask(tlsClient(t, s, trust), h2Request("GET", "https://example.com/", nil))
	if err != nil || res.StatusCode != 204 {
		t.Fatalf("got %v, %v", res, err)
	}
	f := sink.finished(t, 1)
	if h := f.GetHttp(); string(h.Request.Version) != "HTTP/2" || string(h.Response.Version) != "HTTP/2" || h.StreamId != 1 {
		t.Errorf("flow: got %v", f)
	}
	if q := f.GetHttp().Request; string(q.Scheme) != "http" || string(q.SentScheme) != "https" {
		t.Errorf("schemes: got %q, sent %q", q.Scheme, q.SentScheme)
	}
}

// TestHomeOverHTTP2 asks for our own page, which has no server.
func TestHomeOverHTTP2(t *testing.T) {
	a, trust := authority(t)
	s, sink := start(t, Options{Authority: a, Dial: func(_ context.Context, _, address string) (net.Conn, error) {
		return nil, fmt.Errorf("%s was dialled", address)
	}})
	tr := &http.Transport{ForceAttemptHTTP2: true}
	tr.DialTLSContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
		conn := tls.Client(tunnel(t, s, "weir.local:443").Conn, &tls.Config{RootCAs: trust, ServerName: "weir.local", NextProtos: []string{"h2"}})
		return conn, conn.HandshakeContext(ctx)
	}
	t.Cleanup(tr.CloseIdleConnections)
	if res, body, err := ask(tr, h2Request("GET", "https://weir.local/", nil)); err != nil || res.StatusCode != 200 || !strings.Contains(body, "weir") {
		t.Errorf("got %v, %q, %v", res, body, err)
	}
	if len(sink.flows) != 0 {
		t.Errorf("flows: got %v", sink.flows)
	}
}

// echo answers with what it was asked.
func echo(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	w.Header().Set("Trailer", "X-Sum")
	if r.ProtoMajor == 1 {
		w.Header().Set("Connection", "X-Hop")
		w.Header().Set("X-Hop", "gone")
	}
	w.Header().Add("Set-Cookie", "a=1")
	w.Header().Add("Set-Cookie", "b=2")
	w.WriteHeader(http.StatusEarlyHints)
	_, _ = fmt.Fprintf(w, "%s %s %s %s cookie=%s length=%d trailer=%s: %s",
		r.Proto, r.Method, r.Host, r.URL.Path, r.Header["Cookie"], r.ContentLength, r.Trailer.Get("X-After"), body)
	w.Header().Set("X-Sum", "7")
}

// TestHTTP2ToHTTP1 has clients that insist on HTTP/2, and servers that know HTTP/1 alone.
func TestHTTP2ToHTTP1(t *testing.T) {
	for name, begin := range map[string]func(t *testing.T) (http.RoundTripper, string, *memory){
		"h2 offered alone": func(t *testing.T) (http.RoundTripper, string, *memory) {
			addr, pool := h1Origin(t, true, echo)
			a, trust := authority(t)
			s, sink := start(t, Options{Authority: a, UpstreamCAs: pool})
			return h2Client(t, s, addr, trust), "https://example.com", sink
		},
		"prior knowledge in a tunnel": func(t *testing.T) (http.RoundTripper, string, *memory) {
			addr, _ := h1Origin(t, false, echo)
			s, sink := start(t, Options{})
			return h2cClient(t, func() net.Conn { return tunnel(t, s, addr).Conn }), "http://" + addr, sink
		},
		"prior knowledge of the proxy": func(t *testing.T) (http.RoundTripper, string, *memory) {
			addr, _ := h1Origin(t, false, echo)
			s, sink := start(t, Options{})
			return h2cClient(t, func() net.Conn { return dial(t, s).Conn }), "http://" + addr, sink
		},
		"reverse, with TLS": func(t *testing.T) (http.RoundTripper, string, *memory) {
			addr, _ := h1Origin(t, false, echo)
			m, err := ParseMode("reverse:http://"+addr, "")
			if err != nil {
				t.Fatal(err)
			}
			a, trust := authority(t)
			s, sink := start(t, Options{Mode: m, Authority: a})
			return tlsClient(t, s, trust), "https://example.com", sink
		},
		"reverse": func(t *testing.T) (http.RoundTripper, string, *memory) {
			addr, _ := h1Origin(t, false, echo)
			m, err := ParseMode("reverse:http://"+addr, "")
			if err != nil {
				t.Fatal(err)
			}
			s, sink := start(t, Options{Mode: m})
			return h2cClient(t, func() net.Conn { return dial(t, s).Conn }), "http://" + addr, sink
		},
	} {
		t.Run(name, func(t *testing.T) {
			cc, url, sink := begin(t)
			checkEcho(t, cc, url, "HTTP/1.1")
			f := sink.finished(t, 1)
			h := f.GetHttp()
			if f.State != flowpb.StateComplete || string(h.Request.Version) != "HTTP/2" || string(h.Response.Version) != "HTTP/1.1" {
				t.Fatalf("flow: got %v", f)
			}
			if len(h.Request.PseudoOrder) != 4 || h.StreamId == 0 || len(flowpb.Get(h.Request.Headers, "host")) != 0 || len(flowpb.Get(h.Response.Headers, "x-hop")) != 1 {
				t.Errorf("not as each side sent it: %v", h)
			}
			if len(h.Informational) != 1 || len(h.Request.Trailers) != 1 || len(h.Response.Trailers) != 1 {
				t.Errorf("interim %v, trailers %v and %v", h.Informational, h.Request.Trailers, h.Response.Trailers)
			}
			if got := sink.body(1, flowpb.SideRequest); got != "content" {
				t.Errorf("recorded: got %q", got)
			}
		})
	}
}

// TestHTTP1ToHTTP2 has clients of HTTP/1, and servers that know HTTP/2 alone.
func TestHTTP1ToHTTP2(t *testing.T) {
	for name, begin := range map[string]func(t *testing.T) (http.RoundTripper, string, *memory){
		"h2c": func(t *testing.T) (http.RoundTripper, string, *memory) {
			srv := httptest.NewUnstartedServer(http.HandlerFunc(echo))
			srv.Config.Protocols = new(http.Protocols)
			srv.Config.Protocols.SetUnencryptedHTTP2(true)
			srv.Start()
			t.Cleanup(srv.Close)
			m, err := ParseMode("reverse:h2c://"+srv.Listener.Addr().String(), "")
			if err != nil {
				t.Fatal(err)
			}
			s, sink := start(t, Options{Mode: m})
			return &http.Transport{DisableCompression: true, DisableKeepAlives: true}, "http://" + s.Addr().String(), sink
		},
		"h2 alone": func(t *testing.T) (http.RoundTripper, string, *memory) {
			addr, pool := h2OnlyOrigin(t, echo)
			a, trust := authority(t)
			s, sink := start(t, Options{Authority: a, UpstreamCAs: pool})
			tr := &http.Transport{DisableCompression: true, DisableKeepAlives: true}
			tr.DialTLSContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
				conn := tls.Client(tunnel(t, s, addr).Conn, &tls.Config{RootCAs: trust, ServerName: "example.com", NextProtos: []string{"http/1.1"}})
				return conn, conn.HandshakeContext(ctx)
			}
			return tr, "https://example.com", sink
		},
	} {
		t.Run(name, func(t *testing.T) {
			cc, url, sink := begin(t)
			checkEcho(t, cc, url, "HTTP/2.0")
			f := sink.finished(t, 1)
			h := f.GetHttp()
			if f.State != flowpb.StateComplete || string(h.Request.Version) != "HTTP/1.1" || string(h.Response.Version) != "HTTP/2" {
				t.Fatalf("flow: got %v", f)
			}
			if len(flowpb.Get(h.Request.Headers, "Host")) != 1 || h.Response.Headers[0].Name[0] > 'z' || h.Response.Body.GetChunked() {
				t.Errorf("not as each side sent it: %v", h)
			}
			if len(h.Informational) != 1 || len(h.Request.Trailers) != 1 || len(h.Response.Trailers) != 1 {
				t.Errorf("interim %v, trailers %v and %v", h.Informational, h.Request.Trailers, h.Response.Trailers)
			}
			if c := sink.conn(f.ServerConn); len(c.Http2.GetSettings()) == 0 {
				t.Errorf("the server's settings: got %v", c.Http2)
			}
		})
	}
}

// checkEcho asks the echo for all that a translation could lose.
func checkEcho(t *testing.T, cc http.RoundTripper, url, proto string) {
	t.Helper()
	req := h2Request("POST", url+"/a", io.MultiReader(strings.NewReader("con"), strings.NewReader("tent")))
	req.Header["Cookie"] = []string{"a=1; b=2"}
	req.Header.Set("Te", "trailers")
	req.Trailer = http.Header{"X-After": {"9"}}
	res, body, err := ask(cc, req)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(body, proto+" POST ") || !strings.HasSuffix(body, " /a cookie=[a=1; b=2] length=-1 trailer=9: content") {
		t.Errorf("got %q", body)
	}
	if res.Trailer.Get("X-Sum") != "7" || res.Header.Get("X-Hop") != "" && proto == "HTTP/1.1" || !slices.Equal(res.Header["Set-Cookie"], []string{"a=1", "b=2"}) {
		t.Errorf("got %v, trailers %v", res.Header, res.Trailer)
	}
	for _, method := range []string{"HEAD", "GET", "DELETE", "OPTIONS"} {
		res, body, err := ask(cc, h2Request(method, url+"/b", nil))
		if err != nil || res.StatusCode != 200 || (body == "") != (method == "HEAD") {
			t.Errorf("%s: got %v, %q, %v", method, res, body, err)
		}
	}
}

// TestTranslatedBodies sends more than any window both ways at once.
func TestTranslatedBodies(t *testing.T) {
	addr, _ := h1Origin(t, false, func(w http.ResponseWriter, r *http.Request) {
		_ = http.NewResponseController(w).EnableFullDuplex()
		_, _ = io.Copy(w, r.Body)
	})
	s, sink := start(t, Options{})
	want := bytes.Repeat([]byte("0123456789abcdef"), 1<<18)
	cc := h2cClient(t, func() net.Conn { return dial(t, s).Conn })
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			_, body, err := ask(cc, h2Request("POST", "http://"+addr+"/", bytes.NewReader(want)))
			if err != nil || body != string(want) {
				t.Errorf("echo: %d bytes, %v", len(body), err)
			}
		})
	}
	wg.Wait()
	for id := range uint64(4) {
		f := sink.finished(t, id+1)
		if got := sink.body(f.Id, flowpb.SideResponse); got != string(want) || f.Error != nil {
			t.Errorf("recorded %d bytes, want %d; %v", len(got), len(want), f.Error)
		}
	}
}

// TestTranslatedAtOnce has more requests open than there are connections to the server.
func TestTranslatedAtOnce(t *testing.T) {
	const streams = maxStreamUpstreams + 20
	var mu sync.Mutex
	var open, most int
	full := make(chan struct{})
	addr, _ := h1Origin(t, false, func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		if open++; open == maxStreamUpstreams && most < open {
			close(full)
		}
		most = max(most, open)
		mu.Unlock()
		<-full
		mu.Lock()
		open--
		mu.Unlock()
		_, _ = io.WriteString(w, r.URL.Path)
	})
	s, sink := start(t, Options{})
	cc := h2cClient(t, func() net.Conn { return dial(t, s).Conn })
	var wg sync.WaitGroup
	for i := range streams {
		wg.Go(func() {
			want := fmt.Sprintf("/%d", i)
			if _, body, err := ask(cc, h2Request("GET", "http://"+addr+want, nil)); err != nil || body != want {
				t.Errorf("got %q, %v, want %q", body, err, want)
			}
		})
	}
	wg.Wait()
	if most != maxStreamUpstreams {
		t.Errorf("requests at once: got %d, want %d", most, maxStreamUpstreams)
	}
	if f := sink.finished(t, streams); f.Error != nil {
		t.Errorf("last flow: got %v", f.Error)
	}
}
