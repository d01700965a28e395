package proxy

import (
	"context"
	"errors"
	"net"
	"sync"

	"weir/proxy/contain"
	"weir/proxy/socks"
)

// associateSOCKS relays datagrams for the client as long as its connection
// lasts (RFC 1928 §7). They come to a port of their own, and only from the
// client's address.
func (c *client) associateSOCKS(ctx context.Context) error {
	local, ok := c.raw.LocalAddr().(*net.TCPAddr)
	if !ok {
		return c.badSOCKS(ctx, errSOCKSCommand)
	}
	pc, err := net.ListenUDP("udp", &net.UDPAddr{IP: local.IP, Zone: local.Zone})
	if err != nil {
		_ = c.replySOCKS(socks.GeneralFailure, nil)
		return err
	}
	if err := c.replySOCKS(socks.Succeeded, pc.LocalAddr()); err != nil {
		_ = pc.Close()
		return clientFailure(err)
	}
	var relay sync.WaitGroup
	contain.Go(&relay, func() { c.serveAssociation(ctx, pc) }, c.s.mistaken)
	resume(c.raw)
	for err = nil; err == nil; { // nothing more is said on the connection; its end is the association's
		c.in.advance(len(c.in.unread()))
		_, err = c.in.fill(c.conn)
	}
	_ = pc.Close()
	relay.Wait()
	if isEndOfStream(err) {
		return nil
	}
	return clientFailure(err)
}

// serveAssociation passes the client's datagrams on until pc is closed.
func (c *client) serveAssociation(ctx context.Context, pc *net.UDPConn) {
	d := c.s.newDatagrams(pc.LocalAddr())
	defer d.close()
	client, _, _ := net.SplitHostPort(c.raw.RemoteAddr().String())
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := pc.ReadFromUDP(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		p, perr := socks.ParseDatagram(buf[:n])
		if err != nil || perr != nil || p.Fragment != 0 || p.Host == "" {
			continue // nobody sends fragments, and nobody has to take them
		}
		if sender, _, _ := net.SplitHostPort(from.String()); sender != client {
			continue
		}
		d.deliver(ctx, from, route{scheme: "udp", host: p.Host, port: p.Port}, p.Data, func(data []byte) error {
			_, err := pc.WriteToUDP(socks.AppendDatagram(nil, p.Address, data), from)
			return err
		})
	}
}
