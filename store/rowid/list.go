package rowid

import (
	"context"
	"database/sql"
	"strconv"
)

// List is the JSON array of ids: one parameter, however many there are.
func List(ids []uint64) string {
	b := []byte{'['}
	for i, id := range ids {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendUint(b, id, 10)
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
	rows, err := q.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		var id uint64
		if err := rows.Scan(&id); err != nil {
			return nil, err
		}
		ids = append(ids, id)
	}
	return ids, rows.Err()
}
