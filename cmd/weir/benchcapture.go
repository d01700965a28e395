package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"weir/proxy/packet/traffic"
)

func newBenchCapture(std stdio) *cobra.Command {
	var size string
	var connections int
	cmd := &cobra.Command{
		Use:   "capture FILE --size SIZE",
		Short: "Write a pcap file of synthetic HTTP traffic, the same on each run",
		Long: `Writes a new capture (pcap) of HTTP/1.1 on many connections at a time, to measure
'weir import' with: responses of 1 to 100 KB, connections that are kept alive, some
segments out of order and some sent twice. The same numbers give the same file.`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(_ *cobra.Command, args []string) error {
			n, err := parseSize(size)
			if err != nil || connections < 1 {
				return usagef("bench capture: want --size such as 1G, and --connections of at least 1")
			}
			return writeCapture(std, args[0], traffic.Capture{Size: n, Connections: connections})
		},
	}
	cmd.Flags().StringVar(&size, "size", "64M", "how large the file becomes, about")
	cmd.Flags().IntVar(&connections, "connections", 64, "connections at a time")
	return cmd
}

// writeCapture makes the file, which must not exist, and says what is in it.
func writeCapture(std stdio, path string, c traffic.Capture) (err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // the user names it
	if err != nil {
		return fmt.Errorf("bench capture: %w", err)
	}
	made, err := c.Write(f)
	if e := f.Close(); err == nil {
		err = e
	}
	if err != nil {
		return fmt.Errorf("bench capture %q: %w", path, err)
	}
	_, err = fmt.Fprintf(std.err, "wrote %d packets of %d connections with %d requests into %s\n", made.Packets, made.Connections, made.Requests, path)
	return err
}
