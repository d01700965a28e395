package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	flowpb "weir/proto"
	"weir/store"
)

const (
	// cmdOffsets is the sub-command that reads a body in a process of its own.
	cmdOffsets = "offsets"

	// bodyBar is how much a body of any size may add to the memory of what handles it.
	bodyBar = 30_000_000

	// offsetReads windows of offsetWindow bytes are read all over the body.
	offsetReads  = 1000
	offsetWindow = 64 << 10

	// noNeedle is a text that no body has, so that a search reads all of it.
	noNeedle = `~bs "there is no such text"`
)

// benchBody takes one huge body through all that may be done with it, and says what that
// adds to the memory of the process that does it: beside the same with a small body.
func benchBody(ctx context.Context, b *bench) error {
	session := filepath.Join(b.dir, "body.weir")
	if err := b.recordBody(ctx, session); err != nil {
		return err
	}
	if err := b.bodyOffsets(ctx, session); err != nil {
		return err
	}
	for _, tool := range []struct {
		what string
		args func(filter string) []string
	}{
		{"search", func(filter string) []string { return []string{"query", session, filter + " " + noNeedle, "--count"} }},
		{"export as raw", func(filter string) []string { return []string{"export", session, filter, "--format", "raw"} }},
		{"export as har", func(filter string) []string { return []string{"export", session, filter, "--format", "har"} }},
	} {
		b.progress("%s", tool.what)
		small, err := runWatched(ctx, b.binary, tool.args("~u "+smallPath)...)
		if err != nil {
			return err
		}
		large, err := runWatched(ctx, b.binary, tool.args("~u "+downloadPath)...)
		if err != nil {
			return err
		}
		b.reportBody(tool.what, fmt.Sprintf("%.2f GB/s", float64(b.bodySize)/1e9/large.took.Seconds()), large.peak-small.peak)
	}
	return nil
}

func (b *bench) reportBody(what, speed string, added int64) {
	b.table.add(result{what: fmt.Sprintf("%s of a body of %s", what, megabytes(b.bodySize)), weir: speed})
	b.table.add(result{what: "  RSS above that of a small one", weir: megabytes(added), bar: underMB(added, bodyBar)})
}

// recordBody downloads the body through weir.
func (b *bench) recordBody(ctx context.Context, session string) (err error) {
	origin, err := startOrigin(b.dir)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, origin.close()) }()
	p, roots, err := b.startRecord(ctx, origin, session)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, p.stop()) }()
	c := newClient(p.said[announceListening], origin.target(), roots)
	before, err := b.warmUp(ctx, p, c)
	if err != nil {
		return err
	}
	b.progress("recording a body of %s", megabytes(b.bodySize))
	began := time.Now()
	if err := c.fetch(ctx, downloadPath+strconv.FormatInt(b.bodySize, 10), io.Discard); err != nil {
		return err
	}
	took := time.Since(began)
	after, err := p.usage()
	if err != nil {
		return err
	}
	b.reportBody("record", fmt.Sprintf("%.2f GB/s", float64(b.bodySize)/1e9/took.Seconds()), after.peak-before.rss)
	return p.stop()
}

// offsetTimes is what the sub-command prints.
type offsetTimes struct {
	Size        int64         `json:"size"`
	Median, Max time.Duration // of a read
	Added       int64         // to the memory of the process, at most
}

// bodyOffsets reads windows of the body at any place.
func (b *bench) bodyOffsets(ctx context.Context, session string) error {
	b.progress("reading at offsets")
	id, err := output(ctx, b.binary, "query", session, "~u "+downloadPath, "--format", "csv", "--columns", "id")
	if err != nil {
		return err
	}
	lines := strings.Fields(string(id))
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	out, err := output(ctx, self, cmdOffsets, session, lines[len(lines)-1])
	if err != nil {
		return err
	}
	var t offsetTimes
	if err := json.Unmarshal(out, &t); err != nil {
		return fmt.Errorf("read measurement: %w: %q", err, out)
	}
	if t.Size != b.bodySize {
		return fmt.Errorf("the session holds %d bytes of a body of %d", t.Size, b.bodySize)
	}
	b.reportBody("64 KB at any offset", milliseconds(t.Median)+", at most "+milliseconds(t.Max), t.Added)
	return nil
}

// measureOffsets is the sub-command: it takes the session's path and a flow's id.
func measureOffsets(ctx context.Context, args []string, out io.Writer) (err error) {
	if len(args) != 2 {
		return errors.New("offsets: want a session and a flow")
	}
	id, err := strconv.ParseUint(args[1], 10, 64)
	if err != nil {
		return fmt.Errorf("offsets: %w", err)
	}
	s, err := store.Open(ctx, args[0], store.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if _, err := s.Flow(ctx, id); err != nil {
		return err
	}
	before, err := usageOf(os.Getpid())
	if err != nil {
		return err
	}
	body, err := s.Body(ctx, id, flowpb.SideResponse)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(1, 2))
	p := make([]byte, offsetWindow)
	var times []time.Duration
	for range offsetReads {
		began := time.Now()
		if _, err := body.ReadAt(ctx, p, r.Int64N(max(body.Size(), 1))); err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		times = append(times, time.Since(began))
	}
	after, err := usageOf(os.Getpid())
	if err != nil {
		return err
	}
	slices.Sort(times)
	return json.NewEncoder(out).Encode(offsetTimes{
		Size: body.Size(), Median: times[len(times)/2], Max: times[len(times)-1], Added: after.peak - before.rss,
	})
}

// watched is what a program took that ran to its end.
type watched struct {
	took time.Duration
	cpu  time.Duration // user and system
	peak int64         // resident bytes, as seen every few milliseconds
}

// runWatched runs a program, whose output goes nowhere.
func runWatched(ctx context.Context, name string, args ...string) (watched, error) {
	var w watched
	var said strings.Builder
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Stderr = &said
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return w, fmt.Errorf("start %s: %w", name, err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }() // received below, whatever happens
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			w.took = time.Since(began)
			w.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
			if err != nil {
				return w, fmt.Errorf("%s %s: %w: %.2000s", name, strings.Join(args, " "), err, said.String())
			}
			return w, nil
		case <-tick.C:
			if u, err := usageOf(cmd.Process.Pid); err == nil { // it may just have ended
				w.peak = max(w.peak, u.peak)
			}
		}
	}
}

// parseSize reads "10G", "512M", "64K" or bytes.
func parseSize(text string) (int64, error) {
	number, shift := text, 0
	for i, unit := range []string{"K", "M", "G"} {
		if n, ok := strings.CutSuffix(strings.ToUpper(text), unit); ok {
			number, shift = n, 10*(i+1)
		}
	}
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || n < 1 || n > 1<<40>>shift {
		return 0, fmt.Errorf("%q is no size such as 10G", text)
	}
	return n << shift, nil
}
