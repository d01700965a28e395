package main

import (
	"errors"
	"net"
	"strconv"
	"strings"
)

// defaultListen is loopback: a proxy that others can reach must be asked for.
const defaultListen = "127.0.0.1:8080"

// listener is one proxy server to start.
type listener struct {
	mode string // as it is recorded with each connection
	addr string // "host:port"
}

// parseModes reads the --mode specs, MODE[@[HOST:]PORT], each a server of its
// own; without one there is a regular proxy. A spec without an address takes
// --listen, which only one of them can.
func parseModes(specs []string, listen string) ([]listener, error) {
	if len(specs) == 0 {
		specs = []string{"regular"}
	}
	seen := make(map[string]bool)
	var out []listener
	for _, spec := range specs {
		l, err := parseMode(spec, listen)
		if err != nil {
			return nil, err
		}
		if seen[l.addr] {
			return nil, usagef("mode %q: another mode listens on %s already", spec, l.addr).
				withHint("give each its own address: --mode regular@8081")
		}
		seen[l.addr] = true
		out = append(out, l)
	}
	return out, nil
}

func parseMode(spec, listen string) (listener, error) {
	mode, at, found := strings.Cut(spec, "@")
	if !strings.EqualFold(mode, "regular") {
		return listener{}, usagef("mode %q: not a mode of this weir", spec).withHint("the mode there is: regular[@[HOST:]PORT]")
	}
	addr := listen
	if found {
		addr = at
		if !strings.Contains(at, ":") {
			host, _, err := net.SplitHostPort(listen)
			if err != nil {
				host = "127.0.0.1"
			}
			addr = net.JoinHostPort(host, at)
		}
	}
	if err := checkAddress(addr); err != nil {
		return listener{}, usagef("listen address %q: %w", addr, err).withHint("an address is HOST:PORT, for example " + defaultListen)
	}
	return listener{mode: "regular", addr: addr}, nil
}

func checkAddress(addr string) error {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return err
	}
	if _, err := strconv.ParseUint(port, 10, 16); err != nil {
		return errors.New("a port is a number from 0 to 65535")
	}
	return nil
}
