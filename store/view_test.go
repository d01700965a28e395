package store

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"weir/filter"
	flowpb "weir/proto"
	"weir/store/extsort"
)

// world is a session under random change, and the flows it should hold.
type world struct {
	s     *Session
	w     *Writer
	alive []uint64 // flows that were not removed
	gone  []uint64 // those that were, one removal each
}

// inWorld runs a property on a new session.
func inWorld(t *testing.T, property func(*rapid.T, *world)) {
	dir, n := t.TempDir(), 0
	rapid.Check(t, func(rt *rapid.T) {
		n++
		s, err := Create(t.Context(), filepath.Join(dir, fmt.Sprintf("%d.weir", n)), Options{Synchronous: SyncNormal})
		if err != nil {
			rt.Fatal(err)
		}
		defer s.Close()
		w, err := s.NewWriter(t.Context(), WriterOptions{})
		if err != nil {
			rt.Fatal(err)
		}
		property(rt, &world{s: s, w: w})
	})
}

// Texts that make trouble for keys of eight bytes: long common prefixes, one text
// the prefix of another, and bytes at both ends of the range.
var (
	testHosts   = []string{"", "a", "a.example", "a.example.com", "b.example", "\x00", "\xff\xff", "::1"}
	testPaths   = []string{"", "/", "/api/v1/items/1", "/api/v1/items/10", "/api/v1/items/1\x00", "/api/v1/items/2?page=1", "/api/v1/items/2?page=10", "/api/v1/items/2?page=2", "/api/v1/items/2?page=\xff"}
	testMethods = []string{"GET", "POST", "PROPFIND", "PROPPATCH", "PROPPATCHES-ALL-THE-THINGS", "PROPPATCHES-ALL-THE-WORLD"}
	testTypes   = []string{"", "text/html", "text/html; charset=utf-8", "application/json"}
	testFilters = []string{"~c 404", "~c 2xx", "~d example", "~m PROP", "~u items/2", "~marked", "~s", "~q", "~b needle", "~bs ^hay", "~hs needle", "~t json", "~comment x", "~dns", "~e", "~tag a", "~id 3..12"}
)

// drawFlow makes a flow up; its text columns mostly come from few values.
func drawFlow(t *rapid.T) *flowpb.Flow {
	text := func(from []string, label string) []byte {
		s := rapid.SampledFrom(from).Draw(t, label)
		if rapid.IntRange(0, 3).Draw(t, "odd") == 0 {
			s += rapid.StringN(0, 12, 24).Draw(t, label+" rest")
		}
		return []byte(s)
	}
	at := rapid.Int64Range(0, 20).Draw(t, "created")
	f := &flowpb.Flow{State: flowpb.StateWaiting, CreatedNs: at}
	if rapid.IntRange(0, 8).Draw(t, "protocol") == 0 {
		f.Protocol = &flowpb.Flow_Dns{Dns: &flowpb.Dns{Request: &flowpb.DnsMessage{
			Questions: []*flowpb.DnsQuestion{{Name: text(testHosts, "name")}},
		}}}
		return f
	}
	q := &flowpb.Request{
		Method: text(testMethods, "method"), Host: text(testHosts, "host"), Path: text(testPaths, "path"),
		Scheme: []byte(rapid.SampledFrom([]string{"http", "https"}).Draw(t, "scheme")),
		Port:   rapid.SampledFrom([]uint32{0, 80, 443, 8080}).Draw(t, "port"),
	}
	if rapid.Bool().Draw(t, "named otherwise") {
		q.Authority = text(testHosts, "authority")
	}
	if rapid.Bool().Draw(t, "has request body") {
		q.Body = &flowpb.Body{Size: rapid.Uint64Range(0, 9).Draw(t, "request size")}
	}
	h := &flowpb.Http{Request: q}
	f.Protocol = &flowpb.Flow_Http{Http: h}
	if rapid.Bool().Draw(t, "answered") {
		f.State = flowpb.StateComplete
		h.Response = &flowpb.Response{
			Status:  rapid.SampledFrom([]uint32{200, 204, 404, 500}).Draw(t, "status"),
			EndedNs: at + rapid.Int64Range(0, 9).Draw(t, "duration"),
			Headers: []*flowpb.Field{{Name: []byte("Content-Type"), Value: text(testTypes, "type")}},
		}
		if rapid.IntRange(0, 3).Draw(t, "header") == 0 {
			h.Response.Headers = append(h.Response.Headers, &flowpb.Field{Name: []byte("X"), Value: []byte("a needle")})
		}
	}
	if rapid.IntRange(0, 8).Draw(t, "failed") == 0 {
		f.Error = &flowpb.Error{Message: "no"}
	}
	return f
}

