package proxy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"
)

// listenDatagrams opens the second socket of modes that take UDP, beside that
// for TCP, and finds their resolver where none was named.
func (s *Server) listenDatagrams(ctx context.Context) error {
	m := &s.opts.Mode
	if m.Kind == DNS && m.target.host == "" {
		var err error
		if m.target, err = systemResolver(resolvConf); err != nil {
			return err
		}
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

// serveDatagrams passes what arrives at pc on to one server, until pc is
// closed. It returns after the last goroutine.
func (s *Server) serveDatagrams(ctx context.Context, pc net.PacketConn, to route) {
	d := s.newDatagrams(pc.LocalAddr())
	defer d.close()
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := pc.ReadFrom(buf)
		switch {
		case err == nil && s.refuseAddress(from) == nil:
			d.deliver(ctx, from, to, buf[:n], func(p []byte) error {
				_, err := pc.WriteTo(p, from)
				return err
			})
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

// resolvConf is where the system's resolvers are written (resolv.conf(5)).
const resolvConf = "/etc/resolv.conf"

// systemResolver is the first of the resolvers that file names.
func systemResolver(file string) (route, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return route{}, fmt.Errorf("find the system's resolver: %w", err)
	}
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" {
			continue
		}
		if ip, err := netip.ParseAddr(fields[1]); err == nil {
			return route{scheme: "dns", host: ip.String(), port: dnsPort}, nil
		}
	}
	return route{}, fmt.Errorf("find the system's resolver: %s names none", file)
}
