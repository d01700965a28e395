//go:build !linux

package proxy

import (
	"errors"
	"net"
	"net/netip"
	"syscall"
)

// errNotRedirected is every connection, on systems that do not say where one was
// going.
var errNotRedirected = errors.New("transparent mode works on Linux only")

func transparentListen(string, string, syscall.RawConn) error { return errNotRedirected }

func originalDestination(net.Conn) (netip.AddrPort, error) {
	return netip.AddrPort{}, errNotRedirected
}