// change records some flows, and changes, removes and brings back some others.
func (w *world) change(t *rapid.T, most int) {
	for range rapid.IntRange(0, most).Draw(t, "changes") {
		f := drawFlow(t)
		if len(w.alive) > 0 && rapid.IntRange(0, 2).Draw(t, "update") == 0 {
			f.Id = rapid.SampledFrom(w.alive).Draw(t, "id")
		}
		w.record(t, f)
	}
	if err := w.w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range rapid.IntRange(0, 3).Draw(t, "notes") {
		if len(w.alive) > 0 {
			w.annotate(t)
		}
	}
	if len(w.alive) > 0 && rapid.IntRange(0, 5).Draw(t, "remove") == 0 {
		i := rapid.IntRange(0, len(w.alive)-1).Draw(t, "removed")
		if _, err := w.s.Remove(t.Context(), w.alive[i:i+1]); err != nil {
			t.Fatal(err)
		}
		w.gone = append(w.gone, w.alive[i])
		w.alive = slices.Delete(w.alive, i, i+1)
	}
	if len(w.gone) > 0 && rapid.IntRange(0, 5).Draw(t, "undo") == 0 {
		if n, err := w.s.Undo(t.Context()); err != nil || n != 1 {
			t.Fatalf("undo: got %d, %v, want 1", n, err)
		}
		w.alive = slices.Sorted(slices.Values(append(w.alive, w.gone[len(w.gone)-1])))
		w.gone = w.gone[:len(w.gone)-1]
	}
}

