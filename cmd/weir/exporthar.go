package main

import (
	"context"
	"errors"
	"io"

	"weir/proto/har"
	"weir/store"
)

// harFile writes flows as entries of an HTTP Archive.
type harFile struct{ w *har.Writer }

func exportHAR(w io.Writer) exporting { return harFile{har.NewWriter(w, version())} }

func (f harFile) flow(ctx context.Context, s *store.Session, id uint64) (bool, error) {
	whole, err := loadWhole(ctx, s, id)
	if err != nil {
		return false, err
	}
	err = f.w.Write(whole)
	if errors.Is(err, har.ErrNoForm) {
		return false, nil
	}
	return err == nil, err
}

func (f harFile) end() error { return f.w.Close() }
