package packet

import (
	"bytes"
	"crypto/ed25519"
	"crypto/tls"
	"crypto/x509"
	"io"
	"math/big"
	"net"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	framer "golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"
	"pgregory.net/rapid"

	flowpb "weir/proto"
	"weir/proxy/packet/unseal"
)

// keyLog is secrets that are there from the beginning.
type keyLog struct {
	unseal.Log
	more bool
}

// Find implements Keys.
func (k *keyLog) Find(r unseal.Random) (*unseal.Secrets, bool) { return k.Log.Find(r), k.more }

func keysOf(text string) *keyLog {
	k := &keyLog{}
	k.Add([]byte(text))
	return k
}

// certificate is one that nobody trusts.
func certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"x.test"}, NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(nil, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// line is one thing that is said inside TLS.
type line struct {
	from int
	text string
}

// sealed lets crypto/tls say lines and returns the bytes and the key log of it.
func sealed(t *testing.T, client, server *tls.Config, lines ...line) (said []segment, keys string) {
	t.Helper()
	var log bytes.Buffer
	client.ServerName, client.InsecureSkipVerify, client.KeyLogWriter = "x.test", true, &log
	server.Certificates = []tls.Certificate{certificate(t)}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	near, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	far, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer far.Close()
	var mu sync.Mutex
	ends := [2]*tls.Conn{tls.Client(tap{near, 0, &mu, &said}, client), tls.Server(tap{far, 1, &mu, &said}, server)}
	done := make(chan struct{})
	go func() {
		defer close(done)
		if ends[1].Handshake() != nil { // before anything is read, so that it is told
			_ = far.Close()
		}
	}()
	err = ends[0].Handshake()
	if <-done; err != nil && len(lines) > 0 {
		t.Fatal(err)
	}
	for _, s := range lines {
		if _, err := io.WriteString(ends[s.from], s.text); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(ends[1-s.from], make([]byte, len(s.text))); err != nil {
			t.Fatal(err)
		}
	}
	for _, end := range ends {
		_ = end.CloseWrite()
	}
	return said, log.String()
}

// secureWire is a connection to a port of HTTPS.
func secureWire(t testing.TB, keys Keys) *wire {
	w := newWire(t, Options{Keys: keys})
	w.server = netip.AddrPortFrom(w.server.Addr(), 443)
	return w.open()
}

// speak says all segments, each cut as next says.
func speak(w *wire, said []segment, next func(rest int) int) *wire {
	for _, s := range said {
		for text := string(s.p); text != ""; {
			n := next(len(text))
			w.say(s.from, text[:n])
			text = text[n:]
		}
	}
	return w
}

func whole(rest int) int { return rest }

// TestUnsealed reads what is inside TLS as if it were not.
func TestUnsealed(t *testing.T) {
	socket := "\x81\x02hi"
	for _, c := range []struct {
		name           string
		client, server *tls.Config
		lines          []line
		want           string
	}{
		{
			"1.3", &tls.Config{}, &tls.Config{},
			[]line{{0, get}, {1, ok2}, {0, post}, {1, ok10}},
			"http complete GET https://x.test/a -> 200 \"ok\"\nhttp complete POST https://x.test/b \"hello\" -> 200 \"0123456789\"\n",
		},
		{
			"1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, &tls.Config{}, []line{{0, get}, {1, ok2}}, //nolint:gosec // it is good
			"http complete GET https://x.test/a -> 200 \"ok\"\n",
		},
		{
			"WebSocket", &tls.Config{}, &tls.Config{},
			[]line{{0, socketRequest}, {1, socketAnswer}, {1, socket}},
			"http complete GET https://x.test/ -> 101 <\"hi\"\n",
		},
		{
			"no HTTP", &tls.Config{}, &tls.Config{},
			[]line{{1, "220 hello\r\n"}, {0, "QUIT\r\n"}, {1, "221 bye\r\n"}},
			"tcp complete <\"220 hello\\r\\n\" >\"QUIT\\r\\n\" <\"221 bye\\r\\n\"\n",
		},
	} {
		t.Run(c.name, func(t *testing.T) {
			said, keys := sealed(t, c.client, c.server, c.lines...)
			rapid.Check(t, func(r *rapid.T) {
				w := speak(secureWire(t, keysOf(keys)), said, func(rest int) int { return rapid.IntRange(1, rest).Draw(r, "length") }).shut()
				if got := story(w.sink); got != c.want {
					r.Fatal(cmp.Diff(c.want, got))
				}
				i := w.sink.conns[0].GetTls()
				if len(w.sink.conns) != 1 || string(i.GetSni()) != "x.test" || i.GetCipher() == "" || len(i.GetHello().GetJa4()) != 36 ||
					len(i.GetCertificates()) != 1 || w.sink.conns[0].GetTlsNs() == 0 {
					r.Fatalf("got %v", w.sink.conns)
				}
				if s := w.a.Stats(); s.TLS != 1 || s.Opened != 1 {
					r.Fatalf("got %+v", s)
				}
			})
		})
	}
}

// TestUnsealedHTTP2 takes the protocol from the encrypted part of the handshake.
func TestUnsealedHTTP2(t *testing.T) {
	var head, answer bytes.Buffer
	fields := func(b *bytes.Buffer, pairs ...string) []byte {
		b.Reset()
		e := hpack.NewEncoder(b)
		for i := 0; i < len(pairs); i += 2 {
			if err := e.WriteField(hpack.HeaderField{Name: pairs[i], Value: pairs[i+1]}); err != nil {
				t.Fatal(err)
			}
		}
		return b.Bytes()
	}
	var block bytes.Buffer
	head.WriteString(framer.ClientPreface)
	f := framer.NewFramer(&head, nil)
	_ = f.WriteSettings()
	_ = f.WriteHeaders(framer.HeadersFrameParam{StreamID: 1, EndHeaders: true, EndStream: true, BlockFragment: fields(&block, ":method", "GET", ":scheme", "https", ":authority", "x.test", ":path", "/two")})
	f = framer.NewFramer(&answer, nil)
	_ = f.WriteSettings()
	_ = f.WriteHeaders(framer.HeadersFrameParam{StreamID: 1, EndHeaders: true, BlockFragment: fields(&block, ":status", "200")})
	_ = f.WriteData(1, true, []byte("ok"))
	said, keys := sealed(t, &tls.Config{NextProtos: []string{"h2"}}, &tls.Config{NextProtos: []string{"h2"}}, line{0, head.String()}, line{1, answer.String()})
	w := speak(secureWire(t, keysOf(keys)), said, whole).shut()
	if got, want := story(w.sink), "http complete GET https://x.test/two -> 200 \"ok\"\n"; got != want {
		t.Error(cmp.Diff(want, got))
	}
	if got := string(w.sink.conns[0].GetTls().GetAlpn()); got != "h2" {
		t.Errorf("protocol: got %q, want h2", got)
	}
}

// TestSealed is what becomes of connections that cannot be opened: flows of their
// bytes that say why.
func TestSealed(t *testing.T) {
	said, keys := sealed(t, &tls.Config{}, &tls.Config{}, line{0, get}, line{1, ok2})
	_, others := sealed(t, &tls.Config{}, &tls.Config{}, line{0, get}, line{1, ok2})
	random := func(keys string) string { return strings.Fields(keys)[1] }
	for name, c := range map[string]struct {
		keys Keys
		run  func(w *wire)
		want string // why
	}{
		"no key log":        {nil, func(w *wire) { speak(w, said, whole) }, ""},
		"not in it":         {keysOf(others), func(w *wire) { speak(w, said, whole) }, "the key log has no secrets of this connection"},
		"wrong":             {keysOf(strings.ReplaceAll(others, random(others), random(keys))), func(w *wire) { speak(w, said, whole) }, "the secrets in the key log do not fit"},
		"never come":        {&keyLog{more: true}, func(w *wire) { speak(w, said, whole) }, "the key log has no secrets of this connection"},
		"not its beginning": {keysOf(keys), func(w *wire) { speak(w, said[len(said)-3:], whole) }, "the TLS handshake was not captured"},
	} {
		t.Run(name, func(t *testing.T) {
			w := secureWire(t, c.keys)
			c.run(w)
			w.shut()
			f := w.sink.flows[0]
			if len(w.sink.flows) != 1 || f.GetTcp() == nil || f.GetState() != flowpb.StateComplete {
				t.Fatalf("got %s", story(w.sink))
			}
			got := ""
			for _, m := range f.GetMeta() {
				got += m.GetKey() + ": " + m.GetValue()
			}
			if c.want != "" {
				c.want = "not decrypted: " + c.want
			}
			if got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if got := w.a.keyless; got != maxAllKeyless {
				t.Errorf("%d bytes may be held, want %d", got, maxAllKeyless)
			}
		})
	}
}

// TestLateKeys waits with what a connection says for secrets that come behind some of
// it, or behind its end.
func TestLateKeys(t *testing.T) {
	said, text := sealed(t, &tls.Config{}, &tls.Config{}, line{0, get}, line{1, ok2})
	first, _, _ := strings.Cut(text, "\n")
	for name, c := range map[string]struct {
		split int
		known string // from the beginning
	}{
		"in the middle": {len(said) - 1, ""}, "behind the end": {len(said), ""}, "one before, others behind": {len(said) - 1, first},
	} {
		t.Run(name, func(t *testing.T) {
			split, keys := c.split, &keyLog{more: true}
			keys.Add([]byte(c.known))
			w := speak(secureWire(t, keys), said[:split], whole)
			if split == len(said) {
				w.finish(0).finish(1)
			}
			if len(w.sink.flows) > 0 {
				t.Fatalf("got %s before there were secrets", story(w.sink))
			}
			keys.Add([]byte(text))
			if split < len(said) {
				speak(w, said[split:], whole).finish(0).finish(1)
			}
			w.end()
			if got, want := story(w.sink), "http complete GET https://x.test/a -> 200 \"ok\"\n"; got != want {
				t.Error(cmp.Diff(want, got))
			}
			if w.sink.conns[0].GetEndedNs() == 0 {
				t.Error("the connection has no end")
			}
			if got := w.a.keyless; got != maxAllKeyless {
				t.Errorf("%d bytes may be held, want %d", got, maxAllKeyless)
			}
		})
	}
}

// TestLiveKeys takes secrets that come without another packet, and gives up in time.
func TestLiveKeys(t *testing.T) {
	said, text := sealed(t, &tls.Config{}, &tls.Config{}, line{0, get}, line{1, ok2})
	for name, c := range map[string]struct {
		ends bool // before the secrets come
		keys string
		want string
	}{
		"open":  {false, text, "http complete GET https://x.test/a -> 200 \"ok\"\n"},
		"ended": {true, text, "http complete GET https://x.test/a -> 200 \"ok\"\n"},
		"none":  {true, "", "tcp complete"},
	} {
		t.Run(name, func(t *testing.T) {
			keys := &keyLog{more: true}
			w := newWire(t, Options{Keys: keys, Live: true})
			w.server = netip.AddrPortFrom(w.server.Addr(), 443)
			speak(w.open(), said, whole)
			if c.ends {
				w.finish(0).finish(1)
			}
			keys.Add([]byte(c.keys))
			for range 8 { // seconds
				w.at += second
				if err := w.a.Advance(t.Context(), w.at); err != nil {
					t.Fatal(err)
				}
			}
			if got := story(w.sink); !strings.HasPrefix(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
			w.end()
		})
	}
}

// TestSealedGap loses a record in the middle of a body: zeros stand for what it had.
func TestSealedGap(t *testing.T) {
	said, keys := sealed(t, &tls.Config{}, &tls.Config{}, line{0, get},
		line{1, "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n"}, line{1, "0123"}, line{1, "4567"}, line{1, "89"}, line{0, get}, line{1, ok2})
	w := secureWire(t, keysOf(keys))
	place := len(said) - 6 // two alerts at the end, the second exchange, "89"
	for i, s := range said {
		if i == place {
			w.lose(s.from, string(s.p))
			continue
		}
		w.say(s.from, string(s.p))
	}
	w.shut()
	want := "http complete GET https://x.test/a -> 200 \"0123\\x00\\x00\\x00\\x0089\" [4 missing of response at 4]\nhttp complete GET https://x.test/a -> 200 \"ok\"\n"
	if got := story(w.sink); got != want {
		t.Error(cmp.Diff(want, got))
	}
}

// TestUnsealedTunnel opens what a CONNECT leads to, and what STARTTLS does.
func TestUnsealedTunnel(t *testing.T) {
	said, keys := sealed(t, &tls.Config{}, &tls.Config{}, line{0, get}, line{1, ok2})
	w := newWire(t, Options{Keys: keysOf(keys)}).open()
	w.say(0, "CONNECT y.test:443 HTTP/1.1\r\nHost: y.test:443\r\n\r\n").say(1, "HTTP/1.1 200 OK\r\n\r\n")
	speak(w, said, whole).shut()
	if got, want := story(w.sink), "http complete CONNECT http://y.test:443 -> 200\nhttp complete GET https://x.test/a -> 200 \"ok\"\n"; got != want {
		t.Error(cmp.Diff(want, got))
	}
	said, keys = sealed(t, &tls.Config{}, &tls.Config{}, line{0, "EHLO me\r\n"}, line{1, "250 x.test\r\n"})
	w = newWire(t, Options{Keys: keysOf(keys)})
	w.server = netip.AddrPortFrom(w.server.Addr(), 25)
	w.open().say(1, "220 x.test\r\n").say(0, "STARTTLS\r\n").say(1, "220 go\r\n")
	speak(w, said, whole).shut()
	want := "tcp complete <\"220 x.test\\r\\n\" >\"STARTTLS\\r\\n\" <\"220 go\\r\\n\"\ntcp complete >\"EHLO me\\r\\n\" <\"250 x.test\\r\\n\"\n"
	if got := story(w.sink); got != want {
		t.Error(cmp.Diff(want, got))
	}
}

// TestUnsealedFailure learns from the encrypted alert why a handshake came to nothing.
func TestUnsealedFailure(t *testing.T) {
	said, keys := sealed(t, &tls.Config{}, &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert})
	w := speak(secureWire(t, keysOf(keys)), said, whole).shut()
	if got, want := w.sink.flows[0].GetError().GetMessage(), "the server gave up the TLS handshake: certificate required"; len(w.sink.flows) != 1 || got != want {
		t.Errorf("got %d flows, %q, want %q", len(w.sink.flows), got, want)
	}
	if got := len(w.sink.messages[1]); got == 0 {
		t.Error("the bytes of the handshake are not told")
	}
}

// TestUnsealedDNS reads DNS over TLS (RFC 7858).
func TestUnsealedDNS(t *testing.T) {
	query := "\x00\x1c\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01x\x04test\x00\x00\x01\x00\x01"
	query = string([]byte{0, byte(len(query) - 2)}) + query[2:]
	said, keys := sealed(t, &tls.Config{}, &tls.Config{}, line{0, query})
	w := newWire(t, Options{Keys: keysOf(keys)})
	w.server = netip.AddrPortFrom(w.server.Addr(), 853)
	speak(w.open(), said, whole).shut()
	if f := w.sink.flows[0]; len(w.sink.flows) != 1 || f.GetDns().GetRequest().GetId() != 0x1234 {
		t.Errorf("got %v", w.sink.flows)
	}
}
