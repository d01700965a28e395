package proxy

import (
	"context"

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
// last byte is passed on.
type dnsStream struct {
	dnsRecord
	halves [2]dns.Splitter // the client's, the server's
}

func (r *dnsStream) add(ctx context.Context, side flowpb.Side, p []byte) error {
	for {
		n, m := r.halves[side-flowpb.SideRequest].Feed(p)
		if m == nil {
			return nil
		}
		if err := r.dnsRecord.add(ctx, side, m); err != nil {
			return err
		}
		p = p[n:]
	}
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
