package synth

import (
	"encoding/binary"
	"net/netip"
)

// Numbers of the protocols inside IP.
const (
	protoTCP = 6
	protoUDP = 17
)

// Sizes of headers and of the largest segment, in bytes, for links that take 1500.
const (
	ip4Header = 20
	ip6Header = 40
	tcpHeader = 20
	udpHeader = 8
	mtu       = 1500
)

// window is what each side says it takes before it has acknowledged, in bytes.
const window = 65535

// maxDatagram is the most that one datagram holds over IPv4, in bytes.
const maxDatagram = 65535 - ip4Header - udpHeader

// appendIP appends an IP header for a payload of n bytes (RFC 791, RFC 8200).
func appendIP(dst []byte, src, dst2 netip.Addr, proto byte, n int) []byte {
	be := binary.BigEndian
	if src.Is6() {
		dst = append(dst, 0x60, 0, 0, 0)
		dst = be.AppendUint16(dst, uint16(n))
		dst = append(dst, proto, 64)
		return append(append(dst, src.AsSlice()...), dst2.AsSlice()...)
	}
	at := len(dst)
	dst = append(dst, 0x45, 0)
	dst = be.AppendUint16(dst, uint16(ip4Header+n))
	dst = append(dst, 0, 0, 0x40, 0, 64, proto, 0, 0) // not to be fragmented
	dst = append(append(dst, src.AsSlice()...), dst2.AsSlice()...)
	be.PutUint16(dst[at+10:], fold(sum(0, dst[at:])))
	return dst
}

// appendTCP appends an IP packet with a TCP segment (RFC 9293 section 3.1).
func appendTCP(dst []byte, src, to netip.AddrPort, seq, ack uint32, flags uint8, options, p []byte) []byte {
	be := binary.BigEndian
	n := tcpHeader + len(options) + len(p)
	dst = appendIP(dst, src.Addr(), to.Addr(), protoTCP, n)
	at := len(dst)
	dst = be.AppendUint16(dst, src.Port())
	dst = be.AppendUint16(dst, to.Port())
	dst = be.AppendUint32(dst, seq)
	dst = be.AppendUint32(dst, ack)
	dst = append(dst, byte((tcpHeader+len(options))/4<<4), flags)
	dst = be.AppendUint16(dst, window)
	dst = append(dst, 0, 0, 0, 0)
	dst = append(append(dst, options...), p...)
	be.PutUint16(dst[at+16:], checksum(src.Addr(), to.Addr(), protoTCP, dst[at:]))
	return dst
}

// appendUDP appends an IP packet with a datagram (RFC 768).
func appendUDP(dst []byte, src, to netip.AddrPort, p []byte) []byte {
	be := binary.BigEndian
	n := udpHeader + len(p)
	dst = appendIP(dst, src.Addr(), to.Addr(), protoUDP, n)
	at := len(dst)
	dst = be.AppendUint16(dst, src.Port())
	dst = be.AppendUint16(dst, to.Port())
	dst = be.AppendUint16(dst, uint16(n))
	dst = append(append(dst, 0, 0), p...)
	check := checksum(src.Addr(), to.Addr(), protoUDP, dst[at:])
	if check == 0 {
		check = 0xffff // 0 would say that there is none
	}
	be.PutUint16(dst[at+6:], check)
	return dst
}

// checksum is that of a segment or datagram with its pseudo header.
func checksum(src, dst netip.Addr, proto byte, p []byte) uint16 {
	s := sum(0, src.AsSlice())
	s = sum(s, dst.AsSlice())
	return fold(sum(s+uint64(proto)+uint64(len(p)), p))
}

// sum adds up words of 16 bits (RFC 1071).
func sum(s uint64, p []byte) uint64 {
	for ; len(p) >= 2; p = p[2:] {
		s += uint64(p[0])<<8 | uint64(p[1])
	}
	if len(p) > 0 {
		s += uint64(p[0]) << 8
	}
	return s
}

func fold(s uint64) uint16 {
	for s > 0xffff {
		s = s>>16 + s&0xffff
	}
	return ^uint16(s)
}
