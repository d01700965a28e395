package idlist

import "slices"

// Builder puts a list together from its beginning. The zero value is empty. The
// lists that it returns on the way stay as they are.
type Builder struct {
	list List
	own  bool // the last chunk has room that no list shares
}

// fewIDs is how many ids of a chunk are copied rather than shared: else inserting
// one by one would leave a list of ever smaller chunks.
const fewIDs = maxChunk / 4

// Append adds ids to the end. Long runs among them take no memory.
func (b *Builder) Append(ids ...uint32) {
	for len(ids) > 0 {
		if b.extend(ids[0]) {
			ids = ids[1:]
			continue
		}
		if n := min(len(ids), maxChunk); n > fewIDs && isRun(ids[:n]) {
			b.push(chunk{first: ids[0], n: n})
			ids = ids[n:]
			continue
		}
		room := b.room()
		n := min(len(ids), maxChunk-len(*room))
		*room = append(*room, ids[:n]...)
		b.list.ends[len(b.list.ends)-1] += n
		ids = ids[n:]
	}
}

// isRun reports whether each id is the one before and one.
func isRun(ids []uint32) bool {
	if ids[len(ids)-1]-ids[0] != uint32(len(ids)-1) {
		return false
	}
	for i, id := range ids {
		if id != ids[0]+uint32(i) {
			return false
		}
	}
	return true
}

// extend adds an id to the run at the end, if there is one that goes on with it.
func (b *Builder) extend(id uint32) bool {
	last := len(b.list.chunks) - 1
	if last < 0 {
		return false
	}
	c := &b.list.chunks[last]
	if c.ids != nil || uint64(id) != uint64(c.first)+uint64(c.n) {
		return false
	}
	c.n++
	b.list.ends[last]++
	return true
}

// room is the last chunk's ids, if it is the builder's own and not full, else those
// of a new one.
func (b *Builder) room() *[]uint32 {
	last := len(b.list.chunks) - 1
	if !b.own || len(b.list.chunks[last].ids) == maxChunk {
		size := fewIDs
		if b.Len() >= maxChunk {
			size = maxChunk // there are many, so there will be more
		}
		b.push(chunk{ids: make([]uint32, 0, size)})
		b.own = true
		last++
	}
	return &b.list.chunks[last].ids
}

func (b *Builder) push(c chunk) {
	end := b.list.Len() + c.len()
	b.list.chunks = append(b.list.chunks, c)
	b.list.ends = append(b.list.ends, end)
	b.own = false
}

// add adds a chunk, sharing it unless it is small.
func (b *Builder) add(c chunk) {
	switch {
	case c.len() == 0:
	case c.ids == nil && c.n == 1:
		b.Append(c.first)
	case c.ids != nil && len(c.ids) <= fewIDs:
		b.Append(c.ids...)
	default:
		b.push(c)
	}
}

// Len is the number of ids so far.
func (b *Builder) Len() int { return b.list.Len() }

// List is what was added so far.
func (b *Builder) List() List {
	return List{chunks: slices.Clone(b.list.chunks), ends: slices.Clone(b.list.ends)}
}
