// Package prescan finds the flows whose bodies may have what is looked for, before anybody
// reads them: it walks the pieces in the order of the file and looks for a text that every match
// has in it, in the memory where SQLite has them.
//
// What it leaves, almost nothing, is to be read and judged one by one; it leaves too much
// rather than too little. So whatever it cannot decide may match: a flow that has its text
// elsewhere than in plain bodies, a piece that is not what it should be.
//
// A [Scan] is one search; it may be used from several goroutines, for parts of the flows,
// and remembers of bodies that flows share what it has found there.
package prescan

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"sync"

	"weir/filter"
	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/fault"
	"weir/store/pack"
	"weir/store/rowid"
	"weir/store/upcall"
)

// Scan looks for what a prefilter asks for.
type Scan struct {
	DB        *sql.DB
	Calls     *upcall.Functions // of the connections of DB
	Unpack    *pack.Unpacker
	Prefilter *filter.Prefilter

	mu   sync.Mutex
	seen map[int64]bool // shared bodies, and whether flows that refer to them may match
}

// maxSeen bounds the memory of a Scan, in bodies.
const maxSeen = 64 << 10

// Flows returns those of some flows, given ascending, whose bodies may match.
func (s *Scan) Flows(ctx context.Context, ids []uint32) ([]uint32, error) {
	walk := s.walk()
	for left := ids; len(left) > 0; {
		err := walk.run(ctx, piecesOfFlows, rowid.List(left))
		if err == nil {
			break
		}
		if !errors.Is(err, errSkipBody) {
			return nil, err
		}
		after, _ := slices.BinarySearch(left, uint32(walk.flow)+1)
		left = left[after:]
	}
	hits := walk.hits
	for owner, flows := range walk.owners {
		has, err := s.ownerHas(ctx, owner)
		if err != nil {
			return nil, err
		}
		if has {
			hits = append(hits, flows...)
		}
	}
	slices.Sort(hits)
	return slices.Compact(hits), nil
}

// The pieces of flows, and those of shared bodies. Flows that are not plain, or have no
// such bodies, come once.
const (
	piecesOfFlows = `SELECT count(` + upcall.Collect + `(?1, f.id, f.kind = ?3 AND f.flags & ?4 = 0, b.id, b.size, b.enc, b.data))
		FROM json_each(?2) j
		CROSS JOIN flow f ON f.id = j.value
		LEFT JOIN body b ON f.kind = ?3 AND f.flags & ?4 = 0 AND b.id BETWEEN f.id << 23 AND (f.id + 1 << 23) - 1 AND 1 << (b.id >> 20 & 7) & ?5`
	piecesOfBodies = `SELECT count(` + upcall.Collect + `(?1, j.value, 1, b.id, b.size, b.enc, b.data))
		FROM json_each(?2) j
		CROSS JOIN body b ON b.id BETWEEN j.value AND j.value + 1048575 AND ?3 + ?4 + ?5 > 0`
)

// walk looks at pieces as they come.
type walk struct {
	*Scan
	sides int64 // a bit for each

	hits   []uint32           // flows that may match
	owners map[int64][]uint32 // flows that may match if a shared body does

	flow    int64 // being looked at
	hit     bool  // it may match: no need to look on
	skipped int   // pieces of it that came all the same
	body    int64 // being looked at
	next    int64 // piece of it
	lent    bool  // its pieces refer to another body
	tail    []byte
	buf     []byte
}

// errSkipBody ends a scan that walks over a large body in vain.
var errSkipBody = errors.New("the rest of a body does not matter")

// skipAfter is how many pieces, 2 MB of a large body, cost more than another query.
const skipAfter = 8

func (s *Scan) walk() *walk {
	w := &walk{Scan: s, owners: map[int64][]uint32{}}
	for _, side := range []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse} {
		if s.Prefilter.Searches(side) {
			w.sides |= 1 << side
		}
	}
	return w
}

// run looks at what a query finds.
func (p *walk) run(ctx context.Context, query, list string) error {
	return p.Calls.Scan(ctx, p.row, nil, func(token int64) error {
		var none int
		err := p.DB.QueryRowContext(ctx, query, token, list, int64(filter.PlainKind), int64(filter.PlainMask), p.sides).Scan(&none)
		if err != nil {
			return fmt.Errorf("search bodies: %w", fault.Classify(err))
		}
		return nil
	})
}

// row takes a flow with a piece of one of its bodies.
func (p *walk) row(row []driver.Value) error {
	flow, _ := row[0].(int64)
	if flow != p.flow {
		p.flow, p.hit, p.skipped, p.body, p.next = flow, false, 0, -1, 0
	}
	if p.hit {
		if p.skipped++; p.skipped >= skipAfter {
			return errSkipBody
		}
		return nil
	}
	plain, _ := row[1].(int64)
	id, there := row[2].(int64)
	if plain != 0 && !there {
		return nil
	}
	size, _ := row[3].(int64)
	enc, _ := row[4].(int64)
	if plain == 0 || p.piece(id, size, enc, row[5]) {
		p.hit = true
		p.hits = append(p.hits, uint32(flow))
	}
	return nil
}

// piece reports whether the flow may match for what the piece has, or because it is
// not what it should be: then those who judge the flow will say so.
func (p *walk) piece(id, size, enc int64, value driver.Value) bool {
	if body := rowid.Body(id); body != p.body {
		p.body, p.next, p.lent, p.tail = body, 0, false, p.tail[:0]
	}
	number := rowid.Number(id)
	if number != p.next {
		return true
	}
	p.next++
	if owner, ok := value.(int64); ok {
		if number == 0 {
			p.lent = true
			p.owners[owner] = append(p.owners[owner], uint32(p.flow))
		}
		return !p.lent
	}
	data, ok := value.([]byte)
	if !ok || p.lent {
		return true
	}
	content, err := body.Decode(p.Unpack, enc, size, data, p.buf)
	if err != nil {
		return true
	}
	if enc == body.EncZstd {
		p.buf = content
	}
	return p.has(content)
}

// has looks into a piece, and over its beginning.
func (p *walk) has(content []byte) bool {
	if p.Prefilter.In(content) {
		return true
	}
	overlap := p.Prefilter.Longest() - 1
	p.tail = append(p.tail, content[:min(overlap, len(content))]...)
	if p.Prefilter.In(p.tail) {
		return true
	}
	if len(content) >= overlap {
		p.tail = append(p.tail[:0], content[len(content)-overlap:]...)
	} else {
		p.tail = slices.Delete(p.tail, 0, max(0, len(p.tail)-overlap))
	}
	return false
}

// ownerHas reports whether flows that refer to a shared body may match.
func (s *Scan) ownerHas(ctx context.Context, owner int64) (bool, error) {
	s.mu.Lock()
	has, known := s.seen[owner]
	s.mu.Unlock()
	if known {
		return has, nil
	}
	walk := s.walk()
	err := walk.run(ctx, piecesOfBodies, fmt.Sprintf("[%d]", owner))
	if err != nil && !errors.Is(err, errSkipBody) {
		return false, err
	}
	// References to references are damage, which is for others to tell.
	has = len(walk.hits) > 0 || len(walk.owners) > 0
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.seen == nil || len(s.seen) >= maxSeen {
		s.seen = map[int64]bool{}
	}
	s.seen[owner] = has
	return has, nil
}
