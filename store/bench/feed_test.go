package bench

import (
	"context"
	"fmt"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"
)

// followVariable makes the test binary a reader of the session it names.
const followVariable = "WEIR_BENCH_TEST_FOLLOW"

// TestMain also is the reader process of TestFeed.
func TestMain(m *testing.M) {
	if os.Getenv(followVariable) != "" {
		if err := Follow(context.Background(), os.Args[len(os.Args)-1], os.Stdin, os.Stdout); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	goleak.VerifyTestMain(m)
}

// TestFeed has two other processes follow a capture: each sees all that is
// recorded and what the other one marks.
func TestFeed(t *testing.T) {
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv(followVariable, "yes")
	dir := t.TempDir()
	r, err := Feed{Dir: dir, Readers: 2, For: 1500 * time.Millisecond, Program: []string{exe}}.Run(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Readers) != 2 || r.Flows == 0 {
		t.Fatalf("got %+v, want two readers and flows", r)
	}
	for i, reader := range r.Readers {
		t.Logf("reader %d: %+v", i, reader)
		if reader.Flows != r.Flows || reader.Delay.Max <= 0 {
			t.Errorf("reader %d: got %+v, want %d flows, and how long each took", i, reader, r.Flows)
		}
		if reader.IdleCPU > 0.5 {
			t.Errorf("reader %d: got %.2f of a core while nothing happens, want nearly none", i, reader.IdleCPU)
		}
	}
	checkEmpty(t, dir)
}
