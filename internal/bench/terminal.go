package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"time"

	"github.com/creack/pty"
)

// The terminal the interface is measured on.
const (
	columns = 200
	rows    = 50
)

// errQuiet is that a program wrote nothing, or not what was waited for, in time.
var errQuiet = errors.New("nothing came in time")

// escapes matches what moves the cursor, colours or asks, but prints nothing.
var escapes = regexp.MustCompile(`\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[PX^_][^\x1b]*\x1b\\|\x1b[ -/]*[0-Z\\-~]`)

// questions is what programs ask a terminal, and what a dark one that knows
// synchronized output answers. A program that waits for an answer would
// otherwise be measured with its time-out.
var questions = []struct{ ask, answer string }{
	{"\x1b]11;?", "\x1b]11;rgb:0000/0000/0000\x1b\\"},
	{"\x1b]10;?", "\x1b]10;rgb:ffff/ffff/ffff\x1b\\"},
	{"\x1b[c", "\x1b[?62;22c"},
	{"\x1b[?2026$p", "\x1b[?2026;2$y"},
	{"\x1b[?2027$p", "\x1b[?2027;0$y"},
	{"\x1b[?u", "\x1b[?0u"},
	{"\x1b[6n", "\x1b[1;1R"},
}

// chunk is what one read from the terminal brought, and when.
type chunk struct {
	at   time.Time
	data []byte
}

// terminal is a program on a pseudo-terminal. One goroutine reads what it
// writes and answers its questions until the program ends; everything else
// belongs to the caller's goroutine. close ends both.
type terminal struct {
	file    *os.File
	cmd     *exec.Cmd
	began   time.Time
	chunks  chan chunk
	printed []byte // text so far, without escapes, bounded
}

func openTerminal(ctx context.Context, name string, args ...string) (*terminal, error) {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Env = append(os.Environ(), "TERM=xterm-256color", "COLORTERM=truecolor", "NO_COLOR=", "SSH_TTY=")
	t := &terminal{cmd: cmd, began: time.Now(), chunks: make(chan chunk, 1024)}
	var err error
	if t.file, err = pty.StartWithSize(cmd, &pty.Winsize{Rows: rows, Cols: columns}); err != nil {
		return nil, fmt.Errorf("start %s on a terminal: %w", name, err)
	}
	go t.read()
	return t, nil
}

// read ends when the program does, with an error that only says so.
func (t *terminal) read() {
	defer close(t.chunks)
	for {
		data := make([]byte, 32<<10)
		n, err := t.file.Read(data)
		at := time.Now()
		if err != nil {
			return
		}
		for _, q := range questions {
			if bytes.Contains(data[:n], []byte(q.ask)) {
				if _, err := t.file.WriteString(q.answer); err != nil {
					return
				}
			}
		}
		t.chunks <- chunk{at, data[:n]}
	}
}

// waitFor waits until the program has printed what pattern matches, at least
// once since it started, and returns how long after its start that was.
func (t *terminal) waitFor(pattern *regexp.Regexp, timeout time.Duration) (time.Duration, error) {
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	var raw []byte
	for {
		select {
		case c, ok := <-t.chunks:
			if !ok {
				return 0, fmt.Errorf("the program ended, having printed %.500q", t.printed)
			}
			raw = append(raw, c.data...)
			t.printed = append(t.printed, escapes.ReplaceAll(c.data, nil)...)
			if pattern.Match(t.printed) || pattern.Match(escapes.ReplaceAll(raw, nil)) {
				return c.at.Sub(t.began), nil
			}
		case <-timer.C:
			return 0, fmt.Errorf("%w: %s in %.500q", errQuiet, pattern, t.printed)
		}
	}
}

// reply is what a keystroke brought about.
type reply struct {
	latency time.Duration // from the key to the last byte of the answer
	bytes   int
}

// press sends a key and measures the answer: all that comes until there is
// nothing for the time quiet.
func (t *terminal) press(key string, quiet, timeout time.Duration) (reply, error) {
	began := time.Now()
	if _, err := t.file.WriteString(key); err != nil {
		return reply{}, fmt.Errorf("press %q: %w", key, err)
	}
	var r reply
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		select {
		case c, ok := <-t.chunks:
			if !ok {
				return r, fmt.Errorf("press %q: the program ended", key)
			}
			r.latency, r.bytes = c.at.Sub(began), r.bytes+len(c.data)
			timer.Reset(quiet)
		case <-timer.C:
			if r.bytes == 0 {
				return r, fmt.Errorf("press %q: %w", key, errQuiet)
			}
			return r, nil
		}
	}
}

// pressUntil sends a key and returns when the program has drawn text, and how long that took.
func (t *terminal) pressUntil(key, text string, timeout time.Duration) (time.Duration, error) {
	began := time.Now()
	if _, err := t.file.WriteString(key); err != nil {
		return 0, fmt.Errorf("press %q: %w", key, err)
	}
	timer := time.NewTimer(timeout)
	defer timer.Stop()
	for {
		select {
		case c, ok := <-t.chunks:
			if !ok {
				return 0, fmt.Errorf("press %q: the program ended", key)
			}
			if bytes.Contains(c.data, []byte(text)) {
				return c.at.Sub(began), nil
			}
		case <-timer.C:
			return 0, fmt.Errorf("press %q: %w", key, errQuiet)
		}
	}
}

// drain drops what the program has written so far.
func (t *terminal) drain() {
	for {
		select {
		case <-t.chunks:
		default:
			return
		}
	}
}

// settle reads until the program has been quiet for a while, at most a while
// longer than that.
func (t *terminal) settle(quiet time.Duration) error {
	timer := time.NewTimer(quiet)
	defer timer.Stop()
	for began := time.Now(); time.Since(began) < 20*quiet; {
		select {
		case _, ok := <-t.chunks:
			if !ok {
				return errors.New("the program ended")
			}
			timer.Reset(quiet)
		case <-timer.C:
			return nil
		}
	}
	return nil
}

// close ends the program with its key for quitting, or else by force.
func (t *terminal) close(quit string) error {
	_, err := t.file.WriteString(quit)
	timer := time.AfterFunc(stopTimeout, func() { _ = t.cmd.Process.Kill() })
	defer timer.Stop()
	for range t.chunks {
	}
	return errors.Join(err, t.cmd.Wait(), t.file.Close())
}
