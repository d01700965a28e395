package main

import (
	"context"
	"errors"
	"time"
)

// sorts are the keys that sort the list.
var sorts = []struct{ key, by string }{
	{"2", "time"}, {"3", "method"}, {"4", "host"}, {"5", "path"}, {"6", "status"}, {"7", "type"}, {"8", "size"}, {"9", "duration"},
}

// sorted is a quiet terminal: while a sort is under way its progress is drawn.
const sorted = 700 * time.Millisecond

// sortOnTerminal opens a session on a terminal, sorts it by one key after the
// other, and reports what weir then takes in memory.
func (b *bench) sortOnTerminal(ctx context.Context, session string, bars bars) (err error) {
	t, err := openTerminal(ctx, b.binary, "open", session)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, t.close("Q")) }()
	if _, err := t.waitFor(anyRow, readyTimeout); err != nil {
		return err
	}
	if err := b.reportPeak(t, "weir open, as it came", bars); err != nil {
		return err
	}
	for _, s := range sorts {
		if _, err := t.press(s.key, quiet, readyTimeout); err != nil {
			return err
		}
		if err := t.settle(sorted); err != nil {
			return err
		}
		if err := b.reportPeak(t, "weir open, sorted by "+s.by, bars); err != nil {
			return err
		}
	}
	return nil
}

// reportPeak reports the memory since the last report.
func (b *bench) reportPeak(t *terminal, what string, bars bars) error {
	pid := t.cmd.Process.Pid
	u, err := usageOf(pid)
	if err != nil {
		return err
	}
	b.table.add(result{what: what + ": RSS at most", weir: megabytes(u.peak), bar: underMB(u.peak, bars.memory)})
	return resetPeakOf(pid)
}
