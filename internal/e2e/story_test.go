package e2e

import (
	"fmt"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestMainJob is the main job as a user does it, at the smallest and at a large
// terminal: capture, look, sort, filter, mark, comment, quit, open again.
func TestMainJob(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {200, 50}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) { mainJob(t, size[0], size[1]) })
	}
}

func mainJob(t *testing.T, w, h int) {
	need(t, "curl")
	o := startOrigin(t)
	dir := t.TempDir()
	session := filepath.Join(dir, "story.weir")
	s := start(t, w, h, dir, fmt.Sprintf("%s --listen 127.0.0.1:0 --upstream-ca %s -o %s", weirBinary, o.CA, session))
	shown := s.until("LIVE", "127.0.0.1:")
	r := &recorder{t: t, Addr: address(t, shown), CA: filepath.Join(dir, "config", "weir", "weir-ca-cert.pem")}

	curl(t, r, o.HTTP+"/bytes/1234")
	curl(t, r, o.HTTPS+"/chunked")
	curl(t, r, o.HTTPS+"/bytes/777?needle")
	s.until("/bytes/1234", "/chunked", "needle")

	// Filter as you type, then take it back.
	s.keys("/")
	s.typed("~u chunked")
	s.until("1")
	s.keys("Enter")
	s.without("/bytes/1234")
	s.keys("*")
	s.until("/bytes/1234", "needle")

	// Open the focused flow and come back.
	s.keys("g", "Enter")
	s.until("‹Request›", "User-Agent")
	s.keys("l")
	s.until("‹Response›", "application/octet-stream")
	s.keys("q")
	s.without("‹Response›")

	// Mark and comment: written the moment they are made.
	s.keys("g", "m", ";")
	s.typed("look at this")
	s.keys("Enter")
	eventually(t, "the note in the session", func() bool {
		flows := query(t, session, "~marked")
		return len(flows) == 1 && flows[0].Comment != nil && *flows[0].Comment == "look at this"
	})
	s.keys("Q")
	s.ended()

	// The same session, offline.
	if flows := query(t, session); len(flows) != 3 {
		t.Fatalf("%d flows in the session, want 3", len(flows))
	}
	s = start(t, w, h, dir, weirBinary+" open "+session)
	s.until("OFFLINE", "/bytes/1234", "/chunked", "needle")
	s.keys("?")
	s.until("filter")
	s.keys("q")
	s.until("/bytes/1234")
	s.keys("Q")
	s.ended()
}

// address finds the listening address on the screen.
func address(t *testing.T, shown string) string {
	t.Helper()
	a := regexp.MustCompile(`127\.0\.0\.1:\d+`).FindString(shown)
	if a == "" || strings.HasSuffix(a, ":0") {
		t.Fatalf("no listening address on the screen:\n%s", shown)
	}
	return a
}
