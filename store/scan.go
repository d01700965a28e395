package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"

	"weir/filter"
	"weir/store/drop"
	"weir/store/prescan"
	"weir/store/rowid"
	"weir/store/upcall"
)

// Query says which flows, and in which order.
type Query struct {
	Filter     filter.Expr // nil: all
	Order      Order
	Reverse    bool
	MarkedOnly bool // only marked flows, on top of Filter
	Limit      int  // at most so many, the first in order; 0: no limit
}

// selection is a query made ready to run: what of it SQL decides, and what is
// left for Go. It never changes and may be used from several goroutines.
type selection struct {
	session *Session
	order   Order
	where   string // "" for every row
	args    []any
	plan    *filter.Plan
	marked  bool // only marked flows
	timed   bool // the filter depends on when it was asked for
	memos   *memos
	bodies  *prescan.Scan // nil: their pieces decide nothing
}

func (s *Session) selection(q Query) (*selection, error) {
	if int(q.Order) >= len(orders) {
		return nil, fmt.Errorf("view: no such order: %v", q.Order)
	}
	bound := filter.Bind(q.Filter, Clock(time.Now()))
	plan := filter.NewPlan(bound)
	sel := &selection{
		session: s, order: q.Order, where: plan.Where, args: plan.Args, plan: plan,
		marked: q.MarkedOnly, timed: bound != q.Filter, memos: &memos{patterns: plan.Patterns},
	}
	if plan.Prefilter != nil {
		sel.bodies = &prescan.Scan{DB: s.read, Calls: s.functions, Unpack: s.unpack, Prefilter: plan.Prefilter}
	}
	if q.MarkedOnly {
		const marked = "f.id IN (SELECT flow FROM note WHERE marked <> '')"
		if sel.where == "" {
			sel.where = marked
		} else {
			sel.where = "(" + sel.where + ") AND " + marked
		}
	}
	return sel, nil
}

// Clock is what times in a filter are read by, where that is asked at a time.
func Clock(now time.Time) filter.Clock {
	_, offset := now.Zone()
	return filter.Clock{Now: now.UnixNano(), Offset: int64(offset) * int64(time.Second)}
}

// all reports whether every flow of the session is selected.
func (sel *selection) all() bool { return sel.where == "" && sel.plan.Exact }

// keyed reports whether the order is another than that of ids.
func (sel *selection) keyed() bool { return sel.order != OrderID }

// columns are SQL for what a scan reads of each flow: first, and more where the row
// function asks for it by [upcall.ErrMore].
type columns struct{ first, more string }

// each calls row for the selected flows that meet the condition, with the flow's
// id and the columns asked for. The values are valid during the call only, which
// happens inside SQLite. Flows come in no certain order, though almost always in
// that of ids.
func (sel *selection) each(ctx context.Context, db rowid.Querier, on condition, c columns, row func([]driver.Value) error) error {
	return sel.session.stream(ctx, db, sel.memos, row, func(token int64) (string, []any) { return sel.statement(on, c, token) })
}

// statement calls the row function for what count counts, that is after all of WHERE.
func (sel *selection) statement(on condition, c columns, token int64) (query string, args []any) {
	first := "f.id"
	if c.first != "" {
		first += ", " + c.first
	}
	collect := upcall.Collect + "(?, " + first + ")"
	args = append(args, token)
	if c.more != "" {
		// NULL is what the function returns where that was not enough.
		collect = "coalesce(" + collect + ", " + upcall.Collect + "(?, " + first + ", " + c.more + "))"
		args = append(args, token)
	}
	where := on.sql
	args = append(args, on.args...)
	if on.filtered && sel.where != "" {
		where += " AND (" + sel.where + ")"
		for _, arg := range sel.args {
			switch arg.(type) {
			case filter.PlanToken:
				arg = token
			case filter.PlanSession:
				arg = sel.session.Name()
			}
			args = append(args, arg)
		}
	}
	from := "flow"
	if on.removed {
		from = "removed"
	}
	return "SELECT count(" + collect + ") FROM " + from + " f WHERE " + where, args
}

// stream runs a statement that calls the row function by the token it is given.
func (s *Session) stream(
	ctx context.Context, db rowid.Querier, m *memos, row func([]driver.Value) error, statement func(token int64) (string, []any),
) error {
	patterns := m.take()
	defer m.give(patterns)
	return s.functions.Scan(ctx, row, patterns, func(token int64) error {
		query, args := statement(token)
		if err := drain(ctx, db, query, args); err != nil {
			return fmt.Errorf("scan flows: %w", classify(err))
		}
		return nil
	})
}

// drain runs a statement for what it does and not for its rows.
func drain(ctx context.Context, db rowid.Querier, query string, args []any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		continue
	}
	return rows.Err()
}

