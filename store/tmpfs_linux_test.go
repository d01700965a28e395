package store

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	flowpb "weir/proto"
)

// smallDisk mounts a file system of so many megabytes, which only root may do.
func smallDisk(t *testing.T, size string) (dir string) {
	t.Helper()
	dir = t.TempDir()
	if err := unix.Mount("weir", dir, "tmpfs", 0, "size="+size); err != nil {
		t.Skipf("mount a small disk: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(dir, unix.MNT_DETACH); err != nil {
			t.Errorf("unmount: %v", err)
		}
	})
	return dir
}

// TestFullFileSystem captures onto a disk that is really full, until there is room
// again: the capture waits, the file stays sound, and nothing is lost.
func TestFullFileSystem(t *testing.T) {
	dir := smallDisk(t, "24m")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 16<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	s, err := Create(t.Context(), filepath.Join(dir, "full.weir"), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	w, err := s.NewWriter(t.Context(), WriterOptions{QueueBytes: 1 << 20, BatchBytes: 256 << 10})
	if err != nil {
		t.Fatal(err)
	}
	stopPages(w, 64)
	const flows = 500 // of 20 KB: more than fits before, and less than fits after
	body := bytes.Repeat([]byte("x"), 20_000)
	done := make(chan error, 1)
	go func() { // waited for below
		for n := range flows {
			f := httpFlow(n)
			f.GetHttp().GetResponse().GetBody().Size = uint64(len(body))
			if err := errors.Join(w.Flow(t.Context(), f), w.Body(t.Context(), f.GetId(), flowpb.SideResponse, body)); err != nil {
				done <- err
				return
			}
		}
		done <- nil
	}()
	for st := w.Stats(); st.Waiting == 0 || st.Err == nil; st = w.Stats() {
		select {
		case err := <-done:
			t.Fatalf("recording on a full disk ended with %v, want it to wait", err)
		case <-time.After(time.Millisecond):
		}
	}
	if st := w.Stats(); !errors.Is(st.Err, ErrFull) {
		t.Errorf("stats: got %v, want %v", st.Err, ErrFull)
	}
	before, err := s.Count(t.Context())
	if err != nil || before == 0 || before == flows {
		t.Errorf("flows on the full disk: got %d, %v, want some", before, err)
	}
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 1 { // the last one's body is on its way
		t.Errorf("verify on a full disk: got %v, %v, want a sound file", problems, err)
	}
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatalf("recording with room again: %v", err)
	}
	flush(t, w)
	if n, err := s.Count(t.Context()); err != nil || n != flows {
		t.Errorf("flows: got %d, %v, want %d", n, err, flows)
	}
	if problems, err := s.Verify(t.Context()); err != nil || len(problems) > 0 {
		t.Errorf("verify: got %v, %v, want no problems", problems, err)
	}
	if err := w.Close(); err != nil {
		t.Error(err)
	}
}
