package filter

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/rogpeppe/go-internal/txtar"
	"google.golang.org/protobuf/encoding/prototext"

	flowpb "weir/proto"
)

// subject is a flow in memory. It counts what it is asked for.
type subject struct {
	flow     *flowpb.Flow
	summary  flowpb.Summary
	note     flowpb.Note
	bodies   map[flowpb.Side][]byte
	messages []*flowpb.Message
	stream   bool // bodies come byte by byte
	err      error

	heads, reads, lists int
}

func (s *subject) Summary() *flowpb.Summary { return &s.summary }
func (s *subject) Note() *flowpb.Note       { return &s.note }

func (s *subject) Flow() (*flowpb.Flow, error) {
	s.heads++
	return s.flow, s.err
}

func (s *subject) Body(side flowpb.Side) (io.Reader, error) {
	s.reads++
	b, ok := s.bodies[side]
	switch {
	case s.err != nil:
		return nil, s.err
	case !ok:
		return nil, nil
	case s.stream:
		return iotest.OneByteReader(bytes.NewReader(b)), nil
	}
	return bytes.NewBuffer(b), nil
}

func (s *subject) Messages(yield func(*flowpb.Message) bool) error {
	s.lists++
	for _, m := range s.messages {
		if !yield(m) {
			break
		}
	}
	return s.err
}

// readSubject reads a flow from an archive: "flow" is prototext, "note" has a
// line for marked, tags and comment each, "request" and "response" are bodies,
// gzipped if that side's headers say so, and "messages" has a line each: the
// side, the type and the content.
func readSubject(t *testing.T, a *txtar.Archive) *subject {
	t.Helper()
	s := &subject{flow: &flowpb.Flow{}, bodies: make(map[flowpb.Side][]byte)}
	for _, f := range a.Files {
		switch f.Name {
		case "flow":
			if err := prototext.Unmarshal(f.Data, s.flow); err != nil {
				t.Fatal(err)
			}
		case "note":
			readNote(t, &s.note, string(f.Data))
		case "request":
			s.bodies[flowpb.SideRequest] = encoded(t, f.Data, s.flow.GetHttp().GetRequest().GetHeaders())
		case "response":
			s.bodies[flowpb.SideResponse] = encoded(t, f.Data, s.flow.GetHttp().GetResponse().GetHeaders())
		case "messages":
			for line := range strings.Lines(string(f.Data)) {
				s.messages = append(s.messages, readMessage(t, strings.TrimSuffix(line, "\n")))
			}
		}
	}
	s.summary = flowpb.Summarize(s.flow)
	return s
}

func readNote(t *testing.T, n *flowpb.Note, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		key, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		switch key {
		case "marked":
			n.Marked = value
		case "tags":
			n.Tags = strings.Fields(value)
		case "comment":
			n.Comment = strings.ReplaceAll(value, `\n`, "\n")
		default:
			t.Fatalf("note: unknown line %q", line)
		}
	}
}

// encoded is a body without the line end that archives put at its end.
func encoded(t *testing.T, data []byte, headers []*flowpb.Field) []byte {
	t.Helper()
	data = bytes.TrimSuffix(data, []byte("\n"))
	if !bytes.Equal(bytes.Join(flowpb.Get(headers, "content-encoding"), nil), []byte("gzip")) {
		return data
	}
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	if _, err := w.Write(data); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func readMessage(t *testing.T, line string) *flowpb.Message {
	t.Helper()
	fields := strings.SplitN(line, " ", 3)
	if len(fields) != 3 {
		t.Fatalf("message %q: want side, type and content", line)
	}
	side := map[string]flowpb.Side{"client": flowpb.SideRequest, "server": flowpb.SideResponse}[fields[0]]
	kind, ok := flowpb.MessageType_value["MESSAGE_TYPE_"+strings.ToUpper(fields[1])]
	if side == flowpb.SideUnspecified || !ok {
		t.Fatalf("message %q: unknown side or type", line)
	}
	return &flowpb.Message{Side: side, Type: flowpb.MessageType(kind), Content: []byte(fields[2])}
}

// TestMatch runs the archives in testdata/match: a flow, and in "expect" which
// expressions find it, one a line after "yes" or "no". Each is asked of a flow
// with its bodies in memory and of one whose bodies arrive byte by byte.
func TestMatch(t *testing.T) {
	paths, err := filepath.Glob("testdata/match/*.txtar")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no archives: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatal(err)
			}
			s := readSubject(t, a)
			for line := range strings.Lines(string(a.Files[len(a.Files)-1].Data)) {
				answer, src, _ := strings.Cut(strings.TrimSpace(line), " ")
				if src == "" {
					continue
				}
				e, err := Parse(src)
				if err != nil {
					t.Fatal(err)
				}
				for _, s.stream = range []bool{false, true} {
					if got, err := Match(e, s); err != nil || got != (answer == "yes") {
						t.Errorf("%s (stream %v): got %v, %v, want %s", src, s.stream, got, err, answer)
					}
				}
				if e.need() == NeedColumns && !NewPlan(e).Exact {
					t.Errorf("%s: columns decide it, but the plan is not exact", src)
				}
			}
		})
	}
}

