package store

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/compact"
	"weir/store/lock"
	"weir/store/pack"
	"weir/store/rowid"
)

// never is a writer that does not compact by itself.
func never(o WriterOptions) WriterOptions {
	o.CompactAfter = -1
	return o
}

// compactNow compacts a session that has a writer.
func compactNow(t *testing.T, s *Session) compact.Done {
	t.Helper()
	done, err := compactWith(t.Context(), s, compact.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return done
}

// compactWith compacts until there is nothing more to do, or pausing ends it.
func compactWith(ctx context.Context, s *Session, o compact.Options) (compact.Done, error) {
	c, db, err := s.compactor(ctx, o)
	if err != nil {
		return compact.Done{}, err
	}
	err = c.Run(ctx)
	return c.Done(), errors.Join(err, db.Close())
}

// fields makes header lines of name, value, name, value …
func fields(pairs ...string) (out []*flowpb.Field) {
	for i := 0; i < len(pairs); i += 2 {
		out = append(out, &flowpb.Field{Name: []byte(pairs[i]), Value: []byte(pairs[i+1])})
	}
	return out
}

// bodyFlow is a complete flow whose response has a body of n bytes of a type.
func bodyFlow(n int, media string) *flowpb.Flow {
	f := httpFlow(n)
	f.GetHttp().Response.Headers = fields("Content-Type", media)
	f.GetHttp().Response.Body = &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(n)}
	return f
}

// recordTyped records a flow with a body and waits for the disk.
func recordTyped(t *testing.T, w *Writer, media string, content []byte) uint64 {
	t.Helper()
	f := bodyFlow(len(content), media)
	if err := w.Flow(t.Context(), f); err != nil {
		t.Fatal(err)
	}
	if err := w.Body(t.Context(), f.GetId(), flowpb.SideResponse, content); err != nil {
		t.Fatal(err)
	}
	flush(t, w)
	return f.GetId()
}

func readBody(t *testing.T, s *Session, flow uint64) []byte {
	t.Helper()
	b, err := s.Body(t.Context(), flow, flowpb.SideResponse)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(b.NewReader(t.Context()))
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// clean fails the test if verify finds something.
func clean(t interface{ Fatalf(string, ...any) }, s *Session) {
	if problems, err := s.Verify(context.Background()); err != nil || len(problems) > 0 {
		t.Fatalf("verify: got %v, %v, want nothing", problems, err)
	}
}

// queryInt runs a query for one number.
func queryInt(t *testing.T, s *Session, query string, args ...any) (n int64) {
	t.Helper()
	if err := s.read.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// text is n bytes that compress, and differ by seed.
func text(seed, n int) []byte {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "{%d: \"the quick brown fox %d\"}\n", seed, i%100)
	}
	return []byte(b.String()[:n])
}

// noise is n bytes that do not.
func noise(seed, n int) []byte {
	r := rand.New(rand.NewPCG(uint64(seed), 1))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(r.Uint32())
	}
	return b
}

// TestCompactPacksWhatPays sees which pieces are coded.
func TestCompactPacksWhatPays(t *testing.T) {
	for _, c := range []struct {
		name, media string
		content     []byte
		enc         int64
	}{
		{"text", "text/plain", text(1, 20_000), body.EncZstd},
		{"text of a type that nobody knows", "", text(1, 3000), body.EncZstd},
		{"an image of words", "image/svg+xml", text(1, 3000), body.EncZstd},
		{"a little text", "text/plain", text(1, pack.From-1), body.EncNone},
		{"noise", "text/plain", noise(1, 20_000), body.EncNone},
		{"much noise with text at its end", "text/plain", append(noise(1, 64<<10), text(1, 1000)...), body.EncNone},
		{"text that says it is an image", "image/PNG", text(1, 20_000), body.EncNone},
	} {
		t.Run(c.name, func(t *testing.T) {
			s, w := newWriter(t, never(WriterOptions{}))
			flow := recordTyped(t, w, c.media, c.content)
			compactNow(t, s)
			if got := queryInt(t, s, "SELECT enc FROM body"); got != c.enc {
				t.Errorf("coding: got %d, want %d", got, c.enc)
			}
			if got := readBody(t, s, flow); !bytes.Equal(got, c.content) {
				t.Errorf("body: got %d other bytes, want the %d recorded", len(got), len(c.content))
			}
			clean(t, s)
		})
	}
}

