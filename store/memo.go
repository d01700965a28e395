package store

import (
	"strconv"
	"sync"
	"unsafe"

	"weir/filter"
	flowpb "weir/proto"
)

// memo is a pattern that remembers what it said of sites and terms, of which
// sessions have few: a scan then decides by a bit. One scan uses it at a time.
type memo struct {
	filter.Pattern
	pages  []*memoPage        // by number / memoPageSize
	heads  map[siteOf]urlHead // of URLs
	joined []byte             // room for a URL
}

// memoPage is what is known of neighbouring numbers.
type memoPage struct{ known, matches [memoPageSize / 64]uint64 }

// siteOf is a site as flows of one kind see it.
type siteOf struct{ kind, site int64 }

// urlHead is what the URLs of a site begin with.
type urlHead struct {
	head string
	open bool // the path follows the head
	all  bool // the pattern matches whatever follows the head
}

// Bounds of what a memo remembers: 4 MB of bits, and so many heads of URLs of so
// many bytes.
const (
	memoPageSize = 4096
	maxMemoPages = 4096
	maxHeads     = 8192
	maxHeadText  = 128
)

// known reports whether the pattern matches what a number stands for, and whether
// that is known.
func (m *memo) known(number int64) (is, known bool) {
	page := uint64(number) / memoPageSize
	if page >= uint64(len(m.pages)) || m.pages[page] == nil {
		return false, false
	}
	p, word, bit := m.pages[page], number%memoPageSize/64, uint64(1)<<(number%64)
	return p.matches[word]&bit != 0, p.known[word]&bit != 0
}

// learn is told what a number stands for and reports whether the pattern matches it.
func (m *memo) learn(number int64, text string) bool {
	is := m.Match(text)
	page := uint64(number) / memoPageSize
	if page >= maxMemoPages {
		return is
	}
	for uint64(len(m.pages)) <= page {
		m.pages = append(m.pages, nil)
	}
	if m.pages[page] == nil {
		m.pages[page] = new(memoPage)
	}
	p, word, bit := m.pages[page], number%memoPageSize/64, uint64(1)<<(number%64)
	p.known[word] |= bit
	if is {
		p.matches[word] |= bit
	}
	return is
}

// knownURL is known for the URL of a path.
func (m *memo) knownURL(of siteOf, path string) (is, known bool) {
	head, known := m.heads[of]
	return known && m.matchURL(head, path), known
}

// learnURL is learn for the URL of a path.
func (m *memo) learnURL(of siteOf, s site, path string) bool {
	var head urlHead
	head.head, head.open = s.head(flowpb.Kind(of.kind))
	head.all = m.Begins != nil && m.Begins(head.head)
	if len(m.heads) < maxHeads && len(head.head) <= maxHeadText {
		if m.heads == nil {
			m.heads = make(map[siteOf]urlHead)
		}
		m.heads[of] = head
	}
	return m.matchURL(head, path)
}

// matchURL matches the URL of a path. Often its head decides.
func (m *memo) matchURL(of urlHead, path string) bool {
	switch {
	case of.all:
		return true
	case of.open:
		m.joined = append(append(m.joined[:0], of.head...), path...)
		// A million strings would cost more than the matching. Match keeps none.
		return m.Match(unsafe.String(unsafe.SliceData(m.joined), len(m.joined)))
	default:
		return m.Match(of.head)
	}
}

// referenced is what a number stands for, as SQL hands it over.
func referenced(v any) string {
	switch v := v.(type) {
	case string:
		return v
	case int64:
		return strconv.FormatInt(v, 10)
	}
	return ""
}

// memos are the memos of a plan's patterns, a set for each scan under way. What
// one scan has learned serves the next.
type memos struct {
	patterns []filter.Pattern
	mu       sync.Mutex
	free     [][]memo
}

func (m *memos) take() []memo {
	if m == nil {
		return nil
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if last := len(m.free) - 1; last >= 0 {
		set := m.free[last]
		m.free = m.free[:last]
		return set
	}
	set := make([]memo, len(m.patterns))
	for i, p := range m.patterns {
		set[i].Pattern = p
	}
	return set
}

func (m *memos) give(set []memo) {
	if m == nil {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.free = append(m.free, set)
}
