package store

import (
	"context"
	"database/sql/driver"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"weir/filter"
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
	memos   *memos
}

func (s *Session) selection(q Query) (*selection, error) {
	if int(q.Order) >= len(orders) {
		return nil, fmt.Errorf("view: no such order: %v", q.Order)
	}
	plan := filter.NewPlan(filter.Bind(q.Filter, Clock(time.Now())))
	sel := &selection{session: s, order: q.Order, where: plan.Where, args: plan.Args, plan: plan, memos: &memos{patterns: plan.Patterns}}
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

// keyed reports whether lists of this selection have keys beside the ids.
func (sel *selection) keyed() bool { return sel.order != OrderID }

// each calls row for the selected flows that meet the condition, with the flow's
// id and the columns asked for. The values are valid during the call only, which
// happens inside SQLite. Flows come in no certain order, though almost always in
// that of ids.
func (sel *selection) each(ctx context.Context, db querier, on condition, columns string, row func([]driver.Value) error) error {
	patterns := sel.memos.take()
	defer sel.memos.give(patterns)
	call, err := sel.session.functions.begin(ctx, row, patterns)
	if err != nil {
		return err
	}
	defer sel.session.functions.end(call)

	where := []string{on.sql}
	args := append([]any{call.token}, on.args...)
	if on.filtered && sel.where != "" {
		where = append(where, "("+sel.where+")")
		for _, arg := range sel.args {
			if _, ok := arg.(filter.PlanToken); ok {
				arg = call.token
			}
			args = append(args, arg)
		}
	}
	if columns != "" {
		columns = ", " + columns
	}
	// The function is called for what count counts, that is after all of WHERE.
	table := "flow"
	if on.removed {
		table = "removed"
	}
	statement := "SELECT count(" + collectFunction + "(?, f.id" + columns + ")) FROM " + table + " f WHERE " + strings.Join(where, " AND ")
	var none int
	if err := db.QueryRowContext(ctx, statement, args...).Scan(&none); err != nil {
		switch {
		case call.err != nil:
			return call.err
		case ctx.Err() != nil:
			return ctx.Err() // SQLite only says that it was interrupted
		}
		return fmt.Errorf("scan flows: %w", classify(err))
	}
	return nil
}

// condition limits a scan.
type condition struct {
	sql      string
	args     []any
	most     int  // flows that can meet it
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
	return condition{sql: "f.id BETWEEN ? AND ?", args: []any{int64(r.low), int64(r.high)}, most: r.len(), filtered: filtered}
}

// idsCondition names flows one by one, in one argument whatever their number.
func idsCondition(ids []uint32, filtered bool) condition {
	return condition{sql: "f.id IN (SELECT value FROM json_each(?))", args: []any{jsonIDs(ids)}, most: len(ids), filtered: filtered}
}

// splitRows is the least number of rows that two connections share where SQL
// decides alone. The first ranges of a build are smaller, which leaves a processor
// to those who draw the first page.
const splitRows = 64 << 10

// scan returns what the query selects of a range, in two portions: two connections
// share a large range. Texts are coded by c, their tails put into t unless it is nil.
func (sel *selection) scan(ctx context.Context, r span, c *coder, t *tails) (found [2]portion, err error) {
	if r.len() < splitRows && sel.plan.Exact {
		found[0], err = sel.collect(ctx, r.condition(true), c, t.set(0))
		return found, err
	}
	group, ctx := errgroup.WithContext(ctx)
	for i, half := range r.halves() {
		// Ended by Wait, below.
		group.Go(func() (err error) {
			found[i], err = sel.collect(ctx, half.condition(true), c, t.set(i))
			return err
		})
	}
	return found, group.Wait()
}

// collect returns the selected flows that meet the condition, sorted.
func (sel *selection) collect(ctx context.Context, on condition, c *coder, t *tailSet) (portion, error) {
	var p portion
	if sel.all() {
		p.ids = make([]uint32, 0, on.most)
		if sel.keyed() {
			p.keys = make([]uint64, 0, on.most)
		}
	}
	err := sel.each(ctx, sel.session.read, on, orders[sel.order].columns, func(row []driver.Value) error {
		id, err := flowID(row[0])
		if err != nil {
			return err
		}
		p.ids = append(p.ids, id)
		if sel.keyed() {
			p.keys = append(p.keys, sel.key(id, row[1:], c, t))
		}
		return nil
	})
	if err != nil {
		return portion{}, err
	}
	p.sortIDs()
	if !sel.plan.Exact {
		if p, err = sel.residual(ctx, p); err != nil {
			return portion{}, err
		}
	}
	if sel.keyed() {
		sortPortion(p)
	}
	return p, nil
}

// key is the sort key of a flow, out of the columns of its order.
func (sel *selection) key(id uint32, row []driver.Value, c *coder, t *tailSet) uint64 {
	if !sel.order.isText() {
		return numberKey(row[0])
	}
	key, tail := sel.order.key(c, row)
	if t != nil && !isWhole(key) {
		_ = t.put(id, tail) // a set that is full says so itself
	}
	return key
}

// sortIDs brings a portion in the order of ids, in which SQLite almost always finds it.
func (b portion) sortIDs() {
	if slices.IsSorted(b.ids) {
		return
	}
	if b.keys == nil {
		slices.Sort(b.ids)
		return
	}
	swapped := portion{ids: make([]uint32, len(b.ids)), keys: make([]uint64, len(b.ids))}
	for i, id := range b.ids {
		swapped.ids[i], swapped.keys[i] = uint32(i), uint64(id)
	}
	sortPortion(swapped)
	keys := slices.Clone(b.keys)
	for i, old := range swapped.ids {
		b.ids[i], b.keys[i] = uint32(swapped.keys[i]), keys[old]
	}
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
func extent(ctx context.Context, db querier) (r span, flows int, err error) {
	const query = "SELECT coalesce((SELECT min(id) FROM flow), 1), coalesce((SELECT max(id) FROM flow), 0), " +
		"(" + highestID + ") - coalesce((SELECT value FROM session WHERE key = '" + keyRemoved + "'), 0)"
	var low, high int64
	if err := db.QueryRowContext(ctx, query).Scan(&low, &high, &flows); err != nil {
		return span{}, 0, fmt.Errorf("read range of flows: %w", classify(err))
	}
	if low < 1 || high > maxID {
		return span{}, 0, fmt.Errorf("flows %d to %d: %w", low, high, ErrLimit)
	}
	return span{uint32(low), uint32(high)}, flows, nil
}

// Samples for a coder: a share of the flows, but not more than so many, in short
// stretches that are spread evenly.
const (
	sampleShare     = 16
	sampleFlows     = 64 << 10
	fewSamples      = 1 << 10 // are taken of any number of flows
	sampleStretches = 64
	sampleBytes     = 512 // of each text
)

// coder makes a coder for the texts in a range of flows, nil where the order needs
// none. It takes a sample's word for what the rest looks like.
func (sel *selection) coder(ctx context.Context, r span, sample int) (*coder, error) {
	if !sel.order.isText() {
		return nil, nil
	}
	sample = min(sample, max(r.len()/sampleShare, fewSamples))
	var texts [2][]string
	group, ctx := errgroup.WithContext(ctx)
	for i, half := range r.halves() {
		// Ended by Wait, below.
		group.Go(func() (err error) {
			texts[i], err = sel.sample(ctx, half, sample/2)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return newCoder(append(texts[0], texts[1]...)), nil
}

// sample reads up to n texts out of a range.
func (sel *selection) sample(ctx context.Context, r span, n int) (texts []string, err error) {
	stretches := max(min(n, sampleStretches)/2, 1)
	long := max(n/stretches, 1)
	for low := int(r.low); low <= int(r.high); low += max(r.len()/stretches, long) { // none if r is empty
		stretch := span{uint32(low), uint32(min(low+long-1, int(r.high)))}
		err := sel.each(ctx, sel.session.read, stretch.condition(false), orders[sel.order].columns, func(row []driver.Value) error {
			text := sel.order.text(row[1:])
			texts = append(texts, strings.Clone(text[:min(len(text), sampleBytes)]))
			return nil
		})
		if err != nil {
			return nil, err
		}
	}
	return texts, nil
}

// jsonIDs is the JSON array of ids.
func jsonIDs(ids []uint32) string {
	wide := make([]uint64, len(ids))
	for i, id := range ids {
		wide[i] = uint64(id)
	}
	return idList(wide)
}
