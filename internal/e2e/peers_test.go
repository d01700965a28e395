package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// peer runs a client in another language by way of weir, as a proxy and as a
// reverse proxy, and returns what it says that it saw: null for what it cannot do.
func peer(t *testing.T, o *origin, r *recorder, reverse string, line ...string) map[string]*string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), line[0], line[1:]...)
	cmd.Env = append(os.Environ(),
		"HTTP_PROXY=http://"+r.Addr, "HTTPS_PROXY=http://"+r.Addr, "http_proxy=http://"+r.Addr, "https_proxy=http://"+r.Addr,
		"NO_PROXY=", "no_proxy=", "SSL_CERT_FILE="+r.CA, "NODE_EXTRA_CA_CERTS="+r.CA,
		"ORIGIN_HTTP="+o.HTTP, "ORIGIN_HTTPS="+o.HTTPS, "REVERSE=https://"+reverse)
	var complaints bytes.Buffer
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", line, err, complaints.Bytes())
	}
	var saw map[string]*string
	if err := json.Unmarshal(out, &saw); err != nil {
		t.Fatalf("%s said %q: %v", line, out, err)
	}
	return saw
}

// What clients see of the origin.
var (
	peerDownload = sum(noise(10_000))
	peerUpload   = sum(strings.NewReader(strings.Repeat("piece of an upload\n", 1000)))
)

// checkPeer compares what a client saw with what the origin has.
func checkPeer(t *testing.T, saw map[string]*string, want map[string]string) {
	t.Helper()
	got := map[string]string{}
	for what, value := range saw {
		if value == nil {
			t.Logf("%s: this client cannot", what)
			delete(want, what)
			continue
		}
		got[what] = *value
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("what the client saw (-want +got):\n%s", diff)
	}
}

// Python's http.client and urllib, and requests where it is installed.
func TestPython(t *testing.T) {
	need(t, "python3")
	o := startOrigin(t)
	r := record(t, "--upstream-ca", o.CA)
	saw := peer(t, o, r, "", "python3", filepath.Join("testdata", "peer.py"))
	checkPeer(t, saw, map[string]string{
		"http": peerDownload, "https": peerDownload, "library": peerDownload,
		"keep-alive": "100 100|0 100|64 64", "keep-alive in a tunnel": "100 100|0 100|64 64",
		"upload": peerUpload, "stream": "piece 0|piece 1|piece 2",
	})
	complete(t, r.Session, 3, "~u /upload$ & ~m POST & ~sizeq 19000")
	complete(t, r.Session, 1, "~u /live/stream$")
	complete(t, r.Session, 4, "~u /bytes/100$")
	r.stop()
	if failed := query(t, r.Session, "~e"); len(failed) > 0 {
		t.Errorf("failed flows: %v", failed)
	}
}

// Node's http, https, http2 and fetch, and WebSocket where it has one.
func TestNode(t *testing.T) {
	need(t, "node")
	o := startOrigin(t)
	r := record(t, "--upstream-ca", o.CA, "--mode", "regular@0", "--mode", "reverse:"+o.HTTPS+"@0")
	line := []string{"node"}
	if flag := "--experimental-websocket"; exec.Command("node", flag, "--eval", "0").Run() == nil {
		line = append(line, "--no-warnings", flag)
	}
	saw := peer(t, o, r, second(t, r), append(line, filepath.Join("testdata", "peer.mjs"))...)
	checkPeer(t, saw, map[string]string{
		"http": peerDownload, "https": peerDownload, "http2": peerDownload,
		"keep-alive": "100 100|0 100|64 64", "upload in a tunnel": peerUpload, "upload": peerUpload,
		"stream": "piece 0|piece 1|piece 2", "socket": "hello hello hello|100000 bytes 3001",
	})
	complete(t, r.Session, 10, "~u /bytes/10000$ & ~ver h2")
	complete(t, r.Session, 3, "~u /upload$ & ~m POST & ~sizeq 19000")
	complete(t, r.Session, 1, "~u /live/stream$")
	if saw["socket"] != nil {
		f := complete(t, r.Session, 1, "~u /live/socket$")[0]
		if lines, closed := showMessages(t, r.Session, f.ID); len(lines) != 6 || closed != "client 3001 seen" {
			t.Errorf("WebSocket: got %q, closed by %s", lines, closed)
		}
	}
	r.stop()
	if failed := query(t, r.Session, "~e"); len(failed) > 0 {
		t.Errorf("failed flows: %v", failed)
	}
}
