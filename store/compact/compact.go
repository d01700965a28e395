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
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"
	"time"

	flowpb "weir/proto"
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

// walkPage is how many flows are looked up at a time.
const walkPage = 256

// visit is a flow to look at.
type visit struct {
	flow  int64
	ended bool
	sides int    // those with a body that is worth it, a bit each
	head  []byte // if there is any
}

// visitColumns are what a visit is made of: of flow f, where that is still there. A body
// is known by its first piece; one of a piece that is too small has no other.
const visitColumns = `, b.sides, CASE WHEN b.sides > 0 THEN (SELECT blob FROM head WHERE id = b.flow) END FROM (SELECT *, (
		SELECT coalesce(sum(1 << (id >> 20 & 7)), 0) FROM body
		WHERE id IN (flow * 8 + 1 << 20, flow * 8 + 2 << 20, flow * 8 + 3 << 20, flow * 8 + 4 << 20) AND size >= ?
	) AS sides FROM `

// walk looks at the flows that came since.
func (c *Compactor) walk(ctx context.Context) error {
	const query = "SELECT flow, ended" + visitColumns + "(SELECT id AS flow, state IN (?, ?) AS ended FROM flow WHERE id > ? ORDER BY id LIMIT ?)) b ORDER BY flow"
	for {
		page, err := c.visits(ctx, query, c.upto, walkPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, v := range page {
			switch {
			case !v.ended:
				c.batch.later = append(c.batch.later, v.flow)
			default:
				if err := c.flow(ctx, v); err != nil {
					return err
				}
			}
			c.done.Flows++
			c.upto, c.batch.upto = v.flow, v.flow
		}
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
}

// again looks at the flows that had not ended before. Those that are gone need no
// looking at.
func (c *Compactor) again(ctx context.Context) error {
	const query = "SELECT flow, ended" + visitColumns + `(SELECT r.flow, coalesce(f.state IN (?, ?), 1) AS ended
		FROM revisit r LEFT JOIN flow f ON f.id = r.flow WHERE r.flow > ? ORDER BY r.flow LIMIT ?)) b ORDER BY flow`
	for at := int64(0); ; {
		page, err := c.visits(ctx, query, at, walkPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, v := range page {
			at = v.flow
			if !v.ended {
				continue
			}
			if err := c.flow(ctx, v); err != nil {
				return err
			}
			c.batch.visited = append(c.batch.visited, v.flow)
		}
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
}

func (c *Compactor) visits(ctx context.Context, query string, after int64, n int) (page []visit, err error) {
	if err := c.pause(ctx); err != nil {
		return nil, err
	}
	rows, err := c.file.Read.QueryContext(ctx, query, pack.From, int64(flowpb.StateComplete), int64(flowpb.StateError), after, n)
	if err != nil {
		return nil, fault.Classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v visit
		if err := rows.Scan(&v.flow, &v.ended, &v.sides, &v.head); err != nil {
			return nil, fault.Classify(err)
		}
		page = append(page, v)
	}
	return page, fault.Classify(rows.Err())
}

// flow looks at the bodies of a flow. One that cannot be read stays as it is.
func (c *Compactor) flow(ctx context.Context, v visit) error {
	if v.sides == 0 {
		return nil
	}
	head, err := flowpb.DecodeFlow(uint64(v.flow), v.head)
	if err != nil {
		return nil //nolint:nilerr // nobody knows what its bodies are
	}
	for side := flowpb.SideRequest; side <= flowpb.SideOriginalResponse; side++ {
		if v.sides>>side&1 == 0 {
			continue
		}
		b, err := c.bodies.Open(ctx, uint64(v.flow), side)
		if err == nil && b.Size() >= pack.From {
			err = c.body(ctx, b, pack.Worth(head, side))
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, fault.ErrDamaged), errors.Is(err, fault.ErrNewer), errors.Is(err, fault.ErrNotFound):
			continue
		case err != nil:
			return err
		}
	}
	return nil
}

// body makes one body smaller.
func (c *Compactor) body(ctx context.Context, b *body.Body, packable bool) error {
	if b.Size() >= ShareFrom {
		shared, err := c.share(ctx, b)
		if err != nil || shared {
			return err
		}
	}
	if !packable {
		return nil
	}
	return c.pieces(ctx, b, func(p storedPiece) error {
		if p.enc != body.EncNone {
			return nil
		}
		coded, err := c.pack(p.content)
		if coded != nil {
			c.batch.put(p, body.EncZstd, coded)
		}
		return err
	})
}

// pack codes a piece; nil where that gains too little.
func (c *Compactor) pack(p []byte) (coded []byte, err error) {
	if c.packer == nil {
		if c.packer, err = pack.NewPacker(body.PieceSize); err != nil {
			return nil, err
		}
	}
	return c.packer.Pack(p), nil
}

// Rest gives back the memory that can be had again, some megabytes. It is for [Options].Pause
// to call when others have work to do that may last.
func (c *Compactor) Rest(ctx context.Context) {
	c.packer = nil
	_, _ = c.file.Write.ExecContext(ctx, "PRAGMA shrink_memory") // it keeps it then
}

// storedPiece is a piece as it is stored, with what it stands for.
type storedPiece struct {
	id, start, size, enc int64
	length               int64  // of the data
	content              []byte // valid until the next one
}

// pieces calls each for the pieces of a body in order, which have to be there,
// and writes what that leaves in the batch as often as there is enough.
func (c *Compactor) pieces(ctx context.Context, b *body.Body, each func(storedPiece) error) error {
	const facts = "SELECT start, size, enc, length(data) FROM body WHERE id = ?"
	for n := range b.Pieces() {
		if err := c.pause(ctx); err != nil {
			return err
		}
		p := storedPiece{id: b.First() + int64(n)}
		err := c.file.Read.QueryRowContext(ctx, facts, p.id).Scan(&p.start, &p.size, &p.enc, &p.length)
		if errors.Is(err, sql.ErrNoRows) {
			return failed(b, fault.ErrNotFound)
		}
		if err != nil {
			return failed(b, err)
		}
		if c.buf, err = b.Piece(ctx, n, p.start, c.buf); err != nil {
			return err
		}
		if p.content = c.buf; int64(len(p.content)) != p.size {
			return failed(b, fmt.Errorf("piece %d has changed: %w", n, fault.ErrNotFound))
		}
		if err := each(p); err != nil {
			return err
		}
		if c.batch.bytes >= c.budget {
			if err := c.flush(ctx); err != nil {
				return err
			}
		}
	}
	return nil
}

// failed names the body that something went wrong with.
func failed(b *body.Body, err error) error {
	return fmt.Errorf("body of flow %d: %w", rowid.BodyFlow(b.First()), fault.Classify(err))
}

// digest is the SHA-256 of a body.
func (c *Compactor) digest(ctx context.Context, b *body.Body) (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	err = c.pieces(ctx, b, func(p storedPiece) error {
		_, err := h.Write(p.content)
		return err
	})
	return [sha256.Size]byte(h.Sum(nil)), err
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
