package main

import (
	"context"
	"os"
	"os/signal"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets the test binary stand in for the program, which runs itself.
func TestMain(m *testing.M) {
	if len(os.Args) > 1 && slices.Contains([]string{cmdGoproxy, cmdH2Proxy, cmdViews, cmdMoves, cmdOffsets}, os.Args[1]) {
		main()
		return
	}
	goleak.VerifyTestMain(m, goleak.IgnoreAnyFunction(signalLoop))
}

// signalLoop is os/signal's own goroutine, which never ends once it runs.
const signalLoop = "os/signal.loop"

// The measurement works without weir: the baselines against themselves, quickly.
func TestSelf(t *testing.T) {
	out := runBench(t, "-only", "https,http2", "-self", "-rounds", "1", "-duration", "100ms", "-conns", "4")
	for _, want := range []string{"HTTPS 1 KB keep-alive, 4 connections", "HTTP/2 1 KB, 4 connections", "CPU a request", "RSS at most", ">= 0.80"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

// Every part runs against the real weir, on sizes that take seconds.
func TestParts(t *testing.T) {
	if testing.Short() {
		t.Skip("builds weir")
	}
	out := runBench(t, "-rounds", "1", "-duration", "200ms", "-conns", "4", "-size", "3000000", "-flows", "2000", "-keys", "10",
		"-only", "https,http2,rss,view,keys,body", "-body-size", "3M")
	for _, want := range []string{
		"flows in the session", "sent, received and stored bytes", "view after opening", "view by duration", "view ~c 404",
		"a page, somewhere", "a flow recorded elsewhere", "weir open, sorted by path",
		"start to first frame", "key: one row", "record of a body of 3.1 MB", "export as har of a body",
	} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in:\n%s", want, out)
		}
	}
}

func TestUnknownPart(t *testing.T) {
	err := run(t.Context(), []string{"-only", "https,speed"}, new(strings.Builder))
	if err == nil || !strings.Contains(err.Error(), `"speed"`) {
		t.Errorf("got %v, want it to name the part", err)
	}
}

func runBench(t *testing.T, args ...string) string {
	t.Helper()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	var out strings.Builder
	if err := run(ctx, args, &out); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	return out.String()
}
