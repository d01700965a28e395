package store

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"weir/filter"
	flowpb "weir/proto"
	"weir/store/body"
)

func parse(t testing.TB, src string) filter.Expr {
	t.Helper()
	e, err := filter.Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// recordBody records a flow whose response has a body.
func recordBody(t testing.TB, w *Writer, body string) uint64 {
	t.Helper()
	f := httpFlow(1)
	f.GetHttp().Response.Body = &flowpb.Body{Size: uint64(len(body))}
	if err := w.Flow(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if err := w.Body(t.Context(), f.Id, flowpb.SideResponse, []byte(body)); err != nil {
		t.Fatal(err)
	}
	return f.Id
}

func TestSearchFindsBodiesOfAnySize(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	var want []uint64
	for _, size := range []int{0, 100, searchBody - 6, searchBody - 5, searchBody, body.PieceSize - 3, body.PieceSize + 10, 3 * body.PieceSize} {
		want = append(want, recordBody(t, w, strings.Repeat("x", size)+"needle"))
		recordBody(t, w, strings.Repeat("x", size)+"needl")
	}
	// One that came in two transactions is in two pieces, the first of them small.
	want = append(want, recordBody(t, w, strings.Repeat("x", minPiece)))
	flush(t, w)
	if err := w.Body(t.Context(), want[len(want)-1], flowpb.SideResponse, []byte("needle")); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	v := newView(t, s, Query{Filter: parse(t, "~b needle")})
	if got := v.IDs(0, 100); !slices.Equal(got, want) {
		t.Errorf("flows with a needle: got %v, want %v", got, want)
	}
	if status, _ := v.Wait(t.Context(), 0); status.How != "bodies" {
		t.Errorf("how: got %q, want bodies", status.How)
	}
	n, err := s.CountMatching(t.Context(), parse(t, "~b needle"))
	if err != nil || n != len(want) {
		t.Errorf("count: got %d, %v, want %d", n, err, len(want))
	}
}

// A body is read ahead only if it is small, and then only up to a bound in all.
func TestReadingAheadIsBounded(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	var ids []uint32
	for range searchAhead/searchBody + 20 {
		ids = append(ids, uint32(recordBody(t, w, strings.Repeat("x", searchBody))))
	}
	ids = append(ids, uint32(recordBody(t, w, strings.Repeat("x", searchBody+1))))
	flush(t, w)
	sel := &selection{session: s, plan: &filter.Plan{Needs: filter.NeedBody}}
	subjects, err := sel.subjects(t.Context(), ids)
	if err != nil {
		t.Fatal(err)
	}
	held := 0
	for _, s := range subjects {
		held += len(s.bodies[flowpb.SideResponse].small)
	}
	if held == 0 || held > searchAhead+searchBody {
		t.Errorf("bytes read ahead: got %d, want some, at most %d", held, searchAhead+searchBody)
	}
	for _, i := range []int{0, len(subjects) - 2, len(subjects) - 1} {
		r, err := subjects[i].Body(flowpb.SideResponse)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(r)
		if want := searchBody + i/(len(subjects)-1); err != nil || len(got) != want {
			t.Errorf("body of flow %d: got %d bytes, %v, want %d", subjects[i].row.ID, len(got), err, want)
		}
	}
}

func TestSubjectTellsNoBodyFromAnEmptyOne(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	empty := httpFlow(1)
	empty.GetHttp().Response.Body = &flowpb.Body{}
	none := httpFlow(2)
	none.GetHttp().Response.Body = nil
	none.GetHttp().OriginalRequest = &flowpb.Request{Body: &flowpb.Body{}}
	record(t, w, empty, none)
	sel := &selection{session: s, plan: &filter.Plan{Needs: filter.NeedBody}}
	subjects, err := sel.subjects(t.Context(), []uint32{1, 2})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		of   int
		side flowpb.Side
		want bool
	}{
		{0, flowpb.SideResponse, true},
		{0, flowpb.SideRequest, false},
		{0, flowpb.SideOriginalResponse, false},
		{1, flowpb.SideResponse, false},
		{1, flowpb.SideOriginalRequest, true},
		{1, 99, false},
	} {
		r, err := subjects[c.of].Body(c.side)
		if err != nil || (r != nil) != c.want {
			t.Errorf("body of flow %d, side %v: got %v, %v, want one: %v", c.of+1, c.side, r, err, c.want)
		}
	}
}

func TestSearchLooksAtMessagesPageByPage(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	f := httpFlow(1)
	f.GetHttp().Websocket = &flowpb.WebSocket{}
	record(t, w, f)
	const n = 2*searchMessages + 3
	for i := range n {
		content := []byte("hay")
		if i == n-1 {
			content = []byte("needle")
		}
		m := &flowpb.Message{Flow: f.Id, Side: flowpb.SideRequest, Content: content}
		if err := w.Message(t.Context(), m); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, w)
	sel := &selection{session: s, plan: &filter.Plan{Needs: filter.NeedBody}}
	subjects, err := sel.subjects(t.Context(), []uint32{1})
	if err != nil {
		t.Fatal(err)
	}
	var got [][]byte
	err = subjects[0].Messages(func(m *flowpb.Message) bool {
		got = append(got, m.Content)
		return true
	})
	if err != nil || len(got) != n || !bytes.Equal(got[n-1], []byte("needle")) {
		t.Errorf("messages: got %d, %v, want %d with the needle last", len(got), err, n)
	}
	v := newView(t, s, Query{Filter: parse(t, "~bq needle")})
	if got := v.IDs(0, 9); !slices.Equal(got, []uint64{1}) {
		t.Errorf("search: got %v, want flow 1", got)
	}
}

func TestADamagedFlowDoesNotEndTheSearchInTheOthers(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1), httpFlow(2), httpFlow(3))
	if _, err := s.note.ExecContext(t.Context(), "UPDATE head SET blob = x'01ff' WHERE id = 2"); err != nil {
		t.Fatal(err)
	}
	v := newView(t, s, Query{Filter: parse(t, "~h text/html")})
	if got, want := v.IDs(0, 9), []uint64{1, 3}; !slices.Equal(got, want) {
		t.Errorf("search: got %v, want %v", got, want)
	}
}

func TestASearchEndsWithItsContext(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	for range 40 {
		recordBody(t, w, "needle")
	}
	flush(t, w)
	ctx, cancel := context.WithCancel(t.Context())
	found := 0
	err := s.Select(ctx, Query{Filter: parse(t, "~b needle")}, func(uint64) bool {
		found++
		cancel()
		return true
	})
	// The range in which it was cancelled is yielded whole: it had been read.
	if found == 0 || err != nil && !errors.Is(err, context.Canceled) {
		t.Errorf("select: got %d flows, %v", found, err)
	}
	if err := s.Select(ctx, Query{Filter: parse(t, "~b needle")}, func(uint64) bool { return true }); !errors.Is(err, context.Canceled) {
		t.Errorf("select after the end: got %v, want %v", err, context.Canceled)
	}
}

func TestSelectStopsWhenAskedTo(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1), httpFlow(2), httpFlow(3))
	for _, q := range []Query{{Reverse: true}, {Reverse: true, Order: OrderStarted}} {
		var got []uint64
		err := s.Select(t.Context(), q, func(id uint64) bool {
			got = append(got, id)
			return len(got) < 2
		})
		if want := []uint64{3, 2}; err != nil || !slices.Equal(got, want) {
			t.Errorf("select by %v: got %v, %v, want %v", q.Order, got, err, want)
		}
	}
}
