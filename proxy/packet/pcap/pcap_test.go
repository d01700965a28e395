package pcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// all reads every packet; data is copied.
func all(t testing.TB, file []byte, secrets *[]string) (out []Packet, err error) {
	t.Helper()
	r, err := NewReader(bytes.NewReader(file))
	if err != nil {
		return nil, err
	}
	r.Secrets = func(p []byte) { *secrets = append(*secrets, string(p)) }
	for {
		p, err := r.Next()
		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return out, nil
		}
		if err != nil {
			return out, err
		}
		p.Data = bytes.Clone(p.Data)
		out = append(out, p)
	}
}

// file writes captures in a byte order.
type file struct {
	bytes.Buffer
	binary.AppendByteOrder
}

func (f *file) u32(v ...uint32) {
	for _, v := range v {
		f.Write(f.AppendUint32(nil, v))
	}
}

func classicFile(order binary.AppendByteOrder, magic uint32) []byte {
	f := file{AppendByteOrder: order}
	f.u32(magic, 0x00040002, 0, 0, 65535, 0x14000001) // Ethernet, with a frame check sequence
	for _, n := range []uint32{7, 8} {
		f.u32(1700000000, n, 3, 60)
		if magic == magicModified {
			f.u32(0, 0)
		}
		f.WriteString("abc")
	}
	return f.Bytes()
}

// block writes a pcapng block.
func (f *file) block(kind uint32, body ...[]byte) {
	p := bytes.Join(body, nil)
	for len(p)%4 != 0 {
		p = append(p, 0)
	}
	n := uint32(len(p) + 12)
	f.u32(kind, n)
	f.Write(p)
	f.u32(n)
}

func (f *file) words(v ...uint32) (out []byte) {
	for _, v := range v {
		out = f.AppendUint32(out, v)
	}
	return out
}

func ngFile(order binary.AppendByteOrder) []byte {
	f := file{AppendByteOrder: order}
	section := func() { f.block(blockSection, f.words(orderMagic, 0x00000001, 0xffffffff, 0xffffffff)) }
	section()
	half := func(v uint16) []byte { return f.AppendUint16(nil, v) }
	option := func(code uint16, v []byte) []byte {
		out := append(append(half(code), half(uint16(len(v)))...), v...)
		for len(out)%4 != 0 {
			out = append(out, 0)
		}
		return out
	}
	f.block(blockInterface, half(1), half(0), f.words(0))
	f.block(blockInterface, half(113), half(0), f.words(2), option(2, []byte("eth0")), option(9, []byte{9}), option(14, f.AppendUint64(nil, 10)), option(0, nil))
	f.block(0xbad, []byte("what nobody knows"))
	f.block(blockSecrets, f.words(secretsTLS, 6), []byte("A B C\n"))
	const micros = 1700000000_000007
	f.block(blockEnhanced, f.words(0, micros>>32, micros&0xffffffff, 3, 60), []byte("abc"), []byte{0}, option(1, []byte("a comment")))
	const nanos = 1700000000_000000009
	f.block(blockEnhanced, f.words(1, nanos>>32, nanos&0xffffffff, 4, 4), []byte("defg"))
	f.block(blockSimple, f.words(5), []byte("hijkl"))
	f.block(blockOldPacket, half(1), half(3), f.words(nanos>>32, nanos&0xffffffff, 1, 1), []byte("m"))
	section()
	f.block(blockInterface, half(101), half(0), f.words(0), option(9, []byte{0x80 | 10}))
	f.block(blockEnhanced, f.words(0, 0, 1<<10+1<<9, 1, 1), []byte("n"))
	return f.Bytes()
}

