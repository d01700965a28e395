package proxy

import (
	"bytes"
	_ "embed"
	"fmt"
	"html"
	"net/http"
	"strings"

	"weir/proxy/ca"
	"weir/proxy/h1"
)

//go:embed home.html
var homePage string

// isHome reports whether host is one of the names under which the proxy itself
// is asked for its certificate: ours, and the one that fingers know.
func isHome(host string) bool {
	switch strings.ToLower(strings.TrimSuffix(host, ".")) {
	case "weir.local", "mitm.it":
		return true
	}
	return false
}

// wantsHome reports whether a request is for the proxy's own page. Where the
// client does not know of the proxy, the name stands in Host only.
func (c *client) wantsHome(head *h1.Head) bool {
	if c.s.opts.Authority == nil {
		return false
	}
	host := c.tunnel.host
	if !c.inTunnel() {
		t, err := h1.ParseTarget(head.Method, head.Target)
		if err != nil || t.Form == h1.AuthorityForm {
			return false
		}
		host = routeOf(head, t).host
	} else if c.s.opts.Mode.Kind == Transparent {
		field, _ := head.Get("Host")
		if name, _, err := h1.ParseAuthority(field); err == nil {
			host = string(name)
		}
	}
	return isHome(host)
}

// home answers a request for the page. It is no flow: nobody but the proxy
// itself was asked.
func (c *client) home(head *h1.Head) {
	t, err := h1.ParseTarget(head.Method, head.Target)
	path, _, _ := strings.Cut(string(t.Path), "?")
	if err != nil || path == "" {
		path = "/"
	}
	if _, err := c.conn.Write(c.s.homeResponse(string(head.Method), path)); err == nil {
		c.linger()
	}
}

// homeResponse is the whole response for a path of the page.
func (s *Server) homeResponse(method, path string) []byte {
	a := s.opts.Authority
	status, contentType, name := http.StatusOK, "application/x-x509-ca-cert", ""
	var body []byte
	switch path {
	case "/":
		contentType = "text/html; charset=utf-8"
		body = s.homeBody()
	case "/weir-ca.pem", "/cert/pem":
		name, body = "weir-ca.pem", a.CertPEM()
	case "/weir-ca.cer", "/cert/cer":
		name, body = "weir-ca.cer", a.Certificate().Raw
	default:
		status, contentType = http.StatusNotFound, "text/plain; charset=utf-8"
		body = []byte("weir: there is nothing here; the page is at /\n")
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "HTTP/1.1 %d %s\r\nServer: weir\r\nContent-Type: %s\r\nContent-Length: %d\r\n", status, http.StatusText(status), contentType, len(body))
	if name != "" {
		fmt.Fprintf(&b, "Content-Disposition: attachment; filename=%q\r\n", name)
	}
	b.WriteString("Cache-Control: no-store\r\nConnection: close\r\n\r\n")
	if method != http.MethodHead {
		b.Write(body)
	}
	return b.Bytes()
}

// homeBody is the page with what it says of this authority.
func (s *Server) homeBody() []byte {
	a := s.opts.Authority
	return []byte(strings.NewReplacer(
		"{{subject}}", html.EscapeString(a.Certificate().Subject.CommonName),
		"{{fingerprint}}", a.Fingerprint(),
		"{{steps}}", html.EscapeString(ca.TrustSteps("weir-ca.pem")),
	).Replace(homePage))
}
