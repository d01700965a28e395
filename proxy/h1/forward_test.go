package h1

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestToOrigin(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{
			"origin form stays, with all fields",
			"GET /a HTTP/1.1\r\nProxy-Connection: x\r\nA:1\r\n\r\n",
			"GET /a HTTP/1.1\r\nProxy-Connection: x\r\nA:1\r\n\r\n",
		},
		{
			"absolute form loses what is for the proxy",
			"GET http://h:80/a?b HTTP/1.1\r\nproxy-CONNECTION: x\r\nhost: h\r\nA:1\r\nProxy-Authorization: Basic eA==\r\nB:  2\r\n\r\n",
			"GET /a?b HTTP/1.1\r\nhost: h\r\nA:1\r\nB:  2\r\n\r\n",
		},
		{"no path", "GET http://h HTTP/1.1\r\nHost: h\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"a query without a path", "GET http://h?a HTTP/1.1\r\nHost: h\r\n\r\n", "GET /?a HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"OPTIONS of the server", "OPTIONS http://h HTTP/1.1\r\nHost: h\r\n\r\n", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n"},
		{"another Host stays", "GET http://h/ HTTP/1.1\r\nHost: other\r\n\r\n", "GET / HTTP/1.1\r\nHost: other\r\n\r\n"},
		{"a missing Host is put in", "GET http://u:p@h:8/ HTTP/1.0\r\nA: 1\r\n\r\n", "GET / HTTP/1.0\r\nHost: h:8\r\nA: 1\r\n\r\n"},
		{"bare LF stays", "GET http://h/ HTTP/1.1\nHost: h\n\n", "GET / HTTP/1.1\nHost: h\n\n"},
		{"folds stay", "GET http://h/ HTTP/1.1\r\nHost: h\r\nA: 1\r\n  2\r\n\r\n", "GET / HTTP/1.1\r\nHost: h\r\nA: 1\r\n  2\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, ev, err := NewReader(Request, Limits{Lenient: true}).Feed([]byte(tt.in))
			if err != nil {
				t.Fatal(err)
			}
			target, err := ParseTarget(ev.Head.Method, ev.Head.Target)
			if err != nil {
				t.Fatal(err)
			}
			rw := ToOrigin(ev.Head, target)
			if diff := cmp.Diff(tt.want, string(rw.Append(nil, ev.Head))); diff != "" {
				t.Errorf("forwarded (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRewrite(t *testing.T) {
	const in = "GET /a HTTP/1.1\r\nHOST: one\r\nA:1\r\nHost: two\r\nSecret: x\r\n\r\n"
	for _, tt := range []struct {
		name string
		rw   Rewrite
		want string
	}{
		{"nothing", Rewrite{}, in},
		{"host", Rewrite{Host: []byte("h")}, "GET /a HTTP/1.1\r\nHOST: h\r\nA:1\r\nHost: h\r\nSecret: x\r\n\r\n"},
		{"drop", Rewrite{Drop: []string{"secret", "host"}, Host: []byte("h")}, "GET /a HTTP/1.1\r\nA:1\r\n\r\n"},
		{"target", Rewrite{Target: []byte("/b"), Add: []byte("B: 2\r\n")}, "GET /b HTTP/1.1\r\nB: 2\r\nHOST: one\r\nA:1\r\nHost: two\r\nSecret: x\r\n\r\n"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, ev, err := NewReader(Request, Limits{Lenient: true}).Feed([]byte(in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, string(tt.rw.Append(nil, ev.Head))); diff != "" {
				t.Errorf("rewritten (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseTarget(t *testing.T) {
	for _, tt := range []struct {
		method, target                string
		form                          Form
		scheme, authority, host, path string
		port                          int
		err                           bool
	}{
		{"GET", "/a", OriginForm, "", "", "", "/a", 0, false},
		{"GET", "//h/a", OriginForm, "", "", "", "//h/a", 0, false},
		{"OPTIONS", "*", AsteriskForm, "", "", "", "*", 0, false},
		{"GET", "http://h/a?b#c", AbsoluteForm, "http", "h", "h", "/a?b#c", 0, false},
		{"GET", "HTTP://H:8080", AbsoluteForm, "HTTP", "H:8080", "H", "", 8080, false},
		{"GET", "http://h:", AbsoluteForm, "http", "h:", "h", "", 0, false},
		{"GET", "http://a:b@c:d@h:1?x", AbsoluteForm, "http", "h:1", "h", "?x", 1, false},
		{"GET", "http://[::1]:1/", AbsoluteForm, "http", "[::1]:1", "::1", "/", 1, false},
		{"GET", "http://[fe80::1%25eth0]/", AbsoluteForm, "http", "[fe80::1%25eth0]", "fe80::1%25eth0", "/", 0, false},
		{"CONNECT", "h:443", AuthorityForm, "", "h:443", "h", "", 443, false},
		{"CONNECT", "[::1]:443", AuthorityForm, "", "[::1]:443", "::1", "", 443, false},
		{"CONNECT", "h", AuthorityForm, "", "h", "h", "", 0, true},
		{"CONNECT", "h:0", AuthorityForm, "", "h:0", "", "", 0, true},
		{"CONNECT", "h:65536", AuthorityForm, "", "h:65536", "", "", 0, true},
		{"CONNECT", "::1:443", AuthorityForm, "", "::1:443", "", "", 0, true},
		{"CONNECT", ":443", AuthorityForm, "", ":443", "", "", 0, true},
		{"CONNECT", "http://h:443", AuthorityForm, "", "http://h:443", "", "", 0, true},
		{"GET", "h:80", 0, "", "", "", "", 0, true},
		{"GET", "http:///a", AbsoluteForm, "http", "", "", "/a", 0, true},
		{"GET", "http://h h/", AbsoluteForm, "http", "h h", "", "/", 0, true},
		{"GET", "http://h:x/", AbsoluteForm, "http", "h:x", "", "/", 0, true},
		{"GET", "http://h:99999999999999999999/", AbsoluteForm, "http", "h:99999999999999999999", "", "/", 0, true},
		{"GET", "a b://h/", 0, "", "", "", "", 0, true},
	} {
		got, err := ParseTarget([]byte(tt.method), []byte(tt.target))
		if (err != nil) != tt.err {
			t.Errorf("%s %s: error %v", tt.method, tt.target, err)
		}
		if got.Form != tt.form || string(got.Scheme) != tt.scheme || string(got.Authority) != tt.authority ||
			string(got.Host) != tt.host || string(got.Path) != tt.path || got.Port != tt.port {
			t.Errorf("%s %s: got %d %q %q %q %d %q", tt.method, tt.target, got.Form, got.Scheme, got.Authority, got.Host, got.Port, got.Path)
		}
	}
}