// record writes a flow; a new one with a body.
func (w *world) record(t *rapid.T, f *flowpb.Flow) {
	fresh := f.Id == 0
	var body []byte
	if r := f.GetHttp().GetResponse(); r != nil && fresh && rapid.Bool().Draw(t, "has body") {
		body = bytes.Repeat([]byte("hay "), rapid.SampledFrom([]int{0, 1, 9000, 90000}).Draw(t, "hay"))
		body = append(body, rapid.SampledFrom([]string{"needle", "", "needl"}).Draw(t, "end")...)
		r.Body = &flowpb.Body{Size: uint64(len(body))}
	}
	if err := w.w.Flow(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if fresh {
		w.alive = append(w.alive, f.Id)
	}
	if err := w.w.Body(t.Context(), f.Id, flowpb.SideResponse, body); err != nil {
		t.Fatal(err)
	}
}

func (w *world) annotate(t *rapid.T) {
	var c NoteChange
	switch text := rapid.SampledFrom([]string{"", "x"}).Draw(t, "note"); rapid.IntRange(0, 2).Draw(t, "kind of note") {
	case 0:
		c.Marked = &text
	case 1:
		c.Comment = &text
	default:
		c.Tags = &[]string{"a" + text}
	}
	id := rapid.SampledFrom(w.alive).Draw(t, "noted")
	if _, err := w.s.Annotate(t.Context(), []uint64{id}, c); err != nil {
		t.Fatal(err)
	}
}

// want is what a query selects, worked out without views, keys or SQL conditions.
func (w *world) want(t *rapid.T, q Query) []uint64 {
	ids, err := listIDs(w.alive)
	if err != nil {
		t.Fatal(err)
	}
	sel := &selection{session: w.s, plan: &filter.Plan{Needs: filter.NeedBody}}
	subjects, err := sel.subjects(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	if len(subjects) != len(ids) {
		t.Fatalf("subjects: got %d, want %d", len(subjects), len(ids))
	}
	subjects = slices.DeleteFunc(subjects, func(s *subject) bool {
		ok, err := filter.Match(q.Filter, s)
		if err != nil {
			t.Fatal(err)
		}
		return !ok || q.MarkedOnly && s.row.Marked == ""
	})
	slices.SortFunc(subjects, func(a, b *subject) int {
		return cmp.Or(compareBy(q.Order, a.Summary(), b.Summary()), cmp.Compare(a.row.ID, b.row.ID))
	})
	if q.Reverse {
		slices.Reverse(subjects)
	}
	want := make([]uint64, len(subjects))
	for i, s := range subjects {
		want[i] = s.row.ID
	}
	if q.Limit > 0 && len(want) > q.Limit {
		want = want[:q.Limit]
	}
	return want
}

func compareBy(o Order, a, b *flowpb.Summary) int {
	switch o {
	case OrderStarted:
		return cmp.Compare(a.Started, b.Started)
	case OrderMethod:
		return strings.Compare(a.Method, b.Method)
	case OrderHost:
		return strings.Compare(a.Host, b.Host)
	case OrderPath:
		return strings.Compare(a.Path, b.Path)
	case OrderURL:
		return strings.Compare(a.URL(), b.URL())
	case OrderStatus:
		return cmp.Compare(a.Status, b.Status)
	case OrderType:
		return strings.Compare(a.ContentType, b.ContentType)
	case OrderRequestSize:
		return cmp.Compare(a.RequestSize, b.RequestSize)
	case OrderResponseSize:
		return cmp.Compare(a.ResponseSize, b.ResponseSize)
	case OrderDuration:
		return cmp.Compare(a.Duration, b.Duration)
	}
	return 0
}

func drawQuery(t *rapid.T) Query {
	src := ""
	for range rapid.IntRange(0, 3).Draw(t, "operators") {
		if src != "" {
			src = "(" + src + ")" + rapid.SampledFrom([]string{" & ", " | "}).Draw(t, "joined by")
		}
		src += rapid.SampledFrom([]string{"", "! "}).Draw(t, "negated") + rapid.SampledFrom(testFilters).Draw(t, "filter")
	}
	q := Query{
		Order:      Order(rapid.IntRange(0, len(orders)-1).Draw(t, "order")),
		Reverse:    rapid.Bool().Draw(t, "reverse"),
		MarkedOnly: rapid.IntRange(0, 4).Draw(t, "marked only") == 0,
	}
	if rapid.IntRange(0, 4).Draw(t, "limited") == 0 {
		q.Limit = rapid.IntRange(1, 20).Draw(t, "limit")
	}
	if src != "" {
		e, err := filter.Parse(src)
		if err != nil {
			t.Fatal(err)
		}
		q.Filter = e
	}
	return q
}

// drawTuning makes builds of several ranges, and keys that say little, out of few flows.
func drawTuning(t *rapid.T) tuning {
	return tuning{
		first: rapid.SampledFrom([]int{1, 3, 1000}).Draw(t, "first"),
		moves: rapid.SampledFrom([]int{1, 10, 1000}).Draw(t, "moves"),
		ranks: rapid.SampledFrom([]int64{0, maxRanks}).Draw(t, "ranks"),
		sort: extsort.Options{
			Expect: rapid.SampledFrom([]int{1, 1000}).Draw(t, "cuts"),
			Memory: rapid.SampledFrom([]int{1, 1 << 20}).Draw(t, "memory"),
			Load:   rapid.SampledFrom([]int{1, 1 << 20}).Draw(t, "load"),
		},
	}
}

// settled waits until a view shows all that is in the session.
func settled(ctx context.Context, t rapid.TB, v *View) Status {
	t.Helper()
	revision, err := v.session.Revision(ctx)
	if err != nil {
		t.Fatal(err)
	}
	var seen uint64
	for {
		status, err := v.Wait(ctx, seen)
		if err != nil {
			t.Fatal(err)
		}
		if status.Err != nil {
			t.Fatalf("view: %v", status.Err)
		}
		if !status.Building && status.Revision >= revision {
			return status
		}
		seen = status.Version
	}
}

// check compares what a view shows with what it should.
func check(t *rapid.T, w *world, v *View, what string) {
	t.Helper()
	status := settled(t.Context(), t, v)
	want := w.want(t, v.query)
	got := v.IDs(0, len(w.alive)+1)
	if d := gocmp.Diff(want, got, equateEmpty); d != "" {
		t.Fatalf("%s view of %s by %v, reverse %v (-want +got):\n%s", what, describe(v.query), v.query.Order, v.query.Reverse, d)
	}
	if status.Len != len(want) || status.Total != len(w.alive) || status.Progress != 100 {
		t.Fatalf("%s view: got %+v, want %d of %d flows", what, status, len(want), len(w.alive))
	}
	for i, id := range got {
		pos, found, err := v.Find(t.Context(), id)
		if err != nil || !found || pos != i {
			t.Fatalf("%s view by %v: find flow %d: got %d, %v, %v, want %d", what, v.query.Order, id, pos, found, err, i)
		}
	}
	checkNeighbours(t, w, v, got)
}

// checkNeighbours asks for flows that a view does not have.
func checkNeighbours(t *rapid.T, w *world, v *View, got []uint64) {
	if v.query.Limit > 0 {
		return
	}
	all := w.want(t, Query{Order: v.query.Order, Reverse: v.query.Reverse})
	before := 0
	for _, id := range all {
		if before < len(got) && got[before] == id {
			before++
			continue
		}
		pos, found, err := v.Find(t.Context(), id)
		if want := max(min(before, len(got)-1), 0); err != nil || found || pos != want {
			t.Fatalf("neighbour of flow %d, with %d before it in a view of %d: got %d, %v, %v, want %d", id, before, len(got), pos, found, err, want)
		}
	}
}

var equateEmpty = gocmp.Comparer(func(a, b []uint64) bool { return slices.Equal(a, b) })

func describe(q Query) string {
	if q.Filter == nil {
		return "all flows"
	}
	return q.Filter.String()
}

func TestViewThatFollowsEqualsOneMadeAfresh(t *testing.T) {
	inWorld(t, func(t *rapid.T, w *world) {
		w.change(t, 40)
		views := make([]*View, 5)
		for i := range views {
			v, err := w.s.view(t.Context(), drawQuery(t), drawTuning(t))
			if err != nil {
				t.Fatal(err)
			}
			defer v.Close()
			views[i] = v
		}
		for range 3 {
			w.change(t, 20)
			for _, v := range views {
				check(t, w, v, "following")
			}
		}
		for _, old := range views {
			v, err := w.s.view(t.Context(), old.query, drawTuning(t))
			if err != nil {
				t.Fatal(err)
			}
			check(t, w, v, "fresh")
			v.Close()
			var got []uint64
			err = w.s.Select(t.Context(), old.query, func(id uint64) bool {
				got = append(got, id)
				return true
			})
			if want := w.want(t, old.query); err != nil || !slices.Equal(got, want) {
				t.Fatalf("select %s by %v: got %v, %v, want %v", describe(old.query), old.query.Order, got, err, want)
			}
		}
	})
}

// newView makes a view with few flows in a range, and waits until it is whole.
func newView(t testing.TB, s *Session, q Query) *View {
	t.Helper()
	v, err := s.view(t.Context(), q, tuning{first: 4, moves: 1000, ranks: maxRanks})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = v.Close() })
	settled(t.Context(), t, v)
	return v
}