// A body that is sent coded is left alone, whatever its type.
func TestCompactLeavesContentCodings(t *testing.T) {
	f := bodyFlow(5, "text/plain")
	if !pack.Worth(f, flowpb.SideResponse) {
		t.Error("plain text: got no, want yes")
	}
	f.GetHttp().Response.Headers = fields("content-encoding", "gzip", "Content-Type", "text/plain")
	if pack.Worth(f, flowpb.SideResponse) {
		t.Error("text in gzip: got yes, want no")
	}
}

// TestCompactShares sees that equal bodies are kept once, until the last of them goes.
func TestCompactShares(t *testing.T) {
	for name, content := range map[string][]byte{
		"one piece": text(1, 5000), "noise": noise(1, 5000), "three pieces": text(1, 2*body.PieceSize+100), "at the limit": text(1, compact.ShareFrom),
	} {
		t.Run(name, func(t *testing.T) {
			s, w := newWriter(t, never(WriterOptions{}))
			var flows []uint64
			for range 3 {
				flows = append(flows, recordTyped(t, w, "text/plain", content))
			}
			if done := compactNow(t, s); done.Shared != 2 {
				t.Errorf("bodies shared: got %d, want 2", done.Shared)
			}
			if got := queryInt(t, s, "SELECT uses FROM shared"); got != 3 {
				t.Errorf("uses: got %d, want 3", got)
			}
			for i, flow := range flows {
				clean(t, s)
				for _, left := range flows[i:] {
					if got := readBody(t, s, left); !bytes.Equal(got, content) {
						t.Errorf("body %d, %d removed: got %d other bytes, want %d", left, i, len(got), len(content))
					}
				}
				if _, err := s.Drop(t.Context(), []uint64{flow}); err != nil {
					t.Fatal(err)
				}
			}
			clean(t, s)
			if n := queryInt(t, s, "SELECT (SELECT count(*) FROM body) + (SELECT count(*) FROM shared)"); n != 0 {
				t.Errorf("rows left after the last one is removed: got %d, want 0", n)
			}
		})
	}
}

// Bodies below the limit, and with other bytes of the same digest, are not shared.
func TestCompactDoesNotShare(t *testing.T) {
	s, w := newWriter(t, never(WriterOptions{}))
	small := text(1, compact.ShareFrom-1)
	recordTyped(t, w, "text/plain", small)
	recordTyped(t, w, "text/plain", small)
	content := noise(1, 3*body.PieceSize)
	first := recordTyped(t, w, "text/plain", content)
	compactNow(t, s)
	if n := queryInt(t, s, "SELECT count(*) FROM body WHERE enc = 2"); n != 0 {
		t.Errorf("references to small bodies: got %d, want 0", n)
	}
	// The owner is not what its digest says.
	if _, err := s.note.Exec("UPDATE body SET data = zeroblob(length(data)) WHERE id = ?", rowid.Piece(first, flowpb.SideResponse, 1)); err != nil {
		t.Fatal(err)
	}
	second := recordTyped(t, w, "text/plain", content)
	compactNow(t, s)
	if got := readBody(t, s, second); !bytes.Equal(got, content) {
		t.Error("a body whose digest another one claims: got other bytes")
	}
}

// A body that grows after it was compacted keeps what it has.
func TestBodyGrowsAfterCompaction(t *testing.T) {
	s, w := newWriter(t, never(WriterOptions{}))
	content := text(1, 5000)
	flows := []uint64{recordTyped(t, w, "text/plain", content), recordTyped(t, w, "text/plain", content)}
	for round := range 3 {
		compactNow(t, s)
		for _, flow := range flows {
			more := fmt.Appendf(nil, "round %d of flow %d", round, flow)
			if err := w.Body(t.Context(), flow, flowpb.SideResponse, more); err != nil {
				t.Fatal(err)
			}
			flush(t, w)
		}
	}
	for _, flow := range flows {
		want := slices.Clone(content)
		for round := range 3 {
			want = fmt.Appendf(want, "round %d of flow %d", round, flow)
		}
		if got := readBody(t, s, flow); !bytes.Equal(got, want) {
			t.Errorf("body of flow %d: got %q, want %q at its end", flow, got[5000:], want[5000:])
		}
	}
}

