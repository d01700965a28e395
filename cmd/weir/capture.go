package main

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"weir/filter"
	"weir/proxy"
	"weir/store"
)

// captureFlags are the options of whatever captures.
type captureFlags struct {
	proxy      proxyFlags
	keep       retentionFlags
	output     string
	agent      string // the name of this capture
	filter     string
	insecure   bool
	upstreamCA string
	ca         caFlags
	look       lookFlags // of weir alone
	sniff      sniffFlags
	sniffOnly  bool                   // there are no proxies
	fixedModes bool                   // nobody can change them later
	changed    func(flag string) bool // whether it was given
}

func (f *captureFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.proxy.register(cmd)
	f.registerSession(cmd)
	flags.BoolVar(&f.insecure, "insecure", false, "accept any certificate of a server")
	flags.StringVar(&f.upstreamCA, "upstream-ca", "", "trust the certificates in FILE (PEM) for servers, too")
	f.ca.register(cmd)
	f.sniff.register(cmd, "sniff", "", "capture packets from IFACE beside the proxy, or from any; may be given several times")
}

// registerSession adds the flags that say what is recorded, and how much is kept.
func (f *captureFlags) registerSession(cmd *cobra.Command) {
	flags := cmd.Flags()
	f.changed = flags.Changed
	flags.StringVarP(&f.output, "output", "o", "", "record into SESSION; one that exists is continued (default: a new one in the data directory)")
	flags.StringVar(&f.filter, "filter", "", "only flows that match EXPR: shown by weir, kept by record")
	flags.StringVar(&f.agent, "agent", "", agentHelp)
	f.keep.register(cmd)
}

// capture is a session with proxies that record into it.
type capture struct {
	session *store.Session
	writer  *store.Writer
	servers *proxy.Set
	sniffer *sniffer // nil where no packets are captured
	flags   *proxyFlags
	notices *notices
	keep    *retention
	filter  filter.Expr
	before  uint64 // flows that a continued session held already
	start   position
	fresh   bool // the session was made for this capture
}

