package store

import (
	"cmp"
	"context"
	"database/sql/driver"
	"slices"
	"strings"
)

// places says where the entries of a portion belong: where their key and id say,
// or before their anchor.
func (l *list) places(p portion, anchors map[uint32]uint32) []uint32 {
	at := make([]uint32, len(p.ids))
	for i, id := range p.ids {
		at[i] = uint32(l.placeOf(p, i, id, anchors))
	}
	return at
}

func (l *list) placeOf(p portion, i int, id uint32, anchors map[uint32]uint32) int {
	key := uint64(0)
	if l.keyed {
		key = p.keys[i]
	}
	anchor, anchored := anchors[id]
	if !anchored {
		at, _ := l.search(key, id)
		return at
	}
	from, to := l.run(key)
	if before := slices.Index(l.ids[from:to], anchor); before >= 0 {
		return from + before
	}
	return to
}

// anchors finds, for those entries that their keys do not tell from others, the
// flow each is to stand before, 0 for the end of the run. It brings such entries
// in the order of their texts. Flows in gone do not count: they are about to leave.
//
// It compares with texts as they are now, but the list is as of a revision. So it
// looks at the log afterwards: flows that changed since do not count either.
func (v *View) anchors(ctx context.Context, p portion, gone *idSet, upto uint64) (map[uint32]uint32, error) {
	ties := v.list.tiesWith(p)
	if len(ties) == 0 {
		return nil, nil
	}
	read := textReader{sel: v.sel, known: make(map[uint32]string)}
	skip := newIDSet(nil)
	for {
		anchors := make(map[uint32]uint32)
		for _, t := range ties {
			low, high := v.list.run(p.keys[t.from])
			run := slices.DeleteFunc(slices.Clone(v.list.ids[low:high]), func(id uint32) bool {
				return gone.has(id) || skip.has(id)
			})
			if err := read.place(ctx, run, p.ids[t.from:t.to], anchors); err != nil {
				return nil, err
			}
		}
		stale, _, _, err := v.session.Changes(ctx, upto)
		if err != nil {
			return nil, err
		}
		before := skip.n
		for _, id := range stale {
			if _, used := read.known[uint32(id)]; used && !skip.has(uint32(id)) {
				skip.add(uint32(id))
			}
		}
		if skip.n == before {
			return anchors, nil
		}
	}
}

// tiesWith returns the runs of a portion whose keys do not tell its texts from each
// other, or from those in the list.
func (l *list) tiesWith(p portion) []tie {
	if l.coder == nil {
		return nil
	}
	var found []tie
	for from := 0; from < len(p.keys); {
		to := from + 1
		for to < len(p.keys) && p.keys[to] == p.keys[from] {
			to++
		}
		if low, high := l.run(p.keys[from]); !isWhole(p.keys[from]) && (high > low || to-from > 1) {
			found = append(found, tie{from, to})
		}
		from = to
	}
	return found
}

// textReader reads texts of flows, each once.
type textReader struct {
	sel   *selection
	known map[uint32]string
}

// place sorts flows by their texts and says before which flow of a run, which is
// sorted likewise, each belongs.
func (r *textReader) place(ctx context.Context, run, ids []uint32, anchors map[uint32]uint32) error {
	if err := r.need(ctx, ids); err != nil {
		return err
	}
	slices.SortFunc(ids, r.compare)
	for _, id := range ids {
		at, err := r.search(ctx, run, id)
		if err != nil {
			return err
		}
		anchors[id] = 0
		if at < len(run) {
			anchors[id] = run[at]
		}
	}
	return nil
}

// need reads those texts that are not known yet.
func (r *textReader) need(ctx context.Context, ids []uint32) error {
	var missing []uint32
	for _, id := range ids {
		if _, ok := r.known[id]; !ok {
			missing = append(missing, id)
			r.known[id] = "" // should it be gone by now
		}
	}
	if len(missing) == 0 {
		return nil
	}
	return r.sel.each(ctx, r.sel.session.read, idsCondition(missing, false), orders[r.sel.order].columns, func(row []driver.Value) error {
		id, err := flowID(row[0])
		r.known[id] = strings.Clone(r.sel.order.text(row[1:]))
		return err
	})
}

func (r *textReader) compare(a, b uint32) int {
	return cmp.Or(strings.Compare(r.known[a], r.known[b]), cmp.Compare(a, b))
}

// pivots is how many texts one step of a search reads.
const pivots = 64

// search returns where the flow id, whose text is known, belongs in a run of
// flows that is sorted by text and id. It reads few of the run's texts.
func (r *textReader) search(ctx context.Context, run []uint32, id uint32) (int, error) {
	low, high := 0, len(run)
	for high > low {
		stride := (high - low + pivots - 1) / pivots
		var asked []uint32
		for i := low; i < high; i += stride {
			asked = append(asked, run[i])
		}
		if err := r.need(ctx, asked); err != nil {
			return 0, err
		}
		at, _ := slices.BinarySearchFunc(asked, id, r.compare)
		if at == 0 {
			return low, nil // before the very first
		}
		low, high = low+(at-1)*stride+1, min(high, low+at*stride)
	}
	return low, nil
}