// Flows that have not ended are passed over, and looked at when they have.
func TestCompactComesBackToOpenFlows(t *testing.T) {
	s, w := newWriter(t, never(WriterOptions{}))
	content := text(1, 5000)
	open := bodyFlow(len(content), "text/plain")
	open.State = flowpb.StateResponse
	record(t, w, open)
	if err := w.Body(t.Context(), 1, flowpb.SideResponse, content); err != nil {
		t.Fatal(err)
	}
	recordTyped(t, w, "text/plain", text(2, 5000))
	compactNow(t, s)
	const coded = "SELECT enc FROM body WHERE id >> 23 = ?"
	if a, b := queryInt(t, s, coded, 1), queryInt(t, s, coded, 2); a != body.EncNone || b != body.EncZstd {
		t.Errorf("codings with flow 1 open: got %d and %d, want %d and %d", a, b, body.EncNone, body.EncZstd)
	}
	open.State = flowpb.StateComplete
	record(t, w, open)
	compactNow(t, s)
	if got := queryInt(t, s, coded, 1); got != body.EncZstd {
		t.Errorf("coding after flow 1 ended: got %d, want %d", got, body.EncZstd)
	}
	if n := queryInt(t, s, "SELECT count(*) FROM revisit"); n != 0 {
		t.Errorf("flows to come back to: got %d, want 0", n)
	}
}

// TestCompactGivesSpaceBack sees that the file shrinks by what was removed.
func TestCompactGivesSpaceBack(t *testing.T) {
	s, w := newWriter(t, never(WriterOptions{}))
	keep := noise(1, 100_000)
	kept := recordTyped(t, w, "", keep)
	const pieces = 40
	large := recordTyped(t, w, "", noise(2, pieces*body.PieceSize))
	kept2 := recordTyped(t, w, "", keep[1:])
	compactNow(t, s)
	if _, err := s.Remove(t.Context(), []uint64{large}); err != nil {
		t.Fatal(err)
	}
	if _, more, err := s.purgeSome(t.Context(), math.MaxInt64); err != nil || !more {
		t.Fatalf("first step of dropping: got more %v, %v, want more", more, err)
	}
	clean(t, s)
	pages := queryInt(t, s, "PRAGMA page_count")
	done := compactNow(t, s)
	clean(t, s)
	if got, want := pages-queryInt(t, s, "PRAGMA page_count"), int64(pieces*body.PieceSize/PageSize); got < want || got != done.Pages {
		t.Errorf("pages given back: got %d, said to be %d, want at least %d", got, done.Pages, want)
	}
	if n := queryInt(t, s, "PRAGMA freelist_count"); n != 0 {
		t.Errorf("free pages: got %d, want 0", n)
	}
	if !bytes.Equal(readBody(t, s, kept), keep) || !bytes.Equal(readBody(t, s, kept2), keep[1:]) {
		t.Error("the bodies that stay: got other bytes")
	}
}

