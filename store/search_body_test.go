package store

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"

	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/compact"
)

// searchModel is what a session's bodies are: needles in hay, cut anywhere.
type searchModel struct {
	*bodyModel
	coded map[uint64]bool
}

// TestSearchProperty sees that a search finds exactly the flows whose bodies have what is
// looked for, however they are cut, coded and shared.
func TestSearchProperty(t *testing.T) {
	onlyWhole(t)
	rapid.Check(t, func(rt *rapid.T) {
		m := &searchModel{newBodyModel(t, rt), map[uint64]bool{}}
		var contents [][]byte
		for range rapid.IntRange(1, 6).Draw(rt, "flows") {
			if len(contents) > 0 && rapid.Bool().Draw(rt, "same") {
				m.record(rt, contents[0])
				continue
			}
			contents = append(contents, m.hay(rt))
			m.record(rt, contents[len(contents)-1])
		}
		m.compact(rt, rapid.IntRange(0, 60).Draw(rt, "pauses"))
		for src, matches := range map[string]func([]byte) bool{
			`~b needle`:               func(b []byte) bool { return bytes.Contains(b, []byte("needle")) },
			`~bs nee[d]le`:            func(b []byte) bool { return bytes.Contains(b, []byte("needle")) },
			`~bs needle & ~bs noodle`: func(b []byte) bool { return bytes.Contains(b, []byte("needle")) && bytes.Contains(b, []byte("noodle")) },
			`~bs needle | ~bs noodle`: func(b []byte) bool { return bytes.Contains(b, []byte("needle")) || bytes.Contains(b, []byte("noodle")) },
			`~bs noodle & !~bs needle`: func(b []byte) bool {
				return !bytes.Contains(b, []byte("needle")) && bytes.Contains(b, []byte("noodle"))
			},
			`~bs "needle\Z"`:             func(b []byte) bool { return bytes.HasSuffix(b, []byte("needle")) },
			`~bq needle | ~bs x{5}hay`:   func(b []byte) bool { return bytes.Contains(b, []byte("xxxxxhay")) },
			`~bs needle | (~c 404 & ~e)`: func(b []byte) bool { return bytes.Contains(b, []byte("needle")) },
			`~bs needle (~all | ~b abc)`: func(b []byte) bool { return bytes.Contains(b, []byte("needle")) },
		} {
			var want []uint64
			for flow, content := range m.bodies {
				if matches(content) {
					want = append(want, flow)
				}
			}
			slices.Sort(want)
			var got []uint64
			err := m.s.Select(context.Background(), Query{Filter: parse(t, src)}, func(id uint64) bool { got = append(got, id); return true })
			if err != nil || !slices.Equal(got, want) {
				rt.Fatalf("%s: got %v, %v, want %v", src, got, err, want)
			}
		}
		if err := m.s.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

// hay is a body of some pieces, with needles at their edges and elsewhere.
func (m *searchModel) hay(rt *rapid.T) []byte {
	size := rapid.SampledFrom([]int{0, 10, compact.ShareFrom, minPiece + 3, body.PieceSize + 2, 2*body.PieceSize + 100}).Draw(rt, "size")
	b := bytes.Repeat([]byte("xxxxx hay "), size/10+1)[:size]
	for range rapid.IntRange(0, 2).Draw(rt, "needles") {
		needle := rapid.SampledFrom([]string{"needle", "noodle", "needl", "xxxxxhay"}).Draw(rt, "needle")
		if len(needle) > size {
			continue
		}
		at := rapid.OneOf(rapid.IntRange(0, size-len(needle)), rapid.Just(size-len(needle)), rapid.IntRange(body.PieceSize-7, body.PieceSize)).Draw(rt, "at")
		copy(b[min(at, size-len(needle)):], needle)
	}
	return b
}

// What the raw bodies do not tell is looked for all the same.
func TestSearchPastThePrefilter(t *testing.T) {
	s, w := newWriter(t, never(WriterOptions{}))
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	fmt.Fprint(z, "a needle in gzip")
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	coded := bodyFlow(packed.Len(), "text/plain")
	coded.GetHttp().Response.Headers = fields("Content-Encoding", "gzip")
	socket := httpFlow(2)
	socket.GetHttp().Websocket = &flowpb.WebSocket{}
	stream := &flowpb.Flow{State: flowpb.StateComplete, Protocol: &flowpb.Flow_Tcp{Tcp: &flowpb.Stream{}}}
	none := httpFlow(4)
	for _, f := range []*flowpb.Flow{coded, socket, stream, none} {
		if err := w.Flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Body(t.Context(), coded.Id, flowpb.SideResponse, packed.Bytes()); err != nil {
		t.Fatal(err)
	}
	for _, f := range []*flowpb.Flow{socket, stream} {
		if err := w.Message(t.Context(), &flowpb.Message{Flow: f.Id, Side: flowpb.SideResponse, Type: flowpb.MessageText, Content: []byte("needle")}); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, w)
	for src, want := range map[string][]uint64{
		"~b needle": {1, 2, 3}, "~bm needle": {2, 3}, "~bq needle": nil, `~bs ""`: {1, 2, 3, 4}, "!~b needle": {4},
	} {
		var got []uint64
		err := s.Select(t.Context(), Query{Filter: parse(t, src)}, func(id uint64) bool { got = append(got, id); return true })
		if err != nil || (src != `~bs ""` && !slices.Equal(got, want)) {
			t.Errorf("%s: got %v, %v, want %v", src, got, err, want)
		}
	}
}

// A search through one large body ends when its query is no longer wanted, and does not
// read on once it has found something.
func TestSearchOfALargeBody(t *testing.T) {
	s, w := newWriter(t, never(WriterOptions{}))
	const pieces = 100
	content := bytes.Repeat([]byte("hay "), pieces*body.PieceSize/4)
	copy(content, "early")
	copy(content[len(content)-4:], "late")
	recordTyped(t, w, "text/plain", content)
	recordTyped(t, w, "text/plain", []byte("hay"))
	// Rows are pieces; what is found is read once more, to be judged.
	for src, most := range map[string]uint64{"~bs early": 16, "~bs late": 2*pieces + 10, "~bs nothing": pieces + 10} {
		before := s.functions.Rows()
		n, err := s.CountMatching(t.Context(), parse(t, src))
		want := 1
		if src == "~bs nothing" {
			want = 0
		}
		if err != nil || n != want {
			t.Errorf("%s: got %d, %v, want %d", src, n, err, want)
		}
		if got := s.functions.Rows() - before; got > most {
			t.Errorf("%s: got %d rows, want at most %d", src, got, most)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
	defer cancel()
	<-ctx.Done()
	if _, err := s.CountMatching(ctx, parse(t, "~bs nothing")); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("search with an ended context: got %v, want %v", err, context.DeadlineExceeded)
	}
}
