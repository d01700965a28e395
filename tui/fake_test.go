package tui

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"

	"weir/filter"
	flowpb "weir/proto"
)

// fakeSource is a session in memory. Nothing in it depends on a clock.
type fakeSource struct {
	mu      sync.Mutex
	rows    []flowpb.Row // by id
	version uint64
	changed chan struct{}
	notices chan Notice
	state   map[string][]byte
	stats   Stats
	open    int  // lists that are not closed
	maxPage int  // the longest page that was asked for
	pages   int  // how many were
	hold    bool // lists stay in building
	listErr error
	saves   int
	gone    [][]flowpb.Row // removals that can be undone
}

func newFake(rows ...flowpb.Row) *fakeSource {
	f := &fakeSource{
		version: 1, state: make(map[string][]byte),
		stats: Stats{Session: "shop.weir", Mode: Live, Listen: []string{"127.0.0.1:8080"}, RSS: 61 << 20},
	}
	f.add(rows...)
	return f
}

// wake makes the channels on which commands wait. They have to be made in the
// synctest bubble.
func (f *fakeSource) wake() {
	f.changed, f.notices = make(chan struct{}), make(chan Notice, 10)
}

// change runs a change of the session and wakes the lists.
func (f *fakeSource) change(do func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	do()
	f.version++
	if f.changed != nil {
		close(f.changed)
		f.changed = make(chan struct{})
	}
}

// add appends flows; a row without an id gets the next.
func (f *fakeSource) add(rows ...flowpb.Row) {
	f.change(func() {
		for _, r := range rows {
			if r.ID == 0 {
				r.ID = uint64(len(f.rows)) + 1
			}
			f.rows = append(f.rows, r)
		}
		f.stats.Total = uint64(len(f.rows))
	})
}

func (f *fakeSource) List(_ context.Context, q Query) (List, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.listErr != nil {
		return nil, f.listErr
	}
	var expr filter.Expr
	if q.Filter != "" {
		var err error
		if expr, err = filter.Parse(q.Filter); err != nil {
			return nil, err
		}
	}
	f.open++
	return &fakeList{f: f, q: q, expr: expr}, nil
}

func (f *fakeSource) Explain(expr string) (string, error) { return "columns", nil }

// fakeList computes everything anew each time it is asked.
type fakeList struct {
	f      *fakeSource
	q      Query
	expr   filter.Expr
	closed bool
}

func (l *fakeList) Wait(ctx context.Context, seen uint64) (Status, error) {
	for {
		l.f.mu.Lock()
		version, changed := l.f.version, l.f.changed
		s := Status{
			Version: version, Len: len(l.found()), Total: len(l.f.rows), How: "columns", Progress: 100,
			Building: l.f.hold,
		}
		if l.f.hold {
			s.How, s.Progress = "bodies", 43
		}
		l.f.mu.Unlock()
		if version > seen {
			return s, nil
		}
		select {
		case <-ctx.Done():
			return Status{}, ctx.Err()
		case <-changed:
		}
	}
}

func (l *fakeList) Page(_ context.Context, first, n int) ([]flowpb.Row, error) {
	l.f.mu.Lock()
	defer l.f.mu.Unlock()
	if l.closed {
		return nil, errors.New("list is closed")
	}
	l.f.maxPage = max(l.f.maxPage, n)
	l.f.pages++
	rows := l.found()
	first = min(max(first, 0), len(rows))
	return slices.Clone(rows[first:min(len(rows), first+n)]), nil
}

func (l *fakeList) Find(_ context.Context, id uint64) (int, bool, error) {
	l.f.mu.Lock()
	defer l.f.mu.Unlock()
	rows := l.found()
	at := slices.IndexFunc(rows, func(r flowpb.Row) bool { return r.ID == id })
	if at >= 0 {
		return at, true, nil
	}
	known := slices.Concat(append([][]flowpb.Row{l.f.rows}, l.f.gone...)...)
	i := slices.IndexFunc(known, func(r flowpb.Row) bool { return r.ID == id })
	if i < 0 {
		return 0, false, nil
	}
	at, _ = slices.BinarySearchFunc(rows, known[i], l.compare)
	return max(0, min(at, len(rows)-1)), false, nil
}

