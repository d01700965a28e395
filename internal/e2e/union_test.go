package e2e

import (
	"fmt"
	"path/filepath"
	"testing"
)

// TestSeveralSessions is how somebody looks at a folder of captures, from within one that
// is still going on: the sessions screen, all of them as one list, and back.
func TestSeveralSessions(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {200, 50}} {
		t.Run(fmt.Sprintf("%dx%d", size[0], size[1]), func(t *testing.T) { severalSessions(t, size[0], size[1]) })
	}
}

func severalSessions(t *testing.T, w, h int) {
	need(t, "curl")
	o := startOrigin(t)
	dir := t.TempDir()
	before, now := filepath.Join(dir, "before.weir"), filepath.Join(dir, "now.weir")
	weir(t, "bench", "seed", before, "--flows", "9")
	s := start(t, w, h, dir, fmt.Sprintf("%s --listen 127.0.0.1:0 --upstream-ca %s -o %s", weirBinary, o.CA, now))
	shown := s.until("LIVE", "127.0.0.1:")
	r := &recorder{t: t, Addr: address(t, shown), CA: filepath.Join(dir, "config", "weir", "weir-ca-cert.pem")}
	curl(t, r, o.HTTP+"/bytes/11")
	s.until("/bytes/11")

	s.keys("C-o")
	s.until("sessions", "before", "now", "by last change")
	s.keys("a", "Enter")
	s.until("2 sessions", "capturing", "10 flows")
	s.keys("G")
	s.until("/bytes/11")
	curl(t, r, o.HTTP+"/bytes/22") // into the session that was left, which is in the list as well
	s.until("/bytes/22", "11 flows")

	s.keys("/")
	s.typed("~session before")
	s.keys("Enter")
	s.without("/bytes/22")
	s.keys("g", "m")
	eventually(t, "the mark in its own session", func() bool { return len(query(t, before, "~marked")) == 1 })
	if marked := query(t, now, "~marked"); len(marked) != 0 {
		t.Errorf("the other session has %d marked flows, want none", len(marked))
	}
	s.keys("q")
	s.until("LIVE", "2 flows", "/bytes/11", "/bytes/22")
	s.keys("Q")
	s.ended()

	// A folder, and a capture that begins while it is looked at.
	s = start(t, w, h, dir, weirBinary+" open "+dir+" '~m GET'")
	s.until("OFFLINE", "11")
	later := record(t, "-o", filepath.Join(dir, "later.weir"))
	curl(t, later, o.HTTP+"/bytes/33")
	s.keys("G")
	s.until("/bytes/33", "later")
	s.keys("Q")
	s.ended()
}
