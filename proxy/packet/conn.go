package packet

import (
	"context"
	"net/netip"

	flowpb "weir/proto"
)

// A conversation is recorded as one connection, the server's: its peer is the server
// and its own end the client. There is no client connection, since nothing stood
// between the two.

// connID records the connection when the first flow needs it.
func (c *conversation) connID(ctx context.Context) (uint64, error) {
	if c.conn == nil {
		c.conn = c.describe()
		if err := c.a.sink.Conn(ctx, c.conn); err != nil {
			return 0, err
		}
	}
	return c.conn.GetId(), nil
}

func (c *conversation) describe() *flowpb.Conn {
	out := &flowpb.Conn{
		Side: flowpb.SideResponse, Transport: flowpb.TransportTCP,
		Peer: address(c.server), Local: address(c.client), Target: c.to(), Tls: c.tls, Http2: c.http2, StartedNs: c.begun, TlsNs: c.tlsNs,
	}
	if c.target != nil {
		out.Via = address(c.server)
	}
	if c.key.udp {
		out.Transport = flowpb.TransportUDP
	} else if c.answered {
		out.ConnectedNs = c.connectedNs
	}
	return out
}

func (c *conversation) connected(at int64) { c.connectedNs = at }

func (c *conversation) disconnected(ctx context.Context, at int64) error {
	if c.conn == nil {
		return nil
	}
	c.conn.EndedNs = at
	return c.a.sink.Conn(ctx, c.conn)
}

// identify fills in who talks to whom.
func (c *conversation) identify(ctx context.Context, f *flowpb.Flow) (err error) {
	if len(c.clientText) == 0 {
		c.clientText = []byte(c.client.String())
	}
	f.Client, f.Server = c.clientText, c.toText()
	f.ServerConn, err = c.connID(ctx)
	return err
}

func address(a netip.AddrPort) *flowpb.Address {
	return &flowpb.Address{Host: []byte(a.Addr().String()), Port: uint32(a.Port())}
}