func (l *fakeList) Close() error {
	l.f.mu.Lock()
	defer l.f.mu.Unlock()
	if !l.closed {
		l.f.open--
	}
	l.closed = true
	return nil
}

// found is the list's rows in order. The lock is held.
func (l *fakeList) found() []flowpb.Row {
	var out []flowpb.Row
	for i := range l.f.rows {
		r := &l.f.rows[i]
		if l.q.MarkedOnly && r.Marked == "" {
			continue
		}
		if ok, err := filter.Match(l.expr, rowSubject{r}); l.expr != nil && (err != nil || !ok) {
			continue
		}
		out = append(out, *r)
	}
	slices.SortFunc(out, l.compare)
	return out
}

func (l *fakeList) compare(a, b flowpb.Row) int {
	var c int
	switch l.q.Order {
	case "host":
		c = strings.Compare(a.Host, b.Host)
	case "path", "url":
		c = strings.Compare(a.Path, b.Path)
	case "method":
		c = strings.Compare(a.Method, b.Method)
	case "status":
		c = cmp.Compare(a.Status, b.Status)
	case "response_size":
		c = cmp.Compare(a.ResponseSize, b.ResponseSize)
	case "duration":
		c = cmp.Compare(a.Duration, b.Duration)
	}
	if c == 0 {
		c = cmp.Compare(a.ID, b.ID)
	}
	if l.q.Reverse {
		return -c
	}
	return c
}

// rowSubject is a row as the filter sees it: columns and note, nothing else.
type rowSubject struct{ r *flowpb.Row }

func (s rowSubject) Summary() *flowpb.Summary                  { return &s.r.Summary }
func (s rowSubject) Note() *flowpb.Note                        { return &s.r.Note }
func (s rowSubject) Flow() (*flowpb.Flow, error)               { return &flowpb.Flow{Id: s.r.ID}, nil }
func (s rowSubject) Body(flowpb.Side) (io.Reader, error)       { return nil, nil }
func (s rowSubject) Messages(func(*flowpb.Message) bool) error { return nil }

func (f *fakeSource) Flow(_ context.Context, id uint64) (*Detail, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i := range f.rows {
		if r := &f.rows[i]; r.ID == id {
			return &Detail{Flow: fakeFlow(r), Note: r.Note}, nil
		}
	}
	return nil, fmt.Errorf("flow %d: no such flow", id)
}

// fakeFlow is the head of a row, with a field for each "/more" in the path.
func fakeFlow(r *flowpb.Row) *flowpb.Flow {
	q := &flowpb.Request{
		Method: []byte(r.Method), Scheme: []byte(r.Scheme), Host: []byte(r.Host), Port: r.Port, Path: []byte(r.Path),
		Version: []byte("HTTP/1.1"), StartedNs: r.Started,
		Headers: []*flowpb.Field{{Name: []byte("Host"), Value: []byte(r.Host)}, {Name: []byte("Accept"), Value: []byte("*/*")}},
	}
	if strings.Contains(r.Path, "/login") {
		q.Headers = append(q.Headers, &flowpb.Field{Name: []byte("Authorization"), Value: []byte("Basic c2VjcmV0")})
	}
	for i := range strings.Count(r.Path, "/more") {
		q.Headers = append(q.Headers, &flowpb.Field{Name: []byte("X-More"), Value: fmt.Appendf(nil, "note %d %s", i, strings.Repeat("and more ", 3*i))})
	}
	h := &flowpb.Http{Request: q}
	if r.Status != 0 {
		h.Response = &flowpb.Response{
			Version: []byte("HTTP/1.1"), Status: r.Status, Reason: []byte(r.Reason), StartedNs: r.Started + 1e6, EndedNs: r.Started + r.Duration,
			Headers: []*flowpb.Field{{Name: []byte("Content-Type"), Value: []byte(r.ContentType)}},
		}
		if r.ResponseSize >= 0 {
			h.Response.Body = &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(r.ResponseSize)}
		}
	}
	return &flowpb.Flow{Id: r.ID, State: r.State, CreatedNs: r.Started, Protocol: &flowpb.Flow_Http{Http: h}}
}

