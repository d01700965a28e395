package main

import (
	"context"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func newSniff(std stdio) *cobra.Command {
	flags := captureFlags{sniffOnly: true}
	var dur time.Duration
	cmd := &cobra.Command{
		Use:   "sniff -i IFACE",
		Short: "Capture packets from interfaces, and look",
		Long: `Captures packets from network interfaces as they pass, and makes flows of them: HTTP
(1 and 2), WebSocket, DNS, what TLS says in clear, and the bytes of all other TCP and UDP. No
proxy is in between, so nothing has to be set up in a client. A flow is in the list
from its first packet on. What is encrypted is not opened, unless a client or server
writes its secrets to a file that --keylog names: SSLKEYLOGFILE in the environment
makes browsers and curl do that.

It works on Linux, and takes root or the capability CAP_NET_RAW. What comes faster
than it can be recorded waits in the kernel; what the kernel has no room for is lost,
is counted on the screen, and leaves a gap in the flows that it was of.

'weir --sniff IFACE' and 'weir record --sniff IFACE' do this beside the proxy, into
the same session. Where standard output is no terminal the flows are printed as
JSON lines, as they end.`,
		Example: `  weir sniff -i eth0 -f 'tcp port 80'
  SSLKEYLOGFILE=keys.txt firefox & weir sniff -i any --keylog keys.txt
  weir sniff -i any -f 'port 53 or port 5353' -o names.weir
  weir sniff -i eth0 --keep-packets 1G --for 8h -o night.weir > flows.jsonl`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return runSniff(cmd.Context(), std, &flags, dur) },
	}
	flags.registerSession(cmd)
	flags.sniff.register(cmd, "interface", "i", "capture from IFACE, or from any; may be given several times (required)")
	flags.look.register(cmd)
	cmd.Flags().DurationVar(&dur, "for", 0, "stop after DUR, as 90s or 8h (0: when told to)")
	return cmd
}

func runSniff(ctx context.Context, std stdio, flags *captureFlags, dur time.Duration) error {
	if len(flags.sniff.interfaces) == 0 {
		return usagef("-i is missing: the interface to capture from").withHint("there are: " + strings.Join(interfaceNames(), ", "))
	}
	if dur < 0 {
		return usagef("--for %s: must not be negative", dur)
	}
	return runCapture(ctx, std, flags, dur)
}