func TestFiles(t *testing.T) {
	classic := func(a, b int64) []Packet {
		return []Packet{
			{AtNs: a, Link: 1, Data: []byte("abc"), Length: 60, Offset: 24},
			{AtNs: b, Link: 1, Data: []byte("abc"), Length: 60, Offset: 43},
		}
	}
	modified := classic(1700000000_000007000, 1700000000_000008000)
	modified[1].Offset += 8
	ng := []Packet{
		{AtNs: 1700000000_000007000, Link: 1, Data: []byte("abc"), Length: 60},
		{AtNs: 1700000010_000000009, Link: 113, Data: []byte("defg"), Length: 4},
		{AtNs: 1700000010_000000009, Link: 1, Data: []byte("hijkl"), Length: 5},
		{AtNs: 1700000010_000000009, Link: 113, Data: []byte("m"), Length: 1},
		{AtNs: 1500000000, Link: 101, Data: []byte("n"), Length: 1},
	}
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		for _, c := range []struct {
			name    string
			file    []byte
			want    []Packet
			secrets []string
		}{
			{"microseconds", classicFile(order, magicMicro), classic(1700000000_000007000, 1700000000_000008000), nil},
			{"nanoseconds", classicFile(order, magicNano), classic(1700000000_000000007, 1700000000_000000008), nil},
			{"modified", classicFile(order, magicModified), modified, nil},
			{"pcapng", ngFile(order), ng, []string{"A B C\n"}},
		} {
			t.Run(c.name+" "+order.String(), func(t *testing.T) {
				var secrets []string
				got, err := all(t, c.file, &secrets)
				if err != nil {
					t.Fatal(err)
				}
				if c.name == "pcapng" {
					for i := range got {
						got[i].Offset = 0
					}
				}
				if diff := cmp.Diff(c.want, got); diff != "" {
					t.Errorf("(-want +got):\n%s", diff)
				}
				if diff := cmp.Diff(c.secrets, secrets); diff != "" {
					t.Errorf("secrets (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// TestCutAnywhere sees that every packet before a cut stands, and that the place of
// the cut is told.
func TestCutAnywhere(t *testing.T) {
	for _, whole := range [][]byte{classicFile(binary.LittleEndian, magicMicro), ngFile(binary.BigEndian)} {
		var secrets []string
		want, err := all(t, whole, &secrets)
		if err != nil {
			t.Fatal(err)
		}
		for n := range whole {
			got, err := all(t, whole[:n], &secrets)
			if len(got) > len(want) || len(got) > 0 && !cmp.Equal(got, want[:len(got)]) {
				t.Fatalf("cut at %d: got %v", n, got)
			}
			var e *Error
			if err != nil && (!errors.As(err, &e) || !errors.Is(err, io.ErrUnexpectedEOF) || e.Offset > int64(n)) {
				t.Fatalf("cut at %d: got %v, want the place", n, err)
			}
		}
	}
}

func TestLies(t *testing.T) {
	le := binary.LittleEndian
	ng := func(blocks func(*file)) []byte {
		f := file{AppendByteOrder: le}
		f.block(blockSection, f.words(orderMagic, 1, 0xffffffff, 0xffffffff))
		blocks(&f)
		return f.Bytes()
	}
	huge := file{AppendByteOrder: le}
	huge.u32(magicMicro, 0, 0, 0, 0, 1, 0, 0, 1<<30, 1<<30)
	for _, c := range []struct{ name, want string }{
		{"nothing" + "\x00", "too short"},
		{"no capture\x00GET / HTTP/1.1", "it begins with"},
		{"huge packet\x00" + huge.Buffer.String(), "the limit is"},
		{"huge block\x00" + string(ng(func(f *file) { f.u32(blockEnhanced, 1<<31) })), "the limit is"},
		{"tiny block\x00" + string(ng(func(f *file) { f.u32(blockEnhanced, 4) })), "a block of 4 bytes"},
		{"unknown interface\x00" + string(ng(func(f *file) { f.block(blockEnhanced, f.words(3, 0, 0, 0, 0)) })), "interface 3"},
		{"longer than its block\x00" + string(ng(func(f *file) {
			f.block(blockInterface, f.words(1, 0))
			f.block(blockEnhanced, f.words(0, 0, 0, 100, 100))
		})), "a packet of 100 bytes in a block of 0"},
		{"byte order\x00" + "\x0a\x0d\x0d\x0a\x1c\x00\x00\x00abcd" + strings.Repeat("x", 16), "unknown byte order"},
	} {
		name, content, _ := strings.Cut(c.name, "\x00")
		t.Run(name, func(t *testing.T) {
			var secrets []string
			_, err := all(t, []byte(content), &secrets)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want an error with %q", err, c.want)
			}
		})
	}
}

func FuzzReader(f *testing.F) {
	for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
		f.Add(classicFile(order, magicMicro))
		f.Add(ngFile(order))
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		var secrets []string
		packets, _ := all(t, file, &secrets)
		for _, p := range packets {
			if p.Length < len(p.Data) || len(p.Data) > len(file) {
				t.Fatalf("a packet of %d bytes, %d captured, of a file of %d", p.Length, len(p.Data), len(file))
			}
		}
	})
}
