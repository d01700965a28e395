package unseal

import (
	"bytes"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// replayed is a kept recording: lines of a key log, and what the client (>) and the
// server (<) said, in hexadecimal; a line of = begins the next connection.
type replayed struct {
	keys  string
	conns [][]piece
}

func load(t testing.TB, name string) replayed {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	out := replayed{conns: [][]piece{nil}}
	for line := range strings.Lines(string(text)) {
		last := len(out.conns) - 1
		switch line[0] {
		case '>', '<':
			p, err := hex.DecodeString(strings.TrimSpace(line[1:]))
			if err != nil {
				t.Fatal(err)
			}
			out.conns[last] = append(out.conns[last], piece{strings.IndexByte("><", line[0]), p})
		case '=':
			out.conns = append(out.conns, nil)
		case '#':
		default:
			out.keys += line
		}
	}
	return out
}

// TestRecordings opens what others than crypto/tls said: openssl s_client to s_server,
// which says most lines backwards, and the example of RFC 8448.
func TestRecordings(t *testing.T) {
	const usual = "> hello there\n\n< ereht olleh\n\n> how are you\n\n< uoy era woh\n"
	counted := make([]byte, 50)
	for i := range counted {
		counted[i] = byte(i)
	}
	for name, want := range map[string]string{
		"rfc8448-3.txt":           "> " + string(counted) + "\n< " + string(counted),
		"tls13-aes256.txt":        usual,
		"tls13-chacha.txt":        usual,
		"tls13-padding.txt":       usual,
		"tls13-update.txt":        "> hello there\n\n< ereht olleh\n\n> how are you\nand now\n\n< uoy era woh\n\n> good bye\n",
		"tls13-early.txt":         "> early bird\nhello there\n\n< hello client\n\n> how are you\n\n< hello client\n",
		"tls13-early-refused.txt": "> hello there\n\n< hello client\n\n> how are you\n\n< hello client\n",
		"tls12-cbc256-etm.txt":    usual,
		"tls12-cbc128-etm.txt":    usual,
		"tls12-dhe.txt":           usual,
		"tls12-ccm.txt":           usual,
		"tls12-ccm8.txt":          usual,
		"tls12-null.txt":          usual,
		"tls13-ccm.txt":           usual,
		"tls13-ccm8.txt":          usual,
		"tls11-etm.txt":           usual,
		"tls10-etm.txt":           usual,
		"tls12-renegotiation.txt": "> hello there\n\n< ereht olleh\n\n> how are you\n",
		"tls12-session-id.txt":    usual,
		"tls12-ticket.txt":        usual,
	} {
		t.Run(name, func(t *testing.T) {
			r := load(t, name)
			for i, said := range r.conns {
				c := conn(r.keys)
				if got := hear(t, c, said); got != want {
					t.Errorf("connection %d:\ngot  %q\nwant %q", i, got, want)
				}
				if c.Halves[1].Server == nil || !c.Done() {
					t.Errorf("connection %d: the handshake is not done", i)
				}
			}
		})
	}
}

// TestResumed opens a resumed session with the secrets of its first connection alone.
func TestResumed(t *testing.T) {
	for _, name := range []string{"tls12-session-id.txt", "tls12-ticket.txt"} {
		r := load(t, name)
		first, _, _ := strings.Cut(r.keys, "\n")
		var log Log
		log.Add([]byte(first))
		var shared Shared
		for i, said := range r.conns {
			if got := hear(t, New(log.Find, &shared), said); !strings.Contains(got, "uoy era woh") {
				t.Errorf("%s, connection %d: got %q", name, i, got)
			}
		}
	}
}

// TestLog reads key logs with what else is found in them.
func TestLog(t *testing.T) {
	random := bytes.Repeat([]byte{0xab}, 32)
	secret := strings.Repeat("01", 48)
	var log Log
	secrets := log.Add([]byte("# comment\n\nCLIENT_RANDOM " + hex.EncodeToString(random) + " " + secret + "\r\n" +
		"CLIENT_RANDOM " + hex.EncodeToString(random) + " 0102\nCLIENT_RANDOM 01 " + secret +
		"\nEXPORTER_SECRET " + strings.Repeat("ff", 32) + " " + secret + "\nSERVER_TRAFFIC_SECRET_0 " + strings.ToUpper(hex.EncodeToString(random)) + " xx\n" +
		"SERVER_TRAFFIC_SECRET_0 " + strings.ToUpper(hex.EncodeToString(random)) + " " + secret[:64]))
	got := log.Find(Random(random))
	if secrets != 2 || log.Len() != 1 || got == nil || len(got.of[master]) != 48 || len(got.of[serverTraffic]) != 32 {
		t.Errorf("got %d connections, %+v", log.Len(), got)
	}
	if got := log.Find(Random{}); got != nil {
		t.Errorf("got %+v for a connection that is not there", got)
	}
}

// FuzzConn sees that no bytes panic, that what is held stays bounded, and that a gap
// anywhere does neither.
func FuzzConn(f *testing.F) {
	names, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil || len(names) == 0 {
		f.Fatal("no recordings", err)
	}
	var log Log
	for _, name := range names {
		r := load(f, filepath.Base(name))
		log.Add([]byte(r.keys))
		var both [2][]byte
		for _, s := range r.conns[0] {
			both[s.from] = append(both[s.from], s.p...)
		}
		f.Add(both[0], both[1], 200, 1500, 10)
	}
	f.Fuzz(func(t *testing.T, client, server []byte, step, place, n int) {
		var l listener
		c := New(log.Find, &Shared{})
		step = max(1, step%4096)
		for at := 0; at < max(len(client), len(server)); at += step {
			for i, p := range [][]byte{client, server} {
				p = p[min(at, len(p)):min(at+step, len(p))]
				if place >= at && place < at+step && n > 0 {
					_ = c.Gap(i, int64(n), 0, l.take)
				}
				_ = c.Feed(i, p, 0, l.take)
				if s := c.sides[i]; len(s.buf) > maxHunt+2*(recordHeader+maxRecord)+step || s.earlySize > maxEarly {
					t.Fatalf("%d bytes are held, %d wait", len(s.buf), s.earlySize)
				}
			}
		}
		_ = c.Close(0, l.take)
	})
}