// TestCompactInTheBackground sees that an idle writer compacts, and Close ends that.
// Bodies of a KB or two stand several to a page: what coding saves of each has to make
// whole pages free.
func TestCompactOfSmallBodiesMakesTheFileSmaller(t *testing.T) {
	s, w := newWriter(t, never(WriterOptions{}))
	const flows, size = 1500, 1500
	for n := range flows {
		f := bodyFlow(size, "text/plain")
		if err := w.Flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
		text := strings.Repeat(fmt.Sprintf("line %d of many, ", n), size)[:size]
		if err := w.Body(t.Context(), f.GetId(), flowpb.SideResponse, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	r, err := s.Compact(t.Context(), CompactOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if gone := r.Before - r.After; r.Bytes < flows*size/2 || gone < r.Bytes/2 {
		t.Errorf("coding saved %d bytes of %d and made the file %d shorter, want at least half of each", r.Bytes, flows*size, gone)
	}
}

func TestCompactInTheBackground(t *testing.T) {
	s, w := newWriter(t, WriterOptions{CompactAfter: time.Millisecond})
	recordTyped(t, w, "text/plain", text(1, 5000))
	for deadline := time.Now().Add(20 * time.Second); queryInt(t, s, "SELECT enc FROM body") != body.EncZstd; {
		if time.Now().After(deadline) {
			t.Fatal("the body is not compacted")
		}
		time.Sleep(time.Millisecond)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	clean(t, s)
}

// A compactor stands still while something is queued.
func TestCompactorWaitsForTheWriter(t *testing.T) {
	_, w := newWriter(t, never(WriterOptions{BatchDelay: time.Hour}))
	i := &idleCompactor{w: w}
	if got := i.wait(); got > 0 {
		t.Errorf("wait with an empty queue: got %v, want none", got)
	}
	if err := w.Flow(t.Context(), httpFlow(1)); err != nil {
		t.Fatal(err)
	}
	if got := i.wait(); got <= 0 {
		t.Errorf("wait with a flow in the queue: got %v, want some", got)
	}
	i.quiet = time.Hour
	flush(t, w)
	if got := i.wait(); got < time.Hour/2 {
		t.Errorf("wait just after a commit: got %v, want about %v", got, i.quiet)
	}
}

// A compactor that has to wait gives its memory back, once, and goes on as before.
func TestCompactorRests(t *testing.T) {
	s, w := newWriter(t, never(WriterOptions{BatchDelay: time.Hour}))
	flow := recordTyped(t, w, "text/plain", text(1, 50_000))
	flush(t, w)
	i := &idleCompactor{w: w, quiet: 20 * time.Millisecond}
	rests := 0
	if err := i.pause(t.Context(), func() { rests++ }); err != nil || rests != 1 {
		t.Errorf("pause just after a commit: got %d rests, %v, want 1", rests, err)
	}
	var c *compact.Compactor
	c, db, err := s.compactor(t.Context(), compact.Options{Pause: func(ctx context.Context) error {
		c.Rest(ctx)
		return nil
	}})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := c.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := queryInt(t, s, "SELECT enc FROM body"); got != body.EncZstd || !bytes.Equal(readBody(t, s, flow), text(1, 50_000)) {
		t.Errorf("a body coded with rests: got coding %d, want %d and the same bytes", got, body.EncZstd)
	}
}

// A compactor does not make a -wal file longer that a reader keeps from being folded.
func TestCompactorWaitsForReaders(t *testing.T) {
	s, w := newWriter(t, never(WriterOptions{}))
	points := w.tape.points
	points.most = 2
	reader, err := s.read.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Rollback()
	if _, err := reader.Exec("SELECT count(*) FROM flow"); err != nil {
		t.Fatal(err)
	}
	recordTyped(t, w, "text/plain", text(1, 100_000))
	points.fold(t.Context())
	if !points.pinned(t.Context()) {
		t.Error("with a reader: got no, want that the -wal file is pinned")
	}
	if err := reader.Rollback(); err != nil {
		t.Fatal(err)
	}
	if points.pinned(t.Context()) {
		t.Error("without one: got that the -wal file is pinned, want no")
	}
}

func TestCompactSession(t *testing.T) {
	s, w := newWriter(t, never(WriterOptions{}))
	if _, err := s.Compact(t.Context(), CompactOptions{}); !errors.Is(err, lock.ErrCapturing) {
		t.Errorf("compact while capturing: got %v, want %v", err, lock.ErrCapturing)
	}
	want := map[uint64][]byte{}
	for n := range 40 {
		content := text(n%20, 30_000)
		want[recordTyped(t, w, "text/html", content)] = content
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	calls := 0
	r, err := s.Compact(t.Context(), CompactOptions{Rewrite: true, Progress: func(CompactProgress) { calls++ }})
	if err != nil {
		t.Fatal(err)
	}
	if r.Shared != 20 || r.Flows != 40 || r.After*2 > r.Before || calls == 0 {
		t.Errorf("result: got %+v and %d calls, want 20 shared of 40 flows in less than half the space", r, calls)
	}
	for flow, content := range want {
		if !bytes.Equal(readBody(t, s, flow), content) {
			t.Errorf("body of flow %d: got other bytes", flow)
		}
	}
	clean(t, s)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Compact(ctx, CompactOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("compact with an ended context: got %v, want %v", err, context.Canceled)
	}
}

// TestDamagedCompactedBody sees that coded and shared pieces which are not what they say
// are an error and no panic, and found by verify.
func TestDamagedCompactedBody(t *testing.T) {
	onlyWhole(t)
	content := text(1, 2*body.PieceSize+5000)
	for damage, says := range map[string]string{
		"UPDATE body SET data = x'00' WHERE enc = 1":                                                  "piece 0",
		"UPDATE body SET data = zeroblob(500) WHERE enc = 1":                                          "piece 0",
		"UPDATE body SET enc = 0 WHERE enc = 1":                                                       "piece 0",
		"UPDATE body SET size = size - 1 WHERE enc = 1 AND id & 1048575 = 2":                          "piece 2",
		"UPDATE body SET data = x'00' WHERE enc = 2":                                                  "refers to what is not in body",
		"UPDATE body SET data = id & ~1048575 WHERE enc = 2":                                          "refers to what is not in body",
		"UPDATE body SET data = 12345 WHERE enc = 2 AND id & 1048575 = 1":                             "refers to what is not in body 12345",
		"DELETE FROM body WHERE enc = 1":                                                              "shared body of flow 1: EOF",
		"DELETE FROM body WHERE enc = 1 AND id & 1048575 = 2":                                         "shared body of flow 1: EOF",
		"UPDATE body SET enc = 2, data = (SELECT max(id) & ~1048575 FROM body) WHERE enc = 1":         "others refer to it",
		"UPDATE body SET enc = 2, data = 12345 WHERE enc = 1":                                         "others refer to it",
		"UPDATE body SET start = start + 1, size = size - 1 WHERE enc = 2 AND id & 1048575 = 1":       "does not follow",
		"UPDATE body SET size = 9000000000000000000 WHERE enc = 2":                                    "does not follow",
		"UPDATE body SET data = (SELECT data FROM body WHERE enc = 1 LIMIT 1) WHERE id & 1048575 = 2": "piece 2",
	} {
		t.Run(damage, func(t *testing.T) {
			s, w := newWriter(t, never(WriterOptions{}))
			for range 2 {
				recordTyped(t, w, "text/plain", content)
			}
			compactNow(t, s)
			clean(t, s)
			if _, err := s.note.Exec(damage); err != nil {
				t.Fatal(err)
			}
			failed := false
			for flow := range uint64(2) {
				b, err := s.Body(t.Context(), flow+1, flowpb.SideResponse)
				if err == nil {
					_, err = io.Copy(io.Discard, b.NewReader(t.Context()))
				}
				if err == nil && b.Size() != int64(len(content)) {
					err = io.ErrUnexpectedEOF
				}
				failed = failed || err != nil
				if b != nil {
					_, _ = b.ReadAt(t.Context(), make([]byte, 2*body.PieceSize), 1000)
				}
			}
			if !failed {
				t.Error("bodies: both could be read, want an error")
			}
			problems, err := s.Verify(t.Context())
			if err != nil || !strings.Contains(fmt.Sprint(problems), says) {
				t.Errorf("verify: got %v, %v, want it to say %q", problems, err, says)
			}
		})
	}
}

// TestVerifyCountsUses sees that wrong counts and digests are found.
func TestVerifyCountsUses(t *testing.T) {
	for _, c := range []struct{ damage, says string }{
		{"UPDATE shared SET uses = 3", "shared body of flow 1: is used 2 times, not 3"},
		{"UPDATE shared SET sha256 = zeroblob(32)", "shared body of flow 1: its bytes have another digest"},
		{"UPDATE shared SET size = 100", "body of flow 2: piece 0 refers to what is not in body"},
		{"DELETE FROM shared", "body of flow 2: piece 0 refers to what is not in body"},
		{"INSERT INTO body (id, start, size, data) VALUES (5 << 23, 0, 1, x'00')", "body of flow 5: has no flow"},
	} {
		s, w := newWriter(t, never(WriterOptions{}))
		for range 2 {
			recordTyped(t, w, "text/plain", text(1, 5000))
		}
		compactNow(t, s)
		if _, err := s.note.Exec(c.damage); err != nil {
			t.Fatal(err)
		}
		if problems, err := s.Verify(t.Context()); err != nil || !strings.Contains(fmt.Sprint(problems), c.says) {
			t.Errorf("%s: got %v, %v, want it to say %q", c.damage, problems, err, c.says)
		}
	}
}

// bodyModel is what a session should hold of bodies.
type bodyModel struct {
	s      *Session
	w      *Writer
	bodies map[uint64][]byte
}

// TestCompactionProperty records, compacts, stops half way, removes and reads back in
// any order: bodies never change, and all is counted right.
func TestCompactionProperty(t *testing.T) {
	contents := [][]byte{
		{},
		text(1, 100), text(1, pack.From), text(2, compact.ShareFrom-1), text(2, compact.ShareFrom), noise(3, compact.ShareFrom+1), text(4, minPiece),
		text(5, body.PieceSize-1), text(5, body.PieceSize), text(5, body.PieceSize+1), slices.Concat(noise(6, body.PieceSize), text(6, body.PieceSize)), noise(7, 2*body.PieceSize+7),
	}
	rapid.Check(t, func(rt *rapid.T) {
		m := newBodyModel(t, rt)
		for range rapid.IntRange(2, 12).Draw(rt, "steps") {
			switch rapid.IntRange(0, 5).Draw(rt, "step") {
			case 0:
				m.compact(rt, rapid.IntRange(0, 20).Draw(rt, "pauses"))
			case 1:
				m.remove(rt)
			default:
				m.record(rt, rapid.SampledFrom(contents).Draw(rt, "content"))
			}
		}
		m.compact(rt, 1<<30)
		for flow, want := range m.bodies {
			checkBody(rt, m.s, flow, flowpb.SideResponse, want)
		}
		clean(rt, m.s)
		m.checkSavings(rt)
		if err := m.s.Close(); err != nil {
			rt.Fatal(err)
		}
	})
}

// checkSavings compares what is summed up of packed pieces with what there is.
func (m *bodyModel) checkSavings(rt *rapid.T) {
	const sum = "SELECT coalesce((SELECT value FROM session WHERE key = ?), 0)"
	for key, query := range map[string]string{
		body.KeyPackedFrom: "SELECT coalesce(sum(size), 0) FROM body WHERE enc = 1",
		body.KeyPackedTo:   "SELECT coalesce(sum(length(data)), 0) FROM body WHERE enc = 1",
	} {
		var got, want int64
		err := errors.Join(m.s.read.QueryRow(sum, key).Scan(&got), m.s.read.QueryRow(query).Scan(&want))
		if err != nil || got != want {
			rt.Fatalf("%s: got %d, %v, want %d", key, got, err, want)
		}
	}
}

func newBodyModel(t *testing.T, rt *rapid.T) *bodyModel {
	// The disk is not what is tested.
	s, err := Create(context.Background(), filepath.Join(t.TempDir(), "model.weir"), Options{Synchronous: SyncNormal})
	if err != nil {
		rt.Fatal(err)
	}
	w, err := s.NewWriter(context.Background(), never(WriterOptions{BatchDelay: time.Millisecond}))
	if err != nil {
		rt.Fatal(err)
	}
	return &bodyModel{s: s, w: w, bodies: map[uint64][]byte{}}
}

// record records a body in writes and batches of any size.
func (m *bodyModel) record(rt *rapid.T, content []byte) {
	ctx := context.Background()
	f := bodyFlow(len(content), rapid.SampledFrom([]string{"text/plain", "image/png"}).Draw(rt, "type"))
	if err := m.w.Flow(ctx, f); err != nil {
		rt.Fatal(err)
	}
	for rest := content; len(rest) > 0; {
		n := rapid.IntRange((len(rest)+3)/4, len(rest)).Draw(rt, "write")
		if err := m.w.Body(ctx, f.GetId(), flowpb.SideResponse, rest[:n]); err != nil {
			rt.Fatal(err)
		}
		if rest = rest[n:]; rapid.Bool().Draw(rt, "flush") {
			if err := m.w.Flush(ctx); err != nil {
				rt.Fatal(err)
			}
			if rapid.IntRange(0, 3).Draw(rt, "compact") == 0 { // in the middle of a body
				m.compact(rt, rapid.IntRange(0, 10).Draw(rt, "pauses"))
			}
		}
	}
	if err := m.w.Flush(ctx); err != nil {
		rt.Fatal(err)
	}
	m.bodies[f.GetId()] = content
}

// compact compacts, and ends after so many steps.
func (m *bodyModel) compact(rt *rapid.T, steps int) {
	interrupted := errors.New("interrupted")
	_, err := compactWith(context.Background(), m.s, compact.Options{
		Budget: int64(rapid.IntRange(1, 300<<10).Draw(rt, "budget")),
		Pause: func(context.Context) error {
			if steps--; steps < 0 {
				return interrupted
			}
			return nil
		},
	})
	if err != nil && !errors.Is(err, interrupted) {
		rt.Fatal(err)
	}
}

func (m *bodyModel) remove(rt *rapid.T) {
	if len(m.bodies) == 0 {
		return
	}
	flow := rapid.SampledFrom(slices.Sorted(maps.Keys(m.bodies))).Draw(rt, "flow")
	if rapid.Bool().Draw(rt, "undo") {
		if _, err := m.s.Remove(context.Background(), []uint64{flow}); err != nil {
			rt.Fatal(err)
		}
		m.compact(rt, rapid.IntRange(0, 20).Draw(rt, "pauses"))
		if n, err := m.s.Undo(context.Background()); err != nil || n != 1 {
			rt.Fatalf("undo: got %d, %v, want 1", n, err)
		}
		return
	}
	if _, err := m.s.Drop(context.Background(), []uint64{flow}); err != nil {
		rt.Fatal(err)
	}
	delete(m.bodies, flow)
}
