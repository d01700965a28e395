package e2e

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// curl speaks HTTP/2 where the origin does, and every other version beside it.
func TestCurlHTTP2(t *testing.T) {
	need(t, "curl")
	o := startOrigin(t)
	r := record(t, "--upstream-ca", o.CA)
	const size = 3_000_000
	if got, want := sum(strings.NewReader(string(curl(t, r, "--http2", fmt.Sprintf("%s/bytes/%d", o.HTTPS, size))))), sum(noise(size)); got != want {
		t.Errorf("download hashes to %s, want %s", got, want)
	}
	curl(t, r, "--http1.1", o.HTTPS+"/bytes/10")
	if got, want := string(curl(t, r, "--http2", "--data-binary", "content", o.HTTPS+"/upload")), sum(strings.NewReader("content")); got != want {
		t.Errorf("upload: got %s, want %s", got, want)
	}
	complete(t, r.Session, 2, "~ver h2")
	complete(t, r.Session, 1, "~ver h1")
	r.stop()
}

// Without TLS curl has to know beforehand.
func TestCurlPriorKnowledge(t *testing.T) {
	need(t, "curl")
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, r.Proto) }))
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Start()
	t.Cleanup(srv.Close)
	r := record(t)
	if got := string(curl(t, r, "--proxytunnel", "--http2-prior-knowledge", srv.URL)); got != "HTTP/2.0" {
		t.Errorf("got %q, want HTTP/2.0", got)
	}
	complete(t, r.Session, 1, "~ver h2")
	r.stop()
}

// Many requests at once on few connections, by a client that checks the frames.
func TestH2load(t *testing.T) {
	need(t, "h2load")
	o := startOrigin(t)
	r := record(t, "--upstream-ca", o.CA, "--mode", "reverse:"+o.HTTPS)
	const requests = 500
	out := string(run(t, "h2load", "-n", fmt.Sprint(requests), "-c", "3", "-m", "20", "https://"+r.Addr+"/bytes/1000"))
	if want := fmt.Sprintf("%d succeeded, 0 failed, 0 errored", requests); !strings.Contains(out, want) {
		t.Errorf("h2load does not say %q:\n%s", want, out)
	}
	complete(t, r.Session, requests, "~ver h2 & ~c 200")
	r.stop()
}