func mustParse(t testing.TB, src string) Expr {
	t.Helper()
	e, err := Parse(src)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// post is a flow with two bodies.
func post(t testing.TB) *subject {
	t.Helper()
	s := &subject{
		flow: &flowpb.Flow{Id: 1, Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{
			Request: &flowpb.Request{
				Method: []byte("POST"), Scheme: []byte("https"), Host: []byte("example.com"), Port: 443, Path: []byte("/login"),
				Body: &flowpb.Body{Size: 5},
			},
			Response: &flowpb.Response{Status: 403, Body: &flowpb.Body{Size: 6}},
		}}},
		bodies: map[flowpb.Side][]byte{
			flowpb.SideRequest: []byte("hello"), flowpb.SideResponse: []byte("denied"),
		},
	}
	s.summary = flowpb.Summarize(s.flow)
	return s
}

func TestMatchNoFilter(t *testing.T) {
	if got, err := Match(nil, post(t)); !got || err != nil {
		t.Errorf("got %v, %v, want true", got, err)
	}
}

// TestMatchReadsNoMoreThanItMust counts what is asked of the subject.
func TestMatchReadsNoMoreThanItMust(t *testing.T) {
	tests := []struct {
		src          string
		heads, reads int
	}{
		{"~b hello & ~c 200", 0, 0},
		{"~b hello | ~c 403", 0, 0},
		{"~h x & ~c 403", 1, 0},
		{"~b hello & ~h nothing", 1, 0},
		{"~b nothing & (~b denied & ~c 200)", 0, 0},
		{"!(~b hello | ~m POST)", 0, 0},
		{"~bq hello", 1, 1},
		{"~b hello", 1, 1},
		{"~b hello | ~b denied", 1, 1},
	}
	for _, tt := range tests {
		s := post(t)
		if _, err := Match(mustParse(t, tt.src), s); err != nil {
			t.Fatal(err)
		}
		if s.heads != tt.heads || s.reads != tt.reads || s.lists != 0 {
			t.Errorf("%s: got %d heads, %d bodies, %d message lists read, want %d, %d, 0",
				tt.src, s.heads, s.reads, s.lists, tt.heads, tt.reads)
		}
	}
}

func TestMatchErrors(t *testing.T) {
	broken := errors.New("disk on fire")
	for _, src := range []string{"~b hello", "~h x", "~meta x", "!~b hello"} {
		s := post(t)
		s.err = broken
		if got, err := Match(mustParse(t, src), s); got || !errors.Is(err, broken) {
			t.Errorf("%s: got %v, %v, want the subject's error", src, got, err)
		}
		s = post(t)
		s.err = broken
		if got, err := Match(mustParse(t, src+" | ~m POST"), s); !got || err != nil {
			t.Errorf("%s | ~m POST: got %v, %v, want true without reading", src, got, err)
		}
	}
}

// failing is a subject whose bodies break off with an error of the reader.
type failing struct {
	*subject
	err error
}

func (f failing) Body(flowpb.Side) (io.Reader, error) {
	return io.MultiReader(strings.NewReader("\x1f\x8b\x08\x00hel"), iotest.ErrReader(f.err)), nil
}

