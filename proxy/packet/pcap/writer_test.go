package pcap

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// What is written is read back: packets, their times to the nanosecond, secrets in
// their order, and comments where a block has them.
func TestWriteRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type packet struct {
			at            int64
			data, comment string
		}
		var want []packet
		var file bytes.Buffer
		w, err := NewWriter(&file, 101, "a program")
		if err != nil {
			t.Fatal(err)
		}
		secrets := rapid.StringMatching(`[A-Z_ 0-9a-f]{0,40}`).Draw(t, "secrets")
		if err := w.Secrets([]byte(secrets)); err != nil {
			t.Fatal(err)
		}
		for range rapid.IntRange(0, 4).Draw(t, "packets") {
			p := packet{rapid.Int64Range(0, 1<<62).Draw(t, "at"), string(rapid.SliceOf(rapid.Byte()).Draw(t, "data")), rapid.String().Draw(t, "comment")}
			want = append(want, p)
			if err := w.Packet(p.at, []byte(p.data), p.comment); err != nil {
				t.Fatal(err)
			}
		}
		r, err := NewReader(bytes.NewReader(file.Bytes()))
		if err != nil {
			t.Fatal(err)
		}
		told := ""
		r.Secrets = func(p []byte) { told += string(p) }
		for _, p := range want {
			got, err := r.Next()
			if err != nil {
				t.Fatal(err)
			}
			if got.AtNs != p.at || string(got.Data) != p.data || got.Link != 101 || got.Length != len(p.data) {
				t.Fatalf("got %+v, want %+v", got, p)
			}
			if !bytes.Contains(file.Bytes()[got.Offset:], []byte(p.comment)) {
				t.Fatalf("the comment %q is not behind the packet", p.comment)
			}
		}
		if _, err := r.Next(); !errors.Is(err, io.EOF) || told != secrets {
			t.Fatalf("behind the last: %v, secrets %q, want %q", err, told, secrets)
		}
	})
}

// Every block says its length twice, and the lengths add up, also where a comment is
// longer than an option can be.
func TestWriteBlocks(t *testing.T) {
	var file bytes.Buffer
	w, err := NewWriter(&file, 101, "x")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Packet(1, make([]byte, 3), strings.Repeat("c", 1<<17)); err != nil {
		t.Fatal(err)
	}
	if err := w.Packet(1, make([]byte, MaxPacket+1), ""); err == nil {
		t.Error("a packet that no reader takes was written")
	}
	blocks := 0
	for p := file.Bytes(); len(p) > 0; blocks++ {
		n := binary.LittleEndian.Uint32(p[4:])
		if n%4 != 0 || int(n) > len(p) || binary.LittleEndian.Uint32(p[n-4:]) != n {
			t.Fatalf("block %d says that it has %d bytes", blocks, n)
		}
		p = p[n:]
	}
	if blocks != 3 {
		t.Errorf("%d blocks, want 3", blocks)
	}
}

// What was captured is read back with its link type and the length that it had.
func TestWriteCaptured(t *testing.T) {
	var file bytes.Buffer
	w, err := NewWriter(&file, 1, "a program")
	if err != nil {
		t.Fatal(err)
	}
	want := []Packet{
		{AtNs: 1, Link: 1, Data: []byte("whole"), Length: 5},
		{AtNs: 2, Link: 276, Data: []byte("cut"), Length: 1500},
		{AtNs: 3, Link: 1, Data: []byte{}, Length: 60},
		{AtNs: 4, Link: 276, Data: []byte("again"), Length: 5},
	}
	for _, p := range want {
		if err := w.Captured(p); err != nil {
			t.Fatal(err)
		}
	}
	r, err := NewReader(&file)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range want {
		got, err := r.Next()
		if err != nil {
			t.Fatal(err)
		}
		if got.AtNs != p.AtNs || got.Link != p.Link || got.Length != p.Length || !bytes.Equal(got.Data, p.Data) {
			t.Errorf("got %+v, want %+v", got, p)
		}
	}
	if _, err := r.Next(); !errors.Is(err, io.EOF) {
		t.Errorf("behind the last: got %v, want the end", err)
	}
}
