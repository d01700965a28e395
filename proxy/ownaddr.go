package proxy

import (
	"net"
	"net/netip"
	"strings"
	"sync"
)

// ownAddresses is where all servers of this process listen.
type ownAddresses struct {
	mu  sync.RWMutex
	all map[net.Addr]ownAddress
}

func (o *ownAddresses) add(a net.Addr) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.all == nil {
		o.all = make(map[net.Addr]ownAddress)
	}
	o.all[a] = newOwnAddress(a)
}

func (o *ownAddresses) remove(a net.Addr) {
	o.mu.Lock()
	defer o.mu.Unlock()
	delete(o.all, a)
}

// isName reports whether host, as a client writes it, names one of our listeners.
func (o *ownAddresses) isName(host string, port int) bool {
	return o.any(func(a ownAddress) bool { return a.isName(host, port) })
}

// isIP reports whether a connection to ip and port would reach one of them.
func (o *ownAddresses) isIP(ip netip.Addr, port int) bool {
	return o.any(func(a ownAddress) bool { return a.isIP(ip, port) })
}

func (o *ownAddresses) any(is func(ownAddress) bool) bool {
	o.mu.RLock()
	defer o.mu.RUnlock()
	for _, a := range o.all {
		if is(a) {
			return true
		}
	}
	return false
}

// ownAddress is where one server listens. A request for it would come back to us, and
// again, until the machine is out of connections.
type ownAddress struct {
	ip   netip.Addr // invalid where the listener is not TCP
	port int
}

func newOwnAddress(a net.Addr) ownAddress {
	tcp, ok := a.(*net.TCPAddr)
	if !ok {
		return ownAddress{}
	}
	ip, _ := netip.AddrFromSlice(tcp.IP)
	if len(tcp.IP) == 0 {
		ip = netip.IPv6Unspecified()
	}
	return ownAddress{ip: ip.Unmap(), port: tcp.Port}
}

func (o ownAddress) loopback() bool { return !o.ip.IsValid() || o.ip.IsLoopback() }

// isName reports whether host, as a client writes it, names us without asking
// a resolver. Names that resolve to us are found by isIP when they are dialled.
func (o ownAddress) isName(host string, port int) bool {
	if port != o.port || !o.ip.IsValid() {
		return false
	}
	if ip, err := netip.ParseAddr(host); err == nil {
		return o.isIP(ip, port)
	}
	name := strings.ToLower(strings.TrimSuffix(host, "."))
	return (name == "localhost" || strings.HasSuffix(name, ".localhost")) && (o.ip.IsLoopback() || o.ip.IsUnspecified())
}

// isIP reports whether a connection to ip and port would reach our listener.
func (o ownAddress) isIP(ip netip.Addr, port int) bool {
	ip = ip.Unmap().WithZone("")
	switch {
	case port != o.port || !o.ip.IsValid():
		return false
	case ip == o.ip.WithZone("") || ip.IsUnspecified():
		return true
	case o.ip.IsLoopback():
		// Another address of 127.0.0.0/8 is a different socket, but on no sane
		// setup a different service on our port.
		return ip.IsLoopback()
	case o.ip.IsUnspecified():
		return ip.IsLoopback() || isInterface(ip)
	}
	return false
}

// isInterface reports whether ip is an address of this machine.
func isInterface(ip netip.Addr) bool {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return false
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().Unmap().WithZone("") == ip {
			return true
		}
	}
	return false
}
