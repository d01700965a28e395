package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"weir/proxy/packet/live"
	"weir/proxy/packet/pcapfilter"
	"weir/store"
)

// sniffFlags are the options of captures from interfaces.
type sniffFlags struct {
	interfaces  []string
	filter      string
	filterGiven func() bool
	promiscuous bool
	snap        sizeValue
	buffer      sizeValue
	keep        sizeValue
	keyLogs     []string
}

// register adds the flags for a command whose interfaces are named by a flag of its own.
func (f *sniffFlags) register(cmd *cobra.Command, name, short, usage string) {
	flags := cmd.Flags()
	flags.StringArrayVarP(&f.interfaces, name, short, nil, usage)
	flags.StringVarP(&f.filter, "capture-filter", "f", "", "capture only packets that match EXPR, as tcpdump has it: 'tcp port 80 and host 10.0.0.1'")
	f.filterGiven = func() bool { return flags.Changed("capture-filter") }
	flags.BoolVar(&f.promiscuous, "promiscuous", false, "capture packets that are for other machines, too")
	flags.Var(&f.snap, "snap", "capture at most SIZE bytes of a packet (default: all)")
	flags.Var(&f.buffer, "buffer", "let SIZE of packets wait in the kernel for each interface (default: 64M)")
	flags.Var(&f.keep, "keep-packets", "keep the newest SIZE of packets beside the session, as pcapng files (default: none)")
	flags.StringArrayVar(&f.keyLogs, "keylog", nil, "take the secrets that others write to FILE meanwhile to decrypt TLS, in the format of SSLKEYLOGFILE; may be given several times")
	err := cmd.RegisterFlagCompletionFunc(name, func(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
		return interfaceNames(), cobra.ShellCompDirectiveNoFileComp
	})
	if err != nil {
		panic("completion for a flag that does not exist: " + name) // a mistake in this program, caught by any test that runs it
	}
}

// interfaceNames is what can be captured from.
func interfaceNames() []string {
	names := []string{live.Any}
	all, _ := net.Interfaces() // where they cannot be listed none are offered
	for _, i := range all {
		names = append(names, i.Name)
	}
	return names
}

// open begins to capture.
// sink records what is captured from the interfaces.
func (f *sniffFlags) sink(w *store.Writer, name string) agentSink {
	return agentSink{w, agentWords("sniffer", strings.Join(f.interfaces, ","), name)}
}

func (f *sniffFlags) open(ctx context.Context, n *notices) (*live.Source, error) {
	filter, err := f.captureFilter(ctx, n)
	if err != nil {
		return nil, err
	}
	source, err := live.Open(live.Options{
		Interfaces: f.interfaces, Filter: filter, Promiscuous: f.promiscuous, Snap: int(f.snap), Buffer: int(f.buffer),
		Notify: func(x live.Notice) { n.warn(x.Text, x.Hint) },
	})
	switch {
	case errors.Is(err, live.ErrPermission):
		return nil, hinted(err, grantHint())
	case errors.Is(err, live.ErrUnsupported):
		return nil, hinted(err, "capture with another program, and read that: tcpdump -w - | weir import - -o capture.weir")
	}
	return source, err
}

// grantHint says how this program is allowed to capture.
func grantHint() string {
	path, err := os.Executable()
	if err != nil {
		path = "weir"
	}
	return fmt.Sprintf("allow it once with: sudo setcap cap_net_raw+ep '%s' (or run weir with sudo)", path)
}

// captureFilter reads --capture-filter. Without one the SSH connection that weir runs
// in is left out, which would otherwise grow with each thing that is shown of it.
func (f *sniffFlags) captureFilter(ctx context.Context, n *notices) (*pcapfilter.Filter, error) {
	expr := f.filter
	if f.filterGiven == nil || !f.filterGiven() {
		if expr = withoutSSH(os.Getenv("SSH_CONNECTION")); expr != "" {
			n.warn("the SSH connection that weir runs in is not captured", "capture it as well with -f ''")
		}
	}
	filter, err := pcapfilter.Parse(ctx, expr, net.DefaultResolver)
	if err != nil {
		return nil, usagef("%w", err)
	}
	return filter, nil
}

// withoutSSH is a filter for all but the connection that SSH_CONNECTION describes: the
// addresses and ports of its client and its server.
func withoutSSH(connection string) string {
	c := strings.Fields(connection)
	if len(c) != 4 {
		return ""
	}
	return fmt.Sprintf("not (tcp port %s and tcp port %s and host %s and host %s)", c[1], c[3], c[0], c[2])
}
