package e2e

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
)

// haproxyBefore starts haproxy as a front whose one server, spoken to in HTTP/2
// without TLS, is at addr.
func haproxyBefore(t *testing.T, addr string) string {
	t.Helper()
	need(t, "haproxy")
	front := free(t)
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	write(t, file, fmt.Sprintf(`defaults
  mode http
  timeout client 30s
  timeout connect 5s
  timeout server 30s
listen front
  bind %s
  server weir %s proto h2
`, front, addr))
	background(t, front, "haproxy", "-db", "-f", file)
	return front
}

// direct is curl without a proxy.
func direct(t *testing.T, args ...string) string {
	t.Helper()
	return string(run(t, "curl", append([]string{"--silent", "--show-error", "--fail", "--max-time", "60", "--noproxy", "*"}, args...)...))
}

// Clients of HTTP/2 reach a server that knows HTTP/1 alone: in a tunnel, before a
// reverse proxy, and behind another proxy's HTTP/2.
func TestHTTP2ClientsOfNginx(t *testing.T) {
	need(t, "curl")
	s := startNginx(t)
	r := record(t, "--mode", "regular@0", "--mode", "reverse:http://"+s.plain+"@0")
	reverse := second(t, r)
	if got := string(curl(t, r, "--proxytunnel", "--http2-prior-knowledge", "http://"+s.plain+"/")); got != s.greeting {
		t.Errorf("in a tunnel: got %q", got)
	}
	if got := direct(t, "--http2-prior-knowledge", "http://"+reverse+"/"); got != s.greeting {
		t.Errorf("reverse: got %q", got)
	}
	for _, version := range []string{"--http1.0", "--http1.1", "--http2-prior-knowledge"} {
		front := haproxyBefore(t, reverse)
		if got := direct(t, version, "http://"+front+"/"); got != s.greeting {
			t.Errorf("behind haproxy, %s: got %q", version, got)
		}
		want := direct(t, "http://"+s.plain+"/big")
		if got := direct(t, version, "http://"+front+"/big"); got != want || len(got) != 1<<20 {
			t.Errorf("behind haproxy, %s: got %d bytes, want %d", version, len(got), len(want))
		}
	}
	complete(t, r.Session, 8, "~c 200")
	for _, f := range query(t, r.Session) {
		text := string(run(t, weirBinary, "show", r.Session, fmt.Sprint(f.ID), "--format", "text"))
		if !strings.Contains(text, "HTTP/2") || !strings.Contains(text, "HTTP/1.1") {
			t.Errorf("flow %d does not say what each side spoke:\n%s", f.ID, text)
		}
	}
	r.stop()
}

// Clients of HTTP/1 reach a server that is spoken to in HTTP/2.
func TestHTTP1ClientsOfHaproxy(t *testing.T) {
	need(t, "curl")
	s := startHaproxy(t)
	r := record(t, "--mode", "reverse:h2c://"+s.plain)
	want := direct(t, "http://"+s.plain+"/big")
	for _, version := range []string{"--http1.0", "--http1.1", "--http2-prior-knowledge"} {
		got := direct(t, version, "http://"+r.Addr+"/") + direct(t, version, "http://"+r.Addr+"/big")
		if got != s.greeting+want {
			t.Errorf("%s: got %d bytes, want %d", version, len(got), len(s.greeting+want))
		}
	}
	if code := direct(t, "--head", "--output", "/dev/null", "--write-out", "%{http_code}", "http://"+r.Addr+"/big"); code != "200" {
		t.Errorf("HEAD: got %s", code)
	}
	complete(t, r.Session, 7, "~c 200")
	r.stop()
}

// A hundred streams at once before a server that answers one request at a time.
func TestH2loadOfNginx(t *testing.T) {
	need(t, "h2load")
	s := startNginx(t)
	r := record(t, "--mode", "reverse:http://"+s.plain)
	const requests = 2000
	out := string(run(t, "h2load", "-n", fmt.Sprint(requests), "-c", "2", "-m", "100", "http://"+r.Addr+"/"))
	if want := fmt.Sprintf("%d succeeded, 0 failed, 0 errored", requests); !strings.Contains(out, want) {
		t.Errorf("h2load does not say %q:\n%s", want, out)
	}
	complete(t, r.Session, requests, "~c 200")
	r.stop()
}
