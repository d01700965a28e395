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
	"time"

	"golang.org/x/net/dns/dnsmessage"
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

// in makes a socket in a namespace, where it stays, whichever thread uses it
// afterwards.
func in[T any](t *testing.T, ns string, open func() (T, error)) T {
	t.Helper()
	type result struct {
		socket T
		err    error
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
			r.socket, r.err = open()
		}
		made <- r
	}()
	r := <-made
	if r.err != nil {
		t.Fatal(r.err)
	}
	return r.socket
}

func listenIn(t *testing.T, ns, addr string) net.Listener {
	t.Helper()
	return in(t, ns, func() (net.Listener, error) { return net.Listen("tcp", addr) })
}

// datagramsIn answers datagrams in the router's namespace with what answer makes of
// them, until the test ends.
func datagramsIn(t *testing.T, host, port string, answer func(p []byte) []byte) {
	t.Helper()
	pc := in(t, nsRouter, func() (net.PacketConn, error) { return net.ListenPacket("udp", net.JoinHostPort(host, port)) })
	done := make(chan struct{})
	go func() {
		defer close(done)
		buf := make([]byte, 64<<10)
		for {
			n, from, err := pc.ReadFrom(buf)
			if err != nil {
				return
			}
			_, _ = pc.WriteTo(answer(buf[:n]), from)
		}
	}()
	t.Cleanup(func() { pc.Close(); <-done })
}

// loadRules replaces the router's rules.
func loadRules(t *testing.T, rules string) {
	t.Helper()
	file := filepath.Join(t.TempDir(), "rules")
	if err := os.WriteFile(file, []byte("flush ruleset\n"+rules+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	run(t, "ip", "netns", "exec", nsRouter, "nft", "-f", file)
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
			loadRules(t, rules)
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

// tproxyUDP leads all datagrams of clients to weir.
const tproxyUDP = `table inet weir {
	chain pre { type filter hook prerouting priority mangle;
		iifname "` + routerIf + `" meta nfproto ipv4 meta l4proto udp tproxy ip to :` + redirectTo + ` meta mark set 1 accept;
		iifname "` + routerIf + `" meta nfproto ipv6 meta l4proto udp tproxy ip6 to :` + redirectTo + ` meta mark set 1 accept;
	}
}`

// Datagrams that TPROXY leads to weir reach their server, and the answers seem to
// come from there: a connected socket takes no others. DNS in them is read, and
// QUIC is refused.
func TestTransparentUDP(t *testing.T) {
	makeNetwork(t)
	loadRules(t, tproxyUDP)
	r := recordBy(t, []string{"ip", "netns", "exec", nsRouter}, "--mode", "transparent@[::]:"+redirectTo)
	for _, host := range []string{originV4, originV6} {
		datagramsIn(t, host, "7", func(p []byte) []byte { return append([]byte("re: "), p...) })
		datagramsIn(t, host, "53", func(p []byte) []byte { return resolve(p, true) })
		conn := dialIn(t, host, "7")
		for _, p := range []string{"a", "", strings.Repeat("long ", 2000)} {
			if got := converse(t, conn, p); got != "re: "+p {
				t.Errorf("%s: got %.40q for %.40q", host, got, p)
			}
		}
		question := dnsmessage.Message{
			Header:    dnsmessage.Header{ID: 77, RecursionDesired: true},
			Questions: []dnsmessage.Question{{Name: dnsmessage.MustNewName("weir.test."), Type: dnsmessage.TypeA, Class: dnsmessage.ClassINET}},
		}
		query, err := question.Pack()
		if err != nil {
			t.Fatal(err)
		}
		if got := converse(t, dialIn(t, host, "53"), string(query)); got != string(resolve(query, true)) {
			t.Errorf("%s: got answer %q", host, got)
		}
		initial := "\xc3\x00\x00\x00\x01\x08DESTINAT\x04SRCE" + strings.Repeat("\x00", 1200)
		if got := converse(t, dialIn(t, host, "443"), initial); !strings.HasPrefix(got, "\x80\x00\x00\x00\x00") {
			t.Errorf("%s: got %q for QUIC, want a version negotiation", host, got)
		}
	}
	complete(t, r.Session, 2, "~dns & ~u ^weir.test")
	eventually(t, "what the others said is recorded", func() bool { return len(query(t, r.Session, `~udp & ~bs "re: long"`)) == 2 })
	eventually(t, "QUIC is refused", func() bool { return len(query(t, r.Session, "~udp & ~e")) == 2 })
	r.stop()
}

// dialIn makes a connected socket in the client's namespace.
func dialIn(t *testing.T, host, port string) net.Conn {
	t.Helper()
	conn := in(t, nsClient, func() (net.Conn, error) { return net.Dial("udp", net.JoinHostPort(host, port)) })
	t.Cleanup(func() { conn.Close() })
	return conn
}

// converse sends a datagram and returns the answer.
func converse(t *testing.T, conn net.Conn, p string) string {
	t.Helper()
	_ = conn.SetDeadline(time.Now().Add(patience))
	if _, err := conn.Write([]byte(p)); err != nil {
		t.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	n, err := conn.Read(buf)
	if err != nil {
		t.Fatalf("no answer to %.40q: %v", p, err)
	}
	return string(buf[:n])
}
