package proxy

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// redirected is the sockets for datagrams that TPROXY leads here: one that takes
// them, whatever their destination, and one a family that answers from there. The
// latter are raw, as a UDP socket would have to be bound to the server's address
// and port, and then take what is meant for a server of this machine.
type redirected struct {
	conn   *net.UDPConn
	v4, v6 *net.IPConn // nil where the system does not have the family
	oob    [256]byte   // of read
}

// listenRedirected opens them, on the address that connections are taken on.
func listenRedirected(ctx context.Context, address string) (*redirected, error) {
	taking := net.ListenConfig{Control: func(network, _ string, raw syscall.RawConn) error { return control(raw, takeAnywhere(network)) }}
	pc, err := taking.ListenPacket(ctx, strings.Replace(networkOf(address), "tcp", "udp", 1), address)
	if err != nil {
		return nil, err
	}
	r := &redirected{conn: pc.(*net.UDPConn)}
	answering := net.ListenConfig{Control: func(network, _ string, raw syscall.RawConn) error { return control(raw, answerAnywhere(network)) }}
	var failed error
	for network, to := range map[string]**net.IPConn{"ip4:udp": &r.v4, "ip6:udp": &r.v6} {
		pc, err := answering.ListenPacket(ctx, network, "")
		if err != nil {
			failed = err
			continue
		}
		*to = pc.(*net.IPConn)
	}
	if r.v4 == nil && r.v6 == nil {
		_ = r.conn.Close()
		return nil, failed
	}
	return r, nil
}

// control applies options to a socket.
func control(raw syscall.RawConn, options func(fd int) error) error {
	var err error
	cerr := raw.Control(func(fd uintptr) { err = options(int(fd)) })
	return errors.Join(cerr, err)
}

// takeAnywhere has a UDP socket take datagrams to any address, and tell which.
func takeAnywhere(network string) func(fd int) error {
	return func(fd int) error {
		err := os.NewSyscallError("setsockopt IP_TRANSPARENT", errors.Join(
			unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_TRANSPARENT, 1),
			unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_RECVORIGDSTADDR, 1)))
		if err == nil && network != "udp4" {
			err = os.NewSyscallError("setsockopt IPV6_TRANSPARENT", errors.Join(
				unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1),
				unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_RECVORIGDSTADDR, 1)))
		}
		return err
	}
}

// answerAnywhere has a raw socket send from any address, and take nothing.
func answerAnywhere(network string) func(fd int) error {
	return func(fd int) error {
		nothing := unix.SockFilter{Code: unix.BPF_RET | unix.BPF_K}
		err := unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &unix.SockFprog{Len: 1, Filter: &nothing})
		if strings.HasPrefix(network, "ip6") {
			return errors.Join(err, unix.SetsockoptInt(fd, unix.SOL_IPV6, unix.IPV6_TRANSPARENT, 1))
		}
		return errors.Join(err, unix.SetsockoptInt(fd, unix.SOL_IP, unix.IP_TRANSPARENT, 1))
	}
}

// Close closes the sockets.
func (r *redirected) Close() error {
	err := r.conn.Close()
	for _, c := range []*net.IPConn{r.v4, r.v6} {
		if c != nil {
			err = errors.Join(err, c.Close())
		}
	}
	return err
}

// read returns the next datagram: who sent it and where it was going, which is not
// valid where the system does not say. It is for one goroutine.
func (r *redirected) read(buf []byte) (n int, from, to netip.AddrPort, err error) {
	n, k, _, from, err := r.conn.ReadMsgUDPAddrPort(buf, r.oob[:])
	if err != nil {
		return 0, from, to, err
	}
	return n, netip.AddrPortFrom(from.Addr().Unmap(), from.Port()), destinationOf(r.oob[:k]), nil
}

// destinationOf finds a datagram's destination in its control messages.
func destinationOf(oob []byte) netip.AddrPort {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return netip.AddrPort{}
	}
	for i := range messages {
		sa, err := unix.ParseOrigDstAddr(&messages[i])
		if err != nil {
			continue
		}
		switch sa := sa.(type) {
		case *unix.SockaddrInet4:
			return netip.AddrPortFrom(netip.AddrFrom4(sa.Addr), uint16(sa.Port))
		case *unix.SockaddrInet6:
			return netip.AddrPortFrom(netip.AddrFrom16(sa.Addr).Unmap(), uint16(sa.Port))
		}
	}
	return netip.AddrPort{}
}

// send sends a datagram that comes from an address which is not ours. The system
// makes the IP header, of which the control message says the source.
func (r *redirected) send(p []byte, from, to netip.AddrPort) error {
	conn, oob := r.v6, unix.PktInfo6(&unix.Inet6Pktinfo{Addr: from.Addr().As16()})
	if from.Addr().Is4() {
		conn, oob = r.v4, unix.PktInfo4(&unix.Inet4Pktinfo{Spec_dst: from.Addr().As4()})
	}
	if conn == nil {
		return fmt.Errorf("answer from %s: this system has no sockets for that", from)
	}
	_, _, err := conn.WriteMsgIP(appendUDP(nil, p, from, to), oob, &net.IPAddr{IP: to.Addr().AsSlice(), Zone: to.Addr().Zone()})
	return err
}

// appendUDP appends a UDP datagram (RFC 768; RFC 8200 §8.1 for IPv6) to dst.
func appendUDP(dst, p []byte, from, to netip.AddrPort) []byte {
	const header, protocol = 8, 17
	size := uint16(header + len(p))
	start := len(dst)
	dst = binary.BigEndian.AppendUint16(dst, from.Port())
	dst = binary.BigEndian.AppendUint16(dst, to.Port())
	dst = binary.BigEndian.AppendUint16(dst, size)
	dst = append(append(dst, 0, 0), p...)
	sum := sum16(sum16(uint32(size)+protocol, from.Addr().AsSlice()), to.Addr().AsSlice())
	sum = sum16(sum, dst[start:])
	for sum > 0xffff {
		sum = sum&0xffff + sum>>16
	}
	if sum == 0xffff { // whose complement would mean that there is no checksum
		sum = 0
	}
	binary.BigEndian.PutUint16(dst[start+6:], ^uint16(sum))
	return dst
}

// sum16 adds the 16-bit words of p to sum (RFC 1071), of 64 KB at most.
func sum16(sum uint32, p []byte) uint32 {
	for ; len(p) > 1; p = p[2:] {
		sum += uint32(binary.BigEndian.Uint16(p))
	}
	if len(p) == 1 {
		sum += uint32(p[0]) << 8
	}
	return sum
}
