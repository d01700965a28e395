package pcapfilter

import (
	"context"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// host reads an address or a name, which stands for all of its addresses.
func (p *parser) host(ctx context.Context, t token) (node, *Error) {
	if strings.ContainsAny(t.text, "[]<>=") {
		return nil, p.unexpected(t)
	}
	addrs := []netip.Addr{}
	if addr, err := netip.ParseAddr(t.text); err == nil {
		addrs = append(addrs, addr)
	} else if strings.ContainsAny(t.text, "/:") {
		return nil, p.fail(t, "no address", "for a network write: net "+t.text)
	} else if addrs, err = p.resolver.LookupNetIP(ctx, "ip", t.text); err != nil {
		failed := p.fail(t, err.Error(), "write the address of the host instead of its name")
		failed.Err = err
		return nil, failed
	}
	var tree node
	for _, a := range addrs {
		a = a.Unmap().WithZone("")
		if !p.family(a) {
			continue
		}
		n := within{p.said.dir, netip.PrefixFrom(a, a.BitLen())}
		if tree == nil {
			tree = n
		} else {
			tree = joined{false, tree, n}
		}
	}
	if tree == nil {
		return nil, p.fail(t, fmt.Sprintf("no address of %s", p.said.proto), "")
	}
	return tree, nil
}

// family reports whether an address is of the protocol that was asked for.
func (p *parser) family(a netip.Addr) bool {
	return p.said.proto == "" || (p.said.proto == "ip6") == a.Is6()
}

// network reads "10.0.0.0/8", "10.0.0.0 mask 255.0.0.0" or a beginning of an IPv4
// address, such as "10" or "192.168".
func (p *parser) network(t token) (node, *Error) {
	bad := p.fail(t, "no network", "for example: net 10.0.0.0/8")
	text, bits, slash := strings.Cut(t.text, "/")
	addr, err := netip.ParseAddr(text)
	n := addr.BitLen()
	if err != nil {
		parts := strings.Count(text, ".") + 1
		if addr, err = netip.ParseAddr(text + strings.Repeat(".0", max(0, 4-parts))); err != nil || addr.Is6() {
			return nil, bad
		}
		n = 8 * parts
	}
	if slash {
		if n, err = strconv.Atoi(bits); err != nil {
			return nil, bad
		}
	} else if mask, ok := p.take("mask"); ok {
		if n, ok = p.mask(); !ok || addr.Is6() {
			return nil, p.fail(token{pos: mask.pos, end: p.pos}, "no mask", "for example: net 10.0.0.0 mask 255.0.0.0")
		}
	}
	prefix, err := addr.Unmap().WithZone("").Prefix(n)
	if err != nil {
		return nil, bad
	}
	if prefix.Addr() != addr.Unmap().WithZone("") {
		return nil, p.fail(t, "the address has bits outside the network", "perhaps: net "+prefix.String())
	}
	if !p.family(prefix.Addr()) {
		return nil, p.fail(t, "no network of "+p.said.proto, "")
	}
	return within{p.said.dir, prefix}, nil
}

// mask reads an IPv4 mask as a number of bits.
func (p *parser) mask() (int, bool) {
	t := p.peek()
	p.pos = t.end
	mask, err := netip.ParseAddr(t.text)
	if err != nil || !mask.Is4() {
		return 0, false
	}
	n, ended := 0, false
	for _, b := range mask.As4() {
		for i := 7; i >= 0; i-- {
			set := b>>i&1 == 1
			if set && ended {
				return 0, false
			}
			if ended = !set; set {
				n++
			}
		}
	}
	return n, true
}

// service is a port by number or name.
func (p *parser) service(ctx context.Context, t token, text string) (uint16, *Error) {
	if n, err := strconv.ParseUint(text, 0, 16); err == nil {
		return uint16(n), nil
	}
	network := p.said.proto
	if network != "tcp" && network != "udp" {
		network = ""
	}
	if text != "" && (text[0] < '0' || text[0] > '9') && p.said.proto != "sctp" {
		if n, err := p.resolver.LookupPort(ctx, network, text); err == nil {
			return uint16(n), nil
		}
	}
	return 0, p.fail(t, fmt.Sprintf("%q is no port", text), "a port is a number from 0 to 65535, or the name of a service")
}

func (p *parser) port(ctx context.Context, t token) (node, *Error) {
	n, err := p.service(ctx, t, t.text)
	if err != nil && strings.Contains(t.text, "-") {
		err.Hint = "for several ports write: portrange " + t.text
	}
	return ported{p.said.dir, protocols[p.said.proto], n, n}, err
}

func (p *parser) portRange(ctx context.Context, t token) (node, *Error) {
	low, high, ok := strings.Cut(t.text, "-")
	if !ok {
		return nil, p.fail(t, "no range of ports", "for example: portrange 8000-8080")
	}
	from, err := p.service(ctx, t, low)
	if err != nil {
		return nil, err
	}
	to, err := p.service(ctx, t, high)
	return ported{p.said.dir, protocols[p.said.proto], min(from, to), max(from, to)}, err
}

// protocol reads the number or name behind "proto".
func (p *parser) protocol(t token) (node, *Error) {
	n, err := strconv.ParseUint(t.text, 0, 16)
	if p.said.proto == "ether" {
		if kind, ok := etherTypes[t.text]; ok {
			return carries{kind}, nil
		}
		if err != nil {
			return nil, p.fail(t, fmt.Sprintf("%q is no type of Ethernet", t.text), "for example: ether proto 0x88cc")
		}
		return carries{uint16(n)}, nil
	}
	family := map[string]uint16{"ip": etherIPv4, "ip6": etherIPv6}[p.said.proto]
	if number, ok := protocols[t.text]; ok {
		return speaks{family, number}, nil
	}
	if err != nil || n > 255 {
		return nil, p.fail(t, fmt.Sprintf("%q is no protocol of IP", t.text), "for example: proto 47")
	}
	return speaks{family, uint8(n)}, nil
}