// open checks the flags, opens or makes the session and starts to listen. On
// success the caller serves and closes the capture.
func (f *captureFlags) open(ctx context.Context) (_ *capture, err error) {
	expr, err := filter.Parse(f.filter)
	if err != nil {
		return nil, usagef("%w", err)
	}
	modes, opts, err := f.proxies()
	if err != nil {
		return nil, err
	}
	c := &capture{notices: newNotices(), filter: expr, flags: &f.proxy}
	defer func() {
		if err != nil {
			err = errors.Join(err, c.abandon())
		}
	}()
	if c.session, c.fresh, err = f.openSession(ctx); err != nil {
		return nil, err
	}
	if c.before, err = c.session.Count(ctx); err != nil {
		return nil, err
	}
	if c.start, err = positionOf(ctx, c.session); err != nil {
		return nil, err
	}
	boundCapture(c.before, 0)
	if c.writer, err = c.session.NewWriter(ctx, store.WriterOptions{}); err != nil {
		return nil, err
	}
	c.keep = &retention{limits: f.keep.limits(), writer: c.writer, notices: c.notices}
	left, err := c.writer.Settle(ctx)
	if err != nil {
		return nil, err
	}
	if left > 0 {
		c.notices.warn(fmt.Sprintf("the capture before this one was killed; %s of it left open", counted(left, "flow")), "")
	}
	opts.Sink = agentSink{c.writer, agentWords("proxy", "", f.agent)}
	opts.Notify = c.notices.fromProxy
	c.servers = proxy.NewSet(opts)
	if err := c.servers.Change(ctx, modes); err != nil {
		return nil, hinted(err, "is something else listening there? choose another address with --listen")
	}
	if len(f.sniff.interfaces) > 0 {
		if c.sniffer, err = newSniffer(ctx, &f.sniff, f.sniff.sink(c.writer, f.agent), c.session.Path(), c.notices); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// proxies is which proxies are wanted, and what they share.
func (f *captureFlags) proxies() (modes []proxy.Mode, opts proxy.Options, err error) {
	if f.sniffOnly {
		return nil, opts, f.check(nil)
	}
	if modes, err = f.proxy.parse(f.proxy.modes); err == nil {
		err = f.check(modes)
	}
	if err != nil {
		return nil, opts, err
	}
	if opts.Authority, err = f.ca.load(); err != nil {
		return nil, opts, err
	}
	if opts.UpstreamCAs, err = f.roots(); err != nil {
		return nil, opts, err
	}
	opts.Insecure = f.insecure
	return modes, opts, f.proxy.options(&opts)
}

// openSession continues the session that -o names, or makes it; fresh says which.
func (f *captureFlags) openSession(ctx context.Context) (s *store.Session, fresh bool, err error) {
	path := f.output
	if path == "" {
		if path, err = newSessionPath(time.Now()); err != nil {
			return nil, false, err
		}
	}
	return openOrCreate(ctx, path, store.Options{})
}

// openOrCreate opens a session, or makes it; fresh says which.
func openOrCreate(ctx context.Context, path string, o store.Options) (s *store.Session, fresh bool, err error) {
	if exists(path) {
		s, err = store.Open(ctx, path, o)
		return s, false, err
	}
	o.Creator = "weir " + version()
	s, err = store.Create(ctx, path, o)
	return s, true, err
}

// roots reads --upstream-ca.
func (f *captureFlags) roots() (*x509.CertPool, error) {
	if f.upstreamCA == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(f.upstreamCA)
	if err != nil {
		return nil, fmt.Errorf("--upstream-ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, hinted(fmt.Errorf("--upstream-ca %q: no certificate in it", f.upstreamCA), "it has to hold PEM certificates (-----BEGIN CERTIFICATE-----)")
	}
	return pool, nil
}

// addresses are what the servers listen on.
func (c *capture) addresses() []string {
	servers := c.servers.Servers()
	out := make([]string, len(servers))
	for i, s := range servers {
		out[i] = s.Addr.String()
	}
	return out
}

// serve runs the proxies and the sniffer until ctx ends or one fails, and returns after
// the last connection is closed and recorded.
func (c *capture) serve(ctx context.Context) error {
	if c.sniffer == nil {
		return c.servers.Serve(ctx)
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	sniffed := make(chan error, 1)
	go func() {
		defer stop()
		sniffed <- c.sniffer.run(ctx)
	}()
	err := c.servers.Serve(ctx)
	stop()
	if e := <-sniffed; err == nil {
		err = e
	}
	return err
}

// close writes what is queued and closes the session. It must not run before
// serve has returned.
func (c *capture) close() error {
	if c.servers != nil {
		_ = c.servers.Close() // after serve a no-op
	}
	var err error
	if c.sniffer != nil {
		err = c.sniffer.close()
	}
	if c.session == nil {
		return err
	}
	return errors.Join(c.session.Close(), err)
}

// abandon closes a capture that could not start, and removes the session if that
// was made for it: nothing is in it.
func (c *capture) abandon() error {
	err := c.close()
	if c.fresh && c.session != nil {
		err = errors.Join(err, os.Remove(c.session.Path()))
	}
	return err
}

// watchWriter tells when the session cannot be written, when therefore the capture
// waits, and when it goes on.
func (c *capture) watchWriter(ctx context.Context) error {
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for told := ""; ; {
		stats := c.writer.Stats()
		boundCapture(stats.Highest, stats.QueuedBytes)
		now := writerTrouble(stats)
		switch {
		case now == told:
		case now == "":
			c.notices.warn(fmt.Sprintf("the session is written again; flows lost so far: %d", stats.Lost), "")
		case stats.Waiting > 0:
			c.notices.warn(fmt.Sprintf("%s: %v", now, stats.Err), "nothing is lost: clients wait until that is mended, then weir goes on by itself")
		default:
			c.notices.warn(fmt.Sprintf("%s: %v", now, stats.Err), "what passes is kept in memory and tried again; mend it before that is full")
		}
		told = now
		select {
		case <-tick.C:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// writerTrouble says in some words why a writer cannot write, and what that means;
// "" if it can.
func writerTrouble(s store.WriterStats) string {
	if s.Err == nil {
		return ""
	}
	text := "cannot write"
	if errors.Is(s.Err, store.ErrFull) {
		text = "disk full"
	}
	if errors.Is(s.Err, store.ErrMoved) {
		text = "session file gone"
	}
	if s.Waiting > 0 {
		text += ": capture waits"
	}
	return text
}
