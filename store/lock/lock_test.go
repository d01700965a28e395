//go:build unix

package lock

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestOneHolderAtATime(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.weir")
	if err := Free(path); err != nil {
		t.Errorf("before anybody: got %v, want it free", err)
	}
	l, err := Take(path)
	if err != nil {
		t.Fatal(err)
	}
	want := fmt.Sprintf("(process %d)", os.Getpid())
	if _, err := Take(path); !errors.Is(err, ErrCapturing) || !strings.Contains(err.Error(), want) {
		t.Errorf("a second one: got %v, want %v %s", err, ErrCapturing, want)
	}
	if err := Free(path); !errors.Is(err, ErrCapturing) {
		t.Errorf("while it is held: got %v, want %v", err, ErrCapturing)
	}
	if err := l.Release(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(path + Suffix); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file afterwards: got %v, want none", err)
	}
}

// What a process left that was killed is no lock.
func TestLeftover(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.weir")
	if err := os.WriteFile(path+Suffix, []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := Free(path); err != nil {
		t.Errorf("got %v, want it free", err)
	}
	l, err := Take(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := l.Release(); err != nil {
		t.Error(err)
	}
}
