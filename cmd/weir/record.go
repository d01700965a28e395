package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	flowpb "weir/proto"
)

func newRecord(std stdio) *cobra.Command {
	flags := captureFlags{fixedModes: true}
	var dur time.Duration
	cmd := &cobra.Command{
		Use:   "record",
		Short: "Capture into a session, without an interface",
		Long: `Captures until it is told to stop (SIGINT, SIGTERM) or the time is over, writes
everything down and ends. Anybody may look at the session meanwhile with
'weir open' or 'weir query'.`,
		Example: `  weir record -o night.weir --for 8h
  weir record --listen 127.0.0.1:3128 --filter '~d api'`,
		Args: usageArgs(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return runRecord(cmd.Context(), std, &flags, dur) },
	}
	flags.register(cmd)
	cmd.Flags().DurationVar(&dur, "for", 0, "stop after DUR, as 90s or 8h (0: when told to)")
	return cmd
}

func runRecord(ctx context.Context, std stdio, flags *captureFlags, dur time.Duration) error {
	if dur < 0 {
		return usagef("--for %s: must not be negative", dur)
	}
	c, err := flags.open(ctx)
	if err != nil {
		return err
	}
	c.announce(std)
	ctx, cancel := lasting(ctx, dur)
	defer cancel()
	kept := &keeper{capture: c}
	err = c.run(ctx, func(ctx context.Context) error { return c.notices.print(ctx, std.err) }, kept.follow)
	// What is lost for good is known when the writer has given up.
	if e := c.writer.Close(); e != nil {
		err = e
	}
	lost := c.writer.Stats().Lost
	recorded, e := c.session.Count(context.WithoutCancel(ctx))
	if err == nil {
		err = e
	}
	if e := c.close(); err == nil {
		err = e
	}
	if c.sniffer != nil {
		c.sniffer.sum(std.err)
	}
	dropped := c.keep.dropped.Load()
	fmt.Fprintf(std.err, "recorded %s", counted(max(0, int64(recorded+dropped)-int64(c.before)), "flow"))
	if kept.dropped > 0 {
		fmt.Fprintf(std.err, ", left out %d that do not match", kept.dropped)
	}
	if dropped > 0 {
		fmt.Fprintf(std.err, ", dropped %d of the oldest", dropped)
	}
	if lost > 0 {
		fmt.Fprintf(std.err, ", LOST %d that could not be written", lost)
	}
	fmt.Fprintln(std.err)
	return err
}

// lasting is a context that ends after dur, or with ctx where that is 0.
func lasting(ctx context.Context, dur time.Duration) (context.Context, context.CancelFunc) {
	if dur == 0 {
		return context.WithCancel(ctx)
	}
	return context.WithTimeout(ctx, dur)
}

// announce says that the capture is ready.
func (c *capture) announce(std stdio) {
	for _, addr := range c.addresses() {
		fmt.Fprintln(std.err, "listening on", addr)
	}
	if c.sniffer != nil {
		fmt.Fprintln(std.err, "sniffing on", strings.Join(c.sniffer.interfaces, ", "))
	}
	fmt.Fprintln(std.err, "session", c.session.Path())
}

// run serves until ctx ends, with the followers beside it. They get a context
// that outlives ctx until the last flow is written, so that they see it. The
// retention ends before them: what it dropped last is news as well.
func (c *capture) run(ctx context.Context, followers ...func(context.Context) error) error {
	after, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	followers = append(followers, c.watchWriter)
	results := make(chan error, len(followers))
	for _, follow := range followers {
		go func() { results <- follow(after) }()
	}
	// Whoever waits for a full disk would keep serve from ending.
	defer context.AfterFunc(ctx, c.writer.GiveUp)()
	keeping, keepNoMore := context.WithCancel(after)
	defer keepNoMore()
	kept := make(chan error, 1)
	go func() { kept <- c.keep.follow(keeping) }()
	err := c.serve(ctx)
	if e := c.writer.Flush(after); err == nil {
		err = e
	}
	keepNoMore()
	if e := <-kept; err == nil && !errors.Is(e, context.Canceled) {
		err = e
	}
	stop()
	for range followers {
		if e := <-results; err == nil && !errors.Is(e, context.Canceled) {
			err = e
		}
	}
	return err
}

// keeper removes what does not match the filter from a session, once a flow has
// ended and can be judged whole.
type keeper struct {
	*capture
	dropped uint64
}

func (k *keeper) follow(ctx context.Context) error {
	if k.filter == nil {
		return nil
	}
	return eachFinished(ctx, k.session, k.start, func(ctx context.Context, rows []flowpb.Row) error {
		kept, err := k.session.Filter(ctx, k.filter, rowIDs(rows))
		if err != nil {
			return err
		}
		gone := slices.DeleteFunc(rowIDs(rows), func(id uint64) bool { return slices.Contains(kept, id) })
		k.dropped += uint64(len(gone))
		_, err = k.session.Drop(ctx, gone)
		return err
	})
}

func rowIDs(rows []flowpb.Row) []uint64 {
	ids := make([]uint64, len(rows))
	for i := range rows {
		ids[i] = rows[i].ID
	}
	return ids
}
