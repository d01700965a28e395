package store

import (
	"context"
	"database/sql"
	"errors"
	"sync"
	"sync/atomic"
)

// When the -wal file is folded into the session.
const (
	checkpointBytes = 16 << 20 // written since the last one
	commitBytes     = 96 << 10 // what a commit writes beside its content: six half-empty pages
	// tooManyPages in the -wal file stop the writer until they are folded: without a pause
	// a writer at full speed never lets the file begin anew, and it would grow for ever.
	// With what is written until that is noticed it stays under maxWAL.
	tooManyPages = 4096
	// maxWAL is what the -wal file takes at most, in bytes, as long as nobody holds a
	// read transaction. Here Verify does, over the whole file, and Merge for the length
	// of a batch; all else for a page or a part of a scan. It is cut back to that afterwards.
	maxWAL = 96 << 20
)

// checkpointer folds the -wal file into the session beside the writer, by a
// connection of its own: commits need not wait for it. Its goroutine ends in close.
type checkpointer struct {
	db      *sql.DB
	written atomic.Int64  // bytes since the last request
	most    int           // pages in the -wal file that stop the writer: tooManyPages
	request chan struct{} // holds one; closed at the end
	done    chan struct{}

	mu     sync.Mutex // held while folding
	pages  int        // in the -wal file when last seen
	folded int        // of these
}

func newCheckpointer(ctx context.Context, s *Session) (*checkpointer, error) {
	c := &checkpointer{
		db:      s.pool(dsn{mode: modeReadWrite, cache: noteCache, synchronous: s.sync, noCheckpoint: true}, 1),
		most:    tooManyPages,
		request: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if err := c.db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, c.db.Close())
	}
	go c.run(context.WithoutCancel(ctx))
	return c, nil
}

func (c *checkpointer) run(ctx context.Context) {
	defer close(c.done)
	for range c.request {
		c.fold(ctx)
	}
	// The last one also empties the file. Whoever still reads it keeps it from
	// that, which does no harm.
	_, _ = c.db.ExecContext(ctx, "PRAGMA busy_timeout = 1000; PRAGMA wal_checkpoint(TRUNCATE)")
}

// fold copies what is committed into the session and sees how long the -wal file
// is. An error is left to the next commit, which meets it too.
func (c *checkpointer) fold(ctx context.Context) {
	c.mu.Lock()
	defer c.mu.Unlock()
	var busy int
	err := c.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &c.pages, &c.folded)
	if err != nil {
		c.pages, c.folded = 0, 0
	}
}

// foldAll copies all that is committed into the session and makes it durable there.
func (c *checkpointer) foldAll(ctx context.Context) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var busy, pages, folded int
	err := c.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(FULL)").Scan(&busy, &pages, &folded)
	if err == nil && (busy != 0 || folded < pages) {
		return errHeld
	}
	return classify(err)
}

// errHeld means that a checkpoint could not do all of its work.
var errHeld = errors.New("somebody reads what is to be folded into the session")

// wrote is told of each commit by the writer and the compactor, between two of theirs.
func (c *checkpointer) wrote(ctx context.Context, bytes int64) {
	if c.long() {
		c.fold(ctx) // all of it, since nobody writes meanwhile: the next commit begins the file anew
	}
	if c.written.Add(bytes+commitBytes) >= checkpointBytes {
		c.soon()
	}
}

// soon asks for a checkpoint.
func (c *checkpointer) soon() {
	c.written.Store(0)
	select {
	case c.request <- struct{}{}:
	default: // it has not come to the last one yet
	}
}

func (c *checkpointer) long() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.pages > c.most
}

// pinned reports whether the -wal file is long and a reader keeps it from being folded:
// who can wait does not make it longer.
func (c *checkpointer) pinned(ctx context.Context) bool {
	stuck := func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return c.pages > c.most && c.folded < c.pages
	}
	if stuck() {
		c.fold(ctx)
	}
	return stuck()
}

// close ends the goroutine after a last checkpoint.
func (c *checkpointer) close() error {
	close(c.request)
	<-c.done
	return c.db.Close()
}
