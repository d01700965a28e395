package body_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"testing"

	"pgregory.net/rapid"

	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/fault"
	"weir/store/pack"
	"weir/store/rowid"
	"weir/store/storetest"
)

const insert = "INSERT INTO body (id, start, size, enc, data) VALUES (?, ?, ?, ?, ?)"

// stored is bodies of flows 1, 2 … as they were put into the table.
type stored struct {
	file   *storetest.File
	packer *pack.Packer
	bodies [][]byte
}

// put stores content in pieces that are drawn, some of them packed, or references to
// flow 1 where the body is the same.
func (s *stored) put(t *rapid.T, content []byte) {
	flow := uint64(len(s.bodies) + 1)
	shared := flow > 1 && bytes.Equal(content, s.bodies[0]) && rapid.Bool().Draw(t, "shared")
	number := 0
	for start := 0; start < len(content); number++ {
		size := min(rapid.IntRange(1, 2000).Draw(t, "piece"), len(content)-start)
		data, enc := any(content[start:start+size]), body.EncNone
		if packed := s.packer.Pack(content[start : start+size]); packed != nil && rapid.Bool().Draw(t, "packed") {
			data, enc = packed, body.EncZstd
		}
		if shared {
			data, enc = rowid.Piece(1, flowpb.SideResponse, 0), body.EncShared
		}
		s.file.Exec(t, insert, rowid.Piece(flow, flowpb.SideResponse, number), start, size, enc, data)
		start += size
	}
	s.bodies = append(s.bodies, content)
}

// drawBodies stores some bodies.
func drawBodies(t *rapid.T, f *storetest.File) *stored {
	f.Exec(t, "DELETE FROM body")
	packer, err := pack.NewPacker(body.PieceSize)
	if err != nil {
		t.Fatal(err)
	}
	s := &stored{file: f, packer: packer}
	first := bytes.Repeat([]byte(rapid.StringN(1, 9, 9).Draw(t, "word")), rapid.IntRange(1, 700).Draw(t, "times"))
	s.put(t, first)
	for range rapid.IntRange(0, 3).Draw(t, "more") {
		s.put(t, rapid.SampledFrom([][]byte{first, []byte("another"), bytes.Repeat([]byte("long "), 900)}).Draw(t, "content"))
	}
	return s
}

// TestRead reads what was stored, whole and from anywhere, however it is cut and coded.
func TestRead(t *testing.T) {
	f := storetest.New(t)
	src := f.Bodies(f.DB)
	rapid.Check(t, func(t *rapid.T) {
		for i, want := range drawBodies(t, f).bodies {
			b, err := src.Open(t.Context(), uint64(i+1), flowpb.SideResponse)
			if err != nil || b.Size() != int64(len(want)) {
				t.Fatalf("open: got %v, want %d bytes", err, len(want))
			}
			if got, err := io.ReadAll(b.NewReader(t.Context())); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("read: got %d bytes, %v, want %d", len(got), err, len(want))
			}
			off := rapid.IntRange(0, len(want)).Draw(t, "offset")
			p := make([]byte, rapid.IntRange(1, len(want)+1).Draw(t, "bytes"))
			n, err := b.ReadAt(t.Context(), p, int64(off))
			if !bytes.Equal(p[:n], want[off:off+n]) || n < len(p) && !errors.Is(err, io.EOF) || n == len(p) && err != nil {
				t.Fatalf("read %d bytes at %d of %d: got %d, %v", len(p), off, len(want), n, err)
			}
		}
	})
}

// TestHostile reads from rows that hold anything: it may fail, and gives no more than the
// body says that it has.
func TestHostile(t *testing.T) {
	f := storetest.New(t)
	src := f.Bodies(f.DB)
	rapid.Check(t, func(t *rapid.T) {
		s := drawBodies(t, f)
		number := rapid.SampledFrom([]int64{-1 << 62, -1, 0, 1, 5, body.PieceSize, body.PieceSize + 1, 1 << 40, 1<<63 - 1})
		value := func(name string) any {
			return rapid.OneOf(number.AsAny(), rapid.SampledFrom([]any{"text", []byte("bytes"), 1.5})).Draw(t, name)
		}
		column := rapid.SampledFrom([]string{"id", "start", "size", "enc", "data"}).Draw(t, "column")
		damage := fmt.Sprintf("UPDATE OR IGNORE body SET %s = ? WHERE id = (SELECT id FROM body ORDER BY id LIMIT 1 OFFSET ?)", column)
		if _, err := f.DB.Exec(damage, value("value"), rapid.IntRange(0, 3).Draw(t, "row")); err != nil {
			return // STRICT tables do not take it
		}
		for i := range s.bodies {
			b, err := src.Open(t.Context(), uint64(i+1), flowpb.SideResponse)
			if err != nil {
				continue
			}
			got, err := io.ReadAll(io.LimitReader(b.NewReader(t.Context()), 1<<20))
			if err == nil && int64(len(got)) != min(b.Size(), 1<<20) {
				t.Fatalf("got %d bytes of a body of %d and no error", len(got), b.Size())
			}
		}
	})
}

// TestDamage says that the file is damaged where it is.
func TestDamage(t *testing.T) {
	id := func(flow uint64, number int) int64 { return rowid.Piece(flow, flowpb.SideResponse, number) }
	type row []any
	for name, rows := range map[string][]row{
		"a piece is missing":   {{id(1, 0), 0, 5, 0, []byte("hello")}, {id(1, 2), 10, 5, 0, []byte("world")}},
		"refers to itself":     {{id(1, 0), 0, 5, 2, id(1, 0)}},
		"refers to nothing":    {{id(1, 0), 0, 5, 2, id(9, 0)}},
		"refers to a referrer": {{id(1, 0), 0, 5, 2, id(2, 0)}, {id(2, 0), 0, 5, 2, id(3, 0)}, {id(3, 0), 0, 5, 0, []byte("hello")}},
		"the other is shorter": {{id(1, 0), 0, 5, 2, id(2, 0)}, {id(2, 0), 0, 3, 0, []byte("hel")}},
		"longer than it says":  {{id(1, 0), 0, 5, 0, []byte("hello world")}},
		"no frame of zstd":     {{id(1, 0), 0, 5, 1, []byte("hello")}},
		"ends past all sizes":  {{id(1, 0), int64(math.MaxInt64), 5, 0, []byte("hello")}},
		"larger than pieces":   {{id(1, 0), 0, body.PieceSize + 1, 0, []byte("hello")}},
	} {
		f := storetest.New(t)
		for _, r := range rows {
			f.Exec(t, insert, r...)
		}
		b, err := f.Bodies(f.DB).Open(t.Context(), 1, flowpb.SideResponse)
		if err == nil {
			_, err = io.ReadAll(b.NewReader(t.Context()))
		}
		if !errors.Is(err, fault.ErrDamaged) {
			t.Errorf("%s: got %v, want %v", name, err, fault.ErrDamaged)
		}
	}
}
