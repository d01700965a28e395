package e2e

import (
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// server is another project's server, which greets under both of its addresses.
type server struct {
	plain, secure string // host:port
	ca            string // the file with its certificate
	greeting      string
	versions      []string // of HTTP, with TLS
}

// keyPair writes a certificate for 127.0.0.1, alone and together with its key.
func keyPair(t *testing.T) (cert, both string) {
	t.Helper()
	srv := httptest.NewUnstartedServer(nil)
	srv.StartTLS()
	defer srv.Close()
	pair := srv.TLS.Certificates[0]
	key, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert = pemFile(t, srv.Certificate())
	both = filepath.Join(t.TempDir(), "both.pem")
	text := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]})
	text = append(text, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: key})...)
	if err := os.WriteFile(both, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return cert, both
}

// startNginx serves a greeting, and a body of 1 MB below /big, from a file.
func startNginx(t *testing.T) server {
	t.Helper()
	need(t, "nginx")
	cert, both := keyPair(t)
	s := server{plain: free(t), secure: free(t), ca: cert, greeting: "nginx says hello\n", versions: []string{"1.0", "1.1", "2"}}
	dir := t.TempDir()
	conf := fmt.Sprintf(`daemon off; master_process off; pid %[1]s/pid; error_log stderr;
events {}
http { access_log off; client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
  gzip on; gzip_types text/plain; gzip_min_length 0;
  server { listen %[2]s; listen %[3]s ssl http2; ssl_certificate %[4]s; ssl_certificate_key %[4]s;
    location / { default_type text/plain; return 200 "%[5]s"; }
    location /big { alias %[1]s/big; } } }
`, dir, s.plain, s.secure, both, `nginx says hello\n`)
	write(t, filepath.Join(dir, "nginx.conf"), conf)
	big := make([]byte, 1<<20)
	for i := range big {
		big[i] = byte('a' + i%26)
	}
	write(t, filepath.Join(dir, "big"), string(big))
	background(t, s.plain, "nginx", "-p", dir, "-c", filepath.Join(dir, "nginx.conf"))
	return s
}

// startHaproxy serves a greeting and a body of 15 KB below /big.
func startHaproxy(t *testing.T) server {
	t.Helper()
	need(t, "haproxy")
	cert, both := keyPair(t)
	s := server{plain: free(t), secure: free(t), ca: cert, greeting: "haproxy says hello\n", versions: []string{"1.0", "1.1", "2"}}
	dir := t.TempDir()
	conf := fmt.Sprintf(`defaults
  mode http
  timeout client 30s
  timeout connect 5s
  timeout server 30s
frontend site
  bind %s
  bind %s ssl crt %s alpn h2,http/1.1
  http-request return status 200 content-type text/plain file %s/big if { path /big }
  http-request return status 200 content-type text/plain string "%s"
`, s.plain, s.secure, both, dir, `haproxy says hello\n`)
	write(t, filepath.Join(dir, "haproxy.cfg"), conf)
	write(t, filepath.Join(dir, "big"), strings.Repeat("haproxy ", 1900))
	background(t, s.plain, "haproxy", "-db", "-f", filepath.Join(dir, "haproxy.cfg"))
	return s
}

