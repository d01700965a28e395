package main

import (
	"context"
	"fmt"
	"io"
	"time"

	"weir/proxy"
	"weir/tui"
	"weir/tui/widget"
)

// notices carries what the proxy wants to tell a person to whoever shows it. It
// never blocks the proxy: when a hundred wait unread, further ones are counted
// and the count is told.
type notices struct {
	queue   chan tui.Notice
	skipped chan int // holds one number
}

func newNotices() *notices {
	n := &notices{queue: make(chan tui.Notice, 100), skipped: make(chan int, 1)}
	n.skipped <- 0
	return n
}

// warn queues a notice that has to be seen.
func (n *notices) warn(text, hint string) { n.tell(tui.Warn, text, hint) }

// fromProxy queues a notice of the proxies. What it has for those who mend weir goes to a file.
func (n *notices) fromProxy(x proxy.Notice) {
	if x.Details == "" {
		n.warn(x.Text, x.Hint)
		return
	}
	n.tell(tui.Error, x.Text, keepStack(time.Now(), x.Text, x.Details))
}

// tell queues a notice.
func (n *notices) tell(level tui.Level, text, hint string) {
	select {
	case n.queue <- tui.Notice{At: time.Now().UnixNano(), Level: level, Text: text, Hint: hint}:
	default:
		n.skipped <- <-n.skipped + 1
	}
}

// next blocks until there is a notice.
func (n *notices) next(ctx context.Context) (tui.Notice, error) {
	select {
	case notice := <-n.queue:
		missed := <-n.skipped
		n.skipped <- 0
		if missed > 0 {
			notice.Text += fmt.Sprintf(" (and %d more notices before it)", missed)
		}
		return notice, nil
	case <-ctx.Done():
		return tui.Notice{}, ctx.Err()
	}
}

// print writes notices as lines until ctx ends and all are written.
func (n *notices) print(ctx context.Context, w io.Writer) error {
	for {
		notice, err := n.next(ctx)
		if err != nil {
			select {
			case notice = <-n.queue:
			default:
				return err
			}
		}
		fmt.Fprintln(w, "weir:", widget.Sanitize(notice.Text))
		if notice.Hint != "" {
			fmt.Fprintln(w, "hint:", widget.Sanitize(notice.Hint))
		}
	}
}
