package store

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	flowpb "weir/proto"
)

// retainAll runs rounds until there is nothing more to drop.
func retainAll(t *testing.T, k *retainer) (done Retained) {
	t.Helper()
	for more := true; more; {
		var round Retained
		if round, more = k.round(t.Context(), time.Now()); round.Err != nil {
			t.Fatal(round.Err)
		}
		done.TooOld, done.TooMany, done.TooBig = done.TooOld+round.TooOld, done.TooMany+round.TooMany, done.TooBig+round.TooBig
		done.Removed, done.Stuck = done.Removed+round.Removed, done.Stuck || round.Stuck
	}
	if err := k.shrink(t.Context()); err != nil {
		t.Fatal(err)
	}
	return done
}

// TestRetentionKeepsWhatPeopleSpokeOf drops neither what was noted in any way nor
// what still runs, and says once that nothing else is left.
func TestRetentionKeepsWhatPeopleSpokeOf(t *testing.T) {
	s, w := removing(t, 8)
	open := httpFlow(9)
	open.State, open.GetHttp().Response = flowpb.StateWaiting, nil
	record(t, w, open)
	text, tags := "x", []string{"x"}
	for i, c := range []NoteChange{{Marked: &text}, {Tags: &tags}, {Comment: &text}, {Highlight: &text}} {
		if _, err := s.Annotate(t.Context(), []uint64{uint64(i + 2)}, c); err != nil {
			t.Fatal(err)
		}
	}
	k := newRetainer(s, Retention{Flows: 2})
	if got, want := retainAll(t, k), (Retained{TooMany: 4, Stuck: true}); got != want {
		t.Errorf("retention: got %+v, want %+v", got, want)
	}
	if got, want := flowIDs(t, s), []uint64{2, 3, 4, 5, 9}; !slices.Equal(got, want) {
		t.Errorf("flows: got %v, want %v", got, want)
	}
	if got := retainAll(t, k); got != (Retained{}) {
		t.Errorf("second round: got %+v, want nothing: it was said already", got)
	}
	k = newRetainer(s, Retention{Flows: 2, Noted: true})
	if got, want := retainAll(t, k), (Retained{TooMany: 3}); got != want {
		t.Errorf("without regard to notes: got %+v, want %+v", got, want)
	}
	if got, want := flowIDs(t, s), []uint64{5, 9}; !slices.Equal(got, want) {
		t.Errorf("flows: got %v, want %v", got, want)
	}
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 && problems[0].Place != "body of flow 9" {
		t.Errorf("verify: %v %v", problems, err)
	}
}

// TestRetentionByAgeOutOfOrder finds old flows behind young ones, in the list and among
// what was removed: an import brings them.
func TestRetentionByAgeOutOfOrder(t *testing.T) {
	s, w := newWriter(t, WriterOptions{CompactAfter: -1})
	for _, minutes := range []int{1, 90, 2, 91, 3, 92, 4, 93} {
		f := httpFlow(0)
		f.CreatedNs = time.Now().Add(-time.Duration(minutes) * time.Minute).UnixNano()
		f.GetHttp().Response.Body = nil
		record(t, w, f)
	}
	if _, err := s.Remove(t.Context(), []uint64{5, 6}); err != nil {
		t.Fatal(err)
	}
	k := newRetainer(s, Retention{Age: time.Hour, Flows: 2})
	if got, want := retainAll(t, k), (Retained{TooOld: 3, TooMany: 1, Removed: 1}); got != want {
		t.Errorf("retention: got %+v, want %+v", got, want)
	}
	if got, want := flowIDs(t, s), []uint64{3, 7}; !slices.Equal(got, want) {
		t.Errorf("flows: got %v, want %v", got, want)
	}
}

