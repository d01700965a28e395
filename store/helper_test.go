package store

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"testing"

	"go.uber.org/goleak"

	flowpb "weir/proto"
	"weir/store/seed"
)

// TestMain also is the child process of the tests that need one: see process_test.go.
func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		os.Exit(play(role))
	}
	goleak.VerifyTestMain(m)
}

// newSession makes a session in a directory of the test's own.
func newSession(t testing.TB) *Session {
	t.Helper()
	s, err := Create(t.Context(), filepath.Join(t.TempDir(), "test.weir"), Options{Creator: "weir test"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return s
}

// seedAt makes a session of synthetic flows.
func seedAt(t testing.TB, path string, o seed.Options) {
	t.Helper()
	s, err := Create(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	w, err := s.NewWriter(t.Context(), WriterOptions{})
	if err == nil {
		err = seed.Into(t.Context(), w, o)
	}
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
}

// seeded makes a session of synthetic flows and opens it.
func seeded(t testing.TB, o seed.Options) *Session {
	t.Helper()
	path := filepath.Join(t.TempDir(), "seed.weir")
	seedAt(t, path, o)
	s, err := Open(t.Context(), path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// newWriter makes a session and its writer.
func newWriter(t testing.TB, o WriterOptions) (*Session, *Writer) {
	t.Helper()
	s := newSession(t)
	w, err := s.NewWriter(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s, w
}

// httpFlow is a small complete flow; n makes it differ from others.
func httpFlow(n int) *flowpb.Flow {
	at := int64(1_700_000_000_000_000_000 + n)
	return &flowpb.Flow{
		State: flowpb.StateComplete, CreatedNs: at, Client: []byte("127.0.0.1:4242"), Server: []byte("example.com:443"),
		Agent: []byte("proxy web-1"),
		Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{
			Request: &flowpb.Request{
				Method: []byte("GET"), Scheme: []byte("https"), Host: []byte("example.com"), Port: 443,
				Authority: []byte("example.com"), Path: []byte("/a?b=\xff\x00c"), Version: []byte("HTTP/1.1"), StartedNs: at, EndedNs: at,
			},
			Response: &flowpb.Response{
				Status: 404, Reason: []byte("Not Found"), Version: []byte("HTTP/1.1"), StartedNs: at + 5, EndedNs: at + 10,
				Headers: []*flowpb.Field{{Name: []byte("Content-Type"), Value: []byte("text/html")}},
				Body:    &flowpb.Body{State: flowpb.BodyComplete, Size: 5},
			},
		}},
	}
}

// record records flows and waits for the disk.
func record(t testing.TB, w *Writer, flows ...*flowpb.Flow) {
	t.Helper()
	for _, f := range flows {
		if err := w.Flow(t.Context(), f); err != nil {
			t.Fatal(err)
		}
	}
	flush(t, w)
}

func flush(t testing.TB, w *Writer) {
	t.Helper()
	if err := w.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// soakVariable sets how many rounds the tests make that kill, damage and draw at
// random: `make soak` makes many more than every run does.
const soakVariable = "WEIR_SOAK_ROUNDS"

// soakRounds is how many rounds a test makes: usual, a quarter of that in short
// runs, or what the environment says.
func soakRounds(t testing.TB, usual int) int {
	t.Helper()
	if v := os.Getenv(soakVariable); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 1 {
			t.Fatalf("%s=%q: want a number of rounds", soakVariable, v)
		}
		return n
	}
	if testing.Short() {
		return max(1, usual/4)
	}
	return usual
}

// onlyWhole leaves out of a short run, which is what the race detector gets, a test
// that takes long and has next to no goroutines in it. The ordinary run has it.
func onlyWhole(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("it takes long and shares nothing between goroutines")
	}
}
