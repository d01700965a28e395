package store

import (
	"context"
	"os"
	"time"
)

// turnstile is what all who write to a session that is being captured pass, in
// whatever process they are: they take a lock, begin their transaction, and give the
// lock up. Whoever has it is the next to write.
//
// Without it a capture at full speed, which begins anew as soon as it has committed,
// would keep everybody else out: SQLite's own lock is for who comes by while it is
// free, and who waits for it comes by ten times a second.
//
// The lock is on a byte of the session's -lock file (docs/session-format.md). It is
// a courtesy and protects nothing: who cannot take it goes on without.
type turnstile struct {
	path  string // of the -lock file, which is there while somebody captures
	stuck bool   // who had the lock the last time kept it for too long
}

// lockSuffix is on the name of the file that says who captures into a session.
const lockSuffix = "-lock"

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

// inTurn runs begin, which takes the session's write lock, when it is this process's
// turn. s.writing is held.
func (s *Session) inTurn(ctx context.Context, begin func() error) error {
	defer s.turn.enter(ctx)()
	return begin()
}

// enter waits for a turn and returns what leaves the turnstile again.
func (t *turnstile) enter(ctx context.Context) (leave func()) {
	f, err := os.OpenFile(t.path, os.O_RDWR, 0)
	if err != nil {
		return func() {} // nobody captures
	}
	began := time.Now()
	taken := takeTurn(f)
	for !taken && !t.stuck && rest(ctx, turnPoll) == nil {
		taken = takeTurn(f)
		t.stuck = !taken && time.Since(began) > courtesy
	}
	if taken {
		t.stuck = false
	}
	return func() { _ = f.Close() } // which gives the lock up
}
