package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"weir/store"
)

// What an import and what follows it have to reach.
const (
	importBar       = 15.0 // times as fast as tshark
	importMemoryBar = 150_000_000
	firstRowsBar    = 200 * time.Millisecond
	openBar         = 200 * time.Millisecond
	columnBar       = 50 * time.Millisecond
	needle          = "a needle in a haystack" // which bench capture puts into one response in needleShare
	needleShare     = 101
)

// benchImports reads what others captured: packets, against tshark on the same file, then
// a dump of mitmproxy and a HAR that are far larger than memory may become.
func benchImports(ctx context.Context, b *bench) error {
	if err := b.build(ctx); err != nil {
		return err
	}
	if err := b.importCapture(ctx); err != nil {
		return err
	}
	for _, f := range []struct {
		format string
		size   int64
	}{{"mitm", b.dumpSize}, {"har", b.harSize}} {
		if err := b.importFlows(ctx, f.format, f.size); err != nil {
			return err
		}
	}
	return nil
}

// importCapture imports packets and looks at what became of them.
func (b *bench) importCapture(ctx context.Context) error {
	file, session := filepath.Join(b.dir, "capture.pcap"), filepath.Join(b.dir, "capture.weir")
	defer removeAll(file, session)
	requests, err := b.makeCapture(ctx, file)
	if err != nil {
		return err
	}
	b.progress("importing %s of packets", megabytes(b.captureSize))
	seen := make(chan time.Duration, 1)
	watching, stop := context.WithCancel(ctx)
	defer stop()
	began := time.Now()
	go func() { seen <- firstRows(watching, session, began) }() // received below
	w, err := runWatched(ctx, b.binary, "import", file, "-o", session)
	stop()
	first := <-seen
	if err != nil {
		return err
	}
	if got, err := b.count(ctx, session); err != nil || got != requests {
		return errors.Join(err, fmt.Errorf("%d flows were imported, %d requests were made up", got, requests))
	}
	what := fmt.Sprintf("import of %s of packets, %d requests", megabytes(b.captureSize), requests)
	b.table.add(result{what: what, weir: w.String(), ratio: fmt.Sprintf("%.0f MB/s", float64(b.captureSize)/1e6/w.took.Seconds())})
	b.table.add(result{what: "  RSS", weir: megabytes(w.peak), bar: underMB(w.peak, importMemoryBar)})
	b.table.add(result{what: "  first rows", weir: milliseconds(first), bar: under(first, firstRowsBar)})
	other, err := b.tshark(ctx, file, w)
	if err != nil {
		return err
	}
	return b.lookAtImport(ctx, session, requests, other)
}

// makeCapture writes a capture and returns how many requests are in it.
func (b *bench) makeCapture(ctx context.Context, file string) (int, error) {
	b.progress("making up %s of packets", megabytes(b.captureSize))
	out, err := exec.CommandContext(ctx, b.binary, "bench", "capture", file, "--size", strconv.FormatInt(b.captureSize, 10)).CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("make capture: %w: %.2000s", err, out)
	}
	var packets, connections, requests int
	if _, err := fmt.Sscanf(string(out), "wrote %d packets of %d connections with %d requests", &packets, &connections, &requests); err != nil {
		return 0, fmt.Errorf("make capture: %w: %.2000q", err, out)
	}
	return requests, nil
}

// firstRows waits until somebody else can see flows in a session, and returns when that
// was; 0 where the context ended before.
func firstRows(ctx context.Context, session string, began time.Time) time.Duration {
	for pause(ctx, 2*time.Millisecond) == nil {
		s, err := store.Open(ctx, session, store.Options{ReadOnly: true})
		if err != nil {
			continue // it is being made
		}
		n, err := s.Count(ctx)
		if err = errors.Join(err, s.Close()); err == nil && n > 0 {
			return time.Since(began)
		}
	}
	return 0
}

