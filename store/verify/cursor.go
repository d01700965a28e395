package verify

import (
	"context"
	"database/sql"
	"errors"
	"math"
)

// cursor stands on a row of a table.
type cursor struct {
	rows *sql.Rows
	id   int64 // of its row
	into []any
	bits int   // of the id that are not the flow's
	at   int64 // the flow of its row; noFlow: there is no row left
}

// noFlow is behind all flows.
const noFlow = math.MaxInt64

func (c *cursor) next() error {
	if !c.rows.Next() {
		c.at = noFlow
		return errors.Join(c.rows.Err(), c.rows.Close())
	}
	err := c.rows.Scan(c.into...)
	c.at = c.id >> c.bits
	return err
}

// cursor begins to read a table: a query for ids from one on, and for what goes into the rest.
func (w *walk) cursor(ctx context.Context, bits int, from int64, query string, into ...any) (*cursor, error) {
	// The first key of the flow, or the nearest to it, for flows that no key can be of.
	first := max(min(from, math.MaxInt64>>bits), math.MinInt64>>bits) << bits
	rows, err := w.tx.QueryContext(ctx, query, first)
	if err != nil {
		return nil, err
	}
	c := &cursor{rows: rows, bits: bits}
	c.into = append([]any{&c.id}, into...)
	return c, rows.Err()
}
