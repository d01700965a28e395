package main

import (
	"context"
	"fmt"
	"io"

	"github.com/google/uuid"

	"weir/store"
)

// csvFile writes the columns of query as CSV.
type csvFile struct{ printer }

func beginCSV(w io.Writer, f *exportFlags) (exporting, error) {
	p, err := newPrinter(w, "csv", f.columns)
	return csvFile{p}, err
}

func (f csvFile) flow(ctx context.Context, s reading, id uint64) (bool, error) {
	rows, err := s.Rows(ctx, []uint64{id})
	if err == nil && len(rows) == 0 {
		err = fmt.Errorf("flow %d: %w", id, store.ErrNotFound)
	}
	if err != nil {
		return false, err
	}
	return true, f.row(newRow(uuid.UUID(s.UUID()), &rows[0]))
}

func (f csvFile) end() error { return f.close() }
