package quic

import (
	"encoding/hex"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// load reads a datagram of RFC 9001, appendix A, in hexadecimal.
func load(t testing.TB, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	p, err := hex.DecodeString(strings.Join(strings.Fields(string(text)), ""))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestRFC9001 opens the example packets of the RFC.
func TestRFC9001(t *testing.T) {
	var i Initials
	client := load(t, "v1-client.txt")
	if !Begins(client) {
		t.Fatal("it is not taken for a beginning")
	}
	i.Take(0, client)
	c := i.Halves[0].Client
	if c == nil || string(c.ServerName) != "example.com" || len(c.Protocols) != 1 || string(c.Protocols[0]) != "alpn" {
		t.Fatalf("got %+v", c)
	}
	if got, want := c.JA4(), "q13d0211an_"; !strings.HasPrefix(got, want) {
		t.Errorf("JA4: got %s, want %s…", got, want)
	}
	i.Take(1, load(t, "v1-server.txt"))
	s := i.Halves[1].Server
	if s == nil || s.Version != 0x0304 || s.Cipher != 0x1301 || !i.Done() || i.Version != Version1 {
		t.Fatalf("got %+v", s)
	}
}

// TestRFC9369 seals the example of version 2 and compares how it begins.
func TestRFC9369(t *testing.T) {
	destination, err := hex.DecodeString("8394c8f03e515708")
	if err != nil {
		t.Fatal(err)
	}
	frames := append([]byte{frameCrypto, 0, 0x40, 0xf1}, hello(t)...)
	got := seal(t, Version2, destination, 2, frames)
	want := "d76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485dd04de806071bf03dceebfa162e75d6c96058bdb"
	if got := hex.EncodeToString(got); !strings.HasPrefix(got, want) {
		t.Errorf("got %.104s, want %s", got, want)
	}
	if got, want := hex.EncodeToString(seal(t, Version1, destination, 2, frames)), hex.EncodeToString(load(t, "v1-client.txt")); got != want {
		t.Errorf("version 1: got %.100s…, want %.100s…", got, want)
	}
}

// seal is the other direction of open: a client's Initial with that number and frames.
func seal(t testing.TB, version uint32, destination []byte, number byte, frames []byte) []byte {
	t.Helper()
	k, ok := initialKeys(version, destination, 0)
	if !ok {
		t.Fatal("no keys")
	}
	const size, padded = 4, 1162
	first := byte(0xc0 | size - 1)
	if version == Version2 {
		first |= 0x10
	}
	frames = append(slices.Clone(frames), make([]byte, max(0, padded-len(frames)))...)
	n := len(frames) + size + k.aead.Overhead()
	h := []byte{first, byte(version >> 24), byte(version >> 16), byte(version >> 8), byte(version), byte(len(destination))}
	h = append(append(h, destination...), 0, 0, 0x40|byte(n>>8), byte(n), 0, 0, 0, number)
	nonce := k.iv
	nonce[11] ^= number
	p := k.aead.Seal(slices.Clone(h), nonce[:], frames, h)
	at := len(h) - size
	var mask [16]byte
	k.header.Encrypt(mask[:], p[at+sampleAt:][:sampleLen])
	p[0] ^= mask[0] & 0x0f
	for i := range size {
		p[at+i] ^= mask[1+i]
	}
	return p
}

// cryptoFrame is a CRYPTO frame.
func cryptoFrame(at int, p []byte) []byte {
	return append([]byte{frameCrypto, 0x40 | byte(at>>8), byte(at), 0x40 | byte(len(p)>>8), byte(len(p))}, p...)
}

// hello is the ClientHello of the RFC's example.
func hello(t testing.TB) []byte {
	t.Helper()
	p, _, ok := cut(load(t, "v1-client.txt"))
	k, ok2 := initialKeys(Version1, p.destination, 0)
	frames, _, ok3 := k.open(p, 0)
	if !ok || !ok2 || !ok3 {
		t.Fatal("the example does not open")
	}
	return frames[4 : 4+0xf1]
}

// TestSplit reads a hello that comes in any pieces, in any order, some of them twice, over
// any number of packets, and behind a Retry.
func TestSplit(t *testing.T) {
	whole := hello(t)
	rapid.Check(t, func(r *rapid.T) {
		var pieces [][]byte
		for at := 0; at < len(whole); {
			n := rapid.IntRange(1, min(100, len(whole)-at)).Draw(r, "length")
			pieces = append(pieces, cryptoFrame(at, whole[at:at+n]))
			if rapid.Bool().Draw(r, "twice") {
				pieces = append(pieces, pieces[len(pieces)-1])
			}
			at += n
		}
		pieces = rapid.Permutation(pieces).Draw(r, "order")
		version := rapid.SampledFrom([]uint32{Version1, Version2}).Draw(r, "version")
		var i Initials
		// What a Retry undid: it is of other keys and says a part of the same.
		i.Take(0, seal(t, version, []byte("before a retry"), 0, cryptoFrame(0, whole[:10])))
		for number := byte(1); len(pieces) > 0; number++ {
			n := rapid.IntRange(1, len(pieces)).Draw(r, "frames")
			frames := []byte{framePing, frameACK, 0, 0, 0, 0}
			i.Take(0, seal(t, version, []byte("destination"), number, append(frames, slices.Concat(pieces[:n]...)...)))
			pieces = pieces[n:]
		}
		if c := i.Halves[0].Client; c == nil || string(c.ServerName) != "example.com" || i.Version != version {
			r.Fatalf("got %+v, version %x, %d packets", c, i.Version, i.packets)
		}
	})
}

// TestNumbers completes the example of RFC 9000, appendix A.3.
func TestNumbers(t *testing.T) {
	if got, want := complete(0x9b32, 2, 0xa82f30eb), uint64(0xa82f9b32); got != want {
		t.Errorf("got %#x, want %#x", got, want)
	}
}

// FuzzInitials sees that no datagram panics and that what is held stays bounded.
func FuzzInitials(f *testing.F) {
	f.Add(load(f, "v1-client.txt"), load(f, "v1-server.txt"))
	f.Add(seal(f, Version2, []byte("x"), 1, cryptoFrame(70, []byte("abc"))), []byte{0xc0, 0, 0, 0, 1, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, client, server []byte) {
		var i Initials
		for range 3 {
			i.Take(0, client)
			i.Take(1, server)
			i.Take(0, seal(t, Version1, []byte("dest"), 3, client[:min(len(client), 1000)]))
		}
		for _, s := range i.sides {
			if s.size > maxWaiting || len(s.waiting) > maxChunks {
				t.Fatalf("%d bytes wait in %d chunks", s.size, len(s.waiting))
			}
		}
	})
}
