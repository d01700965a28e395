package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"weir/proxy/ca"
)

// side is one of the two proxies that are compared.
type side struct {
	*process
	client generator
	// requests counts all that the proxy has carried, warming up included.
	requests int64
	rates    []float64
	cpu      []time.Duration // a request
	drain    time.Duration   // the longest until it was idle again
}

// generator makes the load of one side.
type generator interface {
	load(ctx context.Context, conns int, duration time.Duration, begin func() error) (loadResult, error)
}

// comparison is weir against another proxy under the same load.
type comparison struct {
	name     string // of the session's file
	what     string // is carried
	bar      float64
	baseline func(ctx context.Context, origin *origin, name string) (*side, error)
	speak    func(c *client) generator // the load, by a client of a proxy
}

// httpsBar is how fast weir, recording to disk, must be against a proxy that
// records nothing.
const httpsBar = 1.0

// benchHTTPS compares with goproxy, over HTTP/1.1.
func benchHTTPS(ctx context.Context, b *bench) error {
	return b.compare(ctx, comparison{
		name: "https", what: "HTTPS 1 KB keep-alive", bar: httpsBar, baseline: b.startGoproxy,
		speak: func(c *client) generator { return c },
	})
}

// compare lets both proxies carry the same load in turns. The order changes
// from round to round, so that a machine that gets slower does not favour one,
// and the ratio is the median of the rounds' ratios.
func (b *bench) compare(ctx context.Context, c comparison) (err error) {
	origin, err := startOrigin(b.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, origin.close()) }()
	session := filepath.Join(b.dir, c.name+".weir")
	subject, err := b.startSubject(ctx, origin, session, c)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, subject.stop()) }()
	baseline, err := c.baseline(ctx, origin, "baseline-"+c.name)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, baseline.stop()) }()
	for _, s := range []*side{subject, baseline} {
		s.client = c.speak(s.client.(*client))
	}
	if err := b.takeTurns(ctx, c, subject, baseline); err != nil {
		return err
	}
	if err := b.report(c, subject, baseline); err != nil || b.self {
		return err
	}
	if err := subject.stop(); err != nil {
		return err
	}
	return b.checkCount(ctx, session, subject.requests)
}

// takeTurns warms both sides up and then lets them take turns.
func (b *bench) takeTurns(ctx context.Context, c comparison, subject, baseline *side) error {
	for round := range b.rounds + 1 {
		order := []*side{subject, baseline}
		if round%2 == 0 {
			order = []*side{baseline, subject}
		}
		for _, s := range order {
			if err := s.round(ctx, b.conns, b.duration, round > 0); err != nil {
				return err
			}
		}
		if round > 0 {
			b.progress("%s round %d: %.0f and %.0f requests/s", c.name, round, subject.rates[round-1], baseline.rates[round-1])
		}
	}
	return nil
}

// round lets the side carry the load once, and counts as its CPU time what it
// takes until it is idle again, so that writing behind is not for free. The
// figures are kept unless it is for warming up.
func (s *side) round(ctx context.Context, conns int, duration time.Duration, keep bool) error {
	var before usage
	result, err := s.client.load(ctx, conns, duration, func() (err error) {
		before, err = s.usage()
		return err
	})
	if err != nil {
		return fmt.Errorf("load on %s: %w", filepath.Base(s.cmd.Path), err)
	}
	s.requests += result.requests
	drain, err := s.settle(ctx)
	if err != nil {
		return err
	}
	after, err := s.usage()
	if err != nil || !keep {
		return err
	}
	s.rates = append(s.rates, result.rate())
	s.cpu = append(s.cpu, (after.cpu-before.cpu)/time.Duration(max(result.requests, 1)))
	s.drain = max(s.drain, drain)
	return nil
}

