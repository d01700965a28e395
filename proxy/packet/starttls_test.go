package packet

import (
	"crypto/tls"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	flowpb "weir/proto"
)

// upgrades are how clients and servers agree on TLS, each line behind who says it.
var upgrades = map[string][]string{
	"SMTP":       {"S:220 x.test ESMTP\r\n", "C:EHLO me\r\n", "S:250-x.test\r\n250 STARTTLS\r\n", "C:STARTTLS\r\n", "S:220 go ahead\r\n"},
	"IMAP":       {"S:* OK ready\r\n", "C:a STARTTLS\r\n", "S:a OK begin\r\n"},
	"POP3":       {"S:+OK ready\r\n", "C:STLS\r\n", "S:+OK begin\r\n"},
	"FTP":        {"S:220 ready\r\n", "C:AUTH TLS\r\n", "S:234 go ahead\r\n"},
	"LDAP":       {"C:\x30\x1d\x02\x01\x01\x77\x18\x80\x161.3.6.1.4.1.1466.20037", "S:\x30\x0c\x02\x01\x01\x78\x07\x0a\x01\x00\x04\x00\x04\x00"},
	"XMPP":       {"C:<stream:stream to='x.test'>", "S:<stream:features/>", "C:<starttls/>", "S:<proceed/>"},
	"PostgreSQL": {"C:\x00\x00\x00\x08\x04\xd2\x16\x2f", "S:S"},
	"MySQL":      {"S:\x4a\x00\x00\x00\x0a8.0\x00", "C:\x20\x00\x00\x01\x00\x08\x00\x00"},
}

func TestStartTLS(t *testing.T) {
	said := handshakes(t, &tls.Config{InsecureSkipVerify: true, ServerName: "x.test", MaxVersion: tls.VersionTLS12}) //nolint:gosec // nothing is protected
	for name, lines := range upgrades {
		t.Run(name, func(t *testing.T) {
			rapid.Check(t, func(r *rapid.T) {
				w := newWire(t, Options{}).open()
				cut := func(from int, text string) {
					for text != "" {
						n := rapid.IntRange(1, len(text)).Draw(r, "length")
						w.say(from, text[:n])
						text = text[n:]
					}
				}
				want := [2]string{}
				for _, line := range lines {
					who, text, _ := strings.Cut(line, ":")
					from := strings.Index("CS", who)
					want[from] += text
					cut(from, text)
				}
				for _, s := range said {
					cut(s.from, string(s.p))
				}
				w.shut()
				if got := len(w.sink.flows); got != 2 {
					r.Fatalf("got %d flows, want 2:\n%s", got, story(w.sink))
				}
				got := [2]string{}
				for _, m := range w.sink.messages[1] {
					got[index(m.GetSide())] += string(m.GetContent())
				}
				if diff := cmp.Diff(want, got); diff != "" {
					r.Fatalf("before TLS (-want +got):\n%s", diff)
				}
				info := w.sink.conns[0].GetTls()
				if string(info.GetSni()) != "x.test" || info.GetVersion() != "TLSv1.2" || len(info.GetCertificates()) != 1 {
					r.Fatalf("got %v", info)
				}
				for i, want := range []string{"10.0.0.2:80", "x.test:80"} {
					if got := string(w.sink.flows[i].GetServer()); got != want {
						r.Fatalf("server of flow %d: got %q, want %q", i+1, got, want)
					}
				}
			})
		})
	}
}

// TestNoStartTLS sees that what only resembles a ClientHello stays what it is.
func TestNoStartTLS(t *testing.T) {
	for _, said := range []string{"\x16\x03", "\x16\x03\x01\x02\x00\x01", "\x16\x03\x01\x00\x05\x01\xff\x00\x00\x09\x09more", "\x16\x03\x01\x02\x00\x01\x00\x00\x05\x03\x03..."} {
		w := newWire(t, Options{}).open().say(1, "220 hello\r\n")
		for _, p := range strings.Split(said, "") {
			w.say(0, p)
		}
		w.say(1, "what?").shut()
		got := ""
		for _, m := range w.sink.messages[1] {
			if m.GetSide() == flowpb.SideRequest {
				got += string(m.GetContent())
			}
		}
		if len(w.sink.flows) != 1 || got != said {
			t.Errorf("got %d flows and %q of the client, want 1 and %q", len(w.sink.flows), got, said)
		}
	}
}
