package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"weir/proxy/contain"
)

// TestCrashLog adds entries until the log is put aside.
func TestCrashLog(t *testing.T) {
	dir := t.TempDir()
	t.Setenv("XDG_DATA_HOME", dir)
	path := filepath.Join(dir, "weir", crashLog)
	at := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	if got := keepStack(at, "one", "goroutine 1"); !strings.HasSuffix(got, path) {
		t.Errorf("got hint %q, want one that names %s", got, path)
	}
	keepStack(at, "two", strings.Repeat("x", maxCrashLog))
	keepStack(at, "three", "goroutine 3")
	for name, want := range map[string]string{path: "three\ngoroutine 3\n", path + ".old": "two\nx"} {
		got, err := os.ReadFile(name)
		if err != nil || !strings.Contains(string(got), want) || !strings.HasPrefix(string(got), "2026-01-02T03:04:05Z weir ") {
			t.Errorf("%s: got %.100q (%v), want an entry with %q", name, got, err, want)
		}
		if info, err := os.Stat(name); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("%s: got mode %v (%v), want 0600", name, info.Mode(), err)
		}
	}
}

// TestMistakesAreToldOnce has several mistakes at one place.
func TestMistakesAreToldOnce(t *testing.T) {
	t.Setenv("XDG_DATA_HOME", t.TempDir())
	var told []string
	m := mistakes{tell: func(text, hint string) { told = append(told, text+"|"+hint) }}
	for _, place := range []string{"a.F", "a.F", "b.G"} {
		m.add(&contain.PanicError{Value: "broken", Place: place, Stack: []byte("goroutine 1")})
	}
	if len(told) != 2 || !strings.Contains(told[1], "broken in b.G|") || !strings.Contains(told[1], crashLog) {
		t.Errorf("got %q, want each place once with the log", told)
	}
}

// TestCrashLogThatCannotBeKept says so in the hint.
func TestCrashLogThatCannotBeKept(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("XDG_DATA_HOME", file)
	if got := keepStack(time.Now(), "one", ""); !strings.Contains(got, "could not be kept") {
		t.Errorf("got hint %q", got)
	}
}
