package proxy

import (
	"strings"
	"testing"

	flowpb "weir/proto"
	"weir/proxy/h1"
)

// TestHTTP2Hosts has requests name several hosts: they are refused, relayed or
// translated, with a flow that says so, and passed on leniently.
func TestHTTP2Hosts(t *testing.T) {
	for _, tt := range []struct {
		name      string
		authority string
		hosts     []string
		odd       string
	}{
		{"the same", "a.test", []string{"A.test"}, ""},
		{"the same with its port", "a.test:80", []string{"a.test"}, ""},
		{"another", "a.test", []string{"b.test"}, "host and :authority differ"},
		{"twice", "a.test", []string{"a.test", "a.test"}, "host more than once"},
		{"twice without :authority", "", []string{"a.test", "b.test"}, "host more than once"},
	} {
		for _, lenient := range []bool{false, true} {
			t.Run(tt.name, func(t *testing.T) {
				fields := [][2]string{{":method", "GET"}, {":scheme", "http"}, {":path", "/"}}
				if tt.authority != "" {
					fields = append(fields, [2]string{":authority", tt.authority})
				}
				for _, h := range tt.hosts {
					fields = append(fields, [2]string{"host", h})
				}
				want := "200"
				if tt.odd != "" && !lenient {
					want = "400"
				}
				relayed := converse(t, Options{Limits: h1.Limits{Lenient: lenient}}, func(f *frames) {
					f.headers(1, true, fields...)
					if got := f.readHeaders(); len(got) == 0 || got[0][1] != want {
						f.t.Errorf("relayed: got %v, want status %s", got, want)
					}
				}, func(f *frames) {
					if want == "200" {
						f.readHeaders()
						f.headers(1, true, [2]string{":status", "200"})
					}
					f.untilClosed()
				})
				flow := relayed.finished(t, 1)
				if got := metaOf(flow, "odd request"); got != tt.odd || want == "400" && !strings.HasPrefix(flow.Error.GetMessage(), tt.odd) {
					t.Errorf("relayed: got %q, error %v", got, flow.Error)
				}

				addr := origin(t, func(p *peer) { p.head(); p.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"); p.rest() })
				opts := mode(t, "reverse:http://"+addr)
				opts.Limits.Lenient = lenient
				s, sink := start(t, opts)
				f := dialFrames(dial(t, s))
				f.headers(1, true, fields...)
				if got := f.readHeaders(); len(got) == 0 || got[0][1] != want {
					t.Errorf("translated: got %v, want status %s", got, want)
				}
				flow = sink.finished(t, 1)
				if got := metaOf(flow, "odd request"); !strings.HasPrefix(got, tt.odd) || (got == "") != (tt.odd == "") || (flow.Error.GetCode() == flowpb.CodeProtocol) != (want == "400") {
					t.Errorf("translated: got %q, error %v", got, flow.Error)
				}
			})
		}
	}
}
