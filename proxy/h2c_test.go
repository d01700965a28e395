package proxy

import (
	"testing"

	flowpb "weir/proto"
)

// TestUpgradeToH2C is not passed on, and everything else about the request is.
func TestUpgradeToH2C(t *testing.T) {
	for _, tt := range []struct{ sent, passed string }{
		{"A: 1\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABk\r\nB: 2\r\n", "A: 1\r\nB: 2\r\n"},
		{"Connection: close, Upgrade, HTTP2-Settings\r\nUpgrade: H2C\r\nHTTP2-Settings: x\r\n", "Connection: close, Upgrade, HTTP2-Settings\r\n"},
		{"Connection: Upgrade\r\nUpgrade: websocket\r\n", "Connection: Upgrade\r\nUpgrade: websocket\r\n"},
		{"Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n", "Connection: Upgrade\r\nUpgrade: h2c, websocket\r\n"},
	} {
		addr := origin(t, func(p *peer) {
			p.expect("GET / HTTP/1.1\r\nHost: a\r\n" + tt.passed + "\r\n")
			p.send("HTTP/1.1 204 No Content\r\n\r\n")
		})
		s, sink := start(t, Options{})
		c := dial(t, s)
		c.send("GET http://" + addr + "/ HTTP/1.1\r\nHost: a\r\n" + tt.sent + "\r\n")
		c.expect("HTTP/1.1 204 No Content\r\n\r\n")
		f := sink.finished(t, 1)
		changed := tt.sent != tt.passed
		if (len(f.Meta) == 1) != changed || len(flowpb.Get(f.GetHttp().Request.Headers, "Upgrade")) != 1 {
			t.Errorf("%q: flow %v", tt.sent, f)
		}
	}
}
