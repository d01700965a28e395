package main

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"weir/cmd/weir/internal/contract"
	"weir/store"
)

// csvFile writes the columns of query as CSV.
type csvFile struct{ printer }

func (f csvFile) flow(ctx context.Context, s reading, id uint64) error {
	rows, err := s.Rows(ctx, []uint64{id})
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("flow %d: %w", id, store.ErrNotFound)
	}
	if err != nil {
		return err
	}
	return f.row(contract.NewRow(uuid.UUID(s.UUID()), &rows[0]))
}

func (f csvFile) end() error { return f.close() }
