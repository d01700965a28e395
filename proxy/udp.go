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

// serveDatagrams passes what arrives at pc on to one server, until ctx ends. It
// closes pc, and returns after the last goroutine; nil where ctx ended it.
func (s *Server) serveDatagrams(ctx context.Context, pc net.PacketConn, to route) error {
	ctx, cancel := context.WithCancel(ctx)
	context.AfterFunc(ctx, func() { _ = pc.Close() })
	d := s.newDatagrams(pc.LocalAddr())
	defer d.wait()
	defer cancel()
	buf := make([]byte, maxDatagram)
	for {
		n, from, err := pc.ReadFrom(buf)
		switch {
		case err == nil && s.refuseAddress(from) == nil:
			d.deliver(ctx, from, to, buf[:n], func(p []byte) error {
				_, err := pc.WriteTo(p, from)
				return err
			})
		case err == nil:
		case ctx.Err() != nil:
			return nil
		case errors.Is(err, net.ErrClosed):
			return fmt.Errorf("receive on %s: %w", pc.LocalAddr(), err)
		default: // of one datagram, on some systems
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
