package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"

	"weir/filter"
	flowpb "weir/proto"
	"weir/store/seed"
)

// exercise asks a session everything that looking at it does, and returns how many of the
// answers were errors. It is the test of a damaged file that this returns.
func exercise(ctx context.Context, s *Session) (failed int) {
	note := func(err error) {
		if err != nil {
			failed++
		}
	}
	_, err := s.Count(ctx)
	note(err)
	_, err = s.Info(ctx)
	note(err)
	_, _, _, err = s.Changes(ctx, 0)
	note(err)
	_, err = s.State(ctx, "view")
	note(err)
	for _, q := range []Query{{}, {Order: OrderPath, Reverse: true}, {Order: OrderResponseSize}} {
		note(lookThrough(ctx, s, q))
	}
	for _, text := range []string{"~c 404 & ~d example", "~hs text", "~b needle"} {
		e, err := filter.Parse(text)
		note(err)
		note(lookThrough(ctx, s, Query{Filter: e}))
	}
	for id := uint64(1); id <= 20; id++ {
		note(readThrough(ctx, s, id))
	}
	_, err = s.Verify(ctx)
	note(err)
	return failed
}

// lookThrough waits for a view to be built and reads its pages.
func lookThrough(ctx context.Context, s *Session, q Query) error {
	v, err := s.View(ctx, q)
	if err != nil {
		return err
	}
	defer v.Close()
	st, err := v.Wait(ctx, 0)
	for ; err == nil && st.Building; st, err = v.Wait(ctx, st.Version) {
	}
	if err != nil || st.Err != nil {
		return cmp.Or(err, st.Err)
	}
	for first := 0; first < st.Len && first < 1000; first += 50 {
		if _, err := v.Rows(ctx, first, 50); err != nil {
			return err
		}
	}
	return nil
}

// readThrough reads all there is of a flow.
func readThrough(ctx context.Context, s *Session, id uint64) error {
	f, err := s.Flow(ctx, id)
	if err != nil {
		return err
	}
	if _, err := s.Note(ctx, id); err != nil {
		return err
	}
	if _, err := s.Conn(ctx, f.GetServerConn()); err != nil && f.GetServerConn() != 0 {
		return err
	}
	if _, err := s.Messages(ctx, id, 1, 100); err != nil {
		return err
	}
	b, err := s.Body(ctx, id, flowpb.SideResponse)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, b.NewReader(ctx))
	return err
}

// sampleSession makes a session with something of everything, closed and folded, and returns its bytes.
func sampleSession(t *testing.T) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "sample.weir")
	seedAt(t, path, seed.Options{Flows: 400, BodySize: 700})
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	checkSound(t, s)
	mark := "x"
	if _, err := s.Annotate(t.Context(), []uint64{3, 5}, NoteChange{Marked: &mark, Comment: &mark}); err != nil {
		t.Fatal(err)
	}
	if err := s.SetState(t.Context(), "view", []byte("{}")); err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return whole
}

// patience is how long one damaged file may keep anybody busy. It is a guard against
// what never ends, and a hundred times what is needed.
const patience = time.Minute

// TestDamagedFile flips bits, blanks, cuts and muddles a session at random places: it opens
// and shows what is readable, or says what is wrong, and never crashes or hangs.
func TestDamagedFile(t *testing.T) {
	onlyWhole(t)
	whole := sampleSession(t)
	path := filepath.Join(t.TempDir(), "damaged.weir")
	opened, complained := 0, 0
	rounds := soakRounds(t, 100)
	for round := range rounds {
		p, how := damage(rand.New(rand.NewPCG(17, uint64(round))), bytes.Clone(whole))
		for _, name := range []string{path, path + "-wal", path + "-shm", path + "-lock"} {
			_ = os.Remove(name)
		}
		if err := os.WriteFile(path, p, 0o600); err != nil {
			t.Fatal(err)
		}
		late := time.AfterFunc(patience, func() { panic(fmt.Sprintf("round %d, %s: keeps its reader busy for ever", round, how)) })
		s, err := Open(t.Context(), path, Options{})
		if err == nil {
			opened++
			if exercise(t.Context(), s) > 0 {
				complained++
			}
			writeDamaged(t, s)
			_ = s.Close()
		} else if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrNotSession) && !errors.Is(err, ErrNewer) && !errors.Is(err, ErrOlder) {
			t.Errorf("round %d, %s: open: got %v, want an error that says what is wrong", round, how, err)
		}
		late.Stop()
	}
	t.Logf("%d of %d opened, of which %d said that something is wrong", opened, rounds, complained)
	if opened < rounds/4 {
		t.Errorf("%d of %d damaged sessions opened; want many of them to show what is readable", opened, rounds)
	}
}

// writeDamaged captures into a damaged session. Whether it can does not matter here.
func writeDamaged(t *testing.T, s *Session) {
	w, err := s.NewWriter(t.Context(), WriterOptions{})
	if err != nil {
		return
	}
	_ = w.Flow(t.Context(), httpFlow(1))
	_ = w.Flush(t.Context())
	w.GiveUp()
	_ = w.Close()
}

// damage changes p in one of the ways in which files are damaged, and says how. Half of the
// time it does so where it hurts most: in the header and the schema behind it.
func damage(r *rand.Rand, p []byte) (damaged []byte, how string) {
	within := len(p)
	if r.IntN(2) == 0 {
		within = 3 * PageSize
	}
	at := r.IntN(within)
	switch r.IntN(4) {
	case 0:
		n := 1 + r.IntN(40)
		for range n {
			p[r.IntN(within)] ^= 1 << r.IntN(8)
		}
		return p, fmt.Sprintf("%d bits flipped in the first %d bytes", n, within)
	case 1:
		n := 1 + r.IntN(2*PageSize)
		clear(p[at:min(len(p), at+n)])
		return p, fmt.Sprintf("%d bytes from %d on blanked", n, at)
	case 2:
		return p[:at], fmt.Sprintf("cut to %d bytes", at)
	default:
		to := r.IntN(within)
		copy(p[to:min(len(p), to+PageSize)], p[at:])
		return p, fmt.Sprintf("a page at %d copied to %d", at, to)
	}
}
