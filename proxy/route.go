package proxy

import (
	"net"
	"strconv"
	"strings"

	"weir/proxy/h1"
)

// route is where a request goes. The zero route is "the request says so".
type route struct {
	scheme string // "http" or "https"
	host   string // name or address, no brackets
	port   int
	sni    string // the name to ask TLS for, "" for host
	http2  bool   // its server speaks HTTP/2 without TLS and without being asked
	direct bool   // the upstream proxy is sent the request itself, in absolute form
}

func (r route) hostPort() string { return net.JoinHostPort(r.host, strconv.Itoa(r.port)) }

// authority is host[:port] as Host has it, without the port that goes without saying.
func (r route) authority() string {
	if (r.scheme == "http" || r.scheme == "h2c") && r.port == 80 || r.scheme == "https" && r.port == 443 {
		return strings.TrimSuffix(r.hostPort(), ":"+strconv.Itoa(r.port))
	}
	return r.hostPort()
}

// serverName is the name that a server's certificate must be for.
func (r route) serverName() string {
	if r.sni != "" {
		return r.sni
	}
	return r.host
}

// routeOf returns where a request with target t, sent to us as a proxy, is meant
// to go. A target that names no server means the one in Host (RFC 9112 §3.3).
// Where the target is no good it holds as much as could be told.
func routeOf(head *h1.Head, t h1.Target) route {
	switch t.Form {
	case h1.AbsoluteForm:
		r := route{scheme: strings.ToLower(string(t.Scheme)), host: string(t.Host), port: t.Port}
		switch r.scheme {
		case "http":
			r.port = orPort(t.Port, 80)
		case "https":
			r.port = orPort(t.Port, 443)
		}
		return r
	case h1.AuthorityForm:
		return route{scheme: "https", host: string(t.Host), port: t.Port}
	case h1.OriginForm, h1.AsteriskForm:
		field, _ := head.Get("Host")
		if host, port, err := h1.ParseAuthority(field); err == nil {
			return route{scheme: "http", host: string(host), port: orPort(port, 80)}
		}
	}
	return route{}
}

func orPort(port, standard int) int {
	if port == 0 {
		return standard
	}
	return port
}
