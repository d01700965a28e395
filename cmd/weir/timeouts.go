package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"weir/proxy"
)

// timeoutHint shows what --timeout takes.
const timeoutHint = "it is PHASE=DUR, for example tunnel=1h or connect=5s; see 'weir help timeouts'"

// parseTimeouts reads the values of --timeout, PHASE=DUR each.
func parseTimeouts(specs []string) (t proxy.Timeouts, err error) {
	for _, spec := range specs {
		name, text, ok := strings.Cut(spec, "=")
		if !ok {
			return t, usagef("--timeout %q: no time in it", spec).withHint(timeoutHint)
		}
		d := time.Duration(0)
		if text != "0" {
			if d, err = parseAge(text); err != nil {
				return t, usagef("--timeout %s: %w", name, err).withHint(timeoutHint)
			}
		}
		if err := t.Set(name, d); err != nil {
			return t, usagef("--timeout: %w", err).withHint(timeoutHint)
		}
	}
	return t, nil
}

// timeoutNames are the phases, for completion.
func timeoutNames() []string {
	var names []string
	for _, p := range proxy.Phases() {
		names = append(names, p.Name+"=")
	}
	return names
}

// newTimeouts is the help topic about time-outs, made from their table.
func newTimeouts() *cobra.Command {
	var b strings.Builder
	b.WriteString(`The proxy waits for a bounded time in each phase of what it carries, and says in the
flow which of them ended it. --timeout PHASE=DUR changes one, and 0 takes its limit
away. The phases, with what they are by default:

`)
	for _, p := range proxy.Phases() {
		limit := "no limit"
		if p.Default > 0 {
			limit = ageText(p.Default)
		}
		fmt.Fprintf(&b, "  %-10s %-9s %s\n", p.Name, limit, p.Help)
	}
	b.WriteString(`
A raw tunnel and a WebSocket may be silent for as long as they like, as they may be
without a proxy: IMAP waits for hours. That both ends are there is asked with TCP's
own probes, after 30 seconds of silence, and one that answers none of them for another
minute ends the flow with an error. A limit on silence in tunnels ends them however alive
both ends are.
`)
	return &cobra.Command{Use: "timeouts", Short: "How long the proxy waits (a help topic)", Long: strings.TrimSpace(b.String())}
}