func TestMatchReaderErrors(t *testing.T) {
	for _, coding := range []string{"", "gzip"} {
		s := post(t)
		s.flow.GetHttp().Request.Headers = []*flowpb.Field{{Name: []byte("Content-Encoding"), Value: []byte(coding)}}
		f := failing{s, errors.New("disk on fire")}
		for _, src := range []string{"~bq hello", "~bq [a-c]x"} {
			if got, err := Match(mustParse(t, src), f); got || !errors.Is(err, f.err) {
				t.Errorf("%s, coding %q: got %v, %v, want the reader's error", src, coding, got, err)
			}
		}
	}
}

// TestMatchUndecodable: a body that is not what its header says is searched as
// it came, and a broken one up to where it breaks.
func TestMatchUndecodable(t *testing.T) {
	cut := encoded(t, []byte(strings.Repeat("needle and hay ", 1000)), []*flowpb.Field{
		{Name: []byte("content-encoding"), Value: []byte("gzip")},
	})
	tests := []struct {
		coding, src string
		body        []byte
	}{
		{"gzip", "~bq plain", []byte("plain text")},
		{"unheard-of", "~bq plain", []byte("plain text")},
		{"gzip, br", "~bq ^plain", []byte("plain text")},
		{"gzip", "~bq needle", cut[:len(cut)-10]},
		{"gzip", `~bq "^\x1f\x8b"`, cut[:len(cut)-10]},
		{"", `~bq "^\x1f\x8b"`, cut},
	}
	for _, tt := range tests {
		s := post(t)
		s.flow.GetHttp().Request.Headers = []*flowpb.Field{{Name: []byte("Content-Encoding"), Value: []byte(tt.coding)}}
		s.bodies[flowpb.SideRequest] = tt.body
		if got, err := Match(mustParse(t, tt.src), s); !got || err != nil {
			t.Errorf("%s, coding %q: got %v, %v, want true", tt.src, tt.coding, got, err)
		}
	}
}

// endless is a body of n times the same byte, then the tail.
type endless struct {
	*subject
	n    int64
	tail string
}

func (e endless) Body(flowpb.Side) (io.Reader, error) {
	return io.MultiReader(io.LimitReader(filler{}, e.n), strings.NewReader(e.tail)), nil
}

type filler struct{}

func (filler) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'n'
	}
	return len(p), nil
}

// TestMatchMemory: what a search of a long body allocates does not depend on how
// long it is.
func TestMatchMemory(t *testing.T) {
	var m Matcher
	s := post(t)
	for _, src := range []string{"~bq needle", `~bq "ne{2,9}d[k-m]e"`} {
		e := mustParse(t, src)
		bytesFor := func(n int64) int64 {
			const runs = 2
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			for range runs {
				if ok, err := m.Match(e, endless{s, n, "eedle"}); !ok || err != nil {
					t.Fatalf("%s: got %v, %v, want true", src, ok, err)
				}
			}
			runtime.ReadMemStats(&after)
			return int64(after.TotalAlloc-before.TotalAlloc) / runs
		}
		bytesFor(1) // the buffers that stay
		if short, long := bytesFor(100<<10), bytesFor(400<<10); long > short+16<<10 {
			t.Errorf("%s: a long body allocates %d bytes, a short one %d", src, long, short)
		}
	}
}

func TestMatchColumnsAllocateNothing(t *testing.T) {
	if raceDetector {
		t.Skip("under the race detector regexp's pool forgets at random, and so allocates")
	}
	s := post(t)
	for _, src := range []string{
		"~c 4xx", "~m post", "~d example", "~host example.com & ~port 443", "~q | !~s | ~e", "~ver h2 | ~scheme https",
		"~marked | ~comment x", `~d "ex.mple\.c[a-o]m"`,
	} {
		e := mustParse(t, src)
		n := testing.AllocsPerRun(100, func() {
			if _, err := Match(e, s); err != nil {
				t.Fatal(err)
			}
		})
		if n != 0 {
			t.Errorf("%s: %v allocations, want 0", src, n)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	s := post(b)
	for _, src := range []string{"~c 4xx", "~d example", "login", "~u log[a-z]n", "~b denied"} {
		e := mustParse(b, src)
		b.Run(fmt.Sprintf("%q", src), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if ok, err := Match(e, s); !ok || err != nil {
					b.Fatal(ok, err)
				}
			}
		})
	}
}
