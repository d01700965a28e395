package ws

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// TestConversations runs testdata/*.txt. UPDATE_GOLDEN=1 rewrites the events.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if os.Getenv("UPDATE_GOLDEN") != "" {
			rewrite(t, file)
		}
		for _, c := range readConversations(t, file) {
			t.Run(c.name, func(t *testing.T) {
				if diff := cmp.Diff(c.want, c.events(c.input)); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// rewrite replaces the events of every case in file by the present ones.
func rewrite(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := readConversations(t, file)
	var blocks []string
	for block := range strings.SplitSeq(strings.TrimRight(string(text), "\n"), "\n\n") {
		var out strings.Builder
		for line := range strings.SplitSeq(block, "\n") {
			if !strings.HasPrefix(line, "> ") {
				out.WriteString(line + "\n")
			}
		}
		if strings.Contains(block, "== ") {
			for line := range strings.Lines(all[0].events(all[0].input)) {
				out.WriteString("> " + line)
			}
			all = all[1:]
		}
		blocks = append(blocks, out.String())
	}
	if err := os.WriteFile(file, []byte(strings.Join(blocks, "\n")), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestAnyCutGivesTheSameEvents is the law that makes the Reader usable from
// sockets, from HTTP/2 streams and from packets alike.
func TestAnyCutGivesTheSameEvents(t *testing.T) {
	all := corpus(t)
	t.Run("bytes", func(t *testing.T) {
		for _, c := range all {
			if len(c.input) > 10_000 {
				continue // the random cuts have it
			}
			var pieces [][]byte
			for i := range c.input {
				pieces = append(pieces, c.input[i:i+1])
			}
			if diff := cmp.Diff(c.want, c.events(pieces...)); diff != "" {
				t.Errorf("%s, byte by byte (-want +got):\n%s", c.name, diff)
			}
		}
	})
	t.Run("random", rapid.MakeCheck(func(t *rapid.T) {
		c := rapid.SampledFrom(all).Draw(t, "case")
		var pieces [][]byte
		for rest := c.input; len(rest) > 0; {
			n := rapid.IntRange(1, len(rest)).Draw(t, "piece")
			pieces, rest = append(pieces, rest[:n]), rest[n:]
		}
		if diff := cmp.Diff(c.want, c.events(pieces...)); diff != "" {
			t.Errorf("%s in %d pieces (-want +got):\n%s", c.name, len(pieces), diff)
		}
	}))
}

// FuzzReader holds the cutting law for any bytes.
func FuzzReader(f *testing.F) {
	for _, c := range corpus(f) {
		f.Add(c.input[:min(len(c.input), 4<<10)], c.role == Server, c.extensions().Deflate, c.extensions().ClientNoContextTakeover, uint16(3))
	}
	f.Fuzz(func(t *testing.T, input []byte, server, deflate, alone bool, cut uint16) {
		c := conversation{role: Client, eof: true}
		if server {
			c.role = Server
		}
		if deflate {
			c.accepted = [][]byte{[]byte(permessageDeflate)}
		}
		if deflate && alone {
			c.accepted[0] = []byte(permessageDeflate + ";" + clientNoTakeover + ";" + serverNoTakeover)
		}
		at := int(cut) % (len(input) + 1)
		whole := c.events(input)
		if diff := cmp.Diff(whole, c.events(input[:at], input[at:])); diff != "" {
			t.Errorf("cut at %d (-whole +cut):\n%s", at, diff)
		}
	})
}

// TestReaderHoldsNoMessage reads messages of any size without allocating.
func TestReaderHoldsNoMessage(t *testing.T) {
	for name, ext := range map[string]string{"plain": "", "compressed": permessageDeflate} {
		t.Run(name, func(t *testing.T) {
			packer := newCompressor(true)
			payload, first := bytes.Repeat([]byte("abcdefghij"), 10_000), byte(0x82)
			if ext != "" {
				payload, first = packer.message(payload), 0xc2
			}
			key := [4]byte{1, 2, 3, 4}
			input := appendFrame(nil, first&^0x80, 0, true, key, payload[:len(payload)/2])
			input = appendFrame(input, 0x89, 0, true, key, []byte("ping"))
			input = appendFrame(input, 0x80, 0, true, key, payload[len(payload)/2:])
			r := NewReader(Client, Negotiate([][]byte{[]byte(ext)}, [][]byte{[]byte(ext)}), Limits{})
			size := 0
			read := func() {
				size = 0
				for rest := input; ; {
					n, ev, err := r.Feed(rest)
					rest = rest[n:]
					if err != nil || ev.Kind == NeedMore {
						return
					}
					if ev.Kind == Data && !ev.Control {
						size += len(ev.Data)
					}
				}
			}
			read() // buffers are made once
			if got := testing.AllocsPerRun(10, read); got > 0 {
				t.Errorf("allocations a message: got %v, want 0", got)
			}
			if size != 100_000 {
				t.Errorf("content: got %d bytes, want 100000", size)
			}
		})
	}
}

func BenchmarkReader(b *testing.B) {
	text := bytes.Repeat([]byte(`{"id":71,"sku":"A-9","price":1999},`), 1000)
	for _, bench := range []struct {
		name   string
		role   Role
		packed bool
	}{{"server", Server, false}, {"client, masked", Client, false}, {"server, compressed", Server, true}} {
		b.Run(bench.name, func(b *testing.B) {
			payload, first, ext := text, byte(0x81), ""
			if bench.packed {
				payload, first, ext = newCompressor(true).message(text), 0xc1, permessageDeflate
			}
			input := appendFrame(nil, first, 0, bench.role == Client, [4]byte{1, 2, 3, 4}, payload)
			r := NewReader(bench.role, Negotiate(nil, [][]byte{[]byte(ext)}), Limits{})
			b.SetBytes(int64(len(text)))
			b.ReportAllocs()
			for b.Loop() {
				for rest := input; ; {
					n, ev, err := r.Feed(rest)
					rest = rest[n:]
					if err != nil {
						b.Fatal(err)
					}
					if ev.Kind == NeedMore {
						break
					}
				}
			}
		})
	}
}
