package socks

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
)

// Address is a host, by name or by address, and a port (RFC 1928 §5).
type Address struct {
	Host string // without brackets
	Port int
}

// AddressError is an address of a kind that nobody knows.
type AddressError struct{ Kind byte }

func (e *AddressError) Error() string { return fmt.Sprintf("SOCKS address of unknown kind %d", e.Kind) }

const (
	kindIPv4 = 1
	kindName = 3
	kindIPv6 = 4
)

// parseAddress reads kind, host and port from the front of p; n is 0 where they
// are not whole.
func parseAddress(p []byte) (a Address, n int, err error) {
	if len(p) == 0 {
		return Address{}, 0, nil
	}
	at := 1
	var size int
	switch p[0] {
	case kindIPv4:
		size = 4
	case kindIPv6:
		size = 16
	case kindName:
		if len(p) < 2 {
			return Address{}, 0, nil
		}
		at, size = 2, int(p[1])
	default:
		return Address{}, 0, &AddressError{Kind: p[0]}
	}
	n = at + size + 2
	if len(p) < n {
		return Address{}, 0, nil
	}
	a.Port = int(binary.BigEndian.Uint16(p[at+size:]))
	host := p[at : at+size]
	if p[0] == kindName {
		a.Host = string(host)
		return a, n, nil
	}
	ip, _ := netip.AddrFromSlice(host)
	a.Host = ip.Unmap().String()
	return a, n, nil
}

// append writes a; the zero Address is 0.0.0.0:0.
func (a Address) append(dst []byte) []byte {
	ip, err := netip.ParseAddr(a.Host)
	switch {
	case a.Host == "":
		dst = append(dst, kindIPv4, 0, 0, 0, 0)
	case err != nil:
		name := a.Host[:min(len(a.Host), 255)]
		dst = append(append(dst, kindName, byte(len(name))), name...)
	case ip.Unmap().Is4():
		v4 := ip.Unmap().As4()
		dst = append(append(dst, kindIPv4), v4[:]...)
	default:
		v6 := ip.As16()
		dst = append(append(dst, kindIPv6), v6[:]...)
	}
	return binary.BigEndian.AppendUint16(dst, uint16(a.Port))
}

// Datagram is one packet of an association (RFC 1928 §7).
type Datagram struct {
	Address         // where it goes to, or came from
	Fragment byte   // not 0: a piece of a larger one
	Data     []byte // points into what was parsed
}

// ParseDatagram reads a packet.
func ParseDatagram(p []byte) (Datagram, error) {
	const head = 3 // reserved, reserved, fragment
	if len(p) < head {
		return Datagram{}, errors.New("SOCKS datagram without a header")
	}
	a, n, err := parseAddress(p[head:])
	if err == nil && n == 0 {
		err = errors.New("SOCKS datagram with half an address")
	}
	if err != nil {
		return Datagram{}, err
	}
	return Datagram{Address: a, Fragment: p[2], Data: p[head+n:]}, nil
}

// AppendDatagram writes a packet that came from a.
func AppendDatagram(dst []byte, a Address, data []byte) []byte {
	return append(a.append(append(dst, 0, 0, 0)), data...)
}
