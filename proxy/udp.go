package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"
)

// listenDatagrams opens the second socket of modes that take UDP, beside that
// for TCP, and finds a resolver where none was named.
func (s *Server) listenDatagrams(ctx context.Context) error {
	m := &s.opts.Mode
	if m.Kind == DNS && m.target.host == "" {
		var err error
		if s.resolver, err = newResolver(resolvConf, hostsConf); err != nil {
			return err
		}
		m.target = s.resolver.server()
	}
	if m.Kind == Transparent {
		s.listenRedirected(ctx)
		return nil
	}
	if !m.datagrams() {
		return nil
	}
	var lc net.ListenConfig
	network := strings.Replace(networkOf(s.opts.Listen), "tcp", "udp", 1)
	pc, err := lc.ListenPacket(ctx, network, s.ln.Addr().String())
	if err != nil {
		return fmt.Errorf("listen on %s for datagrams: %w", s.ln.Addr(), err)
	}
	s.pc = pc
	return nil
}

// serveDatagrams passes what arrives at pc on to the mode's server, until pc is
// closed. It returns after the last goroutine.
func (s *Server) serveDatagrams(ctx context.Context, pc net.PacketConn) {
	d := s.newDatagrams(pc.LocalAddr())
	defer d.close()
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := pc.ReadFrom(buf)
		switch {
		case err == nil && s.refuseAddress(from) == nil:
			answer := func(p []byte) error { _, err := pc.WriteTo(p, from); return err }
			if s.resolver != nil {
				_ = s.guard(func() error { s.resolve(ctx, d, from, buf[:n], answer); return nil })
			} else {
				d.deliver(ctx, from, s.opts.Mode.target, buf[:n], answer)
			}
		case errors.Is(err, net.ErrClosed):
			return
		case err != nil: // of one datagram, on some systems
			select {
			case <-ctx.Done():
			case <-time.After(time.Millisecond):
			}
		}
	}
}