// TestRetentionByBytes keeps the file small, gives its space back, and drops what was
// removed before what was not.
func TestRetentionByBytes(t *testing.T) {
	s, w := newWriter(t, WriterOptions{CompactAfter: -1})
	for n := range 40 {
		f := httpFlow(n)
		f.GetHttp().Response.Body.Size = 1 << 20
		if err := w.Flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if err := w.Body(t.Context(), f.GetId(), flowpb.SideResponse, pattern(n, 1<<20)); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, w)
	if _, err := s.Remove(t.Context(), []uint64{10, 20, 30}); err != nil {
		t.Fatal(err)
	}
	k := newRetainer(s, Retention{Bytes: 38 << 20})
	if done := retainAll(t, k); done.Removed == 0 || done.Dropped() > 0 {
		t.Errorf("a little over: got %+v, want removed flows dropped, and no others", done)
	}
	k.limits.Bytes = 16 << 20
	done := retainAll(t, k)
	if done.TooBig == 0 || done.TooOld+done.TooMany > 0 || done.Stuck {
		t.Errorf("far over: got %+v, want flows dropped for their size", done)
	}
	ids := flowIDs(t, s)
	if len(ids) < 10 || !slices.Contains(ids, 40) || slices.Contains(ids, 1) {
		t.Errorf("flows: got %v, want the newest", ids)
	}
	pages, free, err := s.pages(t.Context())
	if err != nil || (pages-free)*PageSize > k.limits.Bytes {
		t.Errorf("file: got %d bytes in use, %v, want at most %d", (pages-free)*PageSize, err, k.limits.Bytes)
	}
	if free > pages/reserveShare+reservePages {
		t.Errorf("file: got %d of %d pages free, want no more than the reserve", free, pages)
	}
	if err := w.Close(); err != nil { // the last checkpoint
		t.Fatal(err)
	}
	if info, err := os.Stat(s.Path()); err != nil || info.Size() != pages*PageSize {
		t.Errorf("file: got %d bytes, %v, want %d", info.Size(), err, pages*PageSize)
	}
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify: %v %v", problems, err)
	}
}

// TestRetentionGoesOnWithWhatWasCutShort does not take flows that were dropped, but not
// deleted yet, for some that could still be brought back.
func TestRetentionGoesOnWithWhatWasCutShort(t *testing.T) {
	s, _ := removing(t, 5)
	r := removal{session: s, drop: true}
	if err := r.take(t.Context(), []uint64{1, 2}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(t.Context(), []uint64{4}); err != nil {
		t.Fatal(err)
	}
	k := newRetainer(s, Retention{Bytes: 1})
	if got, want := retainAll(t, k), (Retained{Removed: 1, TooBig: 2, Stuck: true}); got != want {
		t.Errorf("retention: got %+v, want %+v", got, want)
	}
}

// TestRetentionOfFlowsThatGrowOld runs beside a capture, in time that the test makes.
func TestRetentionOfFlowsThatGrowOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s, w := newWriter(t, WriterOptions{CompactAfter: -1})
		ctx, cancel := context.WithCancel(t.Context())
		var sum uint64
		ended := make(chan error, 1)
		go func() {
			ended <- w.Retain(ctx, Retention{Age: time.Minute}, func(r Retained) {
				if sum += r.TooOld; r.Err != nil || r.Dropped() != r.TooOld {
					t.Errorf("told: got %+v, want flows that are too old", r)
				}
			})
		}()
		for n := range 6 {
			f := httpFlow(n)
			f.CreatedNs = time.Now().UnixNano()
			f.GetHttp().Response.Body = nil
			record(t, w, f)
			time.Sleep(20 * time.Second)
			synctest.Wait()
		}
		// The flows are 120, 100, 80, 60, 40 and 20 seconds old.
		if got, want := flowIDs(t, s), []uint64{4, 5, 6}; !slices.Equal(got, want) {
			t.Errorf("flows: got %v, want %v", got, want)
		}
		cancel()
		if err := <-ended; !errors.Is(err, context.Canceled) {
			t.Errorf("retention: got %v, want %v", err, context.Canceled)
		}
		if sum != 3 {
			t.Errorf("told of %d flows, want 3", sum)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestRetentionBesideAWriter records as fast as it can while the oldest flows are
// dropped: nothing of the newest is lost, and the limit holds at the end.
func TestRetentionBesideAWriter(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	dropped := uint64(0)
	ended := make(chan error, 1)
	go func() {
		ended <- w.Retain(ctx, Retention{Flows: 100}, func(r Retained) { dropped += r.Dropped() })
	}()
	const n = 3000
	for i := range n {
		f := httpFlow(i)
		if err := w.Flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if err := w.Body(t.Context(), f.GetId(), flowpb.SideResponse, []byte("body!")); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, w)
	v := newView(t, s, Query{})
	for st := (Status{}); st.Len != 100; {
		var err error
		if st, err = v.Wait(t.Context(), st.Version); err != nil {
			t.Fatal(err)
		}
	}
	cancel()
	if err := <-ended; !errors.Is(err, context.Canceled) {
		t.Errorf("retention: got %v, want %v", err, context.Canceled)
	}
	if dropped != n-100 {
		t.Errorf("told of %d flows, want %d", dropped, n-100)
	}
	ids := flowIDs(t, s)
	if len(ids) != 100 || ids[0] != n-99 || ids[99] != n {
		t.Errorf("flows: got %d, %d to %d, want the newest 100", len(ids), ids[0], ids[len(ids)-1])
	}
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify: %v %v", problems, err)
	}
}
