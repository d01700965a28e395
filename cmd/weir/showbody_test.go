package main

import (
	"strings"
	"testing"

	flowpb "weir/proto"
)

// A body that is not whole is never printed silently.
func TestShowBodyIncomplete(t *testing.T) {
	for _, tt := range []struct {
		name  string
		state flowpb.BodyState
		size  uint64
		code  int
		said  string
	}{
		{"whole", flowpb.BodyComplete, 3, 0, ""},
		{"cut", flowpb.BodyCut, 3, 0, "weir: flow 1: the body was cut off: these 3 bytes are all that came\n"},
		{"streaming", flowpb.BodyStreaming, 3, 0, "weir: flow 1: the body is still arriving: these are its first 3 bytes\n"},
		{"bytes missing", flowpb.BodyComplete, 10, 1, "weir: flow 1: only 3 of 10 bytes of the body are in the session\n"},
		{"cut, and bytes missing", flowpb.BodyCut, 10, 1, "weir: flow 1: only 3 of 10 bytes of the body are in the session\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			f := post("/", []byte("abc"))
			f.flow.GetHttp().GetRequest().Body = &flowpb.Body{State: tt.state, Size: tt.size}
			session := sessionOf(t, f)
			for _, as := range [][]string{nil, {"--as", "wire"}} {
				code, out, said := weir(t, append([]string{"show", session, "1", "--body", "request"}, as...)...)
				if code != tt.code || out != "abc" || said != tt.said {
					t.Errorf("%v: exit code %d, printed %q, said %q; want %d, %q, %q", as, code, out, said, tt.code, "abc", tt.said)
				}
			}
		})
	}
	// One that does not decode says both.
	f := post("/", []byte("abc"))
	q := f.flow.GetHttp().GetRequest()
	q.Headers, q.Body = fields("Content-Encoding: gzip"), &flowpb.Body{State: flowpb.BodyCut, Size: 3}
	code, _, said := weir(t, "show", sessionOf(t, f), "1", "--body", "request")
	if code != 1 || !strings.Contains(said, "cut off") || !strings.Contains(said, "decode the body") {
		t.Errorf("a cut body that does not decode: exit code %d, said %q", code, said)
	}
}