func (b *bench) report(c comparison, subject, baseline *side) error {
	mine, err := subject.usage()
	if err != nil {
		return err
	}
	theirs, err := baseline.usage()
	if err != nil {
		return err
	}
	ratios := make([]float64, 0, len(subject.rates))
	for i := range subject.rates {
		ratios = append(ratios, subject.rates[i]/baseline.rates[i])
	}
	ratio := quantile(ratios, 0.5)
	perSecond := func(s *side) string { return fmt.Sprintf("%.0f/s", quantile(s.rates, 0.5)) }
	cpu := func(s *side) time.Duration { return quantile(s.cpu, 0.5) }
	b.table.add(result{fmt.Sprintf("%s, %d connections", c.what, b.conns), perSecond(subject), perSecond(baseline), fmt.Sprintf("%.2f", ratio), atLeast(ratio, c.bar)})
	b.table.add(result{what: "  lowest and highest ratio of a round", ratio: fmt.Sprintf("%.2f %.2f", quantile(ratios, 0), quantile(ratios, 1))})
	b.table.add(result{what: "  CPU a request", weir: microseconds(cpu(subject)), other: microseconds(cpu(baseline)), ratio: fmt.Sprintf("%.2f", float64(cpu(subject))/float64(max(cpu(baseline), 1)))})
	b.table.add(result{what: "  RSS at most", weir: megabytes(mine.peak), other: megabytes(theirs.peak), ratio: fmt.Sprintf("%.2f", float64(mine.peak)/float64(max(theirs.peak, 1)))})
	b.table.add(result{what: "  busy after the load, at most", weir: milliseconds(subject.drain), other: milliseconds(baseline.drain)})
	return nil
}

// startSubject starts weir recording into session, or with -self the baseline again.
func (b *bench) startSubject(ctx context.Context, origin *origin, session string, c comparison) (*side, error) {
	if b.self {
		return c.baseline(ctx, origin, "subject-"+c.name)
	}
	p, roots, err := b.startRecord(ctx, origin, session)
	if err != nil {
		return nil, err
	}
	return &side{process: p, client: newClient(p.said[announceListening], origin.target(), roots)}, nil
}

// startGoproxy runs this binary as the baseline of HTTPS.
func (b *bench) startGoproxy(ctx context.Context, origin *origin, name string) (*side, error) {
	dir := filepath.Join(b.dir, name)
	return b.startSelf(ctx, origin, dir, cmdGoproxy, filepath.Join(dir, "weir-ca.pem"))
}

// startGoproxyApart runs it with connections to the server that are not shared.
func (b *bench) startGoproxyApart(ctx context.Context, origin *origin, name string) (*side, error) {
	dir := filepath.Join(b.dir, name)
	return b.startSelf(ctx, origin, dir, cmdGoproxyApart, filepath.Join(dir, "weir-ca.pem"))
}

// startSelf runs this binary as a proxy, with an authority in dir of the same
// kind as weir's, so that both sides do the same cryptography.
func (b *bench) startSelf(ctx context.Context, origin *origin, dir, command, authorityArg string) (*side, error) {
	authority, err := ca.Load(dir)
	if err != nil {
		return nil, err
	}
	roots, err := readRoots(authority.CertFile())
	if err != nil {
		return nil, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find this program: %w", err)
	}
	p, err := start(ctx, self, []string{command, authorityArg, origin.caFile}, announceListening)
	if err != nil {
		return nil, err
	}
	return &side{process: p, client: newClient(p.said[announceListening], origin.target(), roots)}, nil
}

// checkCount fails when the session does not hold every request.
func (b *bench) checkCount(ctx context.Context, session string, want int64) error {
	out, err := output(ctx, b.binary, "query", session, "~m GET", "--count")
	if err != nil {
		return err
	}
	got, err := strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
	if err != nil {
		return fmt.Errorf("count flows: %w", err)
	}
	if got != want {
		return fmt.Errorf("the session holds %d flows of %d requests", got, want)
	}
	b.table.add(result{what: "  flows in the session", weir: strconv.FormatInt(got, 10), bar: verdict{bar: "all", met: true}})
	return nil
}
