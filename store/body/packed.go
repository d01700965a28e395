package body

import (
	"context"
	"database/sql"
)

// Rows of the session table that sum up the pieces coded with zstd: their bytes
// before and after.
const (
	KeyPackedFrom = "packed_from"
	KeyPackedTo   = "packed_to"
)

// CountPacked adds to the sums; what is no longer stored is negative.
func CountPacked(ctx context.Context, tx *sql.Tx, before, after int64) error {
	if before == 0 && after == 0 {
		return nil
	}
	_, err := tx.ExecContext(ctx, AddPacked, KeyPackedFrom, before, KeyPackedTo, after)
	return err
}

// AddPacked is the statement of [CountPacked]: key and bytes, twice.
const AddPacked = `INSERT INTO session (key, value) VALUES (?, ?), (?, ?)
	ON CONFLICT (key) DO UPDATE SET value = value + excluded.value`
