package store

import (
	"context"
	"database/sql"
	"errors"
)

// scribe writes rows into a session that nobody else knows yet: many a transaction, in
// no order and without the writer's promises. It is used by one goroutine.
type scribe struct {
	s     *Session
	db    *sql.DB
	tx    *sql.Tx
	stmts map[string]*sql.Stmt // of the transaction
	bytes int64                // written in it, about
}

// scribeBytes is what one transaction writes, about.
const scribeBytes = 8 << 20

func newScribe(s *Session) *scribe {
	return &scribe{s: s, db: s.pool(dsn{mode: modeReadWrite, cache: writeCache, synchronous: s.sync}, 1)}
}

// exec runs a statement that writes n bytes, and returns how many rows it changed.
func (w *scribe) exec(ctx context.Context, n int64, query string, args ...any) (int64, error) {
	stmt, err := w.stmt(ctx, query) //nolint:sqlclosecheck // its transaction closes it
	if err != nil {
		return 0, err
	}
	changed, err := affected(stmt.ExecContext(ctx, args...))
	if err != nil {
		return 0, err
	}
	if w.bytes += n + rowCost; w.bytes >= scribeBytes {
		err = w.flush()
	}
	return changed, err
}

// scan reads the one row of a query, what was written before included.
func (w *scribe) scan(ctx context.Context, query string, args []any, into ...any) error {
	stmt, err := w.stmt(ctx, query) //nolint:sqlclosecheck // its transaction closes it
	if err != nil {
		return err
	}
	return stmt.QueryRowContext(ctx, args...).Scan(into...)
}

// stmt prepares a statement for the transaction, which it begins if there is none.
func (w *scribe) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	if w.tx == nil {
		tx, err := w.db.BeginTx(context.WithoutCancel(ctx), nil)
		if err != nil {
			return nil, err
		}
		w.tx, w.stmts = tx, map[string]*sql.Stmt{}
	}
	stmt := w.stmts[query]
	if stmt == nil {
		var err error
		if stmt, err = w.tx.PrepareContext(ctx, query); err != nil {
			return nil, err
		}
		w.stmts[query] = stmt
	}
	return stmt, nil
}

// rowCost is what a row takes beside its content, about.
const rowCost = 64

// all runs statements, each with its own arguments.
func (w *scribe) all(ctx context.Context, statements ...string) error {
	for _, query := range statements {
		if _, err := w.exec(ctx, 0, query); err != nil {
			return err
		}
	}
	return nil
}

// flush commits.
func (w *scribe) flush() error {
	if w.tx == nil {
		return nil
	}
	err := w.tx.Commit() // closes the statements as well
	w.tx, w.stmts, w.bytes = nil, nil, 0
	return err
}

// close commits what is open and ends the connection.
func (w *scribe) close() error { return errors.Join(w.flush(), w.db.Close()) }
