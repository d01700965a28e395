// Command weir is a terminal flow inspector: it captures HTTP traffic with a
// proxy into a session file and shows, filters, marks and exports what passed.
//
// This package is where the parts meet and nothing more: each subcommand is a
// file of its name, wire.go joins proxy, store and interface, and report.go is
// the one place that says what went wrong. What the program promises to scripts
// (names, JSON keys, exit codes) is in docs/cli.md and held by testdata/script.
//
// Concurrency: one goroutine runs the command; capture.go owns those that serve
// the proxy and waits for them. The context of main ends at SIGINT or SIGTERM.
//
// Invariants: standard output carries only what was asked for, everything said
// to a person goes to standard error; exit codes are 0 done, 1 failed, 2 usage.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], stdio{os.Stdin, os.Stdout, os.Stderr})
	stop()
	os.Exit(code)
}
