package salvage

// ordered says which cells of a leaf may have the rowid they claim. Rowids ascend, and are
// among those that the parent expects; a cell that stands out in its company is wrong.
func (p *treePage) ordered(ids span) []bool {
	good := make([]bool, p.count())
	if p.kind != leafTable {
		for i := range good {
			good[i] = true
		}
		return good
	}
	list := make([]int64, p.count())
	for i := range list {
		list[i], good[i] = p.rowid(i)
	}
	judge(list, good)
	last := len(list) - 1
	// Where more than the outermost ids are out of the span it is the parent that errs.
	if last > 0 && list[0] <= ids.low && list[1] > ids.low {
		good[0] = false
	}
	if last > 0 && list[last] > ids.high && list[last-1] <= ids.high {
		good[last] = false
	}
	return good
}

// rowid is the id that a leaf's cell claims.
func (p *treePage) rowid(i int) (int64, bool) {
	cell := p.cell(i)
	_, n := varint(cell)
	id, m := varint(cell[n:])
	return int64(id), n > 0 && m > 0
}

// judge takes out of good what breaks the order of ids. Of two neighbours that do, those
// around them tell which one; where nobody tells, both go.
func judge(ids []int64, good []bool) {
	last := len(ids) - 1
	for i := 1; i <= last; i++ {
		a, b := ids[i-1], ids[i]
		if a < b {
			continue
		}
		before, after := i >= 2, i < last
		alone := !before && !after
		if alone || before && ids[i-2] >= a || after && a >= ids[i+1] {
			good[i-1] = false
		}
		if alone || before && ids[i-2] >= b || after && b >= ids[i+1] {
			good[i] = false
		}
	}
}