func write(t *testing.T, file, text string) {
	t.Helper()
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// Servers that are not Go's, without TLS and with it, in every version that curl
// and they have in common, and through a reverse proxy.
func TestOrigins(t *testing.T) {
	need(t, "curl")
	for name, begin := range map[string]func(*testing.T) server{"nginx": startNginx, "haproxy": startHaproxy} {
		t.Run(name, func(t *testing.T) {
			s := begin(t)
			r := record(t, "--upstream-ca", s.ca, "--mode", "regular@0", "--mode", "reverse:https://"+s.secure+"@0")
			n := 0
			greets := func(args ...string) {
				t.Helper()
				n++
				if got := string(curl(t, r, append(args, "--compressed")...)); got != s.greeting {
					t.Errorf("%v: got %q, want %q", args, got, s.greeting)
				}
			}
			for _, version := range s.versions {
				if version != "2" {
					greets("--http"+version, "http://"+s.plain+"/")
				}
				greets("--http"+version, "https://"+s.secure+"/")
			}
			greets("--proxy", "", "https://"+second(t, r)+"/") // the later flag counts
			direct := string(run(t, "curl", "--silent", "--insecure", "--noproxy", "*", "https://"+s.secure+"/big"))
			for _, version := range s.versions {
				n++
				if got := string(curl(t, r, "--http"+version, "https://"+s.secure+"/big")); got != direct || len(got) < 15_000 {
					t.Errorf("/big by HTTP/%s: got %d bytes, want the %d that come without weir", version, len(got), len(direct))
				}
			}
			complete(t, r.Session, n, "~c 200")
			complete(t, r.Session, 3, "~ver h2") // one of them the reverse proxy's
			r.stop()
		})
	}
}

// nghttp asks for a page and what it needs, with priorities and at once, and uploads.
func TestNghttp(t *testing.T) {
	need(t, "nghttp")
	o := startOrigin(t)
	r := record(t, "--upstream-ca", o.CA, "--mode", "reverse:"+o.HTTPS)
	const requests = 20
	out := string(run(t, "nghttp", "--stat", "--null-out", "--multiply", fmt.Sprint(requests), "https://"+r.Addr+"/bytes/10000"))
	if got := strings.Count(out, " 200 "); got != requests {
		t.Errorf("nghttp counts %d good answers, want %d:\n%s", got, requests, out)
	}
	file := filepath.Join(t.TempDir(), "upload")
	write(t, file, strings.Repeat("uploaded ", 50_000))
	out = string(run(t, "nghttp", "--data", file, "https://"+r.Addr+"/upload"))
	if want := sum(strings.NewReader(strings.Repeat("uploaded ", 50_000))); out != want {
		t.Errorf("upload: got %q, want %s", out, want)
	}
	complete(t, r.Session, requests, "~u /bytes/10000$ & ~ver h2 & ~c 200")
	complete(t, r.Session, 1, "~u /upload$ & ~ver h2 & ~sizeq 450000")
	r.stop()
}

// curl in every version that it speaks with TLS, by every kind of proxy, down and up.
func TestCurlMatrix(t *testing.T) {
	need(t, "curl")
	o := startOrigin(t)
	r := record(t, "--upstream-ca", o.CA, "--mode", "regular@0", "--mode", "socks5@0")
	content := strings.Repeat("uploaded ", 5000)
	down, up := sum(noise(10_000)), sum(strings.NewReader(content))
	file := filepath.Join(t.TempDir(), "upload")
	write(t, file, content)
	n := 0
	for _, proxy := range []string{"http://" + r.Addr, "https://" + r.Addr, "socks5://" + second(t, r), "socks5h://" + second(t, r)} {
		for _, version := range []string{"--http1.0", "--http1.1", "--http2"} {
			got := curlBy(t, proxy, r.CA, "--proxy-insecure", version, o.HTTPS+"/bytes/10000")
			if sum(strings.NewReader(string(got))) != down {
				t.Errorf("%s by %s: another body", version, proxy)
			}
			args := []string{"--proxy-insecure", version, "--upload-file", file, o.HTTPS + "/upload"}
			if version == "--http1.0" { // which knows no chunks: a length, and no waiting
				args = append(args, "--header", "Expect:")
			}
			if got := string(curlBy(t, proxy, r.CA, args...)); got != up {
				t.Errorf("upload, %s by %s: got %s, want %s", version, proxy, got, up)
			}
			n += 2
		}
	}
	complete(t, r.Session, n, "~c 200")
	complete(t, r.Session, n/3, "~ver h2")
	complete(t, r.Session, n/3, "~ver HTTP/1.0")
	r.stop()
}
