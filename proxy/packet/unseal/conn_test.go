package unseal

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// TestSuites opens every suite of crypto/tls in every version that has it.
func TestSuites(t *testing.T) {
	for _, s := range slices.Concat(tls.CipherSuites(), tls.InsecureCipherSuites()) {
		for _, version := range s.SupportedVersions {
			if version >= tls.VersionTLS13 && s.ID != tls.TLS_AES_128_GCM_SHA256 {
				continue // cannot be chosen; TestRecordings has the others
			}
			t.Run(fmt.Sprintf("%s %s", s.Name, tls.VersionName(version)), func(t *testing.T) {
				var rec recording
				cfg := func() *tls.Config {
					return &tls.Config{MinVersion: version, MaxVersion: version, CipherSuites: []uint16{s.ID}} //nolint:gosec // old ones are what is tried
				}
				long := strings.Repeat("long ", 9000)
				converse(t, &rec, cfg(), cfg(), "one", "two and more", long)
				c := conn(rec.keys.String())
				want := "> one\n< ONE\n> two and more\n< TWO AND MORE\n> " + long + "\n< " + strings.ToUpper(long)
				if got := hear(t, c, rec.said); got != want {
					t.Errorf("got  %.200q\nwant %.200q", got, want)
				}
				if !c.Done() || len(c.Halves[1].Certificates) != 1 {
					t.Errorf("handshake done: %v, %d certificates", c.Done(), len(c.Halves[1].Certificates))
				}
			})
		}
	}
}

// TestHandshakes opens connections that do not begin like the others.
func TestHandshakes(t *testing.T) {
	var shared Shared
	var keys string // of all connections so far
	cache := tls.NewLRUClientSessionCache(4)
	for _, c := range []struct {
		name           string
		client, server *tls.Config
		resumed        bool
	}{
		{"hello retry", &tls.Config{CurvePreferences: []tls.CurveID{tls.X25519, tls.CurveP384}}, &tls.Config{CurvePreferences: []tls.CurveID{tls.CurveP384}}, false},
		{"first of 1.3", &tls.Config{ClientSessionCache: cache}, &tls.Config{}, false},
		{"resumed 1.3", &tls.Config{ClientSessionCache: cache}, &tls.Config{}, true},
		{"first of 1.2", &tls.Config{ClientSessionCache: cache, MaxVersion: tls.VersionTLS12}, &tls.Config{}, false},
		{"resumed 1.2", &tls.Config{ClientSessionCache: cache, MaxVersion: tls.VersionTLS12}, &tls.Config{}, true},
		{"client certificate", &tls.Config{Certificates: certificates()}, &tls.Config{ClientAuth: tls.RequireAnyClientCert}, false},
		{"protocol", &tls.Config{NextProtos: []string{"h2"}}, &tls.Config{NextProtos: []string{"h2"}}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			var rec recording
			c.server.SetSessionTicketKeys([][32]byte{{1}})
			converse(t, &rec, c.client, c.server, "one", "two")
			keys += rec.keys.String()
			u := conn(keys)
			u.shared = &shared // crypto/tls logs the secrets of a session of TLS 1.2 once
			if got, want := hear(t, u, rec.said), "> one\n< ONE\n> two\n< TWO"; got != want {
				t.Errorf("got %q, want %q", got, want)
			}
			if got := len(u.Halves[1].Certificates) == 0; got != c.resumed {
				t.Errorf("resumed: got %v, want %v", got, c.resumed)
			}
			if got, want := len(u.Halves[0].Certificates), len(c.client.Certificates); min(1, want) != got {
				t.Errorf("got %d certificates of the client, want %d", got, min(1, want))
			}
			if want := c.client.NextProtos; len(want) > 0 && string(u.Halves[1].Server.Protocol) != want[0] {
				t.Errorf("protocol: got %q, want %q", u.Halves[1].Server.Protocol, want)
			}
		})
	}
}

// TestCuts holds the law of parsers: however the bytes are cut, the same comes out.
func TestCuts(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		var rec recording
		converse(t, &rec, &tls.Config{MaxVersion: version}, &tls.Config{}, "one", "two", strings.Repeat("x", 20000)) //nolint:gosec // both are good
		want := hear(t, conn(rec.keys.String()), rec.said)
		rapid.Check(t, func(r *rapid.T) {
			var said []piece
			for _, s := range rec.said {
				for p := s.p; len(p) > 0; {
					n := rapid.IntRange(1, len(p)).Draw(r, "length")
					said = append(said, piece{s.from, p[:n]})
					p = p[n:]
				}
			}
			if got := hear(t, conn(rec.keys.String()), said); got != want {
				r.Fatalf("got %.200q, want %.200q", got, want)
			}
		})
	}
}

// TestKeys is what comes of a key log that does not have what is needed.
func TestKeys(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		var rec, other recording
		converse(t, &rec, &tls.Config{MaxVersion: version}, &tls.Config{}, "one")   //nolint:gosec // both are good
		converse(t, &other, &tls.Config{MaxVersion: version}, &tls.Config{}, "one") //nolint:gosec // both are good
		good, bad := rec.keys.String(), other.keys.String()
		for name, c := range map[string]struct{ keys, want string }{
			"none":  {"", "lost: the key log has no secrets of this connection"},
			"other": {bad, "lost: the key log has no secrets of this connection"},
			// The other connection's secrets under this one's random.
			"wrong": {strings.ReplaceAll(bad, random(bad), random(good)), "lost: the secrets in the key log do not fit"},
			"cut":   {good[:len(good)/3], "lost: the key log has "},
		} {
			t.Run(name+" "+tls.VersionName(version), func(t *testing.T) {
				u := conn(c.keys)
				got := hear(t, u, rec.said)
				if !strings.Contains(got, c.want) || strings.Contains(got, "one") {
					t.Errorf("got %q, %d records opened; want %q", got, u.Opened, c.want)
				}
			})
		}
	}
}

// random is the client's random in the first line of a key log.
func random(keys string) string { return strings.Fields(keys)[1] }

// TestWithoutHandshakeKeys opens TLS 1.3 with the secrets of its data alone, as some
// programs log them.
func TestWithoutHandshakeKeys(t *testing.T) {
	var rec recording
	converse(t, &rec, &tls.Config{}, &tls.Config{}, "one", "two")
	var keys []string
	for line := range strings.Lines(rec.keys.String()) {
		if strings.Contains(line, "TRAFFIC_SECRET_0") {
			keys = append(keys, line)
		}
	}
	u := conn(strings.Join(keys, ""))
	if got, want := hear(t, u, rec.said), "> one\n< ONE\n> two\n< TWO"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestOrder opens what the client says although it was captured before the server's
// hello.
func TestOrder(t *testing.T) {
	for _, version := range []uint16{tls.VersionTLS12, tls.VersionTLS13} {
		var rec recording
		converse(t, &rec, &tls.Config{MaxVersion: version}, &tls.Config{}, "one", "two") //nolint:gosec // both are good
		said := slices.Clone(rec.said)
		slices.SortStableFunc(said, func(a, b piece) int { return a.from - b.from })
		if got, want := hear(t, conn(rec.keys.String()), said), "> onetwo\n< ONETWO"; got != want {
			t.Errorf("%s: got %q, want %q", tls.VersionName(version), got, want)
		}
	}
}
