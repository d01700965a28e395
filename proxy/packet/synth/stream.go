package synth

import (
	"encoding/binary"
	"net/netip"

	flowpb "weir/proto"
	"weir/proxy/dns"
	"weir/proxy/packet/pcap"
)

// tcp says the messages of a tcp flow on a connection of its own, or one that it
// shares with what came before. One that is still open stays so.
func (x *script) tcp() error {
	opened := false
	err := x.messages(func(m *flowpb.Message) error {
		if !opened {
			opened = true
			hello := len(m.GetContent()) > 2 && m.GetContent()[0] == recordHandshake && m.GetContent()[1] == 3
			if err := x.connect(x.whole.Client.GetTls() != nil && !hello, false); err != nil {
				return err
			}
		}
		return x.raw(m)
	})
	if err != nil {
		return err
	}
	if !opened {
		if err := x.connect(false, false); err != nil {
			return err
		}
	}
	if x.flow.GetState() != flowpb.StateComplete && x.flow.GetState() != flowpb.StateError {
		x.w.talks.remove(x.talk)
		return nil
	}
	return x.end(flowpb.SideRequest, x.flow.GetTcp().GetEndedNs())
}

func (x *script) udp() error {
	x.talk = &talk{addr: x.w.talks.claim(endsOf(x.whole)), plain: true}
	return x.messages(func(m *flowpb.Message) error {
		p := m.GetContent()
		p = p[:min(len(p), maxDatagram)]
		return x.datagram(m.GetSide(), m.GetAtNs(), p)
	})
}

// datagram says one datagram, which may be empty.
func (x *script) datagram(from flowpb.Side, at int64, p []byte) error {
	x.last = max(x.last, at)
	text := x.comment
	x.comment = ""
	return x.w.say(said{talk: x.talk, at: x.last, from: from, kind: data, p: p, comment: text})
}

// dns says question and answer, on the port where everybody looks for them.
func (x *script) dns(d *flowpb.Dns) error {
	e := endsOf(x.whole)
	e.server = netip.AddrPortFrom(e.server.Addr(), portDNS)
	tcp := x.whole.Client.GetTransport() == flowpb.TransportTCP
	var parts []said
	for _, half := range []struct {
		from flowpb.Side
		m    *flowpb.DnsMessage
	}{{flowpb.SideRequest, d.GetRequest()}, {flowpb.SideResponse, d.GetResponse()}} {
		if half.m == nil {
			continue
		}
		p, err := dns.Append(nil, dnsMessage(half.m, half.from == flowpb.SideResponse))
		if err != nil {
			return flowpb.ErrNoForm
		}
		tcp = tcp || len(p) > maxDatagram
		parts = append(parts, said{from: half.from, at: half.m.GetAtNs(), p: p})
	}
	if !tcp {
		x.talk = &talk{addr: e, plain: true} // many questions of one port are usual
		if e.client.Port() == 0 {
			x.talk.addr = x.w.talks.claim(e)
		}
		for _, s := range parts {
			if err := x.datagram(s.from, s.at, s.p); err != nil {
				return err
			}
		}
		return nil
	}
	return x.dnsStream(e, parts)
}

// dnsStream says messages in a stream, behind their lengths (RFC 1035 section 4.2.2).
func (x *script) dnsStream(e ends, parts []said) error {
	x.talk = &talk{addr: x.w.talks.claim(e)}
	if err := x.open(false); err != nil {
		return err
	}
	for _, s := range parts {
		p := append(binary.BigEndian.AppendUint16(nil, uint16(len(s.p))), s.p...)
		if err := x.raw(&flowpb.Message{Side: s.from, AtNs: s.at, Content: p}); err != nil {
			return err
		}
	}
	return x.end(flowpb.SideRequest, 0)
}

// dnsMessage is m as package dns knows it.
func dnsMessage(m *flowpb.DnsMessage, response bool) *dns.Message {
	out := &dns.Message{
		ID: uint16(m.GetId()), Response: response, OpCode: uint8(m.GetOpCode()), Reserved: uint8(m.GetReservedBits()),
		Authoritative: m.GetAuthoritative(), Truncated: m.GetTruncated(), Code: uint16(m.GetResponseCode()),
		RecursionDesired: m.GetRecursionDesired(), RecursionAvailable: m.GetRecursionAvailable(),
		Answers: dnsRecords(m.GetAnswers()), Authorities: dnsRecords(m.GetAuthorities()), Additionals: dnsRecords(m.GetAdditionals()),
	}
	for _, q := range m.GetQuestions() {
		out.Questions = append(out.Questions, dns.Question{Name: q.GetName(), Type: uint16(q.GetType()), Class: uint16(q.GetClass())})
	}
	return out
}

func dnsRecords(records []*flowpb.DnsRecord) (out []dns.Record) {
	for _, r := range records {
		out = append(out, dns.Record{
			Name: r.GetName(), Type: uint16(r.GetType()), Class: uint16(r.GetClass()), TTL: r.GetTtl(), Data: r.GetData(),
		})
	}
	return out
}

// datagram writes a packet with a datagram.
func (t *talk) datagram(out *pcap.Writer, s *said) error {
	src, dst := t.addr.client, t.addr.server
	if side(s.from) == 1 {
		src, dst = dst, src
	}
	t.buf = appendUDP(t.buf[:0], src, dst, s.p)
	return out.Packet(t.at, t.buf, s.comment)
}
