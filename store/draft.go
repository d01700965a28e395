package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"

	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/rowid"
)

// Draft is a session that is being put together and that nobody else knows yet. It is
// for packages that know the tables of a session and make one out of another: rows are
// written in any order, many a transaction, without a writer's promises; flows under the
// ids that they are to have. What was written is in the file after [Draft.Flush]; Exec and
// Scan see it before. A Draft is used by one goroutine.
type Draft struct {
	s     *Session
	db    *sql.DB
	tx    *sql.Tx
	stmts map[string]*sql.Stmt // of the transaction
	bytes int64                // written in it, about
	tape  *tape                // that writes flows; nil: there was none yet
	batch *batch               // flows that wait for Flush
}

// draftBytes is what one transaction writes, about.
const draftBytes = 8 << 20

// partSuffix is on the name of a session that is being put together.
const partSuffix = "-part"

// Compose makes a session at path, which must not exist, and has it filled. It gets its
// name when it is whole and on disk: what fails or is killed leaves no session that looks
// like one. It fails with [fs.ErrExist] if there is anything at path.
func Compose(ctx context.Context, path string, o Options, fill func(*Draft) error) (err error) {
	path, err = filepath.Abs(path)
	if err != nil {
		return err
	}
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("create session %q: %w", path, fs.ErrExist)
	} else if !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("create session %q: %w", path, err)
	}
	part := path + partSuffix
	o.Synchronous = SyncNormal // the last checkpoint brings all of it to the disk
	s, err := Create(ctx, part, o)
	if err != nil {
		return err
	}
	d := newDraft(s)
	err = fill(d)
	if err == nil {
		err = d.Flush(ctx)
	}
	if err = errors.Join(err, d.close(), s.Close()); err != nil {
		for _, suffix := range []string{"", "-wal", "-shm"} {
			_ = os.Remove(part + suffix) // ours, and of no use to anybody
		}
		return err
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("name session %q: %w", path, err)
	}
	return syncDir(filepath.Dir(path))
}

func newDraft(s *Session) *Draft {
	return &Draft{s: s, db: s.pool(dsn{mode: modeReadWrite, cache: writeCache, synchronous: s.sync}, 1), batch: &batch{}}
}

// DB is connections that read what was flushed.
func (d *Draft) DB() *sql.DB { return d.s.read }

// Bodies is where bodies are read from that were flushed.
func (d *Draft) Bodies() body.Source { return d.s.bodies(d.s.read) }

// Exec runs a statement that writes n bytes, and returns how many rows it changed. Bytes
// that are nil are stored as none, and not as NULL.
func (d *Draft) Exec(ctx context.Context, n int64, query string, args ...any) (int64, error) {
	stmt, err := d.stmt(ctx, query) //nolint:sqlclosecheck // its transaction closes it
	if err != nil {
		return 0, err
	}
	for i, arg := range args {
		if p, ok := arg.([]byte); ok {
			args[i] = notNil(p)
		}
	}
	changed, err := affected(stmt.ExecContext(ctx, args...))
	if err != nil {
		return 0, err
	}
	if d.bytes += n + rowCost; d.bytes >= draftBytes {
		err = d.commit()
	}
	return changed, err
}

// ExecAll runs statements that take no arguments.
func (d *Draft) ExecAll(ctx context.Context, statements ...string) error {
	for _, query := range statements {
		if _, err := d.Exec(ctx, 0, query); err != nil {
			return err
		}
	}
	return nil
}

// Scan reads the one row of a query.
func (d *Draft) Scan(ctx context.Context, query string, args []any, into ...any) error {
	stmt, err := d.stmt(ctx, query) //nolint:sqlclosecheck // its transaction closes it
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(ctx, args...).Scan(into...)
}

// stmt prepares a statement for the transaction, which it begins if there is none.
func (d *Draft) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if d.tx == nil {
		tx, err := d.db.BeginTx(context.WithoutCancel(ctx), nil)
		if err != nil {
			return nil, err
		}
		d.tx, d.stmts = tx, map[string]*sql.Stmt{}
	}
	stmt := d.stmts[query]
	if stmt == nil {
		var err error
		if stmt, err = d.tx.PrepareContext(ctx, query); err != nil {
			return nil, err
		}
		d.stmts[query] = stmt
	}
	return stmt, nil
}

// rowCost is what a row takes beside its content, about.
const rowCost = 64

// Put writes, with the next Flush, the head of a flow and the row that it stands for. One
// that is known has a row already, in the list of flows or among the removed ones. Flows
// come in the order of their ids between two calls of Flush.
func (d *Draft) Put(f *flowpb.Flow, known bool) error {
	blob, err := flowpb.Encode(nil, f)
	if err != nil {
		return err
	}
	d.batch.flows = append(d.batch.flows, &flowEntry{summary: flowpb.Summarize(f), blob: blob, fresh: !known})
	d.batch.touched = append(d.batch.touched, f.GetId())
	d.batch.bytes += int64(len(blob))
	return nil
}

// Waiting is how many bytes of heads wait for Flush.
func (d *Draft) Waiting() int64 { return d.batch.bytes }

// Flush writes what waits, and commits all.
func (d *Draft) Flush(ctx context.Context) (err error) {
	if err := d.commit(); err != nil || len(d.batch.flows) == 0 {
		return err
	}
	if d.tape == nil {
		if d.tape, err = newTape(ctx, d.s, func(uint64) {}); err != nil {
			return err
		}
	}
	b := d.batch
	d.batch = &batch{}
	slices.Sort(b.touched)
	return d.tape.commit(ctx, b)
}

// commit ends the transaction of Exec and Scan.
func (d *Draft) commit() error {
	if d.tx == nil {
		return nil
	}
	err := d.tx.Commit() // closes the statements as well
	d.tx, d.stmts, d.bytes = nil, nil, 0
	return err
}

// close commits what is open and ends the connections.
func (d *Draft) close() error {
	err := errors.Join(d.commit(), d.db.Close())
	if d.tape != nil {
		err = errors.Join(err, d.tape.close())
	}
	return err
}

// Note is what was said of a flow.
func (d *Draft) Note(ctx context.Context, flow uint64) (n flowpb.Note, err error) {
	var tags string
	err = d.Scan(ctx, "SELECT "+noteColumns+" FROM note WHERE flow = ?", []any{int64(flow)}, &n.Marked, &tags, &n.Comment, &n.Highlight)
	if errors.Is(err, sql.ErrNoRows) {
		return flowpb.Note{}, nil
	}
	n.Tags = splitTags(tags)
	return n, err
}

// SetNote replaces what was said of a flow.
func (d *Draft) SetNote(ctx context.Context, flow uint64, n flowpb.Note) error {
	_, err := d.Exec(ctx, 0, "INSERT OR REPLACE INTO note (flow, "+noteColumns+") VALUES (?, ?, ?, ?, ?)",
		int64(flow), n.Marked, joinTags(n.Tags), n.Comment, n.Highlight)
	return err
}

// Summaries reads the rows of the flows from first to last, as they are.
func (d *Draft) Summaries(ctx context.Context, first, last int64, each func(*flowpb.Summary)) error {
	const query = "SELECT " + summaryColumns + " FROM flow f LEFT JOIN site s ON s.id = f.site WHERE f.id BETWEEN ? AND ?"
	return rowid.Each(ctx, d.s.read, query, func(rows *sql.Rows) error {
		fields := summaryFields{s: &flowpb.Summary{}}
		err := rows.Scan(fields.into()...)
		fields.fill()
		each(fields.s)
		return err
	}, first, last)
}
