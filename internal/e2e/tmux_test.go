package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// screen is a program in a tmux of its own, as a person would have it.
type screen struct {
	t      *testing.T
	socket string
}

// start runs a shell command in a new tmux of w by h cells. Its configuration
// and data directories are the test's own.
func start(t *testing.T, w, h int, dir, command string) *screen {
	t.Helper()
	need(t, "tmux")
	s := &screen{t: t, socket: filepath.Join(t.TempDir(), "tmux")}
	cmd := exec.Command("tmux", "-S", s.socket, "-f", "/dev/null", "new-session", "-d", "-x", fmt.Sprint(w), "-y", fmt.Sprint(h), command)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "XDG_DATA_HOME="+filepath.Join(dir, "data"), "XDG_CONFIG_HOME="+filepath.Join(dir, "config"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("tmux: %v\n%s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", s.socket, "kill-server").Run() })
	return s
}

// keys presses keys, named as tmux names them.
func (s *screen) keys(keys ...string) {
	s.t.Helper()
	args := []string{"-S", s.socket, "send-keys"}
	for _, key := range keys {
		if key == ";" {
			key = `\;` // a bare one ends tmux's command
		}
		args = append(args, key)
	}
	run(s.t, "tmux", args...)
}

// typed types text as it is.
func (s *screen) typed(text string) {
	s.t.Helper()
	run(s.t, "tmux", "-S", s.socket, "send-keys", "-l", text)
}

// text is what the screen shows.
func (s *screen) text() string {
	out, err := exec.Command("tmux", "-S", s.socket, "capture-pane", "-p").Output()
	if err != nil {
		return "(no screen: " + err.Error() + ")"
	}
	return string(out)
}

// until waits for the screen to show every one of the texts.
func (s *screen) until(texts ...string) string {
	s.t.Helper()
	var last string
	defer func() {
		if s.t.Failed() {
			s.t.Logf("the screen was:\n%s", last)
		}
	}()
	eventually(s.t, fmt.Sprintf("screen with %q", texts), func() bool {
		last = s.text()
		for _, want := range texts {
			if !strings.Contains(last, want) {
				return false
			}
		}
		return true
	})
	return last
}

// without waits for the screen to show none of the texts any more.
func (s *screen) without(texts ...string) {
	s.t.Helper()
	eventually(s.t, fmt.Sprintf("screen without %q", texts), func() bool {
		shown := s.text()
		for _, gone := range texts {
			if strings.Contains(shown, gone) {
				return false
			}
		}
		return true
	})
}

// ended waits for the program to end.
func (s *screen) ended() {
	s.t.Helper()
	eventually(s.t, "end of the program", func() bool {
		return exec.Command("tmux", "-S", s.socket, "has-session").Run() != nil
	})
}
