package pcapfilter

import (
	"context"
	"fmt"
	"strconv"
)

// qualifiers is what stands before a value and says what the value is of.
type qualifiers struct {
	proto string // "" any
	dir   direction
	kind  string // host, net, port, portrange, proto
}

// primitive reads one condition.
func (p *parser) primitive(ctx context.Context) (node, *Error) {
	begin := p.peek()
	if _, ok := p.take("vlan"); ok {
		return p.vlan()
	}
	if t, ok := p.take("less", "greater"); ok {
		n, err := p.number("a number of bytes", 1<<31)
		return sized{t.text == "greater", uint32(n)}, err
	}
	var q qualifiers
	proto, named := p.take("ether", "ip", "ip6", "arp", "rarp", "tcp", "udp", "sctp", "icmp", "icmp6")
	if named {
		q.proto = proto.text
	}
	directed, err := p.direction(&q)
	if err != nil {
		return nil, err
	}
	kind, typed := p.take("host", "net", "port", "portrange", "proto")
	q.kind = kind.text
	switch {
	case typed:
	case directed:
		q.kind = "host"
	case named && q.proto == "ether":
		return nil, p.fail(p.peek(), "expected proto", "of Ethernet only the type is understood: ether proto 0x88cc")
	case named:
		return alone[q.proto], nil
	case p.said.kind != "":
		return p.value(ctx)
	default:
		q.kind = "host"
	}
	if err := p.fitting(q, token{pos: begin.pos, end: p.pos}); err != nil {
		return nil, err
	}
	p.said = q
	return p.value(ctx)
}

// direction reads "src", "dst", "src or dst" or "src and dst".
func (p *parser) direction(q *qualifiers) (bool, *Error) {
	first, ok := p.take("src", "dst")
	if !ok {
		return false, nil
	}
	q.dir = source
	if first.text == "dst" {
		q.dir = destination
	}
	mark := p.pos
	joiner, ok := p.take("and", "or")
	if !ok {
		return true, nil
	}
	second, ok := p.take("src", "dst")
	if !ok || second.text == first.text {
		p.pos = mark // it joins two conditions
		return true, nil
	}
	q.dir = either
	if joiner.text == "and" {
		q.dir = both
	}
	return true, nil
}

// fitting refuses qualifiers that say nothing together; at is where they stand.
func (p *parser) fitting(q qualifiers, at token) *Error {
	fits := map[string]bool{"": true}
	switch q.kind {
	case "host", "net":
		fits["ip"], fits["ip6"] = true, true
	case "proto":
		fits["ip"], fits["ip6"], fits["ether"] = true, true, true
		if q.dir != either {
			return p.fail(at, "a protocol has no direction", "leave out src and dst")
		}
	default:
		fits["tcp"], fits["udp"], fits["sctp"] = true, true, true
	}
	if fits[q.proto] {
		return nil
	}
	return p.fail(at, fmt.Sprintf("%q and %q do not go together", q.proto, q.kind), fmt.Sprintf("perhaps: %s and %s …", q.proto, q.kind))
}

// vlan reads the identifier behind the keyword, if there is one.
func (p *parser) vlan() (node, *Error) {
	if t := p.peek(); t.text == "" || t.text[0] < '0' || t.text[0] > '9' {
		return tagged{anyTag}, nil
	}
	n, err := p.number("a VLAN from 0 to 4095", 4095)
	return tagged{uint16(n)}, err
}

// number reads a number up to a limit; what says what it is of.
func (p *parser) number(what string, limit uint64) (uint64, *Error) {
	t := p.peek()
	n, err := strconv.ParseUint(t.text, 0, 64)
	if err != nil || n > limit {
		return 0, p.fail(t, "expected "+what, "")
	}
	p.pos = t.end
	return n, nil
}

// value reads what the last qualifiers are about.
func (p *parser) value(ctx context.Context) (node, *Error) {
	if t, ok := p.take("not"); ok {
		return p.inside(ctx, t, p.value)
	}
	if t, ok := p.take("("); ok {
		return p.inside(ctx, t, p.sequence)
	}
	t := p.peek()
	if word := t.text; word == "" || !t.literal && (word == ")" || word == "and" || word == "or" || word == "&" || word == "|") {
		return nil, p.unexpected(t)
	}
	p.pos = t.end
	if beyond[t.text] && !t.literal && p.said.kind != "proto" {
		return nil, p.fail(t, fmt.Sprintf("%q is not understood", t.text), `understood are host, net, port, portrange, proto, vlan, less, greater and the names of protocols`)
	}
	switch p.said.kind {
	case "host":
		return p.host(ctx, t)
	case "net":
		return p.network(t)
	case "port":
		return p.port(ctx, t)
	case "portrange":
		return p.portRange(ctx, t)
	}
	return p.protocol(t)
}
