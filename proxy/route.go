package proxy

import (
	"fmt"
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
	sni    string // the name the client asked TLS for, "" where it named none
}

func (r route) hostPort() string { return net.JoinHostPort(r.host, strconv.Itoa(r.port)) }

// serverName is the name that a server's certificate must be for.
func (r route) serverName() string {
	if r.sni != "" {
		return r.sni
	}
	return r.host
}

// routeOf returns where a request with target t goes, sent to us as a proxy.
func routeOf(t h1.Target) (route, error) {
	r := route{scheme: strings.ToLower(string(t.Scheme)), host: string(t.Host), port: t.Port}
	switch r.scheme {
	case "http":
		r.port = orPort(t.Port, 80)
	case "https":
		r.port = orPort(t.Port, 443)
	default:
		return route{}, fmt.Errorf("scheme %q is neither http nor https", r.scheme)
	}
	return r, nil
}

func orPort(port, standard int) int {
	if port == 0 {
		return standard
	}
	return port
}
