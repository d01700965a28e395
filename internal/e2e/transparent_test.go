//go:build linux

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// The two namespaces of the tests: a client behind a router on which weir runs.
// The origin has addresses of its own on the router, so that the client's
// connections to it are routed and can be led to weir.
const (
	nsClient, nsRouter   = "weir-e2e-c", "weir-e2e-r"
	originV4, originV6   = "10.78.0.1", "fd78::1"
	redirectTo, routerIf = "8080", "weir-r"
)

// redirect and tproxy are the two ways of leading connections to weir.
const (
	redirect = `table inet weir {
	chain pre { type nat hook prerouting priority dstnat; iifname "` + routerIf + `" tcp dport { 80, 443 } redirect to :` + redirectTo + `; }
}`
	tproxy = `table inet weir {
	chain pre { type filter hook prerouting priority mangle;
		iifname "` + routerIf + `" meta nfproto ipv4 tcp dport { 80, 443 } tproxy ip to :` + redirectTo + ` meta mark set 1 accept;
		iifname "` + routerIf + `" meta nfproto ipv6 tcp dport { 80, 443 } tproxy ip6 to :` + redirectTo + ` meta mark set 1 accept;
	}
}`
)

// makeNetwork makes the namespaces, or skips the test where that cannot be.
func makeNetwork(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("network namespaces take root")
	}
	need(t, "ip")
	need(t, "nft")
	if out, err := exec.Command("ip", "netns", "add", nsClient).CombinedOutput(); err != nil {
		t.Skipf("no network namespaces here: %v: %s", err, out)
	}
	t.Cleanup(func() {
		for _, ns := range []string{nsClient, nsRouter} {
			_ = exec.Command("ip", "netns", "del", ns).Run()
		}
	})
	for line := range strings.Lines(`netns add ` + nsRouter + `
link add weir-c netns ` + nsClient + ` type veth peer name ` + routerIf + ` netns ` + nsRouter + `
-n ` + nsClient + ` addr add 10.77.0.2/24 dev weir-c
-n ` + nsClient + ` addr add fd77::2/64 dev weir-c nodad
-n ` + nsClient + ` link set weir-c up
-n ` + nsRouter + ` addr add 10.77.0.1/24 dev ` + routerIf + `
-n ` + nsRouter + ` addr add fd77::1/64 dev ` + routerIf + ` nodad
-n ` + nsRouter + ` link set ` + routerIf + ` up
-n ` + nsRouter + ` link set lo up
-n ` + nsRouter + ` addr add ` + originV4 + `/32 dev lo
-n ` + nsRouter + ` addr add ` + originV6 + `/128 dev lo nodad
-n ` + nsClient + ` route add default via 10.77.0.1
-n ` + nsClient + ` route add default via fd77::1
-n ` + nsRouter + ` rule add fwmark 1 lookup 100
-n ` + nsRouter + ` route add local default dev lo table 100
-6 -n ` + nsRouter + ` rule add fwmark 1 lookup 100
-6 -n ` + nsRouter + ` route add local default dev lo table 100
`) {
		run(t, "ip", strings.Fields(line)...)
	}
}

// listenIn listens in a namespace. A socket stays where it was made, whichever
// thread uses it afterwards.
func listenIn(t *testing.T, ns, addr string) net.Listener {
	t.Helper()
	type result struct {
		ln  net.Listener
		err error
	}
	made := make(chan result, 1)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with the goroutine
		f, err := os.Open("/run/netns/" + ns)
		if err == nil {
			err = unix.Setns(int(f.Fd()), unix.CLONE_NEWNET)
			_ = f.Close()
		}
		var r result
		if r.err = err; err == nil {
			r.ln, r.err = net.Listen("tcp", addr)
		}
		made <- r
	}()
	r := <-made
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.ln
}

// originIn serves "hello" with and without TLS in the router's namespace, and
// returns the file with its certificate.
func originIn(t *testing.T, host string) string {
	t.Helper()
	hello := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "hello") })
	plain := httptest.NewUnstartedServer(hello)
	plain.Listener = listenIn(t, nsRouter, net.JoinHostPort(host, "80"))
	plain.Start()
	t.Cleanup(plain.Close)
	secure := httptest.NewUnstartedServer(hello)
	secure.Listener = listenIn(t, nsRouter, net.JoinHostPort(host, "443"))
	secure.StartTLS()
	t.Cleanup(secure.Close)
	return pemFile(t, secure.Certificate())
}

// Connections that know of no proxy are led to weir, by redirection and by TPROXY,
// over IPv4 and IPv6, and it knows where they were going.
func TestTransparent(t *testing.T) {
	makeNetwork(t)
	need(t, "curl")
	ca := originIn(t, originV4)
	originIn(t, originV6) // with the same certificate
	for name, rules := range map[string]string{"redirect": redirect, "tproxy": tproxy} {
		t.Run(name, func(t *testing.T) {
			file := filepath.Join(t.TempDir(), "rules")
			if err := os.WriteFile(file, []byte("flush ruleset\n"+rules+"\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			run(t, "ip", "netns", "exec", nsRouter, "nft", "-f", file)
			r := recordBy(t, []string{"ip", "netns", "exec", nsRouter}, "--mode", "transparent@[::]:"+redirectTo, "--upstream-ca", ca)
			n := 0
			for _, host := range []string{originV4, "[" + originV6 + "]"} {
				for _, url := range []string{"http://" + host + "/", "https://example.com/"} {
					out := run(t, "ip", "netns", "exec", nsClient, "curl", "--silent", "--show-error", "--fail", "--max-time", "20",
						"--noproxy", "*", "--cacert", r.CA, "--resolve", "example.com:443:"+host, url)
					if string(out) != "hello" {
						t.Errorf("%s at %s: got %q", url, host, out)
					}
					n++
				}
			}
			for i, f := range complete(t, r.Session, n) {
				want := []string{"http://" + originV4 + "/", "https://", "http://[" + originV6 + "]/", "https://"}[i]
				if !strings.HasPrefix(f.URL, want) {
					t.Errorf("recorded %s, want %s", f.URL, want)
				}
			}
			r.stop()
		})
	}
}
