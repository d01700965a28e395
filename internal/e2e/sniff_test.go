//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// sniff starts `weir sniff` on the loopback interface, or skips the test where that may not be.
func sniff(t *testing.T, filter string, args ...string) *recorder {
	t.Helper()
	mayCapture(t)
	r := &recorder{t: t}
	session := filepath.Join(t.TempDir(), "test.weir")
	r.cmd = exec.Command(weirBinary, append([]string{"sniff", "-i", "lo", "-f", filter, "-o", session}, args...)...)
	stderr, err := r.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := r.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.cmd.Process.Kill(); _ = r.cmd.Wait() })
	r.stderr = follow(stderr)
	r.expect("sniffing on lo")
	r.Session = r.expect("session ")
	return r
}

// mayCapture skips the test where packets may not be captured.
func mayCapture(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("capturing from interfaces takes root")
	}
}

func portOf(t *testing.T, base string) string {
	t.Helper()
	u, err := url.Parse(base)
	if err != nil {
		t.Fatal(err)
	}
	return u.Port()
}

// What curl says over the loopback interface is flows: while a response is waited for,
// and whole afterwards, every byte of it.
func TestSniff(t *testing.T) {
	need(t, "curl")
	asked, answer := make(chan struct{}), make(chan struct{})
	mux := http.NewServeMux()
	mux.HandleFunc("/bytes/{n}", serveBytes)
	mux.HandleFunc("/slow", func(w http.ResponseWriter, _ *http.Request) {
		close(asked)
		<-answer
		fmt.Fprint(w, "at last")
	})
	origin := httptest.NewServer(mux)
	t.Cleanup(origin.Close)
	r := sniff(t, "tcp port "+portOf(t, origin.URL), "--keep-packets", "64M")
	got := run(t, "curl", "-sS", "--noproxy", "*", origin.URL+"/bytes/300000")
	whole := complete(t, r.Session, 1, "~u /bytes/")[0]
	_, response := show(t, r.Session, whole.ID)
	if want := sum(strings.NewReader(string(got))); response.BodySHA256 == nil || *response.BodySHA256 != want || whole.ResponseSize != 300000 {
		t.Errorf("got a body of %d bytes, SHA-256 %v, want what curl got: %d, %s", whole.ResponseSize, response.BodySHA256, len(got), want)
	}
	slow := make(chan error, 1)
	go func() { slow <- exec.Command("curl", "-sS", "--noproxy", "*", origin.URL+"/slow").Run() }()
	<-asked
	eventually(t, "a flow that waits for its response", func() bool {
		flows := query(t, r.Session, "~u /slow")
		return len(flows) == 1 && flows[0].State == "waiting"
	})
	close(answer)
	if err := <-slow; err != nil {
		t.Fatal(err)
	}
	complete(t, r.Session, 2)
	r.stop()
	if said := r.said(); !strings.Contains(said, "\nsniffed ") || strings.Contains(said, "LOST") {
		t.Errorf("at the end it said:\n%s", said)
	}
	kept := strings.TrimSuffix(r.Session, ".weir") + ".0001.pcapng"
	again := filepath.Join(t.TempDir(), "again.weir")
	weir(t, "import", kept, "-o", again)
	if got := len(query(t, again, "~s")); got != 2 {
		t.Errorf("the packets that were kept have %d responses, want 2", got)
	}
}

// What is encrypted is opened with the secrets that the client writes meanwhile.
func TestSniffDecrypts(t *testing.T) {
	origin := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "a secret") }))
	origin.EnableHTTP2 = true
	origin.StartTLS()
	t.Cleanup(origin.Close)
	path := filepath.Join(t.TempDir(), "keys.txt")
	r := sniff(t, "tcp port "+portOf(t, origin.URL), "--keylog", path)
	keys, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer keys.Close()
	client := origin.Client()
	client.Transport.(*http.Transport).TLSClientConfig.KeyLogWriter = keys
	resp, err := client.Get(origin.URL + "/opened")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	got := complete(t, r.Session, 1, "~u /opened")[0]
	if got.HTTPVersion != "HTTP/2" || got.ResponseSize != 8 {
		t.Errorf("got %s with %d bytes, want HTTP/2 with 8", got.HTTPVersion, got.ResponseSize)
	}
	r.stop()
}

// The proxy and the sniffer record into one session: what the client says to the proxy,
// and what the proxy says to the server.
func TestSniffBesideTheProxy(t *testing.T) {
	mayCapture(t)
	need(t, "curl")
	o := startOrigin(t)
	r := record(t, "--sniff", "lo", "-f", "tcp port "+portOf(t, o.HTTP))
	run(t, "curl", "-sS", "-x", "http://"+r.Addr, o.HTTP+"/bytes/100")
	flows := complete(t, r.Session, 2, "~u /bytes/100")
	clients := 0
	for _, f := range flows {
		var whole struct {
			ClientConn *struct{} `json:"client_conn"`
		}
		if err := json.Unmarshal(weir(t, "show", r.Session, fmt.Sprint(f.ID), "--format", "json"), &whole); err != nil {
			t.Fatal(err)
		}
		if whole.ClientConn != nil {
			clients++
		}
	}
	if clients != 1 {
		t.Errorf("%d of the two flows came by the proxy, want one", clients)
	}
	r.stop()
	if said := r.said(); !strings.Contains(said, "\nsniffed ") || !strings.Contains(said, "\nrecorded 2 flows") {
		t.Errorf("at the end it said:\n%s", said)
	}
}

// The list shows the flows, and that no packet was lost.
func TestSniffOnTheScreen(t *testing.T) {
	mayCapture(t)
	need(t, "curl")
	o := startOrigin(t)
	dir := t.TempDir()
	s := start(t, 120, 24, dir, fmt.Sprintf("%s sniff -i lo -f 'tcp port %s' -o %s", weirBinary, portOf(t, o.HTTP), filepath.Join(dir, "seen.weir")))
	s.until("LIVE lo", "lost 0")
	run(t, "curl", "-sS", "--noproxy", "*", "-o", os.DevNull, o.HTTP+"/bytes/1234")
	s.until("/bytes/1234", "200")
	s.keys("g", "Enter")
	s.until("‹Request›", "User-Agent")
	s.keys("Q")
	s.ended()
}
