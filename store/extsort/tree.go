package extsort

// tree finds texts among the cuts: eight bytes at a time decide the way.
// Searching in integers is several times as fast as comparing texts, most of which
// begin alike. It lies in three pieces of memory, so that a step of a search waits
// for memory no more than it must.
type tree struct {
	forks    []fork
	branches []branch
	skips    []byte
}

// fork is a node: some neighbouring cuts with their first depth bytes in common.
type fork struct {
	depth    int32
	skip     int32 // where in skips those of them are that the forks above have not looked at
	from, to int32 // its branches
}

// branch is the cuts below a fork that go on with the same eight bytes.
type branch struct {
	word  uint64
	first int32 // cut
	next  int32 // fork; noFork where few cuts are left, which are compared one by one
}

const (
	wordBytes = 8
	fewCuts   = 4
	noFork    = -1
)

// grow adds forks for the cuts from low to high, which have depth bytes in common,
// and returns the first of them; noFork for few cuts.
func (t *tree) grow(cuts []string, low, high, depth, few int) int32 {
	if high-low <= few || len(cuts[low]) < depth {
		return noFork // a text that ends cannot be told from one that goes on with zeros
	}
	shared := commonPrefix(cuts[low], cuts[high-1])
	f := fork{depth: int32(shared), skip: int32(len(t.skips)), from: int32(len(t.branches))}
	t.skips = append(t.skips, cuts[low][depth:shared]...)
	for i := low; i < high; i++ {
		w := word(cuts[i][shared:])
		if i == low || w != t.branches[len(t.branches)-1].word {
			t.branches = append(t.branches, branch{word: w, first: int32(i)})
		}
	}
	f.to = int32(len(t.branches))
	at := len(t.forks)
	t.forks = append(t.forks, f)
	for i := f.to - 1; i >= f.from; i-- {
		next := t.grow(cuts, int(t.branches[i].first), high, shared+wordBytes, few)
		t.branches[i].next = next
		high = int(t.branches[i].first)
	}
	return int32(at)
}

// find returns the first of the fork's branches that is not below w.
func (t *tree) find(f *fork, w uint64) int32 {
	low, high := f.from, f.to
	for low < high {
		if middle := (low + high) / 2; t.branches[middle].word < w {
			low = middle + 1
		} else {
			high = middle
		}
	}
	return low
}

// word is the first eight bytes of a text as a number, zeros behind a short one.
func word[T string | []byte](text T) (w uint64) {
	if len(text) >= wordBytes {
		return uint64(text[7]) | uint64(text[6])<<8 | uint64(text[5])<<16 | uint64(text[4])<<24 |
			uint64(text[3])<<32 | uint64(text[2])<<40 | uint64(text[1])<<48 | uint64(text[0])<<56
	}
	for i := range len(text) {
		w |= uint64(text[i]) << (56 - 8*i)
	}
	return w
}
