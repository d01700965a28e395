package proxy

import (
	"context"
	"encoding/binary"

	flowpb "weir/proto"
	"weir/proxy/dns"
)

// Where DNS is expected, whatever the mode: as it is (RFC 1035 §4.2), and in TLS
// (RFC 7858 §3.1).
const (
	dnsPort    = 53
	dnsTLSPort = 853
)

// dnsStream is the record of DNS over a stream: a message is recorded before its
// last byte is passed on. Where answers may be changed, they are passed on whole.
type dnsStream struct {
	dnsRecord
	halves [2]dns.Splitter // the client's, the server's
}

func (r *dnsStream) add(ctx context.Context, side flowpb.Side, p []byte) ([]byte, error) {
	var out []byte
	for rest := p; ; {
		n, m := r.halves[side-flowpb.SideRequest].Feed(rest)
		if m == nil {
			break
		}
		answer, err := r.dnsRecord.add(ctx, side, m)
		if err != nil {
			return nil, err
		}
		out = append(binary.BigEndian.AppendUint16(out, uint16(len(answer))), answer...)
		rest = rest[n:]
	}
	if side == flowpb.SideResponse && r.withoutHTTPS {
		return out, nil
	}
	return p, nil
}

// speaksDNS reports whether the tunnel goes where DNS is spoken and what the
// client sent so far looks like it: the length and the header of a message that
// asks something.
func (c *client) speaksDNS() bool {
	if c.tunnel.scheme == "dns" {
		return true
	}
	expected := dnsPort
	if c.conn != c.raw {
		expected = dnsTLSPort
	}
	if c.tunnel.port != expected {
		return false
	}
	p := c.in.unread()
	if len(p) < 14 {
		return len(p) > 0
	}
	const response = 0x80
	return p[0] < 0x10 && p[4]&response == 0 && p[6] == 0 && p[7] > 0
}
