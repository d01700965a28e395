package store

import (
	"sync"

	"weir/filter"
	"weir/store/idlist"
)

// views are those of a session that are open. One that is asked for while another
// shows the same flows takes over which these are: a second sort of what a search
// through all bodies found does not search again.
type views struct {
	mu   sync.Mutex
	open map[*View]struct{}
}

// base is what one view knows that serves another.
type base struct {
	list     idlist.List
	order    Order
	revision uint64 // the list is right as of this one
}

func (vs *views) add(v *View) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	if vs.open == nil {
		vs.open = make(map[*View]struct{})
	}
	vs.open[v] = struct{}{}
}

func (vs *views) remove(v *View) {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	delete(vs.open, v)
}

// like returns what an open view of the same flows knows, best one that has the
// order as well; nil if there is none that is whole.
func (vs *views) like(sel *selection) *base {
	vs.mu.Lock()
	defer vs.mu.Unlock()
	var best *base
	for v := range vs.open {
		if !v.sel.same(sel) {
			continue
		}
		b := v.whole()
		if b == nil || sel.all() && b.order != sel.order {
			continue // of all flows there is nothing to find out
		}
		if best == nil || b.order == sel.order {
			best = b
		}
	}
	return best
}

// same reports whether two selections are of the same flows.
func (sel *selection) same(other *selection) bool {
	return !sel.timed && sel.marked == other.marked && source(sel.plan.Expr) == source(other.plan.Expr)
}

func source(e filter.Expr) string {
	if e == nil {
		return ""
	}
	return e.String()
}

// whole returns what the view knows, nil while it is being built.
func (v *View) whole() *base {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.status.Building || v.status.Err != nil {
		return nil
	}
	return &base{list: v.list, order: v.sel.order, revision: v.status.Revision}
}