func (f *fakeSource) Body(_ context.Context, _ uint64, _ flowpb.Side, off int64, n int) ([]byte, error) {
	body := []byte(`{"items":[{"id":71,"sku":"A-9"}],"page":3}`)
	return bytes.Clone(body[min(off, int64(len(body))):min(off+int64(n), int64(len(body)))]), nil
}

func (f *fakeSource) Message(context.Context, uint64, uint64) (*flowpb.Message, error) {
	return nil, nil
}

func (f *fakeSource) Messages(context.Context, uint64, uint64, int) ([]*flowpb.Message, error) {
	return nil, nil
}

func (f *fakeSource) Annotate(_ context.Context, ids []uint64, c NoteChange) ([]flowpb.Note, error) {
	var out []flowpb.Note
	f.change(func() {
		notes := map[uint64]*flowpb.Note{}
		for i := range f.rows {
			notes[f.rows[i].ID] = &f.rows[i].Note
		}
		for _, id := range ids {
			note := notes[id]
			if note == nil {
				continue
			}
			if c.Marked != nil {
				note.Marked = *c.Marked
			}
			if c.Comment != nil {
				note.Comment = *c.Comment
			}
			if c.Tags != nil {
				note.Tags = *c.Tags
			}
			out = append(out, *note)
		}
	})
	return out, nil
}

func (f *fakeSource) Unmark(context.Context) (int, error) {
	n := 0
	f.change(func() {
		for i := range f.rows {
			if f.rows[i].Marked != "" {
				n++
			}
			f.rows[i].Marked = ""
		}
	})
	return n, nil
}

func (f *fakeSource) Remove(_ context.Context, ids []uint64) (int, error) {
	gone := map[uint64]bool{}
	for _, id := range ids {
		gone[id] = true
	}
	return f.removeIf(func(r *flowpb.Row) bool { return gone[r.ID] }), nil
}

func (f *fakeSource) RemoveAll(context.Context) (int, error) {
	return f.removeIf(func(*flowpb.Row) bool { return true }), nil
}

func (f *fakeSource) RemoveOthers(ctx context.Context, q Query) (int, error) {
	list, err := f.List(ctx, q)
	if err != nil {
		return 0, err
	}
	defer list.Close()
	shown, err := list.Page(ctx, 0, len(f.rows))
	if err != nil {
		return 0, err
	}
	return f.removeIf(func(r *flowpb.Row) bool {
		return !slices.ContainsFunc(shown, func(s flowpb.Row) bool { return s.ID == r.ID })
	}), nil
}

func (f *fakeSource) removeIf(gone func(*flowpb.Row) bool) int {
	var out []flowpb.Row
	f.change(func() {
		f.rows = slices.DeleteFunc(f.rows, func(r flowpb.Row) bool {
			if gone(&r) {
				out = append(out, r)
				return true
			}
			return false
		})
		f.stats.Total = uint64(len(f.rows))
		if len(out) > 0 {
			f.gone = append(f.gone, out)
		}
	})
	return len(out)
}

func (f *fakeSource) Undo(context.Context) (int, error) {
	if len(f.gone) == 0 {
		return 0, nil
	}
	last := f.gone[len(f.gone)-1]
	f.gone = f.gone[:len(f.gone)-1]
	f.change(func() {
		f.rows = append(f.rows, last...)
		slices.SortFunc(f.rows, func(a, b flowpb.Row) int { return cmp.Compare(a.ID, b.ID) })
		f.stats.Total = uint64(len(f.rows))
	})
	return len(last), nil
}

func (f *fakeSource) SaveState(_ context.Context, name string, value []byte) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.state[name] = bytes.Clone(value)
	f.saves++
	return nil
}

func (f *fakeSource) LoadState(_ context.Context, name string) ([]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.state[name], nil
}

func (f *fakeSource) Stats(context.Context) (Stats, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.stats, nil
}

func (f *fakeSource) Notice(ctx context.Context) (Notice, error) {
	select {
	case n := <-f.notices:
		return n, nil
	case <-ctx.Done():
		return Notice{}, ctx.Err()
	}
}

