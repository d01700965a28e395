package store

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"sync"
	"sync/atomic"
)

// When the -wal file is folded into the session.
const (
	checkpointBytes = 8 << 20  // written since the last one
	commitBytes     = 96 << 10 // what a commit writes beside its content: six half-empty pages
	// tooManyPages in the -wal file stop the writer until they are folded: without a pause
	// a writer at full speed never lets the file begin anew, and it would grow for ever.
	// With what a transaction adds it stays under maxWAL.
	tooManyPages = 4096
	// maxWAL is what the -wal file takes at most, in bytes, as long as nobody holds a
	// read transaction. Here Merge does for the length of a batch, and Verify for half a
	// second or a body; all else for a page or a part of a scan. It is cut back to that afterwards.
	maxWAL = 96 << 20
)

// checkpointer folds the -wal file into the session beside the writer, by a
// connection of its own: commits need not wait for it. Its goroutine ends in close.
type checkpointer struct {
	db      *sql.DB
	path    string        // of the session
	noWAL   bool          // there is no -wal file: see bulk.go
	written atomic.Int64  // bytes since the last request
	unseen  atomic.Int64  // bytes since the last checkpoint began
	all     atomic.Int64  // bytes of content since the last checkpoint
	bulk    atomic.Int64  // of these, in large pieces
	most    int64         // pages in the -wal file that stop the writer: tooManyPages
	request chan struct{} // holds one; closed at the end
	done    chan struct{}

	pages  atomic.Int64 // in the -wal file when last seen
	folded atomic.Int64 // of these

	folding sync.Mutex // held meanwhile; the writer asks for no more than how long the file is
	file    *os.File   // the session, nil: it could not be opened
	size    int64      // of the session after the last checkpoint
}

func newCheckpointer(ctx context.Context, s *Session) (*checkpointer, error) {
	c := &checkpointer{
		db:      s.pool(dsn{mode: modeReadWrite, cache: noteCache, synchronous: s.sync, noCheckpoint: true}, 1),
		path:    s.path,
		noWAL:   s.bulk,
		size:    fileSize(s.path),
		most:    tooManyPages,
		request: make(chan struct{}, 1), done: make(chan struct{}),
	}
	if err := c.db.PingContext(ctx); err != nil {
		return nil, errors.Join(err, c.db.Close())
	}
	c.file, _ = os.Open(s.path) // only to tell the system of its cache
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
	c.folding.Lock()
	defer c.folding.Unlock()
	c.unseen.Store(0)
	if c.noWAL {
		c.forget()
		return
	}
	var busy, pages, folded int64
	err := c.db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(PASSIVE)").Scan(&busy, &pages, &folded)
	if err != nil {
		pages, folded = 0, 0
	}
	c.pages.Store(pages)
	c.folded.Store(folded)
	c.forget()
}

// forget tells the system that it need not keep in its cache by what large bodies
// have made the session grow since the last time. Few of them are looked at soon; and
// fresh memory for each is dear: up to three quarters of what a checkpoint of them costs. What small
// flows add stays in the cache, where lists find it. c.folding is held.
func (c *checkpointer) forget() {
	from, all, bulk := c.size, c.all.Swap(0), c.bulk.Swap(0)
	c.size = fileSize(c.path)
	if c.file != nil && c.size > from && (c.noWAL || bulk > all/4*3) {
		dropCached(c.file, from, c.size-from)
	}
}

// syncFile makes durable what is in the session's file.
func (c *checkpointer) syncFile() error {
	c.folding.Lock()
	defer c.folding.Unlock()
	if c.file == nil {
		return nil
	}
	return c.file.Sync()
}

// foldAll copies all that is committed into the session and makes it durable there.
func (c *checkpointer) foldAll(ctx context.Context) error {
	c.folding.Lock()
	defer c.folding.Unlock()
	var busy, pages, folded int64
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
	bytes += commitBytes
	if pages := c.pages.Load() + c.unseen.Add(bytes)/PageSize; pages > c.most {
		c.fold(ctx) // all of it, since nobody writes meanwhile: the next commit begins the file anew
	}
	if c.written.Add(bytes) >= checkpointBytes {
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

// pinned reports whether the -wal file is long and a reader keeps it from being folded:
// who can wait does not make it longer.
func (c *checkpointer) pinned(ctx context.Context) bool {
	stuck := func() bool {
		pages := c.pages.Load()
		return pages > c.most && c.folded.Load() < pages
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
	if c.file != nil {
		_ = c.file.Close() // nothing was written by it
	}
	return c.db.Close()
}
