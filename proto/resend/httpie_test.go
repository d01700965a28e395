package resend

import (
	"testing"

	flowpb "weir/proto"
)

// TestHTTPieItems holds how fields are written as HTTPie's request items, which was seen
// with HTTPie 3.2: "Name:value", but not where that would be "Name:=json", "Name:@file"
// or an escape.
func TestHTTPieItems(t *testing.T) {
	const start, end = "http --ignore-stdin GET http://a.test/ ", " Accept: Accept-Encoding: User-Agent:"
	for line, want := range map[string]string{
		"X: a=b@c:d;e": "'X:a=b@c:d;e'",
		"X: @file":     `'X:\@file'`,
		"X: =1":        `'X:\=1'`,
		"X: :1":        `'X:\:1'`,
		"X: ;":         `'X:\;'`,
		`X: C:\dir\`:   `'X:C:\dir\'`,
		"X: ":          "'X;'",
		`X: a\=b`:      "",
		"X: a\rb":      "",
		"X: caf\xe9":   "",
	} {
		q := &flowpb.Request{Method: []byte("GET"), Scheme: []byte("http"), Path: []byte("/"), Headers: fields(line)}
		got, err := HTTPie(&Request{Head: q, Route: "a.test"})
		if want == "" {
			if err == nil {
				t.Errorf("%q: got %q, want an error", line, got)
			}
			continue
		}
		if want = start + want + end; err != nil || got != want {
			t.Errorf("%q: got %q, %v, want %q", line, got, err, want)
		}
	}
	q := &flowpb.Request{Method: []byte("GET"), Scheme: []byte("http"), Path: []byte("/a/../b")}
	if got, err := HTTPie(&Request{Head: q, Route: "a.test"}); err == nil {
		t.Errorf("got %q for a target that HTTPie rewrites, want an error", got)
	}
}
