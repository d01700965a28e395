package e2e

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// curl runs curl through the proxy; it fails where curl or the server does.
func curl(t *testing.T, r *recorder, args ...string) []byte {
	t.Helper()
	base := []string{"--silent", "--show-error", "--fail", "--max-time", "240", "--proxy", "http://" + r.Addr, "--cacert", r.CA, "--noproxy", ""}
	return run(t, "curl", append(base, args...)...)
}

// curl over both schemes and both versions of HTTP/1.
func TestCurl(t *testing.T) {
	need(t, "curl")
	o := startOrigin(t)
	r := record(t, "--upstream-ca", o.CA)
	const size = 100_000
	want := sum(noise(size))
	n := 0
	for _, base := range []string{o.HTTP, o.HTTPS} {
		for _, version := range []string{"--http1.0", "--http1.1"} {
			got := sum(strings.NewReader(string(curl(t, r, version, fmt.Sprintf("%s/bytes/%d", base, size)))))
			if got != want {
				t.Errorf("%s %s: body hashes to %s, want %s", version, base, got, want)
			}
			n++
		}
	}
	for _, f := range complete(t, r.Session, n) {
		_, response := show(t, r.Session, f.ID)
		if got := *response.BodySHA256; got != want {
			t.Errorf("stored body of flow %d hashes to %s, want %s", f.ID, got, want)
		}
	}
	r.stop()
	if got := query(t, r.Session, "~all"); len(got) != n {
		t.Errorf("%d flows after the capture, want %d", len(got), n)
	}
}

// A download that is larger than any buffer, and an upload.
func TestLargeBodies(t *testing.T) {
	need(t, "curl")
	if testing.Short() {
		t.Skip("moves more than a gigabyte")
	}
	o := startOrigin(t)
	r := record(t, "--upstream-ca", o.CA)
	const down, up = 1 << 30, 200 << 20
	file := filepath.Join(t.TempDir(), "file")

	curl(t, r, "--output", file, fmt.Sprintf("%s/bytes/%d", o.HTTPS, int64(down)))
	if got, want := fileSum(t, file), sum(noise(down)); got != want {
		t.Errorf("1 GB download hashes to %s, want %s", got, want)
	}

	upload, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(upload, noise(up)); err != nil {
		t.Fatal(err)
	}
	if err := upload.Close(); err != nil {
		t.Fatal(err)
	}
	if got, want := string(curl(t, r, "--upload-file", file, o.HTTPS+"/upload")), sum(noise(up)); got != want {
		t.Errorf("origin got an upload that hashes to %s, want %s", got, want)
	}
	if err := os.Remove(file); err != nil {
		t.Fatal(err)
	}

	flows := complete(t, r.Session, 2)
	_, response := show(t, r.Session, flows[0].ID)
	if got, want := *response.BodySHA256, sum(noise(down)); got != want || flows[0].ResponseSize != down {
		t.Errorf("stored download: %d bytes, %s; want %d, %s", flows[0].ResponseSize, got, down, want)
	}
	request, _ := show(t, r.Session, flows[1].ID)
	if got, want := *request.BodySHA256, sum(noise(up)); got != want || flows[1].RequestSize != up {
		t.Errorf("stored upload: %d bytes, %s; want %d, %s", flows[1].RequestSize, got, up, want)
	}
	r.stop()
}

func fileSum(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	return sum(f)
}

func TestChunkedWithTrailers(t *testing.T) {
	need(t, "curl")
	o := startOrigin(t)
	r := record(t)
	want := strings.Repeat(chunkedLine, chunkedLines)
	if got := string(curl(t, r, o.HTTP+"/chunked")); got != want {
		t.Errorf("curl got %d bytes, want %d", len(got), len(want))
	}
	f := complete(t, r.Session, 1)[0]
	_, response := show(t, r.Session, f.ID)
	if got, want := *response.BodySHA256, sum(strings.NewReader(want)); got != want {
		t.Errorf("stored body hashes to %s, want %s", got, want)
	}
	got := map[string]string{}
	for _, p := range response.Trailers {
		got[p[0]] = p[1]
	}
	if got["X-Checksum"] != *response.BodySHA256 || got["X-Count"] != fmt.Sprint(chunkedLines) {
		t.Errorf("stored trailers: %v", response.Trailers)
	}
	r.stop()
}

// 500 requests at once, each on a connection of its own, half of them over TLS.
func TestParallel(t *testing.T) {
	o := startOrigin(t)
	r := record(t, "--upstream-ca", o.CA)
	const requests, size = 500, 20_000
	want := sum(noise(size))
	pem, err := os.ReadFile(r.CA)
	if err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	proxy := &url.URL{Scheme: "http", Host: r.Addr}
	transport := &http.Transport{
		Proxy: http.ProxyURL(proxy), DisableKeepAlives: true, TLSClientConfig: &tls.Config{RootCAs: roots},
	}
	var wg sync.WaitGroup
	problems := make(chan error, requests)
	for i := range requests {
		base := []string{o.HTTP, o.HTTPS}[i%2]
		wg.Go(func() { problems <- fetch(transport, fmt.Sprintf("%s/bytes/%d?n=%d", base, size, i), want) })
	}
	wg.Wait()
	close(problems)
	for err := range problems {
		if err != nil {
			t.Error(err)
		}
	}
	complete(t, r.Session, requests, fmt.Sprintf("~u /bytes/%d", size))
	r.stop()
	if got := strings.TrimSpace(string(weir(t, "query", r.Session, "--count", "~c 200"))); got != fmt.Sprint(requests) {
		t.Errorf("weir query --count: %s, want %d", got, requests)
	}
}

// fetch gets a URL and checks what comes.
func fetch(transport *http.Transport, u, want string) error {
	resp, err := transport.RoundTrip(newRequest(u))
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if got := sum(resp.Body); got != want {
		return fmt.Errorf("%s: body hashes to %s, want %s", u, got, want)
	}
	return nil
}

func newRequest(u string) *http.Request {
	parsed, err := url.Parse(u)
	if err != nil {
		panic(err) // a URL of this test
	}
	return &http.Request{Method: http.MethodGet, URL: parsed, Header: http.Header{}}
}
