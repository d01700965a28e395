package proxy

import (
	"bytes"
	"context"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"

	flowpb "weir/proto"
	"weir/proxy/dns"
)

// resolve passes a question on to a name server, unless the hosts file answers it.
func (s *Server) resolve(ctx context.Context, d *datagrams, client net.Addr, p []byte, answer func([]byte) error) {
	out := s.resolver.hosts.answer(p)
	if out == nil {
		d.deliver(ctx, client, s.resolver.server(), p, answer)
		return
	}
	if err := s.recordHosts(ctx, client, p, out); err != nil {
		s.opts.Notify(Notice{Text: err.Error()})
		return
	}
	_ = answer(out) // the client may have left
}

// recordHosts records a question that the hosts file answers.
func (s *Server) recordHosts(ctx context.Context, client net.Addr, query, answer []byte) error {
	to := recorder{s.opts.Sink}
	conn := &flowpb.Conn{
		Side: flowpb.SideRequest, Transport: flowpb.TransportUDP, Mode: s.opts.Mode.String(),
		Peer: addressOf(client), Local: addressOf(s.ln.Addr()), StartedNs: nowNs(),
	}
	conn.EndedNs = conn.StartedNs
	if err := to.conn(ctx, conn); err != nil {
		return err
	}
	r := &dnsRecord{to: to, server: s.resolver.hosts.file, identify: func(f *flowpb.Flow) {
		f.ClientConn, f.Client = conn.Id, []byte(client.String())
		f.Meta = append(f.Meta, &flowpb.Meta{Key: "answered from", Value: s.resolver.hosts.file})
	}}
	_, err := r.add(ctx, flowpb.SideRequest, query)
	if err == nil {
		_, err = r.add(ctx, flowpb.SideResponse, answer)
	}
	return err
}

// hosts is the names of a hosts file, which is read again when it changes.
type hosts struct {
	file string

	mu      sync.Mutex
	changed time.Time
	size    int64
	names   map[string][]netip.Addr
}

// maxHosts bounds what is read of the file, in bytes.
const maxHosts = 4 << 20

// answer returns the answer to a query for the addresses of a name in the file, nil
// for any other.
func (h *hosts) answer(query []byte) []byte {
	m, err := dns.Parse(query)
	if err != nil || m.Response || len(m.Questions) != 1 {
		return nil // for a server to judge
	}
	all := h.current()[string(bytes.ToLower(m.Questions[0].Name))]
	if len(all) == 0 {
		return nil
	}
	return dns.Addresses(query, 0, all)
}

// current returns the names as the file has them now. Without a file there are none.
func (h *hosts) current() map[string][]netip.Addr {
	h.mu.Lock()
	defer h.mu.Unlock()
	info, err := os.Stat(h.file)
	if err != nil || info.Size() > maxHosts {
		h.names, h.changed = nil, time.Time{}
		return nil
	}
	if info.ModTime().Equal(h.changed) && info.Size() == h.size {
		return h.names
	}
	text, err := os.ReadFile(h.file)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		return h.names
	}
	h.names, h.changed, h.size = parseHosts(string(text)), info.ModTime(), info.Size()
	return h.names
}

// parseHosts reads lines of an address and its names (hosts(5)).
func parseHosts(text string) map[string][]netip.Addr {
	names := make(map[string][]netip.Addr)
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		addr, err := netip.ParseAddr(fields[0])
		if err != nil {
			continue
		}
		for _, name := range fields[1:] {
			name = strings.ToLower(strings.TrimSuffix(name, "."))
			names[name] = append(names[name], addr.Unmap().WithZone(""))
		}
	}
	return names
}
