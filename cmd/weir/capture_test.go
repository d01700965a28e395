package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"weir/cmd/weir/internal/contract"
	"weir/store"
)

// lines is what a command prints while it runs.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// find waits until what is printed matches, and returns the first group.
func (l *lines) find(t *testing.T, expr string) string {
	t.Helper()
	re := regexp.MustCompile(expr)
	for range 1000 {
		if m := re.FindStringSubmatch(l.String()); m != nil {
			return m[1]
		}
		time.Sleep(10 * time.Millisecond)
	}
	t.Fatalf("nothing printed matches %q:\n%s", expr, l)
	return ""
}

// capturing runs a command that captures in this process, sends the requests
// through it, stops it, and returns what it printed.
func capturing(t *testing.T, command func(context.Context, stdio, *captureFlags) error, flags *captureFlags, paths ...string) (out, said string) {
	t.Helper()
	defer goleak.VerifyNone(t, goleak.IgnoreCurrent())
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.URL.Path, "/missing") {
			w.WriteHeader(http.StatusNotFound)
		}
	}))
	defer origin.Close()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var stdout, stderr lines
	ended := make(chan error, 1)
	go func() { ended <- command(ctx, stdio{nil, &stdout, &stderr}, flags) }()
	proxy := &url.URL{Scheme: "http", Host: stderr.find(t, `listening on (\S+)`)}
	transport := &http.Transport{Proxy: http.ProxyURL(proxy)}
	for _, path := range paths {
		resp, err := (&http.Client{Transport: transport}).Get(origin.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		if err := resp.Body.Close(); err != nil {
			t.Fatal(err)
		}
	}
	transport.CloseIdleConnections()
	stop()
	if err := <-ended; err != nil {
		t.Errorf("the capture ended with: %v", err)
	}
	return stdout.String(), stderr.String()
}

// look is the main job where standard output is no terminal.
func look(ctx context.Context, std stdio, f *captureFlags) error { return runCapture(ctx, std, f, 0) }

func testFlags(t *testing.T, filter string) *captureFlags {
	dir := t.TempDir()
	return &captureFlags{
		proxy: proxyFlags{listen: "127.0.0.1:0", listenGiven: func() bool { return true }}, filter: filter, output: filepath.Join(dir, "s.weir"), ca: caFlags{config: filepath.Join(dir, "config")},
	}
}

// In record the filter limits what is kept.
func TestRecordKeepsWhatMatches(t *testing.T) {
	flags := testFlags(t, "~c 404")
	record := func(ctx context.Context, std stdio, f *captureFlags) error { return runRecord(ctx, std, f, 0) }
	_, said := capturing(t, record, flags, "/a", "/missing", "/b", "/missing/too")
	if want := "recorded 2 flows, left out 2 that do not match\n"; !strings.HasSuffix(said, want) {
		t.Errorf("said %q, want %q at the end", said, want)
	}
	s, err := store.Open(t.Context(), flags.output, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err := s.Count(t.Context()); err != nil || got != 2 {
		t.Errorf("%d flows in the session (%v), want 2", got, err)
	}
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify: %v %v", problems, err)
	}
}

