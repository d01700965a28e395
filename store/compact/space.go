package compact

import (
	"context"
	"database/sql"
	"fmt"

	"weir/store/drop"
	"weir/store/fault"
)

// sweep deletes what is left of flows that were dropped, and the pieces of bodies that
// nobody needs any more.
func (c *Compactor) sweep(ctx context.Context) error {
	for {
		if err := c.pause(ctx); err != nil {
			return err
		}
		var some bool
		err := c.file.Read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM removed WHERE at = ?) OR EXISTS (SELECT 1 FROM freed)", drop.Never).Scan(&some)
		if err != nil || !some {
			return fault.Classify(err)
		}
		err = c.commit(ctx, c.budget, func(tx *sql.Tx) error {
			_, _, err := drop.Removed(ctx, tx, drop.Never, drop.Allowance{Bytes: 2 * c.budget, Rows: drop.Rows})
			return err
		})
		if err != nil {
			return err
		}
	}
}

// shrink gives free pages back to the file system, some at a time: pages from the
// end of the file take their places.
func (c *Compactor) shrink(ctx context.Context) error {
	for {
		if err := c.pause(ctx); err != nil {
			return err
		}
		before, size, err := c.freePages(ctx)
		if err != nil || before == 0 {
			return err
		}
		n := max(c.budget/size, 1)
		err = c.commit(ctx, n*size, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", n))
			return err
		})
		if err != nil {
			return err
		}
		after, _, err := c.freePages(ctx)
		if err != nil {
			return err
		}
		if after >= before {
			return nil // a file that does not shrink: auto_vacuum was turned off
		}
		c.done.Pages += before - after
	}
}

// freePages is how many pages of the file hold nothing, and the size of a page in bytes.
func (c *Compactor) freePages(ctx context.Context) (n, size int64, err error) {
	err = c.file.Write.QueryRowContext(ctx, "SELECT freelist_count, page_size FROM pragma_freelist_count, pragma_page_size").Scan(&n, &size)
	return n, size, fault.Classify(err)
}
