package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"

	"github.com/elazarl/goproxy"
)

// The sub-commands that make this binary the baseline: as it is, and with no
// connection to a server shared between clients, as weir's never are.
const (
	cmdGoproxy      = "goproxy"
	cmdGoproxyApart = "goproxy-apart"
)

// serveGoproxy is the baseline: a goproxy that intercepts all TLS, verifies the
// origin as weir does, keeps connections alive, caches its certificates, and
// neither looks at nor records anything. Its arguments are the PEM file of its
// authority and that of the origin's. apart has it open a connection to the
// server for every request.
func serveGoproxy(ctx context.Context, args []string, apart bool) error {
	if len(args) != 2 {
		return errors.New("goproxy: want two files: the authority, and what to trust")
	}
	authority, err := tls.LoadX509KeyPair(args[0], args[0])
	if err != nil {
		return fmt.Errorf("load authority: %w", err)
	}
	roots, err := readRoots(args[1])
	if err != nil {
		return err
	}
	proxy := goproxy.NewProxyHttpServer()
	proxy.CertStore = &certificates{}
	proxy.Tr = &http.Transport{
		TLSClientConfig:     &tls.Config{RootCAs: roots},
		MaxIdleConnsPerHost: 256,
		DisableCompression:  true,
		DisableKeepAlives:   apart,
	}
	intercept := &goproxy.ConnectAction{Action: goproxy.ConnectMitm, TLSConfig: goproxy.TLSConfigFromCA(&authority)}
	proxy.OnRequest().HandleConnectFunc(func(host string, _ *goproxy.ProxyCtx) (*goproxy.ConnectAction, string) {
		return intercept, host
	})
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("start goproxy: %w", err)
	}
	server := &http.Server{Handler: proxy}
	stop := context.AfterFunc(ctx, func() { _ = server.Close() })
	defer stop()
	fmt.Fprintf(os.Stderr, "%s%s\n", announceListening, listener.Addr())
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("run goproxy: %w", err)
	}
	return nil
}

func readRoots(path string) (*x509.CertPool, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read roots: %w", err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(data) {
		return nil, fmt.Errorf("read roots: no certificate in %s", path)
	}
	return roots, nil
}

// certificates is goproxy's cache of leaf certificates, by host.
type certificates struct{ byHost sync.Map }

// Fetch implements goproxy.CertStorage.
func (c *certificates) Fetch(host string, sign func() (*tls.Certificate, error)) (*tls.Certificate, error) {
	if cert, ok := c.byHost.Load(host); ok {
		return cert.(*tls.Certificate), nil
	}
	cert, err := sign()
	if err == nil {
		c.byHost.Store(host, cert)
	}
	return cert, err
}
