package store

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"weir/filter"
	flowpb "weir/proto"
)

// world is a session under random change, and the flows it should hold.
type world struct {
	s     *Session
	w     *Writer
	flows []*flowpb.Flow // flow i+1
	notes map[uint64]flowpb.Note
	body  map[uint64]string // of responses
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
		property(rt, &world{s: s, w: w, notes: map[uint64]flowpb.Note{}, body: map[uint64]string{}})
	})
}

// Texts that make trouble for keys of eight bytes: long common prefixes, one text
// the prefix of another, and bytes at both ends of the range.
var (
	testHosts   = []string{"", "a", "a.example", "a.example.com", "b.example", "\x00", "\xff\xff", "::1"}
	testPaths   = []string{"", "/", "/api/v1/items/1", "/api/v1/items/10", "/api/v1/items/1\x00", "/api/v1/items/2?page=1", "/api/v1/items/2?page=10", "/api/v1/items/2?page=2", "/api/v1/items/2?page=\xff"}
	testMethods = []string{"GET", "POST", "PROPFIND", "PROPPATCH", "PROPPATCHES-ALL-THE-THINGS", "PROPPATCHES-ALL-THE-WORLD"}
	testTypes   = []string{"", "text/html", "text/html; charset=utf-8", "application/json"}
	testQueries = []string{"", "~c 404", "~d example", "~m PROP", "~u items/2", "~marked", "! ~marked & ~s", "~b needle", "~hs needle | ~q", "~c 2xx & ~b needle | ~t json", "~comment x | ~dns", "~e | ~tag a"}
)

// draw makes a flow up; its text columns mostly come from few values.
func (w *world) draw(t *rapid.T) *flowpb.Flow {
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

// change records some flows, and changes some others and what is said of them.
func (w *world) change(t *rapid.T, most int) {
	ctx := t.Context()
	for range rapid.IntRange(0, most).Draw(t, "changes") {
		f := w.draw(t)
		if n := len(w.flows); n > 0 && rapid.IntRange(0, 2).Draw(t, "update") == 0 {
			f.Id = uint64(rapid.IntRange(1, n).Draw(t, "id"))
		}
		fresh := f.Id == 0
		body := ""
		if r := f.GetHttp().GetResponse(); r != nil && fresh && rapid.Bool().Draw(t, "has body") {
			body = strings.Repeat("hay ", rapid.SampledFrom([]int{0, 1, 9000, 90000}).Draw(t, "hay"))
			body += rapid.SampledFrom([]string{"needle", "", "needl"}).Draw(t, "end")
			r.Body = &flowpb.Body{Size: uint64(len(body))}
		}
		if err := w.w.Flow(ctx, f); err != nil {
			t.Fatal(err)
		}
		if !fresh {
			w.flows[f.Id-1] = f
			continue
		}
		w.flows = append(w.flows, f)
		if err := w.w.Body(ctx, f.Id, flowpb.SideResponse, []byte(body)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.w.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	for range rapid.IntRange(0, 3).Draw(t, "notes") {
		if len(w.flows) > 0 {
			w.annotate(t)
		}
	}
}

func (w *world) annotate(t *rapid.T) {
	id := uint64(rapid.IntRange(1, len(w.flows)).Draw(t, "noted"))
	var c NoteChange
	switch text := rapid.SampledFrom([]string{"", "x"}).Draw(t, "note"); rapid.IntRange(0, 2).Draw(t, "kind of note") {
	case 0:
		c.Marked = &text
	case 1:
		c.Comment = &text
	default:
		c.Tags = &[]string{"a" + text}
	}
	if _, err := w.s.Annotate(t.Context(), []uint64{id}, c); err != nil {
		t.Fatal(err)
	}
}

// want is what a query selects, worked out without views, keys or SQL conditions.
func (w *world) want(t *rapid.T, q Query) []uint64 {
	var ids []uint32
	for i := range w.flows {
		ids = append(ids, uint32(i+1))
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
	src := rapid.SampledFrom(testQueries).Draw(t, "filter")
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
	return tuning{first: rapid.SampledFrom([]int{1, 3, 1000}).Draw(t, "first"), sample: rapid.SampledFrom([]int{1, 5, 1000}).Draw(t, "sample")}
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
	got := v.IDs(0, len(w.flows)+1)
	if d := gocmp.Diff(want, got, equateEmpty); d != "" {
		t.Fatalf("%s view of %s by %v, reverse %v (-want +got):\n%s", what, describe(v.query), v.query.Order, v.query.Reverse, d)
	}
	if status.Len != len(want) || status.Total != len(w.flows) || status.Progress != 100 {
		t.Fatalf("%s view: got %+v, want %d of %d flows", what, status, len(want), len(w.flows))
	}
	for i, id := range got {
		pos, found, err := v.Find(t.Context(), id)
		if err != nil || !found || pos != i {
			t.Fatalf("%s view by %v: find flow %d: got %d, %v, %v, want %d", what, v.query.Order, id, pos, found, err, i)
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
