package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"
)

// listenRedirected opens the sockets for datagrams of transparent mode. Where the
// system does not let it, which takes CAP_NET_ADMIN and CAP_NET_RAW, connections are
// taken all the same.
func (s *Server) listenRedirected(ctx context.Context) {
	r, err := listenRedirected(ctx, s.ln.Addr().String())
	if err != nil {
		s.opts.Notify(Notice{
			Text: fmt.Sprintf("transparent mode takes no datagrams: %v", err),
			Hint: "UDP comes by TPROXY, which takes CAP_NET_ADMIN and CAP_NET_RAW; TCP is not affected",
		})
		return
	}
	s.redirected = r
}

// serveRedirected passes datagrams that the system led here on to where they were
// going, until the socket is closed. What comes back is sent as if from there. It
// returns after the last goroutine.
func (s *Server) serveRedirected(ctx context.Context) {
	d := s.newDatagrams(s.ln.Addr())
	defer d.close()
	buf := make([]byte, maxDatagram)
	for {
		n, from, to, err := s.redirected.read(buf)
		client := net.UDPAddrFromAddrPort(from)
		switch {
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // of one datagram
			select {
			case <-ctx.Done():
			case <-time.After(time.Millisecond):
			}
		case s.refuseAddress(client) != nil:
		case !to.IsValid() || s.own.isIP(to.Addr(), int(to.Port())):
			d.drop(client, errNotRedirected.Error())
		default:
			answer := func(p []byte) error { return s.redirected.send(p, to, from) }
			d.deliver(ctx, client, route{scheme: "udp", host: to.Addr().String(), port: int(to.Port())}, buf[:n], answer)
		}
	}
}
