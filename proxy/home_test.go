package proxy

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"io"
	"net/http"
	"strings"
	"testing"
)

func TestHome(t *testing.T) {
	a, trust := authority(t)
	s, sink := start(t, Options{Authority: a})
	fetch := func(p *peer, method, target string) (*http.Response, []byte) {
		t.Helper()
		p.send(method + " " + target + " HTTP/1.1\r\nHost: weir.local\r\n\r\n")
		res, err := http.ReadResponse(bufio.NewReader(p.Conn), &http.Request{Method: method})
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(res.Body)
		return res, body
	}
	res, body := fetch(dial(t, s), "GET", "http://weir.local/")
	if res.StatusCode != 200 || !bytes.Contains(body, []byte(a.Fingerprint())) || !bytes.Contains(body, []byte("update-ca-certificates")) {
		t.Errorf("page: got %d %s", res.StatusCode, body)
	}
	if bytes.Contains(body, []byte("{{")) {
		t.Errorf("something was not filled in: %s", body)
	}
	if _, body = fetch(dial(t, s), "GET", "http://MITM.it./cert/pem"); !bytes.Equal(body, a.CertPEM()) {
		t.Errorf("PEM: got %q", body)
	}
	res, body = fetch(dial(t, s), "GET", "http://weir.local/weir-ca.cer?x")
	if !bytes.Equal(body, a.Certificate().Raw) || !strings.Contains(res.Header.Get("Content-Disposition"), "weir-ca.cer") {
		t.Errorf("DER: got %v %q", res.Header, body)
	}
	if res, body = fetch(dial(t, s), "HEAD", "http://weir.local/"); res.ContentLength == 0 || len(body) != 0 {
		t.Errorf("HEAD: got %v %q", res.Header, body)
	}
	if res, _ = fetch(dial(t, s), "GET", "http://weir.local/favicon.ico"); res.StatusCode != 404 {
		t.Errorf("another path: got %d, want 404", res.StatusCode)
	}
	secure := newPeer(t, tls.Client(tunnel(t, s, "weir.local:443").Conn, &tls.Config{RootCAs: trust, ServerName: "weir.local"}))
	if _, body = fetch(secure, "GET", "/"); !bytes.Contains(body, []byte(a.Fingerprint())) {
		t.Errorf("over TLS: got %q", body)
	}
	opts := mode(t, "socks5@0")
	opts.Authority = a
	socks, _ := start(t, opts)
	c := dial(t, socks)
	c.send("\x05\x01\x00" + socksTo("name", "weir.local:80"))
	c.expect("\x05\x00")
	c.socksReply()
	if _, body = fetch(c, "GET", "/"); !bytes.Contains(body, []byte(a.Fingerprint())) {
		t.Errorf("over SOCKS: got %q", body)
	}
	if len(sink.flows) != 0 {
		t.Errorf("the page is recorded: %v", sink.flows)
	}
}
