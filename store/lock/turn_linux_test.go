package lock

import (
	"os"
	"path/filepath"
	"testing"
	"time"
)

// newTurnstiles makes so many that stand at one file, as processes do.
func newTurnstiles(t *testing.T, n int) []*Turnstile {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.weir-lock")
	if err := os.WriteFile(path, []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	all := make([]*Turnstile, n)
	for i := range all {
		all[i] = &Turnstile{path: path}
	}
	return all
}

// TestTurnstileHasOneInIt asks for the lock with no waiting about it.
func TestTurnstileHasOneInIt(t *testing.T) {
	path := newTurnstiles(t, 1)[0].path
	var files [2]*os.File
	for i := range files {
		f, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		files[i] = f
	}
	if first, second := takeTurn(files[0]), takeTurn(files[1]); !first || second {
		t.Errorf("taken by the first and the second: got %v, %v, want true, false", first, second)
	}
	if err := files[0].Close(); err != nil {
		t.Fatal(err)
	}
	if !takeTurn(files[1]) {
		t.Error("taken by the second when the first has left: got false, want true")
	}
}

// TestTurnstileLetsTheNextIn sees somebody who waits get in.
func TestTurnstileLetsTheNextIn(t *testing.T) {
	ts := newTurnstiles(t, 2)
	leave := ts[0].Enter(t.Context())
	entered := make(chan struct{})
	go func() { // ends when the first has left
		ts[1].Enter(t.Context())()
		close(entered)
	}()
	time.Sleep(5 * time.Millisecond)
	leave()
	<-entered
}

// TestTurnstileThatIsStuck sees that who never leaves is waited for once only, and
// that all is well when he has gone.
func TestTurnstileThatIsStuck(t *testing.T) {
	ts := newTurnstiles(t, 2)
	leave := ts[0].Enter(t.Context())
	for range 20 { // as long as a single wait, all together
		ts[1].Enter(t.Context())()
	}
	if !ts[1].stuck {
		t.Error("stuck: got false, want true")
	}
	leave()
	ts[1].Enter(t.Context())()
	if ts[1].stuck {
		t.Error("stuck after the other left: got true, want false")
	}
}

func TestTurnstileWithoutACapture(t *testing.T) {
	ts := NewTurnstile(filepath.Join(t.TempDir(), "none"))
	ts.Enter(t.Context())()
	if _, err := os.Stat(ts.path); !os.IsNotExist(err) {
		t.Errorf("the file: got %v, want none made", err)
	}
}