// condition limits a scan.
type condition struct {
	sql      string
	args     []any
	filtered bool // only flows that the selection's SQL lets through
	removed  bool // of the removed flows instead of those that are there
}

// span is the flows with ids from low to high, both included: none if high is below.
type span struct{ low, high uint32 }

func (r span) len() int { return int(r.high) - int(r.low) + 1 }

// halves cuts a range in two, of which the first may be the shorter one.
func (r span) halves() [2]span {
	middle := r.low + uint32(r.len()/2)
	return [2]span{{r.low, middle - 1}, {middle, r.high}}
}

func (r span) condition(filtered bool) condition {
	return condition{sql: "f.id BETWEEN ? AND ?", args: []any{int64(r.low), int64(r.high)}, filtered: filtered}
}

// idsCondition names flows one by one, in one argument whatever their number.
func idsCondition(ids []uint32, filtered bool) condition {
	return condition{sql: "f.id IN (SELECT value FROM json_each(?))", args: []any{rowid.List(ids)}, filtered: filtered}
}

// splitRows is the least number of rows that two connections share where SQL
// decides alone. The first ranges of a build are smaller, which leaves a processor
// to those who draw the first page.
const splitRows = 64 << 10

// scan returns the ids that the query selects of a range, ascending. Two connections
// share a large range.
func (sel *selection) scan(ctx context.Context, r span) ([]uint32, error) {
	if r.len() < splitRows && sel.plan.Exact {
		return sel.collect(ctx, sel.session.read, r.condition(true))
	}
	if sel.plan.Needs == filter.NeedBody {
		return sel.scanBodies(ctx, r)
	}
	var found [2][]uint32
	group, ctx := errgroup.WithContext(ctx)
	for i, half := range r.halves() {
		// Ended by Wait, below.
		group.Go(func() (err error) {
			found[i], err = sel.collect(ctx, sel.session.read, half.condition(true))
			return err
		})
	}
	err := group.Wait()
	return append(found[0], found[1]...), err
}

// bodySlices is how many slices a range is cut into where bodies have to be read:
// who is done with one takes the next, for their bodies may be of any size.
const bodySlices = 16

// scanBodies is scan where bodies have to be read.
func (sel *selection) scanBodies(ctx context.Context, r span) ([]uint32, error) {
	size := uint32(max(r.len()/bodySlices, searchPage/4))
	found := make([][]uint32, (r.len()+int(size)-1)/int(size))
	var next atomic.Int64
	group, ctx := errgroup.WithContext(ctx)
	for range 2 {
		// Ended by Wait, below.
		group.Go(func() error {
			for i := next.Add(1) - 1; int(i) < len(found); i = next.Add(1) - 1 {
				low := r.low + uint32(i)*size
				slice := span{low, low + min(size-1, r.high-low)}
				var err error
				if found[i], err = sel.collect(ctx, sel.session.read, slice.condition(true)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return slices.Concat(found...), err
}

// collect returns the ids of the selected flows that meet the condition, ascending.
func (sel *selection) collect(ctx context.Context, db rowid.Querier, on condition) ([]uint32, error) {
	ids, err := sel.candidates(ctx, db, on)
	if err != nil || sel.plan.Exact {
		return ids, err
	}
	return sel.residual(ctx, ids)
}

// candidates returns the ids of those flows that SQL lets through, ascending.
func (sel *selection) candidates(ctx context.Context, db rowid.Querier, on condition) ([]uint32, error) {
	var ids []uint32
	err := sel.each(ctx, db, on, columns{}, func(row []driver.Value) error {
		id, err := flowID(row[0])
		ids = append(ids, id)
		return err
	})
	slices.Sort(ids) // they almost always are
	return ids, err
}

// flowID is a row's id as lists hold it.
func flowID(v driver.Value) (uint32, error) {
	id, ok := v.(int64)
	if !ok || id < 1 || id > maxID {
		return 0, fmt.Errorf("flow id %v: %w", v, ErrLimit)
	}
	return uint32(id), nil
}

// extent returns the range of ids in the session, and how many flows it has: as
// many as the range has ids if none was removed from its middle.
func extent(ctx context.Context, db rowid.Querier) (r span, flows int, err error) {
	const query = "SELECT coalesce((SELECT min(id) FROM flow), 1), coalesce((SELECT max(id) FROM flow), 0), " +
		"(" + highestID + ") - coalesce((SELECT value FROM session WHERE key = '" + drop.KeyRemoved + "'), 0)"
	var low, high int64
	if err := db.QueryRowContext(ctx, query).Scan(&low, &high, &flows); err != nil {
		return span{}, 0, fmt.Errorf("read range of flows: %w", classify(err))
	}
	if low < 1 || high > maxID {
		return span{}, 0, fmt.Errorf("flows %d to %d: %w", low, high, ErrLimit)
	}
	return span{uint32(low), uint32(high)}, flows, nil
}
