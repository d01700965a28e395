package store

import (
	"bytes"
	"errors"
	"io"
	"testing"

	flowpb "weir/proto"
	"weir/store/body"
)

// TestWhole records flows with their bodies: they come together, also where a transaction is
// full, and what else comes of a body comes behind.
func TestWhole(t *testing.T) {
	s, w := newWriter(t, WriterOptions{BatchFlows: 2})
	const flows = 20
	content := func(n int) []byte { return bytes.Repeat([]byte{byte(n)}, n*3000) }
	for n := 1; n <= flows; n++ {
		f := httpFlow(n)
		f.GetHttp().GetResponse().GetBody().Size = uint64(n*3000 + 1)
		p := append(w.Buffer(n*3000), content(n)...)
		if err := w.Whole(t.Context(), f, Part{flowpb.SideResponse, p}); err != nil {
			t.Fatal(err)
		}
		if f.GetId() != uint64(n) {
			t.Errorf("flow %d: got id %d", n, f.GetId())
		}
		if err := w.Body(t.Context(), f.GetId(), flowpb.SideResponse, []byte("z")); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for n := 1; n <= flows; n++ {
		b, err := s.Body(t.Context(), uint64(n), flowpb.SideResponse)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(b.NewReader(t.Context()))
		if want := append(content(n), 'z'); err != nil || !bytes.Equal(got, want) {
			t.Errorf("body of flow %d: got %d bytes, %v, want %d", n, len(got), err, len(want))
		}
	}
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify: got %v, %v, want nothing", problems, err)
	}
}

// TestWholeIsOneEntry sees that no transaction has a flow without the parts that came with it.
func TestWholeIsOneEntry(t *testing.T) {
	_, w := newWriter(t, WriterOptions{})
	p := append(w.Buffer(body.PieceSize), make([]byte, body.PieceSize)...)
	if err := w.Whole(t.Context(), httpFlow(1), Part{flowpb.SideRequest, p}, Part{flowpb.SideResponse, append(w.Buffer(5), "hello"...)}); err != nil {
		t.Fatal(err)
	}
	w.queue.mu.Lock()
	in := w.queue.in
	w.queue.mu.Unlock()
	if in != 1 {
		t.Errorf("entries of a flow with two bodies: got %d, want 1", in)
	}
	again := httpFlow(2)
	again.Id = 1
	if err := w.Whole(t.Context(), again); !errors.Is(err, ErrLimit) {
		t.Errorf("whole flow that there is: got %v, want %v", err, ErrLimit)
	}
	if err := w.Whole(t.Context(), httpFlow(2), Part{Side: 9}); !errors.Is(err, ErrLimit) {
		t.Errorf("body on side 9: got %v, want %v", err, ErrLimit)
	}
}
