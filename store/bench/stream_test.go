package bench

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"weir/store"
)

// checkEmpty sees that a measurement has taken away what it made.
func checkEmpty(t *testing.T, dir string) {
	t.Helper()
	if left, err := filepath.Glob(filepath.Join(dir, "*")); err != nil || len(left) > 0 {
		t.Errorf("left behind: %v, %v, want nothing", left, err)
	}
}

func TestStream(t *testing.T) {
	dir := t.TempDir()
	const flows = 300
	r, err := Stream{Dir: dir, Flows: flows, BodySize: 500, Batch: 50, Rounds: 1, RSS: func() uint64 { return 7 }}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	w := r.Writer
	if w.Flows != flows || w.Transactions < flows/50 || w.FlowsPerSecond <= 0 || w.RSSBytes != 7 {
		t.Errorf("writer: got %+v, want %d flows in at least %d transactions, a rate, and the memory it was told", w, flows, flows/50)
	}
	if body, head := int64(flows*500), int64(flows*1000); w.PayloadBytes < body+head || w.PayloadBytes > body+2*head {
		t.Errorf("payload: got %d bytes, want bodies of %d and heads of 1 to 2 KB", w.PayloadBytes, body)
	}
	if w.FileBytes < w.PayloadBytes || w.Commit.Half <= 0 || w.Commit.Max < w.Commit.Half || w.Delay.Max < w.Commit.Half {
		t.Errorf("writer: got %+v, want a file larger than the payload, and times in order", w)
	}
	for name, b := range map[string]*Baseline{"raw": r.Raw, "single": r.Single, "unbatched": r.Unbatched} {
		if b == nil || b.FlowsPerSecond <= 0 || b.Ratio <= 0 {
			t.Errorf("%s: got %+v, want a rate and a ratio", name, b)
		}
	}
	if p := r.Read; p == nil || p.Readers != 1 || p.FlowsPerSecond <= 0 || p.Alone.Half <= 0 {
		t.Errorf("reading: got %+v, want one reader and its times", p)
	}
	checkEmpty(t, dir)
}

// TestStreamAtARate sees that a source with a rate keeps to it and is compared with nothing.
func TestStreamAtARate(t *testing.T) {
	r, err := Stream{Dir: t.TempDir(), Flows: 20, Rate: 200, BodySize: -1, Rounds: 1, Readers: -1}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if r.Writer.FlowsPerSecond > 220 || r.Writer.Flows != 20 {
		t.Errorf("got %d flows at %.0f a second, want 20 at no more than 200", r.Writer.Flows, r.Writer.FlowsPerSecond)
	}
	if r.Raw != nil || r.Single != nil || r.Unbatched != nil || r.Read != nil {
		t.Errorf("got %+v, want nothing beside the writer", r)
	}
}

func TestStreamIsCancelled(t *testing.T) {
	dir := t.TempDir()
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := (Stream{Dir: dir, For: time.Hour, Rate: 10}).Run(ctx); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want %v", err, context.DeadlineExceeded)
	}
	checkEmpty(t, dir)
}

func TestStreamNeedsItsDirectory(t *testing.T) {
	if _, err := (Stream{Dir: filepath.Join(t.TempDir(), "none")}).Run(t.Context()); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want %v", err, os.ErrNotExist)
	}
}

// TestStreamInto records into a session that stays.
func TestStreamInto(t *testing.T) {
	path := filepath.Join(t.TempDir(), "into.weir")
	s, err := store.Create(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	for range 2 {
		if _, err := (Stream{Into: path, Flows: 30}).Run(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := s.Count(t.Context()); err != nil || n != 60 {
		t.Errorf("flows: got %d, %v, want 60", n, err)
	}
}
