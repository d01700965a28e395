package union

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"

	"weir/store"
)

// frozen is the lists of all sessions as they stood at one version.
type frozen struct {
	stills []store.Still
	total  int
	fan    int          // keys that a step of a search reads at least
	read   atomic.Int64 // keys so far

	mu   sync.Mutex
	cuts []cut // some that are known, in ascending order: the two ends among them
}

// cut is how many flows of each session are among the first sum of all.
type cut struct {
	sum int
	at  []int
}

// maxCuts bounds what is remembered of cuts; more than one screen's neighbours need.
const maxCuts = 64

func freeze(stills []store.Still, fan int) *frozen {
	f := &frozen{stills: stills, fan: fan}
	low, high := cut{at: make([]int, len(stills))}, cut{at: make([]int, len(stills))}
	for i, s := range stills {
		high.at[i] = s.Len()
		high.sum += s.Len()
	}
	f.total, f.cuts = high.sum, []cut{low, high}
	return f
}

// cut finds the cut at a position, from 0 to total.
func (f *frozen) cut(ctx context.Context, sum int) (cut, error) {
	low, high := f.around(sum)
	if low.sum == sum {
		return low, nil
	}
	s := &search{frozen: f, sum: sum, low: slices.Clone(low.at), high: slices.Clone(high.at)}
	// What is not farther away than so many flows is not farther away in any session either.
	for i := range s.low {
		s.high[i] = min(s.high[i], s.low[i]+sum-low.sum)
		s.low[i] = max(s.low[i], high.at[i]-(high.sum-sum))
	}
	if err := s.run(ctx); err != nil {
		return cut{}, err
	}
	found := cut{sum, s.low}
	f.remember(found)
	return found, nil
}

// around returns the known cuts nearest to a position: at or before it, and behind it.
func (f *frozen) around(sum int) (low, high cut) {
	f.mu.Lock()
	defer f.mu.Unlock()
	i, there := slices.BinarySearchFunc(f.cuts, sum, func(c cut, sum int) int { return cmp.Compare(c.sum, sum) })
	if there || i == len(f.cuts) {
		i = min(i, len(f.cuts)-1)
		return f.cuts[i], f.cuts[i]
	}
	return f.cuts[i-1], f.cuts[i]
}

func (f *frozen) remember(c cut) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.cuts) >= maxCuts {
		f.cuts = []cut{f.cuts[0], f.cuts[len(f.cuts)-1]}
	}
	i, there := slices.BinarySearchFunc(f.cuts, c.sum, func(c cut, sum int) int { return cmp.Compare(c.sum, sum) })
	if !there {
		f.cuts = slices.Insert(f.cuts, i, c)
	}
}

// search looks for a cut: of session i it is between low[i] and high[i]. Each step reads
// the keys of flows between, evenly spread over all sessions, puts these probes in
// order, and counts how many flows are before each at least and at most.
type search struct {
	*frozen
	sum       int
	low, high []int
}

// What a step reads: so many keys, or so many for each session if that is more. After it
// four in so many of what there was to look through are left for each session.
const (
	usualFan   = 512
	sessionFan = 32
)

// run narrows until all is known.
func (s *search) run(ctx context.Context) error {
	for left := s.left(); left > 0; {
		found, err := s.probe(ctx, max(1, left/max(s.fan, sessionFan*len(s.stills))))
		if err != nil {
			return err
		}
		s.narrow(found)
		now := s.left()
		if now >= left {
			break // keys have changed under the search
		}
		left = now
	}
	s.level()
	return nil
}

// level makes the cut one of just so many flows. It is already, unless keys changed
// while they were compared; then some flow stands where it does not belong, until
// the views have caught up with the change.
func (s *search) level() {
	over := -s.sum
	for _, at := range s.low {
		over += at
	}
	for i, still := range s.stills {
		d := max(min(over, s.low[i]), s.low[i]-still.Len())
		s.low[i] -= d
		over -= d
	}
}

// left is how many flows may be on either side of the cut.
func (s *search) left() (n int) {
	for i := range s.low {
		n += s.high[i] - s.low[i]
	}
	return n
}

// probe is a flow by which the search compares.
type probe struct {
	session, at int
	key         string
}

func (p probe) compare(q probe) int {
	return cmp.Or(strings.Compare(p.key, q.key), cmp.Compare(p.session, q.session), cmp.Compare(p.at, q.at))
}

// probe reads the key of one in so many of the flows that are left, in order.
func (s *search) probe(ctx context.Context, step int) ([]probe, error) {
	var all []probe
	for i, still := range s.stills {
		var at []int
		for p := s.low[i] + step - 1; p < s.high[i]; p += step {
			at = append(at, p)
		}
		found, err := s.keys(ctx, still, i, at)
		if err != nil {
			return nil, err
		}
		all = append(all, found...)
	}
	slices.SortFunc(all, probe.compare)
	return all, nil
}

// keys reads the keys of a session's flows at positions, which ascend. Keys that do not,
// because a flow changed since the list was as it is, are raised to the one before.
func (f *frozen) keys(ctx context.Context, still store.Still, session int, at []int) ([]probe, error) {
	if len(at) == 0 {
		return nil, nil
	}
	keys, err := still.Keys(ctx, at)
	if err != nil {
		return nil, &brokenError{session, err}
	}
	f.read.Add(int64(len(at)))
	out := make([]probe, len(at))
	for i, p := range at {
		if i > 0 && keys[i] < keys[i-1] {
			keys[i] = keys[i-1]
		}
		out[i] = probe{session, p, keys[i]}
	}
	return out, nil
}

// narrow takes the probes, in order: those that are before the cut for certain, and
// those that are behind it.
func (s *search) narrow(found []probe) {
	next := make([]int, len(s.low)) // least position of each session that may be behind the probe
	most := make([]int, len(s.low)) // the same at most: where the session's next probe stands
	least, atMost := 0, 0
	for i := range s.low {
		next[i], most[i] = s.low[i], s.high[i]
		least += next[i]
	}
	following := s.following(found)
	for i := range following {
		if len(following[i]) > 0 {
			most[i] = following[i][0]
		}
		atMost += most[i]
	}
	low, high := slices.Clone(s.low), slices.Clone(s.high)
	for _, p := range found {
		i := p.session
		least += p.at + 1 - next[i]
		atMost += p.at + 1 - most[i]
		next[i] = p.at + 1
		switch { // of the flows up to this one there are least to atMost
		case atMost <= s.sum:
			low[i] = max(low[i], p.at+1)
		case least > s.sum:
			high[i] = min(high[i], p.at)
		}
		following[i] = following[i][1:]
		most[i] = s.high[i]
		if len(following[i]) > 0 {
			most[i] = following[i][0]
		}
		atMost += most[i] - (p.at + 1)
	}
	s.low, s.high = low, high
	s.settle()
}

// following are the positions of the probes of each session.
func (s *search) following(found []probe) [][]int {
	out := make([][]int, len(s.low))
	for _, p := range found {
		out[p.session] = append(out[p.session], p.at)
	}
	return out
}

// settle draws what follows from the sum: where all that is left has to be on one side.
func (s *search) settle() {
	low, high := 0, 0
	for i := range s.low {
		s.high[i] = max(s.high[i], s.low[i])
		low += s.low[i]
		high += s.high[i]
	}
	for i := range s.low {
		s.high[i] = min(s.high[i], s.low[i]+max(s.sum-low, 0))
		s.low[i] = max(s.low[i], s.high[i]-max(high-s.sum, 0))
	}
}
