// Package compact makes a session smaller: it codes the pieces of bodies, keeps equal bodies
// once, deletes what was freed and gives pages back to the file system.
//
// All that a [Compactor] reads and computes is done beside everybody else; what it writes,
// in short transactions that check that nothing has changed meanwhile. Each leaves the file
// whole, so that it may end after any of them, and nothing is lost with one that does not
// reach the disk. It asks to go on before each step and stands still as long as others
// have work to do. Only who holds the session's -lock compacts, in one goroutine.
//
// Where it was is kept in the file: flows up to the one named by [KeyPlace] in the table
// session were looked at, but for those in the table revisit, which had not ended by then.
package compact

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"weir/store/body"
	"weir/store/fault"
	"weir/store/pack"
	"weir/store/rowid"
)

// File is a session's file as it is open.
type File struct {
	Read   *sql.DB                         // connections that read; may be Write
	Write  *sql.DB                         // one connection of the compactor's own
	Bodies func(rowid.Querier) body.Source // bodies as they are read by connections of Read
	// Begin begins a transaction of Write when it is this process's turn to write. The
	// caller calls end when the transaction has ended.
	Begin func(ctx context.Context, db *sql.DB) (tx *sql.Tx, end func(), err error)
}

// Options say how a Compactor gets on with others. Pause and Wrote are called by the
// goroutine that runs it, with no lock held.
type Options struct {
	// Pause, if set, is called between steps. It waits while others have work to do; its
	// error ends the compaction.
	Pause func(ctx context.Context) error
	// Wrote, if set, is told of each commit.
	Wrote func(ctx context.Context, bytes int64)
	// Budget is how many bytes the first transaction writes, about; 128 KB by default.
	// Those after it write more or less, by how long the one before held the lock.
	Budget int64
}

// Compactor is a compaction on its way.
type Compactor struct {
	file   File
	pause  func(ctx context.Context) error
	wrote  func(ctx context.Context, bytes int64)
	bodies body.Source
	packer *pack.Packer // made when there is work for it
	upto   int64        // KeyPlace
	batch  rewrite
	budget int64 // bytes that a transaction writes, about
	buf    []byte
	done   Done
}

// Done is what a compaction has done so far.
type Done struct {
	Flows  uint64 // looked at
	Shared uint64 // bodies found to be the same as another one
	Bytes  int64  // that need not be stored any more, before pages are given back
	Pages  int64  // given back to the file system
}

// How long a transaction of the compactor may hold the session's write lock, about: it
// writes less at a time when it took longer.
const (
	maxHold     = 10 * time.Millisecond
	firstBudget = 128 << 10
	leastBudget = 16 << 10
	mostBudget  = 512 << 10
	rowBytes    = 256 // what a row costs beside its data
)

// KeyPlace names the row of the table session that says where the compactor is.
const KeyPlace = "compacted"

// New makes a Compactor that begins where the last one stopped.
func New(ctx context.Context, f File, o Options) (*Compactor, error) {
	c := &Compactor{
		file: f, bodies: f.Bodies(f.Read), pause: o.Pause, wrote: o.Wrote,
		budget: cmp.Or(o.Budget, firstBudget),
	}
	if c.pause == nil {
		c.pause = func(ctx context.Context) error { return context.Cause(ctx) }
	}
	if c.wrote == nil {
		c.wrote = func(context.Context, int64) {}
	}
	err := f.Write.QueryRowContext(ctx, "SELECT coalesce((SELECT value FROM session WHERE key = ?), 0)", KeyPlace).Scan(&c.upto)
	return c, fault.Classify(err)
}

// Place is the last flow that was looked at, by this compactor or one before; 0 if none was.
func (c *Compactor) Place() uint64 { return uint64(max(c.upto, 0)) }

// Done tells what was done so far.
func (c *Compactor) Done() Done { return c.done }

// Run does all there is to do.
func (c *Compactor) Run(ctx context.Context) error {
	for _, step := range []func(context.Context) error{c.again, c.walk, c.sweep, c.shrink} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// commit runs write in a transaction of its own and sees how long that takes.
func (c *Compactor) commit(ctx context.Context, bytes int64, write func(*sql.Tx) error) error {
	if err := c.pause(ctx); err != nil {
		return err
	}
	held, err := c.transact(context.WithoutCancel(ctx), write)
	if err != nil {
		return fmt.Errorf("compact: %w", fault.Classify(err))
	}
	c.budget = nextBudget(c.budget, held)
	c.wrote(ctx, bytes)
	return nil
}

// nextBudget is what the next transaction may write if one of a budget took so long.
func nextBudget(budget int64, held time.Duration) int64 {
	switch {
	case held > maxHold:
		return max(budget/2, leastBudget)
	case held < maxHold/4:
		return min(budget*2, mostBudget)
	default:
		return budget
	}
}

// transact runs write and returns how long the write lock was held for it.
func (c *Compactor) transact(ctx context.Context, write func(*sql.Tx) error) (time.Duration, error) {
	tx, end, err := c.file.Begin(ctx, c.file.Write)
	if err != nil {
		return 0, err
	}
	defer end()
	begun := time.Now()
	if err := write(tx); err != nil {
		return 0, errors.Join(err, tx.Rollback())
	}
	err = tx.Commit()
	return time.Since(begun), err
}