func TestAllFlowsInOrderOfArrivalTakeNoMemory(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	for n := range 100 {
		record(t, w, httpFlow(n))
	}
	v := newView(t, s, Query{})
	changed := httpFlow(1000)
	changed.Id = 50
	record(t, w, changed, httpFlow(101), httpFlow(102))
	if got := settled(t.Context(), t, v); got.Len != 102 {
		t.Errorf("after two arrivals and an update: got %d flows, want 102", got.Len)
	}
	if _, err := s.Remove(t.Context(), []uint64{50}); err != nil {
		t.Fatal(err)
	}
	settled(t.Context(), t, v)
	if got, want := v.IDs(48, 3), []uint64{49, 51, 52}; !slices.Equal(got, want) {
		t.Errorf("flows 48 to 50 after one is gone: got %v, want %v", got, want)
	}
}

func TestARefreshReadsOnlyWhatChanged(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	for n := range 300 {
		record(t, w, httpFlow(n))
	}
	v := newView(t, s, Query{Order: OrderStarted})
	if err := v.Close(); err != nil { // from here on the test refreshes it
		t.Fatal(err)
	}
	since, err := s.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	record(t, w, httpFlow(-1), httpFlow(150))
	before := s.functions.Rows()
	if _, again, err := v.refresh(t.Context(), since); err != nil || again {
		t.Fatalf("refresh: got %v, %v", again, err)
	}
	if got := s.functions.Rows() - before; got > 2+2*pivots {
		t.Errorf("refresh after two of 300 flows: got %d rows read, want at most 2 and %d to compare with", got, 2*pivots)
	}
	if got, want := v.IDs(0, 2), []uint64{301, 1}; !slices.Equal(got, want) {
		t.Errorf("first flows: got %v, want %v", got, want)
	}
}

