package synth

import (
	"crypto/sha256"
	"net/netip"

	flowpb "weir/proto"
)

// Ports and addresses for those that are not known.
const (
	firstPort = 49152 // of the dynamic ports (RFC 6335 section 6)
	portHTTP  = 80
	portHTTPS = 443
	portDNS   = 53
)

// ends are the addresses of client and server. A client without a port gets one when
// its connection is opened.
type ends struct{ client, server netip.AddrPort }

// endsOf finds the addresses of a flow.
func endsOf(f *flowpb.Whole) ends {
	client, ok := literal(f.Client.GetPeer())
	if !ok {
		if client, ok = parsed(f.Flow.GetClient()); !ok {
			client = netip.AddrPortFrom(netip.AddrFrom4([4]byte{192, 0, 2, 1}), 0) // for documentation (RFC 5737)
		}
	}
	server, ok := literal(f.Server.GetPeer())
	if !ok {
		server = named(f)
	}
	if client.Addr().Is4() != server.Addr().Is4() {
		client = netip.AddrPortFrom(mapped(client.Addr()), client.Port())
		server = netip.AddrPortFrom(mapped(server.Addr()), server.Port())
	}
	return ends{client, server}
}

func literal(a *flowpb.Address) (netip.AddrPort, bool) {
	ip, err := netip.ParseAddr(string(a.GetHost()))
	if err != nil || a.GetPort() > 65535 {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(ip.WithZone("").Unmap(), uint16(a.GetPort())), true
}

func parsed(hostPort []byte) (netip.AddrPort, bool) {
	a, err := netip.ParseAddrPort(string(hostPort))
	if err != nil {
		return netip.AddrPort{}, false
	}
	return netip.AddrPortFrom(a.Addr().WithZone("").Unmap(), a.Port()), true
}

// named is the address of a server of which the connection tells none: what the flow
// says, or one that is made of its name.
func named(f *flowpb.Whole) netip.AddrPort {
	if a, ok := parsed(f.Flow.GetServer()); ok {
		return a
	}
	s := flowpb.Summarize(f.Flow)
	port := uint16(s.Port) // a damaged head may say anything
	if port == 0 {
		port = map[string]uint16{"https": portHTTPS}[s.Scheme]
	}
	if port == 0 {
		port = portHTTP
	}
	if ip, err := netip.ParseAddr(s.Host); err == nil {
		return netip.AddrPortFrom(ip.WithZone("").Unmap(), port)
	}
	h := sha256.Sum256([]byte(s.Host))
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18 + h[0]&1, h[1], h[2]}), port)
}

func mapped(a netip.Addr) netip.Addr { return netip.AddrFrom16(a.As16()) }
