package compact

import (
	"context"
	"errors"

	flowpb "weir/proto"
	"weir/store/fault"
	"weir/store/pack"
)

// walkPage is how many flows are looked up at a time.
const walkPage = 256

// visit is a flow to look at.
type visit struct {
	flow  int64
	ended bool
	sides int    // those with a body that is worth it, a bit each
	head  []byte // if there is any
}

// visitColumns are what a visit is made of: of flow f, where that is still there. A body
// is known by its first piece; one of a piece that is too small has no other.
const visitColumns = `, b.sides, CASE WHEN b.sides > 0 THEN (SELECT blob FROM head WHERE id = b.flow) END FROM (SELECT *, (
		SELECT coalesce(sum(1 << (id >> 20 & 7)), 0) FROM body
		WHERE id IN (flow * 8 + 1 << 20, flow * 8 + 2 << 20, flow * 8 + 3 << 20, flow * 8 + 4 << 20) AND size >= ?
	) AS sides FROM `

// walk looks at the flows that came since.
func (c *Compactor) walk(ctx context.Context) error {
	const query = "SELECT flow, ended" + visitColumns + "(SELECT id AS flow, state IN (?, ?) AS ended FROM flow WHERE id > ? ORDER BY id LIMIT ?)) b ORDER BY flow"
	for {
		page, err := c.visits(ctx, query, c.upto, walkPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, v := range page {
			switch {
			case !v.ended:
				c.batch.later = append(c.batch.later, v.flow)
			default:
				if err := c.flow(ctx, v); err != nil {
					return err
				}
			}
			c.done.Flows++
			c.upto, c.batch.upto = v.flow, v.flow
		}
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
}

// again looks at the flows that had not ended before. Those that are gone need no
// looking at.
func (c *Compactor) again(ctx context.Context) error {
	const query = "SELECT flow, ended" + visitColumns + `(SELECT r.flow, coalesce(f.state IN (?, ?), 1) AS ended
		FROM revisit r LEFT JOIN flow f ON f.id = r.flow WHERE r.flow > ? ORDER BY r.flow LIMIT ?)) b ORDER BY flow`
	for at := int64(0); ; {
		page, err := c.visits(ctx, query, at, walkPage)
		if err != nil || len(page) == 0 {
			return err
		}
		for _, v := range page {
			at = v.flow
			if !v.ended {
				continue
			}
			if err := c.flow(ctx, v); err != nil {
				return err
			}
			c.batch.visited = append(c.batch.visited, v.flow)
		}
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
}

func (c *Compactor) visits(ctx context.Context, query string, after int64, n int) (page []visit, err error) {
	if err := c.pause(ctx); err != nil {
		return nil, err
	}
	rows, err := c.file.Read.QueryContext(ctx, query, pack.From, int64(flowpb.StateComplete), int64(flowpb.StateError), after, n)
	if err != nil {
		return nil, fault.Classify(err)
	}
	defer rows.Close()
	for rows.Next() {
		var v visit
		if err := rows.Scan(&v.flow, &v.ended, &v.sides, &v.head); err != nil {
			return nil, fault.Classify(err)
		}
		page = append(page, v)
	}
	return page, fault.Classify(rows.Err())
}

// flow looks at the bodies of a flow. One that cannot be read stays as it is.
func (c *Compactor) flow(ctx context.Context, v visit) error {
	if v.sides == 0 {
		return nil
	}
	head, err := flowpb.DecodeFlow(uint64(v.flow), v.head)
	if err != nil {
		return nil //nolint:nilerr // nobody knows what its bodies are
	}
	for side := flowpb.SideRequest; side <= flowpb.SideOriginalResponse; side++ {
		if v.sides>>side&1 == 0 {
			continue
		}
		b, err := c.bodies.Open(ctx, uint64(v.flow), side)
		if err == nil && b.Size() >= pack.From {
			err = c.body(ctx, b, pack.Worth(head, side))
		}
		switch {
		case ctx.Err() != nil:
			return context.Cause(ctx)
		case errors.Is(err, fault.ErrDamaged), errors.Is(err, fault.ErrNewer), errors.Is(err, fault.ErrNotFound):
			continue
		case err != nil:
			return err
		}
	}
	return nil
}
