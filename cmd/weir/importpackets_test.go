package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"weir/proxy/packet/traffic"
	"weir/store"
)

// TestInterruptedImport interrupts the reading of packets: the session is there, with what was
// read by then.
func TestInterruptedImport(t *testing.T) {
	var capture bytes.Buffer
	made, err := traffic.Capture{Size: 24 << 20}.Write(&capture)
	if err != nil {
		t.Fatal(err)
	}
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	ctx, interrupt := context.WithCancel(t.Context())
	written := make(chan struct{})
	go func() { // ends when all is read, or nobody reads any more
		defer close(written)
		defer out.Close()
		_, _ = io.CopyN(out, &capture, 8<<20)
		interrupt() // with more packets behind than are read before anybody looks
		_, _ = io.Copy(out, &capture)
	}()
	path := filepath.Join(t.TempDir(), "x.weir")
	err = runImport(ctx, stdio{in, io.Discard, io.Discard}, path, "", nil, []string{"-"})
	in.Close()
	<-written
	if !errors.Is(err, context.Canceled) {
		t.Errorf("import: got %v, want %v", err, context.Canceled)
	}
	s, err := store.Open(t.Context(), path, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if n, err := s.Count(t.Context()); err != nil || n == 0 || n >= uint64(made.Requests) {
		t.Errorf("flows: got %d, %v, want some of %d", n, err, made.Requests)
	}
	problems, err := s.Verify(t.Context())
	if err != nil || len(problems) > 0 {
		t.Errorf("verify: got %v, %v, want nothing", problems, err)
	}
}