// What an earlier capture recorded is not this one's to judge or to print, also
// where somebody marks it meanwhile.
func TestContinuedSessionKeepsWhatItHeld(t *testing.T) {
	flags := testFlags(t, "")
	record := func(ctx context.Context, std stdio, f *captureFlags) error { return runRecord(ctx, std, f, 0) }
	capturing(t, record, flags, "/a", "/b")
	flags.filter = "~c 404"
	_, said := capturing(t, record, flags, "/c", "/missing")
	if want := "recorded 1 flow, left out 1 that do not match\n"; !strings.HasSuffix(said, want) {
		t.Errorf("said %q, want %q at the end", said, want)
	}
	out, _ := capturing(t, look, flags, "/missing/again")
	if got := strings.Count(out, "\n"); got != 1 {
		t.Errorf("printed %d flows, want the one of this capture:\n%s", got, out)
	}
	s, err := store.Open(t.Context(), flags.output, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err := s.Count(t.Context()); err != nil || got != 4 {
		t.Errorf("%d flows in the session (%v), want 4", got, err)
	}
}

// Where standard output is no terminal weir prints the flows that match, as JSON
// lines; the session has them all.
func TestCaptureIntoPipe(t *testing.T) {
	flags := testFlags(t, "~c 404")
	out, _ := capturing(t, look, flags, "/a", "/missing", "/b", "/missing/too")
	var paths []string
	for dec := json.NewDecoder(strings.NewReader(out)); dec.More(); {
		var r contract.Row
		if err := dec.Decode(&r); err != nil {
			t.Fatalf("%v in\n%s", err, out)
		}
		paths = append(paths, *r.Path)
	}
	if got, want := strings.Join(paths, " "), "/missing /missing/too"; got != want {
		t.Errorf("printed %s, want %s", got, want)
	}
	s, err := store.Open(t.Context(), flags.output, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, err := s.Count(t.Context()); err != nil || got != 4 {
		t.Errorf("%d flows in the session (%v), want 4", got, err)
	}
}

func TestParseModes(t *testing.T) {
	for _, tt := range []struct {
		specs  []string
		listen string // "" for the default, not given
		want   string // addresses, or "" for a usage error
	}{
		{nil, "", "127.0.0.1:8080"},
		{[]string{"regular"}, "[::1]:1", "[::1]:1"},
		{[]string{"REGULAR@9000"}, "", "127.0.0.1:9000"},
		{[]string{"regular@[::1]:9000", "regular"}, "", "[::1]:9000 127.0.0.1:8080"},
		{[]string{"regular", "socks5"}, "", "127.0.0.1:8080 127.0.0.1:1080"},
		{[]string{"socks5"}, "127.0.0.1:3128", "127.0.0.1:3128"},
		{[]string{"regular", "socks5", "reverse:https://h@9"}, "0.0.0.0:80", "0.0.0.0:80 0.0.0.0:1080 0.0.0.0:9"},
		{[]string{"regular@0", "socks5@0"}, "", "127.0.0.1:0 127.0.0.1:0"},
		{[]string{"regular", "regular"}, "", ""},
		{[]string{"regular@"}, "", ""},
		{[]string{"carrier-pigeon"}, "", ""},
		{nil, "127.0.0.1:99999", ""},
		{nil, "8080", ""},
	} {
		l := listen{addr: tt.listen, given: true}
		if tt.listen == "" {
			l = listen{addr: defaultListen}
		}
		got, err := parseModes(tt.specs, l)
		if (err != nil) != (tt.want == "") {
			t.Errorf("%v: error %v", tt.specs, err)
			continue
		}
		var addrs []string
		for _, m := range got {
			addrs = append(addrs, m.Listen)
		}
		if s := strings.Join(addrs, " "); s != tt.want {
			t.Errorf("%v: listens on %s, want %s", tt.specs, s, tt.want)
		}
		if err != nil && exitCode(err) != 2 {
			t.Errorf("%v: %v is no usage error", tt.specs, err)
		}
	}
}

func TestWriterTrouble(t *testing.T) {
	for _, c := range []struct {
		stats store.WriterStats
		want  string
	}{
		{store.WriterStats{}, ""},
		{store.WriterStats{Waiting: 3}, ""}, // a slow disk is no trouble
		{store.WriterStats{Err: fmt.Errorf("commit: %w", store.ErrFull)}, "disk full"},
		{store.WriterStats{Err: fmt.Errorf("commit: %w", store.ErrFull), Waiting: 1}, "disk full: capture waits"},
		{store.WriterStats{Err: fmt.Errorf("commit: %w", store.ErrMoved), Waiting: 1}, "session file gone: capture waits"},
		{store.WriterStats{Err: errors.New("input/output error")}, "cannot write"},
	} {
		if got := writerTrouble(c.stats); got != c.want {
			t.Errorf("%+v: got %q, want %q", c.stats, got, c.want)
		}
	}
}
