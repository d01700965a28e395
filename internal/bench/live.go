package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

const (
	// liveRate is how many flows a second arrive while keys are typed.
	liveRate = 2000
	// focusGlyph stands before the row that has the focus, and is drawn again
	// whenever that moves.
	focusGlyph = "▶"
)

// benchLive types while flows arrive in a large session from another process.
// The session is a copy, since it grows.
func benchLive(ctx context.Context, b *bench) (err error) {
	if err := b.seed(ctx); err != nil {
		return err
	}
	path := filepath.Join(b.dir, "live.weir")
	if err := copyFile(b.session, path); err != nil {
		return err
	}
	b.progress("typing while %d flows a second arrive", liveRate)
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	pour := exec.CommandContext(ctx, b.binary, "bench", "stream", "--into", path, "--rate", fmt.Sprint(liveRate), "--for", "1h")
	pour.Cancel = func() error { return pour.Process.Signal(os.Interrupt) }
	pour.Stderr = io.Discard // it says that it was interrupted
	if err := pour.Start(); err != nil {
		return fmt.Errorf("start the capture: %w", err)
	}
	defer func() {
		stop()
		_ = pour.Wait() // it was interrupted, and says so
	}()
	t, err := openTerminal(ctx, b.binary, "open", path)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close("Q")) }()
	if _, err := t.waitFor(anyRow, readyTimeout); err != nil {
		return err
	}
	if err := pause(ctx, 2*time.Second); err != nil {
		return err
	}
	for _, s := range []struct {
		what string
		keys []string
	}{
		{"one row", []string{"j", "j", "j", "k", "k"}},
		{"first and last flow", []string{"g", "G"}},
	} {
		if err := b.measureLive(ctx, t, s.what, s.keys); err != nil {
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

// measureLive types keys and waits for the focus to be drawn anew after each: the
// screen never rests, and what else is drawn is no answer. After every "G" the list follows what
// arrives, so that its focus moves by itself; that only counts as an answer where it is one.
func (b *bench) measureLive(ctx context.Context, t *terminal, what string, keys []string) error {
	if _, err := t.file.WriteString("g"); err != nil {
		return err
	}
	if err := pause(ctx, 300*time.Millisecond); err != nil {
		return err
	}
	var latencies []time.Duration
	silent := 0
	for i := range b.keys {
		t.drain()
		d, err := t.pressUntil(keys[i%len(keys)], focusGlyph, time.Second)
		switch {
		case errors.Is(err, errQuiet):
			silent++
			continue
		case err != nil:
			return err
		}
		latencies = append(latencies, d)
		if err := pause(ctx, time.Duration(20+i%17)*time.Millisecond); err != nil {
			return err
		}
	}
	if silent > b.keys/10 {
		return fmt.Errorf("%d of %d keys for %s brought no answer", silent, b.keys, what)
	}
	half, most := quantile(latencies, 0.5), quantile(latencies, 0.99)
	b.table.add(result{what: fmt.Sprintf("key at %d flows/s: %s, median", liveRate, what), weir: milliseconds(half), bar: under(half, keyBar)})
	b.table.add(result{what: "  99 in 100", weir: milliseconds(most), bar: under(most, slowKeyBar)})
	return nil
}

// copyFile copies a file that nobody writes.
func copyFile(from, to string) (err error) {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, src.Close()) }()
	dst, err := os.Create(to)
	if err != nil {
		return err
	}
	_, err = io.Copy(dst, src)
	return errors.Join(err, dst.Close())
}
