package union

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	gocmp "github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"weir/filter"
	flowpb "weir/proto"
	"weir/store"
	"weir/store/merge"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// recorded makes a session of flows and closes it.
func recorded(t testing.TB, path string, flows ...*flowpb.Flow) {
	t.Helper()
	s, err := store.Create(t.Context(), path, store.Options{Synchronous: store.SyncNormal})
	if err != nil {
		t.Fatal(err)
	}
	record(t, s, flows...)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
}

// record writes flows, and a body for each that says to have one.
func record(t testing.TB, s *store.Session, flows ...*flowpb.Flow) {
	t.Helper()
	w, err := s.NewWriter(t.Context(), store.WriterOptions{})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range flows {
		if err := w.Flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		if size := f.GetHttp().GetResponse().GetBody().GetSize(); size > 0 {
			if err := w.Body(t.Context(), f.GetId(), flowpb.SideResponse, []byte(strings.Repeat("x", int(size)))); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

// flow is a small HTTP flow that began at a time.
func flow(at int64, host, path string, status uint32, size, took int64) *flowpb.Flow {
	f := &flowpb.Flow{
		State: flowpb.StateComplete, CreatedNs: at, Agent: []byte("proxy " + host),
		Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{
			Request:  &flowpb.Request{Method: []byte("GET"), Scheme: []byte("http"), Host: []byte(host), Port: 80, Path: []byte(path), StartedNs: at},
			Response: &flowpb.Response{Status: status, StartedNs: at + took/2, EndedNs: at + took},
		}},
	}
	if size >= 0 {
		f.GetHttp().GetResponse().Body = &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(size)}
	}
	return f
}

// genFlows are flows that began one after the other, with few different values, so that
// many are equal in every order.
func genFlows(t *rapid.T) []*flowpb.Flow {
	n := rapid.IntRange(0, 80).Draw(t, "flows")
	at := int64(1_700_000_000_000_000_000)
	flows := make([]*flowpb.Flow, n)
	for i := range flows {
		at += rapid.Int64Range(0, 2).Draw(t, "later") * 1e6
		flows[i] = flow(at,
			rapid.SampledFrom([]string{"a.test", "b.test", "c.test"}).Draw(t, "host"),
			rapid.SampledFrom([]string{"/", "/a", "/b?x=1"}).Draw(t, "path"),
			rapid.SampledFrom([]uint32{200, 404, 500}).Draw(t, "status"),
			rapid.Int64Range(-1, 3).Draw(t, "size"), rapid.Int64Range(0, 3).Draw(t, "took")*1e6)
	}
	return flows
}

var filters = []string{
	"", "~c 404", "~d a.test", "~session s1", "!~session s0", "~agent b.test", "~bs xx", "~marked", "~session s2 | ~c 500", "~hs x", "a.test/a",
}

// keyOf is what two flows that are equal in an order have in common.
func keyOf(o store.Order, r *flowpb.Row) string {
	switch o {
	case store.OrderMethod:
		return r.Method
	case store.OrderHost:
		return r.Host
	case store.OrderPath:
		return r.Path
	case store.OrderURL:
		return r.URL()
	case store.OrderStatus:
		return fmt.Sprint(r.Status)
	case store.OrderType:
		return r.ContentType
	case store.OrderRequestSize:
		return fmt.Sprint(r.RequestSize)
	case store.OrderResponseSize:
		return fmt.Sprint(r.ResponseSize)
	case store.OrderDuration:
		return fmt.Sprint(r.Duration)
	default:
		return fmt.Sprint(r.Started)
	}
}

// TestAgreesWithMerge is the law of unions: whatever is asked of several sessions as
// one list, the session that they were merged into says the same, but for the order of
// flows that are equal in it.
func TestAgreesWithMerge(t *testing.T) {
	gen := rapid.Custom(genFlows)
	for _, sessions := range []int{1, 3} {
		t.Run(strconv.Itoa(sessions), func(t *testing.T) {
			ctx, dir := t.Context(), t.TempDir()
			var paths []string
			for i := range sessions {
				path := filepath.Join(dir, fmt.Sprintf("s%d.weir", i))
				recorded(t, path, gen.Example(10*sessions+i)...)
				paths = append(paths, path)
			}
			markSome(t, paths[0])
			one := filepath.Join(dir, "merged.weir")
			if _, err := merge.Sessions(ctx, paths, one, merge.Options{Session: store.Options{Synchronous: store.SyncNormal}}); err != nil {
				t.Fatal(err)
			}
			merged := open(t, one)
			defer merged.Close()
			set := openSet(t, paths...)
			defer set.Close()
			rapid.Check(t, func(rt *rapid.T) {
				compare(rt, t, set, merged, store.Query{
					Filter:  parse(t, rapid.SampledFrom(filters).Draw(rt, "filter")),
					Order:   store.Order(rapid.IntRange(0, len(store.OrderNames())-1).Draw(rt, "order")),
					Reverse: rapid.Bool().Draw(rt, "reverse"), MarkedOnly: rapid.IntRange(0, 3).Draw(rt, "marked") == 0,
					Limit: rapid.SampledFrom([]int{0, 0, 5}).Draw(rt, "limit"),
				})
			})
		})
	}
}

func compare(rt *rapid.T, t *testing.T, set *Set, merged *store.Session, q store.Query) {
	want := rows(t, merged, merged, q)
	got := rows(t, set, set, q)
	if len(got) != len(want) {
		rt.Fatalf("%v %v: got %d flows, want %d", q.Filter, q.Order, len(got), len(want))
	}
	var gotKeys, wantKeys, gotIDs, wantIDs []string
	for i := range want {
		gotKeys, wantKeys = append(gotKeys, keyOf(q.Order, &got[i])), append(wantKeys, keyOf(q.Order, &want[i]))
		gotIDs, wantIDs = append(gotIDs, identity(&got[i])), append(wantIDs, identity(&want[i]))
	}
	if diff := gocmp.Diff(wantKeys, gotKeys); diff != "" {
		rt.Fatalf("%v by %v: order (-merged +union):\n%s", q.Filter, q.Order, diff)
	}
	slices.Sort(gotIDs)
	slices.Sort(wantIDs)
	if diff := gocmp.Diff(wantIDs, gotIDs); diff != "" && q.Limit == 0 {
		rt.Fatalf("%v by %v: flows (-merged +union):\n%s", q.Filter, q.Order, diff)
	}
	windows(rt, t, set, q, got)
}

// identity is a flow and what is said of it, in every file.
func identity(r *flowpb.Row) string {
	return fmt.Sprintf("%x:%d %s %s %s %s", r.Origin.Session, r.Origin.Sequence, r.Session, r.Agent, r.Marked, r.URL())
}

// windows reads the list by pages at random places, and looks for its flows.
func windows(rt *rapid.T, t *testing.T, set *Set, q store.Query, all []flowpb.Row) {
	v := built(t, set, q)
	defer v.Close()
	for range 3 {
		first, n := rapid.IntRange(0, len(all)+1).Draw(rt, "first"), rapid.IntRange(0, 30).Draw(rt, "n")
		got, err := v.Rows(t.Context(), first, n)
		if err != nil {
			t.Fatal(err)
		}
		want := all[min(first, len(all)):min(first+n, len(all))]
		if diff := gocmp.Diff(numbers(want), numbers(got)); diff != "" {
			rt.Fatalf("%v by %v: %d rows from %d (-whole +page):\n%s", q.Filter, q.Order, n, first, diff)
		}
	}
	for range min(3, len(all)) {
		i := rapid.IntRange(0, len(all)-1).Draw(rt, "row")
		if pos, found, err := v.Find(t.Context(), all[i].ID); err != nil || !found || pos != i {
			rt.Fatalf("%v by %v: find flow %d: got %d, %v, %v", q.Filter, q.Order, i, pos, found, err)
		}
	}
}

func numbers(rows []flowpb.Row) (ids []uint64) {
	for i := range rows {
		ids = append(ids, rows[i].ID)
	}
	return ids
}

type selecting interface {
	Select(ctx context.Context, q store.Query, yield func(id uint64) bool) error
}

type reading interface {
	Rows(ctx context.Context, ids []uint64) ([]flowpb.Row, error)
}

func rows(t *testing.T, s selecting, r reading, q store.Query) []flowpb.Row {
	t.Helper()
	var ids []uint64
	err := s.Select(t.Context(), q, func(id uint64) bool {
		ids = append(ids, id)
		return true
	})
	if err != nil {
		t.Fatal(err)
	}
	out, err := r.Rows(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func parse(t *testing.T, src string) filter.Expr {
	t.Helper()
	e, err := filter.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

func open(t *testing.T, path string) *store.Session {
	t.Helper()
	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func openSet(t *testing.T, paths ...string) *Set {
	t.Helper()
	set, troubles, err := Open(t.Context(), paths, store.Options{})
	if err != nil || len(troubles) > 0 {
		t.Fatalf("open: %v, %v", troubles, err)
	}
	return set
}

// built is a view that has found all there is.
func built(t *testing.T, set *Set, q store.Query) *View {
	t.Helper()
	v, err := set.view(t.Context(), q, tuning{fan: 1})
	if err != nil {
		t.Fatal(err)
	}
	for seen := uint64(0); ; {
		status, err := v.Wait(t.Context(), seen)
		if err != nil || status.Err != nil {
			t.Fatalf("wait: %v, %v", err, status.Err)
		}
		if !status.Building {
			return v
		}
		seen = status.Version
	}
}

func markSome(t *testing.T, path string) {
	t.Helper()
	s := open(t, path)
	defer s.Close()
	mark := "x"
	for id := uint64(1); id < 10; id += 3 {
		if _, err := s.Annotate(t.Context(), []uint64{id}, store.NoteChange{Marked: &mark}); err != nil && !errors.Is(err, store.ErrNotFound) {
			t.Fatal(err)
		}
	}
}

// TestFollows sees flows enter a list of two sessions where they belong, while one is
// recorded into, and leave it when they are removed.
func TestFollows(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.weir"), filepath.Join(dir, "b.weir")
	recorded(t, a, flow(10, "a.test", "/1", 200, 0, 0), flow(30, "a.test", "/3", 200, 0, 0))
	recorded(t, b, flow(20, "b.test", "/2", 200, 0, 0))
	set := openSet(t, a, b)
	defer set.Close()
	v := built(t, set, store.Query{})
	defer v.Close()
	live := open(t, b) // another process, as far as the set can tell
	defer live.Close()
	record(t, live, flow(25, "b.test", "/2b", 200, 0, 0))
	await(t, v, "/1 /2 /2b /3")
	if n, err := set.Remove(t.Context(), []uint64{flowpb.Place(1, 1), flowpb.Place(2, 1)}); n != 2 || err != nil {
		t.Fatalf("remove: got %d, %v, want 2", n, err)
	}
	await(t, v, "/2b /3")
	if n, err := set.Undo(t.Context()); n != 2 || err != nil {
		t.Fatalf("undo: got %d, %v, want 2", n, err)
	}
	await(t, v, "/1 /2 /2b /3")
	if n, err := set.Undo(t.Context()); n != 0 || err != nil {
		t.Fatalf("undo again: got %d, %v, want none", n, err)
	}

	c := filepath.Join(dir, "c.weir")
	recorded(t, c, flow(15, "c.test", "/1c", 200, 0, 0))
	for range 2 { // the second time it is there
		if err := set.Add(t.Context(), c, store.Options{}); err != nil {
			t.Fatal(err)
		}
	}
	await(t, v, "/1 /1c /2 /2b /3")
	late := built(t, set, store.Query{Reverse: true})
	defer late.Close()
	await(t, late, "/3 /2b /2 /1c /1")
	if err := set.Add(t.Context(), filepath.Join(dir, "none.weir"), store.Options{}); !errors.Is(err, os.ErrNotExist) || len(set.Sessions()) != 3 {
		t.Errorf("add what is not there: got %v and %d sessions, want %v and 3", err, len(set.Sessions()), os.ErrNotExist)
	}
}

// TestFollowsWhatMoves reads pages while flows are recorded into two sessions and change
// their places, and finds all of them in order when that is over.
func TestFollowsWhatMoves(t *testing.T) {
	const flows = 200
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.weir"), filepath.Join(dir, "b.weir")
	recorded(t, a)
	recorded(t, b)
	set := openSet(t, a, b)
	defer set.Close()
	v := built(t, set, store.Query{Order: store.OrderDuration})
	defer v.Close()
	var writers sync.WaitGroup
	for i, path := range []string{a, b} {
		live := open(t, path)
		defer live.Close()
		w, err := live.NewWriter(t.Context(), store.WriterOptions{})
		if err != nil {
			t.Fatal(err)
		}
		writers.Go(func() {
			for n := range flows {
				f := flow(int64(n+1)*10, "a.test", "/", 200, -1, int64(n*7919%flows)*2+int64(i))
				f.State, f.GetHttp().Response.EndedNs = flowpb.StateResponse, 0
				for _, ended := range []bool{false, true} {
					if ended {
						f.State, f.GetHttp().Response.EndedNs = flowpb.StateComplete, f.GetCreatedNs()+int64(n*7919%flows)*2+int64(i)
					}
					if err := w.Flow(t.Context(), f); err != nil {
						t.Error(err)
					}
				}
				if n%20 == 0 {
					if err := w.Flush(t.Context()); err != nil {
						t.Error(err)
					}
				}
			}
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	done := make(chan struct{})
	go func() { // ends with the writers, before the test does
		writers.Wait()
		close(done)
	}()
	for at, writing := 0, true; writing; at += 37 {
		_, total := v.now()
		if _, err := v.Rows(t.Context(), at%max(total, 1), 20); err != nil {
			t.Fatal(err)
		}
		select {
		case <-done:
			writing = false
		default:
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	want := make([]int64, 2*flows)
	for i := range want {
		want[i] = int64(i)
	}
	for seen := uint64(0); ; {
		status, err := v.Wait(ctx, seen)
		if err != nil || status.Err != nil {
			t.Fatal(err, status.Err)
		}
		seen = status.Version
		rows, err := v.Rows(ctx, 0, 2*flows)
		if err != nil {
			t.Fatal(err)
		}
		var got []int64
		for i := range rows {
			got = append(got, rows[i].Duration)
		}
		if slices.Equal(got, want) {
			return
		}
	}
}

// await waits until the list is of these paths.
func await(t *testing.T, v *View, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	got := ""
	for seen := uint64(0); ; {
		status, err := v.Wait(ctx, seen)
		if err != nil {
			t.Fatalf("got %q, want %q: %v", got, want, err)
		}
		seen = status.Version
		rows, err := v.Rows(ctx, 0, 100)
		if err != nil {
			t.Fatal(err)
		}
		var paths []string
		for i := range rows {
			paths = append(paths, rows[i].Path)
		}
		if got = strings.Join(paths, " "); got == want {
			return
		}
	}
}

// TestReadsNoMoreThanAWindow sees that a page anywhere in a long list takes the keys of
// a few thousand flows at most, and the next one hardly more than its own.
func TestReadsNoMoreThanAWindow(t *testing.T) {
	const page = 50
	flows := 30_000
	if testing.Short() {
		flows = 4_000
	}
	dir := t.TempDir()
	var paths []string
	for i := range 3 {
		var some []*flowpb.Flow
		for n := range flows {
			some = append(some, flow(int64(n*7+i), "a.test", "/", 200, -1, 0))
		}
		path := filepath.Join(dir, fmt.Sprintf("s%d.weir", i))
		recorded(t, path, some...)
		paths = append(paths, path)
	}
	set := openSet(t, paths...)
	defer set.Close()
	v, err := set.View(t.Context(), store.Query{})
	if err != nil {
		t.Fatal(err)
	}
	defer v.Close()
	if err := v.whole(t.Context()); err != nil {
		t.Fatal(err)
	}
	at, last := 2*flows-page, int64(0)
	for i, most := range []int64{8 * usualFan, 6 * page, 6 * page} {
		rows, err := v.Rows(t.Context(), at, page)
		if err != nil || len(rows) != page {
			t.Fatalf("rows from %d: got %d, %v, want %d", at, len(rows), err, page)
		}
		if first := rows[0].Started; first != int64(at/3*7+at%3) {
			t.Errorf("row %d: got a flow that began at %d, want %d", at, first, at/3*7+at%3)
		}
		read := v.frozen.read.Load()
		if read-last > most {
			t.Errorf("page %d: got %d keys read, want %d at most", i, read-last, most)
		}
		at, last = at+page, read
	}
	if cuts := len(v.frozen.cuts); cuts > maxCuts {
		t.Errorf("cuts: got %d, want %d at most", cuts, maxCuts)
	}
}

// TestBroken sees the flows of a session that can no longer be read leave the list, which
// says why, and the others stay.
func TestBroken(t *testing.T) {
	dir := t.TempDir()
	a, b := filepath.Join(dir, "a.weir"), filepath.Join(dir, "b.weir")
	recorded(t, a, flow(10, "a.test", "/1", 200, 0, 0), flow(30, "a.test", "/3", 200, 0, 0))
	recorded(t, b, flow(20, "b.test", "/2", 200, 0, 0))
	for _, read := range []func(v *View) error{
		func(v *View) error { _, err := v.Rows(t.Context(), 0, 9); return err },
		func(v *View) error { _, _, err := v.Find(t.Context(), flowpb.Place(1, 1)); return err },
		func(v *View) error { _, _, err := v.Find(t.Context(), flowpb.Place(2, 1)); return err },
	} {
		set := openSet(t, a, b)
		v := built(t, set, store.Query{})
		v.stop() // nobody else tells it
		if err := set.Sessions()[1].Close(); err != nil {
			t.Fatal(err)
		}
		if err := read(v); err != nil {
			t.Errorf("got %v, want the rest to be read", err)
		}
		rows, err := v.Rows(t.Context(), 0, 9)
		if err != nil || len(rows) != 2 || rows[1].Path != "/3" {
			t.Errorf("rows: got %v, %v, want the two of a", rows, err)
		}
		if pos, found, err := v.Find(t.Context(), flowpb.Place(2, 1)); found || err != nil || pos != 0 {
			t.Errorf("a flow that left: got %d, %v, %v", pos, found, err)
		}
		status := v.status
		if status.Len != 2 || status.Err == nil || !strings.Contains(status.Err.Error(), `session "b"`) {
			t.Errorf("status: got %+v, want 2 flows and what is wrong with b", status)
		}
		if err := errors.Join(v.Close(), set.Close()); err != nil {
			t.Error(err)
		}
	}
}

// TestTroubles opens what can be opened of a folder, and says what cannot.
func TestTroubles(t *testing.T) {
	dir := t.TempDir()
	good, bad, gone := filepath.Join(dir, "good.weir"), filepath.Join(dir, "bad.weir"), filepath.Join(dir, "gone.weir")
	recorded(t, good, flow(1, "a.test", "/", 200, 0, 0))
	if err := os.WriteFile(bad, []byte("something else"), 0o600); err != nil {
		t.Fatal(err)
	}
	set, troubles, err := Open(t.Context(), []string{bad, good, gone, good}, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer set.Close()
	if len(set.Sessions()) != 1 || len(troubles) != 2 {
		t.Fatalf("got %d sessions and %v, want one and two that cannot be opened", len(set.Sessions()), troubles)
	}
	slices.SortFunc(troubles, func(a, b Trouble) int { return cmp.Compare(a.Path, b.Path) })
	if !errors.Is(troubles[0].Err, store.ErrNotSession) || !errors.Is(troubles[1].Err, os.ErrNotExist) {
		t.Errorf("got %v, want what is wrong with each", troubles)
	}
	if _, _, err := Open(t.Context(), []string{bad}, store.Options{}); !errors.Is(err, store.ErrNotSession) {
		t.Errorf("nothing to open: got %v, want %v", err, store.ErrNotSession)
	}
	if _, _, err := set.At(flowpb.Place(2, 1)); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a flow of no session: got %v, want %v", err, store.ErrNotFound)
	}
}
