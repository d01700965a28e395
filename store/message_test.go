package store

import (
	"bytes"
	"errors"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	flowpb "weir/proto"
	"weir/store/rowid"
)

func TestMessages(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1), httpFlow(2))
	var want []*flowpb.Message
	for n := range 10 {
		m := &flowpb.Message{
			Flow: 1, Side: flowpb.Side(1 + n%2), Type: flowpb.MessageText, AtNs: int64(n),
			Content: []byte{byte(n), 0, 0xff}, Dropped: n == 3, Injected: n == 4, Continues: n == 5, Compressed: n == 6,
		}
		if n == 7 {
			m.Frames, m.Note = []uint64{1, 0, 2}, "not masked"
			m.Event = &flowpb.ServerEvent{Type: []byte("tick"), Id: []byte{}, RetryMs: proto.Uint64(0)}
		}
		if err := w.Message(t.Context(), m); err != nil {
			t.Fatal(err)
		}
		want = append(want, m)
	}
	if err := w.Message(t.Context(), &flowpb.Message{Flow: 2}); err != nil { // no content at all
		t.Fatal(err)
	}
	flush(t, w)
	for _, c := range []struct {
		flow, first uint64
		n           int
		want        []*flowpb.Message
	}{
		{1, 1, 100, want},
		{1, 0, 100, want},
		{1, 4, 2, want[3:5]},
		{1, 11, 5, nil},
		{1, math.MaxUint64, 5, nil},
		{1, 1, 0, nil},
		{3, 1, 5, nil},
		{2, 1, 5, []*flowpb.Message{{Flow: 2, Sequence: 1, Content: []byte{}}}},
	} {
		got, err := s.Messages(t.Context(), c.flow, c.first, c.n)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(c.want, got, protocmp.Transform()); d != "" {
			t.Errorf("messages of %d from %d, %d (-want +got):\n%s", c.flow, c.first, c.n, d)
		}
	}
}

// TestMessagePages reads large messages no more than a few at a time, and of
// heads only what was asked for.
func TestMessagePages(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	for range 20 {
		if err := w.Message(t.Context(), &flowpb.Message{Flow: 1, Content: bytes.Repeat([]byte("x"), 1<<20)}); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Message(t.Context(), &flowpb.Message{Flow: 1, Content: []byte("short")}); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	got, err := s.Messages(t.Context(), 1, 3, 100)
	if err != nil || len(got) != 8 || got[0].GetSequence() != 3 || got[0].GetSize() != 0 {
		t.Errorf("messages: got %d (%v), want 8 from the third on", len(got), err)
	}
	got, err = s.MessageHeads(t.Context(), 1, 1, 100, 10)
	if err != nil || len(got) != 21 {
		t.Fatalf("heads: got %d (%v), want 21", len(got), err)
	}
	if m := got[0]; string(m.GetContent()) != "xxxxxxxxxx" || m.GetSize() != 1<<20 {
		t.Errorf("head of a large one: got %q of %d, want 10 bytes of %d", m.GetContent(), m.GetSize(), 1<<20)
	}
	if tail, err := s.MessageHeads(t.Context(), 1, 0, 3, 10); err != nil || len(tail) != 3 || tail[0].GetSequence() != 19 {
		t.Errorf("the last three: got %v, %v", tail, err)
	}
	if tail, err := s.MessageHeads(t.Context(), 1, 0, 30, 10); err != nil || len(tail) != 21 {
		t.Errorf("the last of few: got %d, %v, want 21", len(tail), err)
	}
	if none, err := s.MessageHeads(t.Context(), 7, 0, 30, 10); err != nil || len(none) != 0 {
		t.Errorf("of a flow without any: got %v, %v", none, err)
	}
	if m := got[20]; string(m.GetContent()) != "short" || m.GetSize() != 0 {
		t.Errorf("head of a short one: got %q of %d, want all of it and no size", m.GetContent(), m.GetSize())
	}
}

// TestMessageCountersAreBounded sees that a writer forgets counters, and finds
// them again in the file.
func TestMessageCountersAreBounded(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	for n := range maxCounters + 100 {
		if err := w.Flow(t.Context(), httpFlow(n)); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, w)
	for id := uint64(1); id <= maxCounters+100; id++ {
		if err := w.Message(t.Context(), &flowpb.Message{Flow: id}); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, w)
	w.mu.Lock()
	if got := len(w.counters); got > maxCounters {
		t.Errorf("counters remembered: got %d, want at most %d", got, maxCounters)
	}
	w.mu.Unlock()
	for id := uint64(1); id <= maxCounters+100; id++ {
		m := &flowpb.Message{Flow: id}
		if err := w.Message(t.Context(), m); err != nil || m.GetSequence() != 2 {
			t.Fatalf("second message of flow %d: got sequence %d, %v, want 2", id, m.GetSequence(), err)
		}
	}
	flush(t, w)
	if ms, err := s.Messages(t.Context(), 1, 1, 9); err != nil || len(ms) != 2 {
		t.Errorf("messages of flow 1: got %d, %v, want 2", len(ms), err)
	}
}

func TestTooManyMessages(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	_, err := s.note.Exec("INSERT INTO message VALUES (?, 0, 1, 1, 0, NULL, x'')", rowid.Message(1, rowid.MaxMessages))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Message(t.Context(), &flowpb.Message{Flow: 1}); !errors.Is(err, ErrLimit) {
		t.Errorf("got %v, want %v", err, ErrLimit)
	}
}
