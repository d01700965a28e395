package store_test

import (
	"context"
	"testing"

	"weir/store"
	"weir/store/merge"
	"weir/store/repair"
)

// TestSessionAgainstModel runs the test of the whole package with the tools that stand on it.
func TestSessionAgainstModel(t *testing.T) {
	o := store.Options{Synchronous: store.SyncNormal}
	store.AgainstModel(t, store.Tools{
		Merge: func(ctx context.Context, paths []string, to string) (flows, duplicates uint64, err error) {
			done, err := merge.Sessions(ctx, paths, to, merge.Options{Session: o})
			return done.Flows, done.Duplicates, err
		},
		Repair: func(ctx context.Context, path, to string) (whole bool, err error) {
			r, err := repair.File(ctx, path, to, repair.Options{Session: o})
			return err == nil && r.Whole(), err
		},
	})
}