func TestATrimmedLogMakesAViewBeBuiltAgain(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	v := newView(t, s, Query{})
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	since, err := s.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	record(t, w, httpFlow(2))
	record(t, w, httpFlow(3))
	if _, err := s.note.ExecContext(t.Context(), "DELETE FROM change WHERE revision = ?", since+1); err != nil {
		t.Fatal(err)
	}
	if _, again, err := v.refresh(t.Context(), since); err != nil || !again {
		t.Fatalf("refresh over a hole in the log: got %v, %v, want that it asks for a new build", again, err)
	}
	if _, err := v.build(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got, want := v.IDs(0, 9), []uint64{1, 2, 3}; !slices.Equal(got, want) {
		t.Errorf("built again: got %v, want %v", got, want)
	}
}

func TestAClosedViewStandsStill(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	v := newView(t, s, Query{Order: OrderHost})
	if err := v.Close(); err != nil {
		t.Fatal(err)
	}
	status, err := v.Wait(t.Context(), 0)
	if err != nil || !errors.Is(status.Err, context.Canceled) || status.Len != 1 {
		t.Errorf("status: got %+v, %v, want one flow and the reason of the end", status, err)
	}
	if _, err := v.Wait(t.Context(), status.Version); !errors.Is(err, ErrClosed) {
		t.Errorf("wait for more: got %v, want %v", err, ErrClosed)
	}
	rows, err := v.Rows(t.Context(), 0, 5)
	if err != nil || len(rows) != 1 || rows[0].Host != "example.com" {
		t.Errorf("rows: got %v, %v, want the one", rows, err)
	}
}

func TestAViewEndsWithItsSession(t *testing.T) {
	s, err := Create(t.Context(), filepath.Join(t.TempDir(), "a.weir"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	v := newView(t, s, Query{})
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	for status := (Status{}); status.Err == nil; {
		if status, err = v.Wait(t.Context(), status.Version); err != nil {
			t.Fatal(err)
		}
	}
}

func TestWaitEndsWithItsContext(t *testing.T) {
	v := newView(t, newSession(t), Query{})
	status, err := v.Wait(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := v.Wait(ctx, status.Version); !errors.Is(err, context.Canceled) {
		t.Errorf("wait: got %v, want %v", err, context.Canceled)
	}
}

func TestWhatIsNotThereIsLeftOut(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1), httpFlow(2))
	v := newView(t, s, Query{Reverse: true})
	for _, c := range []struct {
		first, n int
		want     []uint64
	}{
		{0, 2, []uint64{2, 1}},
		{1, 50, []uint64{1}},
		{2, 1, nil},
		{-1, 2, nil},
		{0, 0, nil},
		{0, -3, nil},
	} {
		if got := v.IDs(c.first, c.n); !slices.Equal(got, c.want) {
			t.Errorf("%d flows from %d: got %v, want %v", c.n, c.first, got, c.want)
		}
	}
	for _, id := range []uint64{0, 3, 1 << 40} {
		if pos, found, err := v.Find(t.Context(), id); err != nil || found || pos < 0 || pos > 1 {
			t.Errorf("find flow %d: got %d, %v, %v, want a neighbour", id, pos, found, err)
		}
	}
}
