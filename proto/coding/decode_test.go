package coding

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"math"
	"runtime"
	"testing"

	"github.com/klauspost/compress/gzip"
)

func TestDecodeLimit(t *testing.T) {
	body := prose(10_000)
	for _, coding := range append([]string{"identity"}, codings...) {
		input := body
		if coding != "identity" {
			input = encode(t, body, coding)
		}
		for _, tt := range []struct {
			limit int64
			want  int
			err   error
		}{
			{math.MaxInt64, 10_000, nil},
			{10_001, 10_000, nil},
			{10_000, 10_000, nil},
			{9_999, 9_999, ErrTooLarge},
			{1, 1, ErrTooLarge},
			{0, 0, ErrTooLarge},
			{-1, 0, ErrTooLarge},
		} {
			got, err := Decode(input, header(coding), tt.limit)
			if !errors.Is(err, tt.err) || (err == nil) != (tt.err == nil) {
				t.Errorf("%s, limit %d: got error %v, want %v", coding, tt.limit, err, tt.err)
			}
			if len(got) != tt.want || !bytes.HasPrefix(body, got) {
				t.Errorf("%s, limit %d: got %d bytes, want a prefix of %d", coding, tt.limit, len(got), tt.want)
			}
		}
	}
	if got, err := Decode(nil, []string{"gzip"}, 0); err != nil || len(got) != 0 {
		t.Errorf("nothing, limit 0: got %d bytes, %v", len(got), err)
	}
}

func TestDecodeUnknown(t *testing.T) {
	if _, err := Decode([]byte("x"), []string{"dcb"}, 10); err == nil {
		t.Error("an unknown coding was accepted")
	}
}

// Bombs of every coding stop at the limit, and take memory for the limit and
// one decoder, not for what they claim to hold.
func TestBombs(t *testing.T) {
	const limit = 1 << 20
	zeros := make([]byte, 64<<20)
	for _, coding := range codings {
		bomb := encode(t, zeros, coding)
		var got []byte
		var err error
		allocated := allocatedBy(func() { got, err = Decode(bomb, header(coding), limit) })
		if !errors.Is(err, ErrTooLarge) || len(got) != limit {
			t.Errorf("%s: got %d bytes, %v, want %d and ErrTooLarge", coding, len(got), err, limit)
		}
		if allocated > 48<<20 {
			t.Errorf("%s: allocated %d MB for a limit of 1 MB", coding, allocated>>20)
		}
	}
}

// A bomb between two codings, which gives no output itself, ends as well:
// gzip members that hold nothing, 8 MB of them, coded once more.
func TestBombBetween(t *testing.T) {
	empty := encode(t, nil, "gzip")
	var outer bytes.Buffer
	w, err := gzip.NewWriterLevel(&outer, gzip.BestSpeed)
	if err != nil {
		t.Fatal(err)
	}
	chunk := bytes.Repeat(empty, 1<<20/len(empty))
	for range 8 {
		if _, err := w.Write(chunk); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	got, err := Decode(outer.Bytes(), []string{"gzip", "gzip"}, 1<<20)
	if !errors.Is(err, ErrTooLarge) || len(got) != 0 {
		t.Errorf("got %d bytes, %v, want ErrTooLarge", len(got), err)
	}
}

// Frame headers that claim huge windows or contents are refused or cost nothing.
func TestZstdClaims(t *testing.T) {
	magic := []byte{0x28, 0xb5, 0x2f, 0xfd}
	claims := map[string][]byte{
		"window of 3.75 TB":   append(magic[:4:4], 0x00, 0xff),
		"window of 16 MB":     append(magic[:4:4], 0x00, (24-10)<<3),
		"content of 2^63":     binary.LittleEndian.AppendUint64(append(magic[:4:4], 0xe0), 1<<63),
		"content of 1 GB":     binary.LittleEndian.AppendUint32(append(magic[:4:4], 0xa0), 1<<30),
		"window of 8 MB, cut": append(magic[:4:4], 0x00, (23-10)<<3, 0x01, 0x00),
	}
	for name, input := range claims {
		var err error
		allocated := allocatedBy(func() { _, err = Decode(input, []string{"zstd"}, math.MaxInt64) })
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if allocated > 32<<20 {
			t.Errorf("%s: allocated %d MB", name, allocated>>20)
		}
	}
}

func allocatedBy(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Whatever the bytes, decoding ends, keeps to the limit, and one way of reading
// agrees with the other.
func FuzzDecode(f *testing.F) {
	body := prose(500)
	for i, coding := range codings {
		f.Add(encode(f, body, coding), byte(i))
		f.Add(encode(f, body, coding, "gzip"), byte(i|1<<3))
	}
	f.Add([]byte("plain"), byte(0))
	f.Fuzz(func(t *testing.T, data []byte, pick byte) {
		const limit = 1 << 16
		stack := []string{header(codings[int(pick&7)%len(codings)])[0]}
		if pick&8 != 0 {
			stack = append(stack, "gzip")
		}
		got, err := Decode(data, stack, limit)
		if len(got) > limit {
			t.Fatalf("got %d bytes, limit %d", len(got), limit)
		}
		r, openErr := NewReader(bytes.NewReader(data), stack)
		if openErr != nil {
			t.Fatal(openErr)
		}
		defer r.Close()
		streamed, _ := io.ReadAll(io.LimitReader(r, int64(len(got))))
		if !bytes.Equal(got, streamed) {
			t.Fatalf("Decode gave %d bytes (%v), NewReader others", len(got), err)
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	body := prose(64 << 10)
	for _, coding := range codings {
		input := encode(b, body, coding)
		b.Run(coding, func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(body)))
			for b.Loop() {
				if _, err := Decode(input, header(coding), 1<<20); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
