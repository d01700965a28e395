package e2e

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// curlBy runs curl by way of a proxy URL.
func curlBy(t *testing.T, proxy, ca string, args ...string) []byte {
	t.Helper()
	base := []string{"--silent", "--show-error", "--fail", "--max-time", "60", "--cacert", ca, "--noproxy", ""}
	if proxy != "" {
		base = append(base, "--proxy", proxy)
	}
	return run(t, "curl", append(base, args...)...)
}

// curl by every kind of proxy that it knows, with and without a password.
func TestCurlByEveryProxy(t *testing.T) {
	need(t, "curl")
	o := startOrigin(t)
	const size = 10_000
	want := sum(noise(size))
	secure := strings.Replace(o.HTTPS, "127.0.0.1", "localhost", 1)
	for _, login := range []string{"", "user:pass word"} {
		args := []string{"--insecure", "--mode", "regular@0", "--mode", "socks5@0"}
		userinfo := ""
		if login != "" {
			args = append(args, "--proxy-auth", login)
			userinfo = "user:" + url.QueryEscape("pass word") + "@"
			userinfo = strings.ReplaceAll(userinfo, "+", "%20")
		}
		r := record(t, args...)
		socks := second(t, r)
		n := 0
		for _, proxy := range []string{"http://" + userinfo + r.Addr, "https://" + userinfo + r.Addr, "socks5://" + userinfo + socks, "socks5h://" + userinfo + socks} {
			for _, base := range []string{o.HTTP, secure} {
				got := curlBy(t, proxy, r.CA, "--proxy-insecure", fmt.Sprintf("%s/bytes/%d", base, size))
				if sum(strings.NewReader(string(got))) != want {
					t.Errorf("%s by %s: another body", base, proxy)
				}
				n++
			}
		}
		complete(t, r.Session, n, "~c 200")
		r.stop()
		if data, err := os.ReadFile(r.Session); err != nil || strings.Contains(string(data), "dXNlcjpwYXNzIHdvcmQ=") {
			t.Errorf("the password is in the session (%v)", err)
		}
		if login != "" {
			refused(t, o)
		}
	}
}

// second is the address of the second listener, which record does not wait for.
func second(t *testing.T, r *recorder) string {
	t.Helper()
	for _, line := range strings.Split(r.said(), "\n") {
		if addr, ok := strings.CutPrefix(line, "listening on "); ok && addr != r.Addr {
			return addr
		}
	}
	t.Fatalf("no second listener in\n%s", r.said())
	return ""
}

// refused asks without a password, which gets nobody anywhere.
func refused(t *testing.T, o *origin) {
	t.Helper()
	r := record(t, "--proxy-auth", "user:pass")
	out, err := exec.Command("curl", "--silent", "--noproxy", "", "--proxy", "http://"+r.Addr, "--write-out", "%{http_code}", o.HTTP+"/bytes/1").Output()
	if err != nil || !strings.HasSuffix(string(out), "407") {
		t.Errorf("without a password: got %q, %v, want 407", out, err)
	}
	r.stop()
}

// weir before nginx, and behind another weir.
func TestReverseBeforeNginx(t *testing.T) {
	need(t, "curl")
	need(t, "nginx")
	dir := t.TempDir()
	addr := free(t)
	conf := fmt.Sprintf(`daemon off; pid %[1]s/pid; error_log stderr;
events {}
http { access_log off; client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;
  server { listen %[2]s; server_name site.test; location / { add_header X-Host $http_host always; return 200 "nginx says hello\n"; } } }
`, dir, addr)
	file := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(file, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	background(t, addr, "nginx", "-p", dir, "-c", file)
	inner := record(t, "--mode", "reverse:http://"+addr)
	outer := record(t, "--mode", "upstream:http://"+record(t).Addr)
	for _, args := range [][]string{
		{"http://" + inner.Addr + "/"},
		{"--proxy", "http://" + outer.Addr, "--noproxy", "", "http://" + addr + "/"},
	} {
		out := run(t, "curl", append([]string{"--silent", "--show-error", "--include", "--max-time", "20"}, args...)...)
		if !strings.Contains(string(out), "nginx says hello") || !strings.Contains(string(out), "X-Host: "+addr) {
			t.Errorf("%v: got %s", args, out)
		}
	}
	complete(t, inner.Session, 1, "~c 200")
	complete(t, outer.Session, 1, "~c 200")
	inner.stop()
	outer.stop()
}

// mitmproxy on either side of weir.
func TestWithMitmproxy(t *testing.T) {
	need(t, "curl")
	if _, err := exec.LookPath("mitmdump"); err != nil {
		t.Skip("mitmdump is not installed, and too large to install for this")
	}
	o := startOrigin(t)
	const size = 10_000
	want := sum(noise(size))
	theirs := t.TempDir()
	addr := free(t)
	_, port, _ := net.SplitHostPort(addr)
	background(t, addr, "mitmdump", "--quiet", "--listen-host", "127.0.0.1", "--listen-port", port, "--set", "confdir="+theirs, "--ssl-insecure")

	up := record(t, "--mode", "upstream:http://"+addr, "--upstream-ca", filepath.Join(theirs, "mitmproxy-ca-cert.pem"))
	for _, base := range []string{o.HTTP, o.HTTPS} {
		got := curlBy(t, "http://"+up.Addr, up.CA, fmt.Sprintf("%s/bytes/%d", base, size))
		if sum(strings.NewReader(string(got))) != want {
			t.Errorf("%s through mitmproxy: another body", base)
		}
	}
	complete(t, up.Session, 2, "~c 200")
	up.stop()

	// And weir with mitmproxy's own authority, behind it.
	down := record(t, "--insecure", "--ca", theirs)
	addr = free(t)
	_, port, _ = net.SplitHostPort(addr)
	background(t, addr, "mitmdump", "--quiet", "--listen-host", "127.0.0.1", "--listen-port", port, "--set", "confdir="+theirs,
		"--mode", "upstream:http://"+down.Addr, "--set", "ssl_verify_upstream_trusted_ca="+filepath.Join(theirs, "mitmproxy-ca-cert.pem"))
	got := curlBy(t, "http://"+addr, filepath.Join(theirs, "mitmproxy-ca-cert.pem"), fmt.Sprintf("%s/bytes/%d", o.HTTPS, size))
	if sum(strings.NewReader(string(got))) != want {
		t.Error("through mitmproxy and weir: another body")
	}
	complete(t, down.Session, 1, "~c 200")
	down.stop()
}

// free is an address that nobody listens on.
func free(t *testing.T) string {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	return ln.Addr().String()
}

// background runs a server until the test ends, and waits until it listens.
func background(t *testing.T, addr, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	var said strings.Builder
	cmd.Stdout, cmd.Stderr = &said, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		late := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		_ = cmd.Wait()
		late.Stop()
		if t.Failed() {
			t.Logf("%s: %s", name, said.String())
		}
	})
	eventually(t, name+" listens on "+addr, func() bool {
		conn, err := net.DialTimeout("tcp", addr, time.Second)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	})
}