// tshark reads the same requests, where it is installed; a zero watched says that it is not.
func (b *bench) tshark(ctx context.Context, file string, weir watched) (watched, error) {
	name, err := exec.LookPath("tshark")
	if err != nil {
		b.progress("tshark is not installed: left out")
		return watched{}, nil
	}
	b.progress("reading the same with tshark")
	w, err := runWatched(ctx, name, "-r", file, "-Y", "http.request", "-T", "fields", "-e", "http.request.uri")
	if err != nil {
		return w, err
	}
	faster := w.took.Seconds() / weir.took.Seconds()
	b.table.add(result{what: "  against tshark -Y http.request", weir: weir.String(), other: w.String(), ratio: times(faster), bar: atLeast(faster, importBar)})
	b.table.add(result{what: "  of the CPU time", ratio: times(w.cpu.Seconds() / weir.cpu.Seconds())})
	b.table.add(result{what: "  RSS of tshark", other: megabytes(w.peak)})
	return w, nil
}

// lookAtImport opens what was imported, filters by columns and searches bodies, for each
// of which other programs read the capture again.
func (b *bench) lookAtImport(ctx context.Context, session string, requests int, other watched) error {
	whole := ""
	if other.took > 0 {
		whole = seconds(other.took)
	}
	err := eachLine(ctx, func(v viewTimes) error {
		switch v.What {
		case "after opening":
			b.table.add(result{what: "  open", weir: milliseconds(v.Done), other: whole, bar: under(v.Done, openBar)})
		case notFoundFilter, "~m POST", "~u /api/":
			b.table.add(result{what: fmt.Sprintf("  filter %s: %d flows", v.What, v.Len), weir: milliseconds(v.Done), other: whole, bar: under(v.Done, columnBar)})
		}
		return nil
	}, cmdViews, session)
	if err != nil {
		return err
	}
	began := time.Now()
	out, err := output(ctx, b.binary, "query", session, `~b "`+needle+`"`, "--count")
	took := time.Since(began)
	if err != nil {
		return err
	}
	if got := strings.TrimSpace(string(out)); got != strconv.Itoa(requests/needleShare) {
		return fmt.Errorf("the search in bodies finds %s flows, want %d", got, requests/needleShare)
	}
	b.table.add(result{
		what: "  search in all bodies", weir: seconds(took), other: whole,
		ratio: fmt.Sprintf("%.2f GB/s", float64(b.captureSize)/1e9/took.Seconds()),
	})
	return nil
}

// importFlows imports a file of that format and size, made of the same flows again
// and again.
func (b *bench) importFlows(ctx context.Context, format string, size int64) error {
	file, session := filepath.Join(b.dir, "large."+format), filepath.Join(b.dir, "large.weir")
	defer removeAll(file, session)
	b.progress("making up a file of %s, %s", megabytes(size), format)
	if err := b.makeFlows(ctx, file, format, size); err != nil {
		return err
	}
	b.progress("importing it")
	w, err := runWatched(ctx, b.binary, "import", file, "-o", session)
	if err != nil {
		return err
	}
	flows, err := b.count(ctx, session)
	if err != nil {
		return err
	}
	b.table.add(result{
		what: fmt.Sprintf("import of %s, %s, %d flows", megabytes(size), format, flows), weir: w.String(),
		ratio: fmt.Sprintf("%.0f MB/s", float64(size)/1e6/w.took.Seconds()),
	})
	b.table.add(result{what: "  RSS", weir: megabytes(w.peak), bar: underMB(w.peak, importMemoryBar)})
	return nil
}

// removeAll removes large files at once: there may be no room for the next ones else.
func removeAll(paths ...string) {
	for _, path := range paths {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(path + suffix) // what is left goes with the directory
		}
	}
}

// String tells how long a program took, and how much of that its processors worked.
func (w watched) String() string { return seconds(w.took) + ", CPU " + seconds(w.cpu) }

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }
