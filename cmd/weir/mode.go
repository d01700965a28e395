package main

import (
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"weir/proxy"
)

// defaultListen is loopback: a proxy that others can reach must be asked for.
const defaultListen = "127.0.0.1:8080"

// modeHint shows what a spec looks like.
const modeHint = "a mode is NAME[:DATA][@[HOST:]PORT], for example reverse:https://example.com@8081; see 'weir help modes'"

// listen is the --listen flag: where modes that name no address of their own listen.
type listen struct {
	addr  string // HOST:PORT
	given bool   // by the user, so that its port is for the first mode, whichever that is
}

// parseModes reads the --mode specs, each a server of its own; without one there
// is a regular proxy. A spec without an address takes --listen where that is
// free, else its mode's port on the same host.
func parseModes(specs []string, l listen) ([]proxy.Mode, error) {
	if err := proxy.CheckListen(l.addr); err != nil {
		return nil, usagef("%w", err).withHint("an address is HOST:PORT, for example " + defaultListen)
	}
	if len(specs) == 0 {
		specs = []string{"regular"}
	}
	host, _, _ := net.SplitHostPort(l.addr)
	taken := make(map[string]bool)
	var out []proxy.Mode
	for _, spec := range specs {
		m, err := proxy.ParseMode(spec, host)
		if err != nil {
			return nil, usagef("%w", err).withHint(modeHint)
		}
		if m.Listen == "" {
			m.Listen = l.free(m, host, taken)
		}
		if taken[m.Listen] && !strings.HasSuffix(m.Listen, ":0") {
			return nil, usagef("mode %q: another mode listens on %s already", spec, m.Listen).
				withHint("give each its own address: --mode regular@8081")
		}
		taken[m.Listen] = true
		out = append(out, m)
	}
	return out, nil
}

// free is where a mode listens that does not say where.
func (l listen) free(m proxy.Mode, host string, taken map[string]bool) string {
	own := net.JoinHostPort(host, strconv.Itoa(m.Port()))
	if l.given && !taken[l.addr] {
		return l.addr
	}
	return own
}

// newModes is the help topic about modes, made from their table.
func newModes() *cobra.Command {
	var b strings.Builder
	b.WriteString(`--mode says how weir learns where its clients want to go. It may be given several
times, each a server of its own: NAME[:DATA][@[HOST:]PORT]. A mode that does not
say where it listens takes --listen or, on the same host, the port named here.

`)
	for _, m := range proxy.Modes() {
		fmt.Fprintf(&b, "  %s\n        %s (port %d)\n", m.Spec, m.Help, m.Port)
	}
	b.WriteString(`
In upstream mode a lone '@' ends the credentials, unless a plain HOST[:PORT] is
before it: then it begins the address to listen on. Write both where you mean both.

Transparent mode takes what the system leads to it, for example all HTTP and HTTPS
of the machines behind this one:

  nft 'table ip weir { chain pre { type nat hook prerouting priority dstnat;
    iifname "lan0" tcp dport { 80, 443 } redirect to :8080; } }'
  weir --mode transparent@0.0.0.0:8080

What weir itself connects to must not be led back to it.
`)
	return &cobra.Command{Use: "modes", Short: "The modes of the proxy (a help topic)", Long: strings.TrimSpace(b.String())}
}
