package packet

import (
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func datagramPacket(src, dst netip.AddrPort, p []byte) []byte {
	h := binary.BigEndian.AppendUint16(nil, src.Port())
	h = binary.BigEndian.AppendUint16(h, dst.Port())
	h = binary.BigEndian.AppendUint16(h, uint16(8+len(p)))
	return ipPacket(src.Addr(), dst.Addr(), 17, append(append(h, 0, 0), p...))
}

// TestQUIC takes the facts of the hellos into the flow of the datagrams.
func TestQUIC(t *testing.T) {
	load := func(name string) string {
		text, err := os.ReadFile(filepath.Join("..", "quic", "testdata", name))
		if err != nil {
			t.Fatal(err)
		}
		p, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
		if err != nil {
			t.Fatal(err)
		}
		return string(p)
	}
	client, server := load("v1-client.txt"), load("v1-server.txt")
	for name, c := range map[string]struct {
		said                         []segment
		server, version, fingerprint string
		messages                     int
	}{
		"both hellos": {[]segment{{p: []byte(client)}, {from: 1, p: []byte(server)}, {p: []byte("\x40sealed")}}, "example.com:443", "TLSv1.3", "q13d0211an_", 3},
		"no answer":   {[]segment{{p: []byte(client)}}, "example.com:443", "", "q13d0211an_", 1},
		"its middle":  {[]segment{{p: []byte("\x40sealed")}, {p: []byte(client)}}, "10.0.0.2:443", "", "", 2},
		"damaged":     {[]segment{{p: []byte(client[:1199] + "!")}, {from: 1, p: []byte(server)}}, "10.0.0.2:443", "", "", 2},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWire(t, Options{})
			for _, s := range c.said {
				src, dst := netip.MustParseAddrPort("10.0.0.1:50000"), netip.MustParseAddrPort("10.0.0.2:443")
				if s.from == 1 {
					src, dst = dst, src
				}
				w.packet(datagramPacket(src, dst, s.p))
			}
			w.end()
			f := w.sink.flows[0]
			if got := string(f.GetServer()); len(w.sink.flows) != 1 || f.GetUdp() == nil || got != c.server {
				t.Errorf("got %d flows, server %q, want %q", len(w.sink.flows), got, c.server)
			}
			i := w.sink.conns[0].GetTls()
			if got := i.GetHello().GetJa4(); i.GetVersion() != c.version || !strings.HasPrefix(got, c.fingerprint) || (c.fingerprint == "") != (got == "") {
				t.Errorf("got %v", i)
			}
			if got := len(w.sink.messages[1]); got != c.messages {
				t.Errorf("got %d messages, want %d", got, c.messages)
			}
		})
	}
}
