package contract

import (
	"path/filepath"
	"testing"

	flowpb "weir/proto"
	"weir/store"
)

// TestManyMessages prints messages of more than one page, up to a limit.
func TestManyMessages(t *testing.T) {
	s, err := store.Create(t.Context(), filepath.Join(t.TempDir(), "s.weir"), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w, err := s.NewWriter(t.Context(), store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Flow(t.Context(), &flowpb.Flow{CreatedNs: 1, Protocol: &flowpb.Flow_Tcp{Tcp: &flowpb.Stream{}}}); err != nil {
		t.Fatal(err)
	}
	for range 70 {
		if err := w.Message(t.Context(), &flowpb.Message{Flow: 1, Content: make([]byte, 1<<20)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	got, more, err := loadMessages(t.Context(), s, 1)
	if err != nil || !more || len(got) != maxMessageBytes>>20 || got[63].Sequence != 64 {
		t.Errorf("got %d messages, more %v (%v), want %d and more", len(got), more, err, maxMessageBytes>>20)
	}
}
