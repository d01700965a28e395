package proxy

import (
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"syscall"

	"golang.org/x/sys/unix"
)

// errNotRedirected is a connection that was made to the proxy itself.
var errNotRedirected = errors.New("it was made to weir itself, and not redirected")

// transparentListen lets the socket take connections to any address, which TPROXY
// needs and redirecting does not. It takes CAP_NET_ADMIN; without it only
// redirected connections come.
func transparentListen(_, _ string, raw syscall.RawConn) error {
	return raw.Control(func(fd uintptr) {
		_ = unix.SetsockoptInt(int(fd), unix.SOL_IP, unix.IP_TRANSPARENT, 1)
		_ = unix.SetsockoptInt(int(fd), unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1)
	})
}

// originalDestination asks the system where a connection was going before it was
// redirected. Where it knows of no redirection the connection came by TPROXY, with
// its destination as our own address, or was made to us.
func originalDestination(conn net.Conn) (netip.AddrPort, error) {
	local, err := localDestination(conn)
	sc, ok := conn.(syscall.Conn)
	if err != nil || !ok {
		return local, err
	}
	raw, err := sc.SyscallConn()
	if err != nil {
		return local, err
	}
	to := local
	err = raw.Control(func(fd uintptr) {
		if found, err := redirectedFrom(int(fd), local.Addr().Is4()); err == nil {
			to = found
		}
	})
	return to, err
}

// redirectedFrom reads SO_ORIGINAL_DST (netfilter_ipv4.h, netfilter_ipv6.h). The
// calls of x/sys are for other options whose values have the same shape.
func redirectedFrom(fd int, v4 bool) (netip.AddrPort, error) {
	if !v4 {
		info, err := unix.GetsockoptIPv6MTUInfo(fd, unix.SOL_IPV6, unix.SO_ORIGINAL_DST)
		if err != nil {
			return netip.AddrPort{}, err
		}
		var port [2]byte
		binary.NativeEndian.PutUint16(port[:], info.Addr.Port)
		return netip.AddrPortFrom(netip.AddrFrom16(info.Addr.Addr), binary.BigEndian.Uint16(port[:])), nil
	}
	// A sockaddr_in: family, port, address.
	mreq, err := unix.GetsockoptIPv6Mreq(fd, unix.SOL_IP, unix.SO_ORIGINAL_DST)
	if err != nil {
		return netip.AddrPort{}, err
	}
	b := mreq.Multiaddr
	return netip.AddrPortFrom(netip.AddrFrom4([4]byte(b[4:8])), binary.BigEndian.Uint16(b[2:4])), nil
}
