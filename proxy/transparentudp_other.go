//go:build !linux

package proxy

import (
	"context"
	"net/netip"
)

// redirected does not exist on systems that do not say where a datagram was going.
type redirected struct{}

func listenRedirected(context.Context, string) (*redirected, error) { return nil, errNotRedirected }

func (*redirected) Close() error { return nil }

func (*redirected) read([]byte) (n int, from, to netip.AddrPort, err error) {
	return 0, from, to, errNotRedirected
}

func (*redirected) send([]byte, netip.AddrPort, netip.AddrPort) error { return errNotRedirected }
