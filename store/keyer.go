package store

import (
	"context"
	"database/sql/driver"
	"strings"

	"golang.org/x/sync/errgroup"

	flowpb "weir/proto"
	"weir/store/extsort"
	"weir/store/upcall"
)

// keyer makes the sort keys of an order for scans of many flows.
type keyer struct {
	order Order
	ranks ranks // nil: keys are those of Order.key
}

// keyer makes a keyer for the order of the selection, with so many ranks at most.
func (sel *selection) keyer(ctx context.Context, maxRanks int64) (k keyer, err error) {
	k.order = sel.order
	if t := orders[k.order].ranked; t != (table{}) {
		k.ranks, err = sel.session.ranks(ctx, t, maxRanks)
	}
	return k, err
}

// columns are those that adding needs.
func (k keyer) columns() columns {
	switch {
	case k.ranks != nil:
		return columns{first: orders[k.order].reference}
	case k.order == OrderURL:
		return columns{first: pathColumns, more: siteColumns}
	}
	return columns{first: orders[k.order].columns}
}

// Samples of the keys: so many flows, in short stretches that are spread evenly.
const (
	sampleFlows     = 8 << 10
	sampleStretches = 64
)

// sample reads keys out of a range.
func (k keyer) sample(ctx context.Context, sel *selection, r span, n int) ([]string, error) {
	if n == 0 || r.len() == 0 {
		return nil, nil
	}
	var keys [2][]string
	group, ctx := errgroup.WithContext(ctx)
	for i, half := range r.halves() {
		// Ended by Wait, below.
		group.Go(func() error {
			stretches := max(min(n, sampleStretches)/2, 1)
			long := max(n/2/stretches, 1)
			for low := int(half.low); low <= int(half.high); low += max(half.len()/stretches, long) {
				stretch := span{uint32(low), uint32(min(low+long-1, int(half.high)))}
				err := sel.each(ctx, sel.session.read, stretch.condition(false), k.sampleColumns(), func(row []driver.Value) error {
					keys[i] = append(keys[i], k.sampled(row[1:]))
					return nil
				})
				if err != nil {
					return err
				}
			}
			return nil
		})
	}
	err := group.Wait()
	return append(keys[0], keys[1]...), err
}

func (k keyer) sampleColumns() columns {
	if k.ranks != nil {
		return k.columns()
	}
	return columns{first: orders[k.order].columns}
}

func (k keyer) sampled(row []driver.Value) string {
	if k.ranks != nil {
		return extsort.Number(k.ranks.of(row[0]))
	}
	return strings.Clone(k.order.key(row))
}

// adder adds flows to one shard of a sorter.
type adder struct {
	keyer
	sorter *extsort.Sorter
	shard  *extsort.Shard
	stems  map[siteOf]urlStem
}

// urlStem is what the URLs of a site begin with.
type urlStem struct {
	stem *extsort.Stem
	room int // how much of the path counts, in bytes
}

// maxStems bounds how many beginnings of URLs an adder remembers.
const maxStems = 16 << 10

// add adds a flow by its columns.
func (a *adder) add(id uint32, row []driver.Value) error {
	switch {
	case a.ranks != nil:
		return a.shard.AddNumber(id, a.ranks.of(row[0]))
	case a.order == OrderURL:
		return a.addURL(id, row)
	case a.order == OrderPath:
		return a.shard.Add(id, a.order.key(row))
	case orders[a.order].ranked != (table{}):
		return a.shard.Add(id, a.order.key(row))
	}
	return a.shard.AddNumber(id, ordinal(row[0]))
}

// addURL asks for the site's columns where it does not know the site.
func (a *adder) addURL(id uint32, row []driver.Value) error {
	of, path := urlOf(row)
	s, known := a.stems[of]
	if !known {
		if len(row) == pathColumnsLen {
			return upcall.ErrMore
		}
		s = a.urlStem(of, siteFrom(row[pathColumnsLen:]))
	}
	return a.shard.AddTo(s.stem, id, path[:min(len(path), s.room)])
}

func (a *adder) urlStem(of siteOf, at site) (s urlStem) {
	head, open := at.head(flowpb.Kind(of.kind))
	head = strings.Clone(head[:min(len(head), maxText)])
	stem := a.sorter.Stem(head)
	s.stem = &stem
	if open {
		s.room = maxText - len(head)
	}
	if len(a.stems) < maxStems {
		if a.stems == nil {
			a.stems = make(map[siteOf]urlStem)
		}
		a.stems[of] = s
	}
	return s
}
