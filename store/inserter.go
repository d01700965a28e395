package store

import (
	"context"
	"database/sql"
	"runtime"
	"strings"
)

// inserter puts rows into a table, several a statement. A row whose key is there replaces it.
type inserter struct {
	many, one *sql.Stmt
	columns   int
	rows      int // of many
	args      []any
}

func (t *tape) inserter(ctx context.Context, table, columns string, rows int) (*inserter, error) {
	n := strings.Count(columns, ",") + 1
	row := "(?" + strings.Repeat(", ?", n-1) + ")"
	query := "INSERT OR REPLACE INTO " + table + " (" + columns + ") VALUES " + row
	in := &inserter{columns: n, rows: rows}
	var err error
	if in.one, err = t.stmt(ctx, query); err != nil {
		return nil, err
	}
	in.many, err = t.stmt(ctx, query+strings.Repeat(", "+row, rows-1))
	return in, err
}

// add puts a row, now or at the latest in flush.
func (in *inserter) add(ctx context.Context, values ...any) error {
	in.args = append(in.args, values...)
	if len(in.args) < in.rows*in.columns {
		return nil
	}
	defer in.reset()
	_, err := in.many.ExecContext(ctx, in.args...)
	// Who reads in the same process must not wait for the scheduler's slice to end, which
	// is as long as a whole transaction.
	runtime.Gosched()
	return err
}

// alone puts a row now, in a statement of its own, and those that were added before it.
func (in *inserter) alone(ctx context.Context, values ...any) error {
	if err := in.flush(ctx); err != nil {
		return err
	}
	_, err := in.one.ExecContext(ctx, values...)
	return err
}

func (in *inserter) flush(ctx context.Context) error {
	defer in.reset()
	for i := 0; i < len(in.args); i += in.columns {
		if _, err := in.one.ExecContext(ctx, in.args[i:i+in.columns]...); err != nil {
			return err
		}
	}
	return nil
}

// reset drops the rows; it also lets go of the bytes they held.
func (in *inserter) reset() {
	clear(in.args)
	in.args = in.args[:0]
}
