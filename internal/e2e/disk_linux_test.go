package e2e

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
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

// filled is a small disk with room for some megabytes, and what frees the rest of it.
func filled(t *testing.T) (dir string, empty func()) {
	t.Helper()
	dir = smallDisk(t, "48m")
	ballast := filepath.Join(dir, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 40<<20), 0o600); err != nil {
		t.Fatal(err)
	}
	return dir, func() {
		if err := os.Remove(ballast); err != nil {
			t.Fatal(err)
		}
	}
}

// large is what does not fit the disk before it is emptied, in bytes.
const large = 20_000_000

// download fetches something large through the proxy and tells what it hashes to.
func download(t *testing.T, r *recorder, o *origin) <-chan string {
	got := make(chan string, 1)
	cmd := exec.Command("curl", "--silent", "--show-error", "--proxy", "http://"+r.Addr, "--noproxy", "", fmt.Sprintf("%s/bytes/%d", o.HTTP, large))
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	go func() { // ends with curl
		hash := sum(out)
		_ = cmd.Wait()
		got <- hash
	}()
	return got
}

// small makes flows with a word in their paths, complete and on disk.
func small(t *testing.T, r *recorder, o *origin, word string, n int) {
	t.Helper()
	for i := range n {
		curl(t, r, fmt.Sprintf("%s/bytes/1000?%s=%d", o.HTTP, word, i))
	}
	complete(t, r.Session, n, "~u "+word)
}

// TestFullDisk captures onto a disk that becomes full: the screen says so, the client
// waits, and when there is room again all goes on and is there.
func TestFullDisk(t *testing.T) {
	need(t, "curl")
	o := startOrigin(t)
	dir, empty := filled(t)
	home := t.TempDir()
	session := filepath.Join(dir, "full.weir")
	s := start(t, 120, 30, home, fmt.Sprintf("%s --listen 127.0.0.1:0 -o %s", weirBinary, session))
	shown := s.until("LIVE", "127.0.0.1:")
	r := &recorder{t: t, Addr: address(t, shown), CA: filepath.Join(home, "config", "weir", "weir-ca-cert.pem"), Session: session}
	small(t, r, o, "before", 5)
	got := download(t, r, o)
	s.until("disk full: capture waits")

	// Meanwhile others can look, and the file is sound.
	if flows := query(t, session, "~u before"); len(flows) != 5 {
		t.Errorf("on the full disk: got %d flows, want the 5 from before", len(flows))
	}
	weir(t, "session", "verify", session)
	empty()
	s.until("the session is written again; flows lost so far: 0")
	if hash, want := <-got, sum(noise(large)); hash != want {
		t.Errorf("what the client got hashes to %s, want %s", hash, want)
	}
	flows := complete(t, session, 6)
	_, response := show(t, session, flows[5].ID)
	if hash, want := *response.BodySHA256, sum(noise(large)); hash != want {
		t.Errorf("what was recorded hashes to %s, want %s", hash, want)
	}
	s.keys("Q")
	s.ended()
	weir(t, "session", "verify", session)
}

// TestKillOnFullDisk kills a capture that waits for a full disk: what it had
// acknowledged is there, and the next capture goes on with the file.
func TestKillOnFullDisk(t *testing.T) {
	need(t, "curl")
	o := startOrigin(t)
	dir, empty := filled(t)
	session := filepath.Join(dir, "full.weir")
	r := record(t, "-o", session)
	small(t, r, o, "before", 5)
	download(t, r, o)
	r.expect("weir: disk full: capture waits")
	r.expect("hint: nothing is lost")
	if err := r.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_ = r.cmd.Wait()
	if flows := query(t, session, "~u before"); len(flows) != 5 {
		t.Errorf("after the kill: got %d flows, want the 5 that were complete", len(flows))
	}
	if said := fails(t, "record", "--listen", "127.0.0.1:0", "--config", filepath.Join(t.TempDir(), "config"), "-o", filepath.Join(dir, "new.weir")); !strings.Contains(said, "full") {
		t.Errorf("a new session on the full disk: got %q, want it to say that this is full", said)
	}
	empty()
	r = record(t, "-o", session)
	r.expect("weir: the capture before this one was killed; 1 flow of it left open")
	small(t, r, o, "after", 3)
	r.stop()
	weir(t, "session", "verify", session)
}

// fails runs weir, which must fail, and returns what it says.
func fails(t *testing.T, args ...string) string {
	t.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(weirBinary, args...)
	cmd.Stderr = &stderr
	if err := cmd.Run(); err == nil {
		t.Fatalf("weir %s: it succeeded, want it to fail", strings.Join(args, " "))
	}
	return stderr.String()
}

