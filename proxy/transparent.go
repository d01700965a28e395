package proxy

import (
	"context"
	"fmt"
	"net"
	"net/netip"

	flowpb "weir/proto"
)

// serveTransparent carries a connection that the system led here to where it was
// going.
func (c *client) serveTransparent(ctx context.Context) error {
	to, err := originalDestination(c.raw)
	if err == nil && c.s.own.isIP(to.Addr(), int(to.Port())) {
		err = errNotRedirected
	}
	if err != nil {
		return c.recordStreamFailure(ctx, &flowError{
			code: flowpb.CodeOwnAddress, side: flowpb.SideRequest, cause: err,
			message: fmt.Sprintf("nobody knows where this connection was going: %v", err),
			hint:    "transparent mode is for connections that nft or iptables redirect here; set --mode regular for clients that have a proxy set",
		})
	}
	c.tunnel = route{scheme: "https", host: to.Addr().String(), port: int(to.Port())}
	return c.throughTunnel(ctx, nil)
}

// localDestination is where a connection was going that arrived with its own
// destination, as TPROXY delivers it.
func localDestination(conn net.Conn) (netip.AddrPort, error) {
	ap, err := netip.ParseAddrPort(conn.LocalAddr().String())
	if err != nil {
		return netip.AddrPort{}, fmt.Errorf("read the local address: %w", err)
	}
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port()), nil
}
