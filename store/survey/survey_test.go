package survey

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	flowpb "weir/proto"
	"weir/store"
	"weir/store/seed"
	"weir/store/storetest"
)

func TestSurvey(t *testing.T) {
	ctx := t.Context()
	s, w := storetest.Create(t, store.WriterOptions{})
	for n := range 5 {
		f := &flowpb.Flow{State: flowpb.StateComplete, Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{
			Request:  &flowpb.Request{Host: []byte("example.com")},
			Response: &flowpb.Response{Body: &flowpb.Body{State: flowpb.BodyComplete, Size: 5}},
		}}}
		if n > 2 {
			f.GetHttp().Request.Host = []byte("other.example")
		}
		if n == 4 {
			f.State, f.Error = flowpb.StateError, &flowpb.Error{Message: "no"}
		}
		if err := w.Flow(ctx, f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flow(ctx, &flowpb.Flow{State: flowpb.StateComplete, Protocol: &flowpb.Flow_Tcp{Tcp: &flowpb.Stream{}}}); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(ctx); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Remove(ctx, []uint64{1}); err != nil {
		t.Fatal(err)
	}
	got, err := Of(ctx, s, false)
	if err != nil {
		t.Fatal(err)
	}
	want := &Survey{
		Kinds: map[flowpb.Kind]uint64{flowpb.KindHTTP: 4, flowpb.KindTCP: 1}, Failed: 1, Removed: 1, Exact: true,
		Hosts: []HostCount{{Host: "example.com", Flows: 2, Bytes: 10}, {Host: "other.example", Flows: 2, Bytes: 10}},
	}
	sizes := map[string]TableSize{}
	for _, table := range got.Tables {
		sizes[table.Name] = table
	}
	if head := sizes["head"]; head.Rows != 6 || head.Bytes < store.PageSize {
		t.Errorf("table head: got %+v, want 6 rows and a page", head)
	}
	got.Tables, got.WAL = nil, 0
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("survey (-want +got):\n%s", diff)
	}
}

// What samples tell is near what is measured.
func TestEstimate(t *testing.T) {
	if testing.Short() {
		t.Skip("thousands of flows")
	}
	s, w := storetest.Create(t, store.WriterOptions{})
	if err := seed.Into(t.Context(), w, seed.Options{Flows: 20_000, BodySize: 700}); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r := reader{path: s.Path(), db: s.DB()}
	measured, err := r.measure(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	estimated, err := r.estimate(t.Context(), &Survey{})
	if err != nil {
		t.Fatal(err)
	}
	for _, guess := range estimated {
		for _, is := range measured {
			if is.Name != guess.Name || is.Name == "message" { // too few of these
				continue
			}
			if off := math.Abs(float64(guess.Rows)/float64(is.Rows) - 1); off > 0.1 {
				t.Errorf("rows of %s: estimated %d, there are %d", is.Name, guess.Rows, is.Rows)
			}
			if off := math.Abs(float64(guess.Bytes)/float64(is.Bytes) - 1); off > 0.35 {
				t.Errorf("bytes of %s: estimated %d, there are %d", is.Name, guess.Bytes, is.Bytes)
			}
		}
	}
}

// What sharing and packing save is told, and nothing of it when the bodies are gone.
func TestSavings(t *testing.T) {
	ctx := t.Context()
	s, w := storetest.Create(t, store.WriterOptions{})
	same := bytes.Repeat([]byte("the same again. "), 400)
	for _, content := range [][]byte{same, same, same, bytes.Repeat([]byte("another one. "), 1000)} {
		f := &flowpb.Flow{State: flowpb.StateComplete, Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{Response: &flowpb.Response{
			Headers: []*flowpb.Field{{Name: []byte("Content-Type"), Value: []byte("text/plain")}},
			Body:    &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(len(content))},
		}}}}
		if err := w.Flow(ctx, f); err != nil {
			t.Fatal(err)
		}
		if err := w.Body(ctx, f.GetId(), flowpb.SideResponse, content); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Compact(ctx, store.CompactOptions{}); err != nil {
		t.Fatal(err)
	}
	got, err := Of(ctx, s, false)
	if err != nil {
		t.Fatal(err)
	}
	if got.PackedFrom != 6400+13000 || got.PackedTo == 0 || got.PackedTo > 1000 || got.SharedBodies != 2 || got.SharedBytes != 2*6400 {
		t.Errorf("got %d bytes packed to %d, %d bodies of %d bytes shared, want 19400 to few, 2 of 12800",
			got.PackedFrom, got.PackedTo, got.SharedBodies, got.SharedBytes)
	}
	if _, err := s.Drop(ctx, []uint64{1, 2, 3, 4}); err != nil {
		t.Fatal(err)
	}
	if got, err = Of(ctx, s, false); err != nil || got.PackedFrom != 0 || got.PackedTo != 0 || got.SharedBodies != 0 || got.SharedBytes != 0 {
		t.Errorf("after all is dropped: got %+v, %v, want nothing saved", got, err)
	}
}
