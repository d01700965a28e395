package main

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"time"
)

const (
	frameBar   = 100 * time.Millisecond
	keyBar     = 16 * time.Millisecond // half of the keys
	slowKeyBar = 50 * time.Millisecond // 99 in 100
	scrollBar  = 400                   // bytes for one row
	memoryBar  = 100_000_000

	// quiet is the silence that ends the answer to a key, and is longer than
	// the pause between two frames.
	quiet = 30 * time.Millisecond
)

var (
	// something printed at all is the first frame; a request method beside a
	// status code is a row.
	anyText = regexp.MustCompile(`weir`)
	anyRow  = regexp.MustCompile(`\b(GET|POST|PUT|DELETE)\b`)
)

// strokes are the keys that are measured, each kind moving so that it always
// has something to show.
var strokes = []struct {
	what string
	keys []string
}{
	{"one row", []string{"j", "j", "j", "k", "k"}},
	{"one page", []string{"\x1b[6~", "\x1b[6~", "\x1b[5~"}},
	{"first and last flow", []string{"g", "G"}},
}

// benchKeys opens a large session on a terminal and types.
func benchKeys(ctx context.Context, b *bench) (err error) {
	if err := b.seed(ctx); err != nil {
		return err
	}
	var frames, lists []time.Duration
	for range 5 {
		frame, list, err := b.openOnce(ctx)
		if err != nil {
			return err
		}
		frames, lists = append(frames, frame), append(lists, list)
	}
	frame, list := quantile(frames, 0.5), quantile(lists, 0.5)
	b.table.add(result{what: fmt.Sprintf("weir open, %dx%d: start to first frame", columns, rows), weir: milliseconds(frame), bar: under(frame, frameBar)})
	b.table.add(result{what: "  start to first rows", weir: milliseconds(list)})
	t, err := openTerminal(ctx, b.binary, "open", b.session)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close("Q")) }()
	if _, err := t.waitFor(anyRow, readyTimeout); err != nil {
		return err
	}
	for _, s := range strokes {
		if err := b.measureKeys(ctx, t, s.what, s.keys); err != nil {
			return err
		}
	}
	u, err := usageOf(t.cmd.Process.Pid)
	if err != nil {
		return err
	}
	b.table.add(result{what: "  RSS at most", weir: megabytes(u.peak), bar: underMB(u.peak, memoryBar)})
	return nil
}

// openOnce opens the session, waits for the first frame and the first rows, and
// quits.
func (b *bench) openOnce(ctx context.Context) (frame, list time.Duration, err error) {
	t, err := openTerminal(ctx, b.binary, "open", b.session)
	if err != nil {
		return 0, 0, err
	}
	defer func() { err = errors.Join(err, t.close("Q")) }()
	if frame, err = t.waitFor(anyText, readyTimeout); err != nil {
		return 0, 0, err
	}
	list, err = t.waitFor(anyRow, readyTimeout)
	return frame, list, errors.Join(err, t.settle(200*time.Millisecond))
}

// measureKeys types keys of one kind in a cycle, and reports how long they take
// and how much they send. Pauses of changing length keep them from falling into
// step with the program's own frames. A key without an answer is broken.
func (b *bench) measureKeys(ctx context.Context, t *terminal, what string, keys []string) error {
	if err := t.settle(300 * time.Millisecond); err != nil {
		return err
	}
	latencies, sizes := make([]time.Duration, 0, b.keys), make([]int, 0, b.keys)
	silent := 0
	for i := range b.keys {
		r, err := t.press(keys[i%len(keys)], quiet, time.Second)
		switch {
		case errors.Is(err, errQuiet):
			silent++
			continue
		case err != nil:
			return err
		}
		latencies, sizes = append(latencies, r.latency), append(sizes, r.bytes)
		if err := pause(ctx, time.Duration(i%17)*time.Millisecond); err != nil {
			return err
		}
	}
	if silent > b.keys/10 {
		return fmt.Errorf("%d of %d keys for %s brought no answer", silent, b.keys, what)
	}
	half, most, size := quantile(latencies, 0.5), quantile(latencies, 0.99), quantile(sizes, 0.5)
	b.table.add(result{what: "key: " + what + ", median", weir: milliseconds(half), bar: under(half, keyBar)})
	b.table.add(result{what: "  99 in 100", weir: milliseconds(most), bar: under(most, slowKeyBar)})
	r := result{what: "  bytes, median", weir: fmt.Sprint(size)}
	if len(keys[0]) == 1 && keys[0] == "j" {
		r.bar = verdict{bar: fmt.Sprintf("<= %d", scrollBar), met: size <= scrollBar}
	}
	b.table.add(r)
	return nil
}
