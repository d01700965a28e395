package store

import (
	"context"
	"database/sql"
	"fmt"
	"math"

	"weir/store/drop"
)

// sweep deletes what is left of flows that were dropped, and the pieces of bodies that
// nobody needs any more.
func (c *compactor) sweep(ctx context.Context) error {
	for {
		if err := c.pause(ctx); err != nil {
			return err
		}
		var flows, bodies bool
		err := c.s.read.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM removed WHERE at = ?), EXISTS (SELECT 1 FROM freed)", atDropped).Scan(&flows, &bodies)
		switch {
		case err != nil:
			return classify(err)
		case flows:
			if _, _, err := c.s.purgeSome(ctx, atDropped); err != nil {
				return err
			}
		case bodies:
			err := c.commit(ctx, c.budget, func(tx *sql.Tx) error {
				_, err := drop.Freed(ctx, tx, 0, math.MaxInt64, &drop.Allowance{Bytes: 2 * c.budget, Rows: drop.Rows})
				return err
			})
			if err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// shrink gives free pages back to the file system, some at a time: pages from the
// end of the file take their places.
func (c *compactor) shrink(ctx context.Context) error {
	for {
		if err := c.pause(ctx); err != nil {
			return err
		}
		before, err := c.freePages(ctx)
		if err != nil || before == 0 {
			return err
		}
		n := max(c.budget/pageSize, 1)
		err = c.commit(ctx, n*pageSize, func(tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, fmt.Sprintf("PRAGMA incremental_vacuum(%d)", n))
			return err
		})
		if err != nil {
			return err
		}
		after, err := c.freePages(ctx)
		if err != nil {
			return err
		}
		if after >= before {
			return nil // a file that does not shrink: auto_vacuum was turned off
		}
		c.done.Pages += before - after
	}
}

// freePages is how many pages of the file hold nothing.
func (c *compactor) freePages(ctx context.Context) (n int64, err error) {
	err = c.db.QueryRowContext(ctx, "PRAGMA freelist_count").Scan(&n)
	return n, classify(err)
}