// fakeExporter answers with the format and the flow, and with a path for flow 2.
type fakeExporter struct{}

func (fakeExporter) Export(_ context.Context, format string, id uint64, masked bool, _ int) (Exported, error) {
	if masked {
		format = "masked " + format
	}
	if id == 2 {
		return Exported{Path: "exports/flow-2." + format}, nil
	}
	return Exported{Text: fmt.Appendf(nil, "%s of %d", format, id)}, nil
}

func (fakeExporter) Keep(_ context.Context, name string, _ []byte) (string, error) {
	return "exports/" + name, nil
}

func (fakeExporter) Save(_ context.Context, format, path string, ids []uint64, masked bool) (Saved, error) {
	if path == "full" {
		return Saved{}, fmt.Errorf("write %q: no space left", path)
	}
	if format == "curl" && masked {
		return Saved{Flows: len(ids) - 1, Left: 1}, nil
	}
	return Saved{Flows: len(ids)}, nil
}

// begun is when the flows of the tests start: 2026-03-01 12:06:01.1 UTC.
const begun = 1772366761_100000000

// fakeRow is the i-th flow of a varied session: every fifth a POST, every seventh
// a 404, every eleventh an error, every thirteenth still open.
func fakeRow(i int) flowpb.Row {
	r := flowpb.Row{Summary: flowpb.Summary{
		Kind: flowpb.KindHTTP, State: flowpb.StateComplete, Started: begun + int64(i)*130_000_000,
		Method: "GET", Scheme: "https", Host: []string{"api.shop.test", "img.shop.test", "pay.test"}[i%3], Port: 443,
		Path: fmt.Sprintf("/v2/items/%d?page=%d", i, i%4), Version: "HTTP/1.1", Status: 200, Flags: flowpb.FlagResponse | flowpb.FlagTLS,
		ContentType:  []string{"application/json", "image/png", "text/html; charset=utf-8"}[i%3],
		RequestSize:  flowpb.Absent,
		ResponseSize: int64(i*i*37 + 100), Duration: int64(i+1) * 7_300_000, TTFB: 5e6, Client: "127.0.0.1:50000",
	}, Reason: "OK"}
	switch {
	case i%13 == 12:
		r.State, r.Status, r.Flags = flowpb.StateWaiting, 0, flowpb.FlagTLS
		r.ResponseSize, r.Duration, r.ContentType, r.Reason = flowpb.Absent, flowpb.Absent, "", ""
	case i%11 == 10:
		r.State, r.Status, r.Flags = flowpb.StateError, 0, flowpb.FlagError
		r.ResponseSize, r.ContentType, r.Error, r.Reason = flowpb.Absent, "", "connect to pay.test:443: connection refused", ""
	case i%7 == 6:
		r.Status, r.Reason = 404, "Not Found"
	}
	if i%5 == 4 {
		r.Method, r.RequestSize = "POST", 311
	}
	return r
}

func fakeRows(n int) []flowpb.Row {
	rows := make([]flowpb.Row, n)
	for i := range rows {
		rows[i] = fakeRow(i)
	}
	return rows
}

// hostileRows try to take over the terminal, and to break its columns.
func hostileRows() []flowpb.Row {
	texts := []string{
		"/\x1b]0;owned\x07/\x1b[2J\x1b[31m", "/\u202egnp.exe", "/日本語/製品?色=赤", "/nul\x00\r\n\tx", "/\xff\xfe\xc3(", "/👩\u200d🚀/e\u0301",
		"/\u200b\u200b\ufeff", "/" + strings.Repeat("日", 200), "/\u009d52;c;eA==\u009c", "/שלום/عربى",
	}
	var rows []flowpb.Row
	for i, text := range texts {
		r := fakeRow(i)
		r.Path = text
		r.Host = []string{"evil\x1b[H.test", "日本.test", "ok.test"}[i%3]
		r.Method = []string{"GET", "G\x1bT", "ПОСТ"}[i%3]
		r.ContentType = []string{"text/\x1b[5m", "テキスト/日本", "application/json"}[i%3]
		r.Comment = "note \x1b[7m\u202e"
		rows = append(rows, r)
	}
	return rows
}
