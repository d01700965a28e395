package lock

import (
	"context"
	"os"
	"time"
)

// Turnstile is what all who write to a session that is being captured pass, in
// whatever process they are: they take a lock, begin their transaction, and give the
// lock up. Whoever has it is the next to write.
//
// Without it a capture at full speed, which begins anew as soon as it has committed,
// would keep everybody else out: SQLite's own lock is for who comes by while it is
// free, and who waits for it comes by ten times a second.
//
// The lock is on a byte of the session's -lock file (docs/session-format.md). It is
// a courtesy and protects nothing: who cannot take it goes on without.
//
// It is used by one goroutine at a time.
type Turnstile struct {
	path  string // of the -lock file, which is there while somebody captures
	stuck bool   // who had the lock the last time kept it for too long
}

const (
	// turnByte is the byte that is locked, behind all that is written in the file.
	turnByte = 64
	// courtesy is how long somebody waits for who is before him: much longer than a
	// commit takes on a busy machine. A process that was stopped in the turnstile
	// holds everybody up that long, once.
	courtesy = 250 * time.Millisecond
	// turnPoll is how often a turnstile that is taken is looked at.
	turnPoll = time.Millisecond
)

// NewTurnstile is the turnstile of the session at path.
func NewTurnstile(path string) *Turnstile { return &Turnstile{path: path + Suffix} }

// Enter waits for a turn and returns what leaves the turnstile again.
func (t *Turnstile) Enter(ctx context.Context) (leave func()) {
	f, err := os.OpenFile(t.path, os.O_RDWR, 0)
	if err != nil {
		return func() {} // nobody captures
	}
	began := time.Now()
	taken := takeTurn(f)
	for !taken && !t.stuck && waited(ctx, turnPoll) {
		taken = takeTurn(f)
		t.stuck = !taken && time.Since(began) > courtesy
	}
	if taken {
		t.stuck = false
	}
	return func() { _ = f.Close() } // which gives the lock up
}

// waited waits, and reports whether ctx has not ended meanwhile.
func waited(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}
