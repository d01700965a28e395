package packet

import (
	"bytes"
	"context"
	"encoding/binary"
	"net/netip"
	"strconv"

	flowpb "weir/proto"
	"weir/proxy/socks"
)

// maxHandshake bounds the bytes that one side says before a SOCKS tunnel stands: a
// greeting, a login and a request are at most 1033.
const maxHandshake = 2 << 10

// socksTunnel follows the handshake of SOCKS 4 and 5 and goes on with what is inside.
// The connection then says where it leads, by way of the proxy. A handshake that
// does not come to a tunnel is a tcp flow like any other.
type socksTunnel struct {
	c      *conversation
	heard  []heard
	said   [2][]byte // by each side, from the beginning of the handshake
	target socks.Address
	inside speaker
}

// isSOCKS reports whether a client begins so: with a greeting that is whole and has
// nothing behind it, since the server has to choose first.
func isSOCKS(p []byte) bool {
	if len(p) > 2 && p[0] == 5 {
		return len(p) == 2+int(p[1]) && len(p) <= 12
	}
	return len(p) >= 9 && p[0] == 4 && (p[1] == 1 || p[1] == 2) && p[len(p)-1] == 0
}

func (s *socksTunnel) data(ctx context.Context, from flowpb.Side, p []byte, at int64) error {
	if s.inside != nil {
		return s.inside.data(ctx, from, p, at)
	}
	i := index(from)
	s.heard = append(s.heard, heard{from: from, p: bytes.Clone(p), at: at})
	s.said[i] = append(s.said[i], p...)
	client, server, done, ok := s.agreed()
	if !ok || len(s.said[i]) > maxHandshake {
		return s.give(ctx)
	}
	if !done {
		return nil
	}
	s.c.aim(s.target.Host, s.target.Port)
	s.inside = &detector{c: s.c, tunnel: true}
	for side, rest := range [][]byte{client, server} {
		if len(rest) > 0 {
			if err := s.inside.data(ctx, flowpb.SideRequest+flowpb.Side(side), rest, at); err != nil {
				return err
			}
		}
	}
	return nil
}

// agreed reads the handshake so far: done says that the tunnel stands, and what each
// side sent into it; ok is false where there will be none.
func (s *socksTunnel) agreed() (client, server []byte, done, ok bool) {
	client, server = s.said[0], s.said[1]
	if len(client) > 0 && client[0] == 4 {
		return s.version4(client, server)
	}
	_, n, err := socks.ParseGreeting(client)
	if err != nil || n == 0 || len(server) < 2 {
		return nil, nil, false, err == nil
	}
	method := server[1]
	client, server = client[n:], server[2:]
	if method == socks.LoginMethod {
		_, _, n, err := socks.ParseLogin(client)
		if err != nil || n == 0 || len(server) < 2 {
			return nil, nil, false, err == nil
		}
		if server[1] != 0 {
			return nil, nil, false, false
		}
		client, server = client[n:], server[2:]
	} else if method != socks.NoLogin {
		return nil, nil, false, false
	}
	request, n, err := socks.ParseRequest(client)
	if err != nil || n == 0 {
		return nil, nil, false, err == nil
	}
	// A reply has the shape of a request, with its code for the command.
	reply, m, err := socks.ParseRequest(server)
	if err != nil || m == 0 {
		return nil, nil, false, err == nil
	}
	s.target = request.Address
	stands := request.Command == socks.Connect && socks.Code(reply.Command) == socks.Succeeded
	return client[n:], server[m:], stands, stands
}

// version4 reads SOCKS 4 and 4a.
func (s *socksTunnel) version4(client, server []byte) (_, _ []byte, done, ok bool) {
	end := bytes.IndexByte(client[min(8, len(client)):], 0)
	if len(client) < 9 || end < 0 {
		return nil, nil, false, true
	}
	rest := client[8+end+1:]
	host := netip.AddrFrom4([4]byte(client[4:8])).String()
	if client[4]|client[5]|client[6] == 0 && client[7] != 0 { // 4a: a name follows
		name, after, found := bytes.Cut(rest, []byte{0})
		if !found {
			return nil, nil, false, true
		}
		host, rest = string(name), after
	}
	if len(server) < 8 {
		return nil, nil, false, true
	}
	s.target = socks.Address{Host: host, Port: int(binary.BigEndian.Uint16(client[2:]))}
	stands := client[1] == 1 && server[0] == 0 && server[1] == 0x5a
	return rest, server[8:], stands, stands
}

// give makes a tcp flow of it all.
func (s *socksTunnel) give(ctx context.Context) error {
	s.inside = newPlain(s.c)
	for _, h := range s.heard {
		if err := s.inside.data(ctx, h.from, h.p, h.at); err != nil {
			return err
		}
	}
	s.heard = nil
	return nil
}

func (s *socksTunnel) gap(ctx context.Context, from flowpb.Side, n, at int64) error {
	if s.inside == nil {
		if err := s.give(ctx); err != nil {
			return err
		}
	}
	return s.inside.gap(ctx, from, n, at)
}

func (s *socksTunnel) end(ctx context.Context, from flowpb.Side, at int64) error {
	if s.inside == nil {
		return nil
	}
	return s.inside.end(ctx, from, at)
}

func (s *socksTunnel) close(ctx context.Context, why ending, at int64) error {
	if s.inside == nil {
		if err := s.give(ctx); err != nil {
			return err
		}
	}
	return s.inside.close(ctx, why, at)
}

// aim says where the conversation really leads: through the server, which is a proxy.
func (c *conversation) aim(host string, port int) {
	if host == "" || port <= 0 || port > 1<<16-1 {
		return
	}
	c.target = &flowpb.Address{Host: []byte(host), Port: uint32(port)}
}

// to is where the conversation leads.
func (c *conversation) to() *flowpb.Address {
	if c.target != nil {
		return c.target
	}
	if c.address == nil {
		c.address = address(c.server)
	}
	if len(c.name) > 0 {
		return &flowpb.Address{Host: c.name, Port: c.address.GetPort()}
	}
	return c.address
}

// toText is that as "host:port".
func (c *conversation) toText() []byte {
	to := c.to()
	host := string(to.GetHost())
	if bytes.IndexByte(to.GetHost(), ':') >= 0 {
		host = "[" + host + "]"
	}
	return strconv.AppendUint([]byte(host+":"), uint64(to.GetPort()), 10)
}
