package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// origin is the server at the far end, over HTTP and HTTPS.
type origin struct {
	HTTP, HTTPS string // base URLs
	CA          string // file with the certificate that weir has to trust
	live        *live
}

// startOrigin serves:
//
//	/bytes/N    N bytes, the same for each N
//	/upload     answers with the SHA-256 of what it got
//	/chunked    a chunked body with trailers
//	/page       an HTML page of 100 assets
//	/asset/N    one of them
//	/live       a page that talks without end, see livePage
func startOrigin(t *testing.T) *origin {
	t.Helper()
	mux := http.NewServeMux()
	mux.HandleFunc("/bytes/{n}", serveBytes)
	mux.HandleFunc("/upload", serveUpload)
	mux.HandleFunc("/chunked", serveChunked)
	mux.HandleFunc("/page", servePage)
	mux.HandleFunc("/asset/{n}", serveAsset)
	l := newLive()
	l.register(mux)
	quiet := log.New(io.Discard, "", 0)
	plain := httptest.NewUnstartedServer(mux)
	plain.Config.ErrorLog = quiet
	plain.Start()
	t.Cleanup(plain.Close)
	secure := httptest.NewUnstartedServer(mux)
	secure.Config.ErrorLog = quiet
	secure.EnableHTTP2 = true
	secure.StartTLS()
	t.Cleanup(secure.Close)
	ca := filepath.Join(t.TempDir(), "origin.pem")
	cert := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw})
	if err := os.WriteFile(ca, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	return &origin{HTTP: plain.URL, HTTPS: secure.URL, CA: ca, live: l}
}

// noise is n reproducible bytes that do not compress, made as they are read.
func noise(n int64) io.Reader {
	return io.LimitReader(rand.NewChaCha8([32]byte{'w', 'e', 'i', 'r'}), n)
}

// sum is the SHA-256 of what r yields.
func sum(r io.Reader) string {
	h := sha256.New()
	if _, err := io.Copy(h, r); err != nil {
		return err.Error()
	}
	return hex.EncodeToString(h.Sum(nil))
}

func serveBytes(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.ParseInt(r.PathValue("n"), 10, 64)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Header().Set("Content-Length", strconv.FormatInt(n, 10))
	_, _ = io.Copy(w, noise(n))
}

func serveUpload(w http.ResponseWriter, r *http.Request) {
	fmt.Fprint(w, sum(r.Body))
}

// chunkedBody is what /chunked sends, in as many chunks as there are writes.
const chunkedLine, chunkedLines = "a line of a chunked body\n", 1000

func serveChunked(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Trailer", "X-Checksum, X-Count")
	for range chunkedLines {
		_, _ = io.WriteString(w, chunkedLine)
		w.(http.Flusher).Flush()
	}
	w.Header().Set("X-Checksum", sum(bytes.NewReader(bytes.Repeat([]byte(chunkedLine), chunkedLines))))
	w.Header().Set("X-Count", strconv.Itoa(chunkedLines))
}

const assets = 100

func servePage(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	fmt.Fprint(w, "<!doctype html><title>loading</title><body>\n")
	for i := range assets {
		fmt.Fprintf(w, "<script src=\"/asset/%d\"></script>\n", i)
	}
	// The title says how many assets ran, for whoever looks at the page.
	fmt.Fprint(w, "<script>document.title = 'ran ' + window.ran; document.body.append('ran ' + window.ran)</script>\n")
}

func serveAsset(w http.ResponseWriter, r *http.Request) {
	n, err := strconv.Atoi(r.PathValue("n"))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	w.Header().Set("Content-Type", "text/javascript")
	w.Header().Set("Cache-Control", "no-store")
	fmt.Fprint(w, assetText(n))
}

// assetText is a script that counts itself, of about 2 KB.
func assetText(n int) string {
	return fmt.Sprintf("window.ran = (window.ran || 0) + 1 // asset %d %s\n", n, strings.Repeat("x", 2000))
}
