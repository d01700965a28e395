package store

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/testing/protocmp"

	flowpb "weir/proto"
)

func TestFlowRoundTrip(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	f := httpFlow(1)
	record(t, w, f)
	if f.Id != 1 {
		t.Errorf("id: got %d, want 1", f.Id)
	}
	got, err := s.Flow(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(f, got, protocmp.Transform()); d != "" {
		t.Errorf("flow (-want +got):\n%s", d)
	}
}

func TestUpdatesAreFoldedAndTheLastOneCounts(t *testing.T) {
	s, w := newWriter(t, WriterOptions{BatchDelay: time.Hour})
	f := httpFlow(1)
	for _, state := range []flowpb.State{flowpb.StateRequest, flowpb.StateWaiting, flowpb.StateComplete} {
		f.State = state
		if err := w.Flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, w)
	if got := w.Stats().Flows; got != 1 {
		t.Errorf("heads written: got %d, want 1", got)
	}
	f.State = flowpb.StateError
	record(t, w, f)
	got, err := s.Flow(t.Context(), f.GetId())
	if err != nil || got.GetState() != flowpb.StateError {
		t.Errorf("state: got %v, %v, want error", got.GetState(), err)
	}
	rows, err := s.Rows(t.Context(), []uint64{1})
	if err != nil || len(rows) != 1 || rows[0].State != flowpb.StateError {
		t.Errorf("row: got %+v, %v, want one with state error", rows, err)
	}
}

func TestWriterRefusesWhatItDoesNotKnow(t *testing.T) {
	_, w := newWriter(t, WriterOptions{})
	ctx := t.Context()
	for name, err := range map[string]error{
		"flow":       w.Flow(ctx, &flowpb.Flow{Id: 9}),
		"connection": w.Conn(ctx, &flowpb.Conn{Id: 9}),
		"body":       w.Body(ctx, 9, flowpb.SideRequest, []byte("x")),
		"body of 0":  w.Body(ctx, 0, flowpb.SideRequest, []byte("x")),
		"message":    w.Message(ctx, &flowpb.Message{Flow: 9}),
	} {
		if !errors.Is(err, ErrNotFound) {
			t.Errorf("%s: got %v, want %v", name, err, ErrNotFound)
		}
	}
	if err := w.Body(ctx, 1, 8, []byte("x")); !errors.Is(err, ErrLimit) {
		t.Errorf("body on side 8: got %v, want %v", err, ErrLimit)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if err := w.Flow(ctx, httpFlow(1)); !errors.Is(err, ErrClosed) {
		t.Errorf("flow after Close: got %v, want %v", err, ErrClosed)
	}
	if err := w.Flush(ctx); err != nil {
		t.Errorf("flush after a clean Close: got %v, want nil", err)
	}
}

// TestConcurrentRecording records from several goroutines and sees that ids are
// given once each, in the order of arrival, and nothing is lost.
func TestConcurrentRecording(t *testing.T) {
	s, w := newWriter(t, WriterOptions{QueueBytes: 64 << 10, BatchFlows: 16})
	const goroutines, each = 8, 100
	var wg sync.WaitGroup
	for g := range goroutines {
		wg.Go(func() {
			var last uint64
			for n := range each {
				f := httpFlow(g*each + n)
				if err := w.Flow(t.Context(), f); err != nil {
					t.Error(err)
					return
				}
				if f.GetId() <= last {
					t.Errorf("id %d after %d", f.GetId(), last)
				}
				last = f.GetId()
				if err := w.Message(t.Context(), &flowpb.Message{Flow: 1, Content: []byte{byte(g)}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if n, err := s.Count(t.Context()); err != nil || n != goroutines*each {
		t.Errorf("flows: got %d, %v, want %d", n, err, goroutines*each)
	}
	ms, err := s.Messages(t.Context(), 1, 1, math.MaxInt32)
	if err != nil || len(ms) != goroutines*each {
		t.Fatalf("messages: got %d, %v, want %d", len(ms), err, goroutines*each)
	}
	for i, m := range ms {
		if m.GetSequence() != uint64(i+1) {
			t.Fatalf("message %d has sequence %d", i+1, m.GetSequence())
		}
	}
}

// TestFullDisk lets the disk run full under a writer and then makes room: who
// records waits, is told why, and loses nothing.
func TestFullDisk(t *testing.T) {
	s, w := newWriter(t, WriterOptions{QueueBytes: 1 << 20, BatchBytes: 256 << 10})
	record(t, w, httpFlow(0))
	limitPages(t, w, 1)
	const flows = 300 // of 20 KB: several times what the queue holds
	body := bytes.Repeat([]byte("x"), 20_000)
	var taken []*flowpb.Flow
	done := make(chan error, 1)
	go func() { // waited for below
		for n := range flows {
			f := httpFlow(n)
			if err := errors.Join(w.Flow(t.Context(), f), w.Body(t.Context(), f.GetId(), flowpb.SideResponse, body)); err != nil {
				done <- err
				return
			}
			taken = append(taken, f)
		}
		done <- nil
	}()
	for st := w.Stats(); st.Waiting == 0 || st.Err == nil; st = w.Stats() {
		select {
		case err := <-done:
			t.Fatalf("recording on a full disk ended with %v, want it to wait", err)
		case <-time.After(time.Millisecond):
		}
	}
	if st := w.Stats(); !errors.Is(st.Err, ErrFull) || st.QueuedBytes == 0 || st.QueuedBytes > 1<<20 {
		t.Errorf("stats on a full disk: got %+v, want %v and a full queue", st, ErrFull)
	}
	if err := w.Flush(t.Context()); !errors.Is(err, ErrWrite) || !errors.Is(err, ErrFull) {
		t.Errorf("flush on a full disk: got %v, want %v and %v", err, ErrWrite, ErrFull)
	}
	limitPages(t, w, math.MaxInt32)
	if err := <-done; err != nil {
		t.Fatalf("recording with room again: %v", err)
	}
	flush(t, w)
	for _, f := range taken {
		got, err := s.Flow(t.Context(), f.GetId())
		if err != nil || !proto.Equal(got, f) {
			t.Fatalf("flow %d: got %v, %v, want it as recorded", f.GetId(), got, err)
		}
		if b, err := s.Body(t.Context(), f.GetId(), flowpb.SideResponse); err != nil || b.Size() != 20_000 {
			t.Fatalf("body of flow %d: got %+v, %v, want 20000 bytes", f.GetId(), b, err)
		}
	}
	if st := w.Stats(); st.Err != nil || st.QueuedBytes != 0 || st.Waiting != 0 || st.Lost != 0 {
		t.Errorf("stats at the end: got %+v, want no error and nothing queued or lost", st)
	}
	if n, err := s.Count(t.Context()); err != nil || n != flows+1 {
		t.Errorf("flows: got %d, %v, want %d", n, err, flows+1)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}

// TestGiveUpOnFullDisk ends a capture whose disk is full: who waits is let go, and what is
// missing is said.
func TestGiveUpOnFullDisk(t *testing.T) {
	_, w := newWriter(t, WriterOptions{QueueBytes: 100 << 10, BatchBytes: 50 << 10})
	record(t, w, httpFlow(0))
	limitPages(t, w, 1)
	done := make(chan error, 1)
	go func() {
		for {
			if err := w.Flow(t.Context(), httpFlow(1)); err != nil {
				done <- err
				return
			}
		}
	}()
	for w.Stats().Waiting == 0 {
		time.Sleep(time.Millisecond)
	}
	w.GiveUp()
	if err := <-done; !errors.Is(err, ErrWrite) || !errors.Is(err, ErrFull) {
		t.Errorf("the call that waited: got %v, want %v and %v", err, ErrWrite, ErrFull)
	}
	if err := w.Close(); !errors.Is(err, ErrWrite) || w.Stats().Lost == 0 {
		t.Errorf("close: got %v and %d lost, want %v and some", err, w.Stats().Lost, ErrWrite)
	}
}

// TestCloseOnFullDisk sees that Close ends, and says what is lost.
func TestCloseOnFullDisk(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(0))
	limitPages(t, w, 1)
	for n := range 300 {
		if err := w.Flow(t.Context(), httpFlow(n)); err != nil {
			t.Fatal(err)
		}
	}
	closed := w.Close()
	// A first small batch may still have found room in the pages that are there.
	stored, err := s.Count(t.Context())
	if err != nil || stored > 150 {
		t.Fatalf("flows: got %d, %v, want hardly any", stored, err)
	}
	lost := fmt.Sprintf("%d flows not recorded", 301-stored)
	if !errors.Is(closed, ErrWrite) || !strings.Contains(closed.Error(), lost) {
		t.Errorf("close: got %v, want %v and %s", closed, ErrWrite, lost)
	}
	checkSound(t, s)
}

// limitPages bounds the file as a full disk would. It takes the place of a batch.
func limitPages(t *testing.T, w *Writer, n int) {
	t.Helper()
	w.s.writing.Lock()
	defer w.s.writing.Unlock()
	if _, err := w.tape.conn.ExecContext(t.Context(), fmt.Sprintf("PRAGMA max_page_count = %d", n)); err != nil {
		t.Fatal(err)
	}
}

// pattern is n bytes whose values tell their offset.
func pattern(off, n int) []byte {
	p := make([]byte, n)
	for i := range p {
		at := off + i
		p[i] = byte(at ^ at>>8 ^ at>>16)
	}
	return p
}