// TestReadOnlyDisk has a session on a disk that cannot be written any more: it can be
// looked at, nothing can be said of it or recorded into it, and each refusal says why.
func TestReadOnlyDisk(t *testing.T) {
	need(t, "curl")
	o := startOrigin(t)
	dir := smallDisk(t, "16m")
	session := filepath.Join(dir, "test.weir")
	r := record(t, "-o", session)
	small(t, r, o, "before", 3)
	r.stop()
	remount := func(flags uintptr) {
		if err := unix.Mount("weir", dir, "tmpfs", unix.MS_REMOUNT|flags, "size=16m"); err != nil {
			t.Fatal(err)
		}
	}
	remount(unix.MS_RDONLY)
	if flows := query(t, session); len(flows) != 3 {
		t.Errorf("on the read-only disk: got %d flows, want 3", len(flows))
	}
	weir(t, "session", "verify", session)
	for _, path := range []string{session, filepath.Join(dir, "new.weir")} {
		said := fails(t, "record", "--listen", "127.0.0.1:0", "--config", filepath.Join(t.TempDir(), "config"), "-o", path)
		if !strings.Contains(said, "read-only") || !strings.Contains(said, filepath.Base(path)) {
			t.Errorf("record into %s: got %q, want it to say that it is read-only", path, said)
		}
	}
	s := start(t, 120, 30, t.TempDir(), weirBinary+" open "+session)
	s.until("READ-ONLY", "/bytes/1000?before=2")
	s.keys("m")
	s.until("read-only session")
	s.keys("Q")
	s.ended()

	remount(0)
	r = record(t, "-o", session)
	small(t, r, o, "after", 2)
	r.stop()
	if flows := query(t, session); len(flows) != 5 {
		t.Errorf("written again: got %d flows, want 5", len(flows))
	}
}

// TestLookOnFullDisk has a session on a disk without room for a byte more.
func TestLookOnFullDisk(t *testing.T) {
	dir := smallDisk(t, "8m")
	session := filepath.Join(dir, "test.weir")
	weir(t, "bench", "seed", session, "--flows", "20")
	var full error
	for f, err := os.Create(filepath.Join(dir, "ballast")); full == nil; {
		if err != nil {
			t.Fatal(err)
		}
		_, full = f.Write(make([]byte, 4096))
	}
	if flows := query(t, session); len(flows) != 20 {
		t.Errorf("on the full disk: got %d flows, want 20", len(flows))
	}
	weir(t, "session", "verify", session)
	if said := fails(t, "record", "--listen", "127.0.0.1:0", "--config", filepath.Join(t.TempDir(), "config"), "-o", session); !strings.Contains(said, "full") {
		t.Errorf("record into it: got %q, want it to say that the disk is full", said)
	}
	s := start(t, 120, 30, t.TempDir(), weirBinary+" open "+session)
	s.until("READ-ONLY", "20")
	s.keys("Q")
	s.ended()
}

// immutable makes files ones that nobody writes, or takes that back. It is what comes
// nearest to a disk that becomes read-only: the kernel remounts none that is in use.
func immutable(on bool, paths ...string) error {
	for _, path := range paths {
		f, err := os.Open(path)
		if err != nil {
			return err
		}
		defer f.Close()
		flags, err := unix.IoctlGetInt(int(f.Fd()), unix.FS_IOC_GETFLAGS)
		if err != nil {
			return err
		}
		if flags &^= unix.STATX_ATTR_IMMUTABLE; on { // the same bit
			flags |= unix.STATX_ATTR_IMMUTABLE
		}
		if err := unix.IoctlSetPointerInt(int(f.Fd()), unix.FS_IOC_SETFLAGS, flags); err != nil {
			return err
		}
	}
	return nil
}

// TestDiskRefuses has the disk refuse writes in the middle of a capture, and take them
// again: what came meanwhile waits in memory and is written then.
func TestDiskRefuses(t *testing.T) {
	need(t, "curl")
	o := startOrigin(t)
	r := record(t)
	files := []string{r.Session, r.Session + "-wal"}
	small(t, r, o, "before", 3)
	t.Cleanup(func() { _ = immutable(false, files...) })
	if err := immutable(true, files...); err != nil {
		t.Skipf("make the session immutable: %v", err)
	}
	for i := range 3 {
		curl(t, r, fmt.Sprintf("%s/bytes/1000?while=%d", o.HTTP, i))
	}
	r.expect("weir: cannot write: ")
	r.expect("hint: what passes is kept in memory")
	if flows := query(t, r.Session); len(flows) != 3 {
		t.Errorf("while the disk refuses: got %d flows, want the 3 from before", len(flows))
	}
	if err := immutable(false, files...); err != nil {
		t.Fatal(err)
	}
	r.expect("weir: the session is written again; flows lost so far: 0")
	complete(t, r.Session, 6)
	r.stop()
	weir(t, "session", "verify", r.Session)
}
