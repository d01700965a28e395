package rowid

import (
	"context"
	"database/sql"
	"strconv"
)

// List is the JSON array of ids: one parameter, however many there are.
func List[ID uint32 | uint64](ids []ID) string {
	b := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, uint64(id), 10)
	}
	return string(append(b, ']'))
}

// Querier is what reads of any kind of connection have in common.
type Querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// Select returns the ids that a query selects, in its order.
func Select(ctx context.Context, q Querier, query string, args ...any) (ids []uint64, err error) {
	err = Each(ctx, q, query, func(rows *sql.Rows) error {
		var id uint64
		err := rows.Scan(&id)
		ids = append(ids, id)
		return err
	}, args...)
	return ids, err
}

// Each calls row for each row of a query.
func Each(ctx context.Context, q Querier, query string, row func(*sql.Rows) error, args ...any) error {
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}
