package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"os"
	"time"

	"weir/proxy/ca"
)

// cmdH2Proxy is the sub-command that makes this binary the baseline of HTTP/2.
const cmdH2Proxy = "h2proxy"

// serveH2Proxy is the baseline: net/http on both sides, which intercepts all
// TLS, verifies the origin as weir does, keeps connections alive, and neither
// looks at nor records anything. Its arguments are the directory of its
// authority and the PEM file of what to trust.
func serveH2Proxy(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("h2proxy: want a directory and a file: the authority, and what to trust")
	}
	authority, err := ca.Load(args[0])
	if err != nil {
		return err
	}
	roots, err := readRoots(args[1])
	if err != nil {
		return err
	}
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start h2proxy: %w", err)
	}
	tunnels := make(chan net.Conn)
	inner := &http.Server{Handler: forward(roots), ReadHeaderTimeout: ioTimeout}
	outer := &http.Server{Handler: intercept(authority, tunnels), ReadHeaderTimeout: ioTimeout}
	stop := context.AfterFunc(ctx, func() { _, _ = outer.Close(), inner.Close() })
	defer stop()
	done := make(chan error, 1)
	go func() { done <- inner.Serve(&tunnelListener{Listener: listener, conns: tunnels, done: ctx.Done()}) }()
	fmt.Fprintf(os.Stderr, "%s%s\n", announceListening, listener.Addr())
	err = outer.Serve(listener)
	if ierr := <-done; !errors.Is(ierr, http.ErrServerClosed) && !errors.Is(ierr, net.ErrClosed) {
		err = errors.Join(err, ierr)
	}
	if !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("run h2proxy: %w", err)
	}
	return nil
}

// intercept answers CONNECT and hands the connection to the inner server, with TLS.
func intercept(authority *ca.Authority, tunnels chan<- net.Conn) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		conn, _, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		leaf, err := authority.Leaf(ca.NamesFor(r.URL.Hostname(), r.URL.Hostname(), nil))
		if err != nil {
			_ = conn.Close()
			return
		}
		_, _ = io.WriteString(conn, "HTTP/1.1 200 OK\r\n\r\n")
		tunnels <- tls.Server(conn, &tls.Config{Certificates: []tls.Certificate{*leaf}, NextProtos: []string{"h2", "http/1.1"}})
	}
}

// forward sends each request on as it is and copies the answer.
func forward(roots *x509.CertPool) http.HandlerFunc {
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: roots}, ForceAttemptHTTP2: true, DisableCompression: true, MaxIdleConnsPerHost: 256,
	}
	return func(w http.ResponseWriter, r *http.Request) {
		r.URL.Scheme, r.URL.Host, r.RequestURI = "https", r.Host, ""
		res, err := transport.RoundTrip(r)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer res.Body.Close()
		maps.Copy(w.Header(), res.Header)
		w.WriteHeader(res.StatusCode)
		_, _ = io.Copy(w, res.Body)
	}
}

// tunnelListener accepts the connections that intercept made.
type tunnelListener struct {
	net.Listener
	conns <-chan net.Conn
	done  <-chan struct{}
}

// Accept implements net.Listener.
func (l *tunnelListener) Accept() (net.Conn, error) {
	select {
	case conn := <-l.conns:
		_ = conn.SetDeadline(time.Time{})
		return conn, nil
	case <-l.done:
		return nil, net.ErrClosed
	}
}
