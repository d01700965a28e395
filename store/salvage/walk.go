package salvage

import (
	"context"
	"strings"
)

// Table is where a table begins.
type Table struct {
	Name string
	Root uint32 // page
}

// Tables reads the schema: the tables that can still be made out in it.
func (f *File) Tables(ctx context.Context) ([]Table, error) {
	var tables []Table
	err := f.Walk(ctx, 1, func(r Row) error {
		if len(r.Values) < 5 || r.Values[0] != "table" {
			return nil
		}
		name, named := r.Values[1].(string)
		page, placed := r.Values[3].(int64)
		if !named || !placed || page < 2 || page > int64(f.pages) || strings.HasPrefix(name, "sqlite_") {
			return nil
		}
		if kind, _ := f.back.lookup(uint32(page)); kind == unknown || kind == root {
			tables = append(tables, Table{Name: name, Root: uint32(page)})
		}
		return nil
	})
	return tables, err
}

// Walk calls yield for the rows that can be reached from a table's root, in the
// order of their keys. It ends with an error of yield or of the context; what cannot be read is
// counted and passed over. Each table is walked once.
func (f *File) Walk(ctx context.Context, root uint32, yield func(Row) error) error {
	w := walker{f: f, ctx: ctx.Err, yield: yield}
	return w.page(root, 0, everything)
}

// Orphans yields the rows on leaves that no walk came to, with the root of their tree as the
// way up tells it; 0 where that cannot be told. Such a leaf may be one that the file no longer
// uses, so that its rows may be old. Call it after the walks.
func (f *File) Orphans(ctx context.Context, yield func(root uint32, r Row) error) error {
	var top uint32
	w := walker{f: f, ctx: ctx.Err, yield: func(r Row) error { return yield(top, r) }}
	data := make([]byte, f.pageSize)
	for number := uint32(2); number <= f.pages; number++ {
		if err := ctx.Err(); err != nil {
			return err
		}
		if f.seen(number) || f.back.isMap(number) {
			continue
		}
		var inTree bool
		if top, inTree = f.back.climb(number); !inTree || !f.read(number, data) {
			continue
		}
		p, ok := parsePage(number, data)
		if !ok || p.kind == innerTable || !f.visit(number) {
			continue
		}
		if err := w.orphan(&p); err != nil {
			return err
		}
	}
	return nil
}

// walker goes through trees.
type walker struct {
	f     *File
	ctx   func() error // whether to go on
	yield func(Row) error
	spent int // bytes of the page's cells that were read
}

// span is the rowids that a page may have: above low, up to high.
type span struct{ low, high int64 }

const (
	minID = -1 << 63
	maxID = 1<<63 - 1
)

var everything = span{minID, maxID}

func (w *walker) page(number uint32, depth int, ids span) error {
	if err := w.ctx(); err != nil {
		return err
	}
	f := w.f
	if number == 0 || number > f.pages || depth > maxDepth || !f.visit(number) {
		f.damage.Links++
		return nil
	}
	data := make([]byte, f.pageSize)
	if !f.read(number, data) {
		f.damage.Pages++
		return nil
	}
	p, ok := parsePage(number, data)
	switch {
	case !ok:
		f.damage.Pages++
		return nil
	case p.kind.leaf():
		return w.leaf(&p, ids)
	default:
		return w.inner(&p, depth, ids)
	}
}

// inner walks the children of a page.
func (w *walker) inner(p *treePage, depth int, ids span) error {
	w.spent = 0
	low := ids.low
	for i := range p.count() {
		next, rest, ok := childOf(p.cell(i))
		if !ok {
			w.f.damage.Links++ // what hangs on it is found as an orphan
			continue
		}
		under := everything
		if key, n := varint(rest); p.kind == innerTable && n > 0 {
			under = span{low, int64(key)}
			low = int64(key)
		}
		if err := w.descend(p, next, depth, under); err != nil {
			return err
		}
		if p.kind == innerIndex {
			if err := w.give(p, rest); err != nil {
				return err
			}
		}
	}
	return w.descend(p, p.right, depth, span{low, ids.high})
}

// descend walks a child, if it is one.
func (w *walker) descend(p *treePage, next uint32, depth int, ids span) error {
	if next == 0 || next > w.f.pages || !w.f.back.agrees(next, child, p.number) {
		w.f.damage.Links++
		return nil
	}
	return w.page(next, depth+1, ids)
}

// leaf yields the rows of a leaf.
func (w *walker) leaf(p *treePage, ids span) error {
	w.spent = 0
	good := p.ordered(ids)
	for i := range p.count() {
		if !good[i] {
			w.f.damage.Cells++
			continue
		}
		if err := w.give(p, p.cell(i)); err != nil {
			return err
		}
	}
	return nil
}

// orphan yields the rows of a page without what hangs below it.
func (w *walker) orphan(p *treePage) error {
	if p.kind.leaf() {
		return w.leaf(p, everything)
	}
	w.spent = 0
	for i := range p.count() {
		if _, rest, ok := childOf(p.cell(i)); ok {
			if err := w.give(p, rest); err != nil {
				return err
			}
		}
	}
	return nil
}

// give reads a row and yields it. Cells of a page do not overlap, and those of a page
// that somebody made to keep us busy are not read for ever.
func (w *walker) give(p *treePage, cell []byte) error {
	if w.spent > 4*len(p.data) {
		w.f.damage.Cells++
		return nil
	}
	r, spent, ok := w.f.row(p, cell)
	w.spent += spent
	if !ok {
		w.f.damage.Cells++
		return nil
	}
	return w.yield(r)
}
