package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"
)

const (
	// readyTimeout is how long a program may take to say that it is ready.
	readyTimeout = 30 * time.Second
	// stopTimeout is how long it may take to end once it is told to.
	stopTimeout = 60 * time.Second
)

// process is a program under test that announces on its standard error where
// it can be reached. One goroutine reads that stream until the program closes
// it; stop waits for both.
type process struct {
	cmd   *exec.Cmd
	said  map[string]string // by announcement, what followed it
	lines chan string
	tail  []string // the last lines it wrote, for its obituary
	ended bool
}

// start runs a program and waits until it wrote, for each announcement, a line
// that starts with it, in any order. Whoever starts a process stops it.
func start(ctx context.Context, name string, args []string, announcements ...string) (*process, error) {
	p := &process{cmd: exec.CommandContext(ctx, name, args...), said: make(map[string]string), lines: make(chan string, 64)}
	p.cmd.Cancel = func() error { return p.cmd.Process.Signal(os.Interrupt) }
	p.cmd.WaitDelay = stopTimeout
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go p.read(stderr)
	if err := p.await(announcements); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s %s: %w", name, strings.Join(args, " "), err), p.kill())
	}
	return p, nil
}

// read passes the program's lines on and ends with its standard error. Lines
// that nobody waits for any more are dropped rather than holding the program up.
func (p *process) read(stderr io.Reader) {
	defer close(p.lines)
	for scanner := bufio.NewScanner(stderr); scanner.Scan(); {
		select {
		case p.lines <- scanner.Text():
		default:
		}
	}
}

func (p *process) await(announcements []string) error {
	deadline := time.NewTimer(readyTimeout)
	defer deadline.Stop()
	for len(p.said) < len(announcements) {
		select {
		case line, ok := <-p.lines:
			if !ok {
				return fmt.Errorf("it ended early, saying %q", p.tail)
			}
			p.tail = append(p.tail, line)
			for _, a := range announcements {
				if rest, ok := strings.CutPrefix(line, a); ok {
					p.said[a] = strings.TrimSpace(rest)
				}
			}
		case <-deadline.C:
			return fmt.Errorf("not ready after %v, saying %q", readyTimeout, p.tail)
		}
	}
	return nil
}

// stop asks the program to end, waits for it, and returns an error if it does
// not end cleanly. Further calls do nothing.
func (p *process) stop() error {
	if p.ended {
		return nil
	}
	p.ended = true
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("stop %s: %w", p.cmd.Path, err)
	}
	timer := time.AfterFunc(stopTimeout, func() { _ = p.cmd.Process.Kill() })
	defer timer.Stop()
	return p.finish()
}

func (p *process) kill() error {
	p.ended = true
	if err := p.cmd.Process.Kill(); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return fmt.Errorf("kill %s: %w", p.cmd.Path, err)
	}
	_ = p.finish() // It was killed, and says so.
	return nil
}

func (p *process) finish() error {
	for line := range p.lines {
		p.tail = append(p.tail, line)
		p.tail = p.tail[max(0, len(p.tail)-20):]
	}
	if err := p.cmd.Wait(); err != nil {
		return fmt.Errorf("%s: %w, saying %q", p.cmd.Path, err, p.tail)
	}
	return nil
}

// usage is what a process has taken so far.
type usage struct {
	cpu       time.Duration // user and system
	rss, peak int64         // bytes resident, now and at most
}

// usage reads the figures of a running process from /proc.
func (p *process) usage() (usage, error) { return usageOf(p.cmd.Process.Pid) }

func usageOf(pid int) (usage, error) {
	var u usage
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return u, fmt.Errorf("read CPU time: %w", err)
	}
	// The name in parentheses may hold anything; utime and stime are the 12th
	// and 13th fields after it, in hundredths of a second.
	_, rest, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(rest)
	if len(fields) < 13 {
		return u, fmt.Errorf("read CPU time: unexpected %q", stat)
	}
	for _, f := range fields[11:13] {
		ticks, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return u, fmt.Errorf("read CPU time: %w", err)
		}
		u.cpu += time.Duration(ticks) * 10 * time.Millisecond
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return u, fmt.Errorf("read memory: %w", err)
	}
	u.rss, u.peak = statusKB(status, "VmRSS:"), statusKB(status, "VmHWM:")
	return u, nil
}

// statusKB returns a figure of /proc/PID/status, in bytes.
func statusKB(status []byte, key string) int64 {
	_, rest, _ := strings.Cut(string(status), key)
	line, _, _ := strings.Cut(rest, "\n")
	n, _ := strconv.ParseInt(strings.TrimSuffix(strings.TrimSpace(line), " kB"), 10, 64)
	return n << 10
}

// resetPeak makes the peak start again from what is resident now.
func (p *process) resetPeak() error { return resetPeakOf(p.cmd.Process.Pid) }

func resetPeakOf(pid int) error {
	const peakOnly = "5" // proc_pid_clear_refs(5)
	if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte(peakOnly), 0o600); err != nil {
		return fmt.Errorf("reset peak memory: %w", err)
	}
	return nil
}

// settle waits until the process is idle, so that what it still does for one
// measurement is counted there and does not disturb the next, and returns how
// long that took. It gives up waiting after a minute.
func (p *process) settle(ctx context.Context) (time.Duration, error) {
	const step, idle = 50 * time.Millisecond, 10 * time.Millisecond
	began := time.Now()
	busy := began
	before, err := p.usage()
	for quiet := 0; err == nil && quiet < 4 && time.Since(began) < time.Minute; quiet++ {
		if err := pause(ctx, step); err != nil {
			return 0, err
		}
		var now usage
		now, err = p.usage()
		if now.cpu-before.cpu > idle {
			quiet, busy = -1, time.Now()
		}
		before = now
	}
	return busy.Sub(began), err
}

// pause waits, unless the context ends first.
func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// output runs a program to its end and returns what it printed.
func output(ctx context.Context, name string, args ...string) ([]byte, error) {
	out, err := exec.CommandContext(ctx, name, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return nil, fmt.Errorf("%s %s: %w: %.2000s", name, strings.Join(args, " "), err, exit.Stderr)
		}
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return out, nil
}
