package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"sync"

	"weir/filter"
	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/pack"
	"weir/store/rowid"
	"weir/store/upcall"
)

// prescan returns those of some flows, given ascending, whose bodies may match: it
// walks the pieces in the order of the file and looks for a text that every match has
// in it, in the memory where SQLite has them. What is left, almost nothing, is read and
// judged one by one.
func (sel *selection) prescan(ctx context.Context, ids []uint32) ([]uint32, error) {
	if sel.plan.Prefilter == nil {
		return ids, nil
	}
	scan := sel.newPieceScan()
	for left := ids; len(left) > 0; {
		err := scan.run(ctx, sel.session, piecesOfFlows, jsonIDs(left))
		if err == nil {
			break
		}
		if !errors.Is(err, errSkipBody) {
			return nil, err
		}
		after, _ := slices.BinarySearch(left, uint32(scan.flow)+1)
		left = left[after:]
	}
	hits := scan.hits
	for owner, flows := range scan.owners {
		has, err := sel.ownerHas(ctx, owner)
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

// pieceScan looks at pieces as they come.
type pieceScan struct {
	prefilter *filter.Prefilter
	unpack    *pack.Unpacker
	sides     int64 // a bit for each

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

func (sel *selection) newPieceScan() *pieceScan {
	s := &pieceScan{prefilter: sel.plan.Prefilter, unpack: sel.session.unpack, owners: map[int64][]uint32{}}
	for _, side := range []flowpb.Side{flowpb.SideRequest, flowpb.SideResponse} {
		if s.prefilter.Searches(side) {
			s.sides |= 1 << side
		}
	}
	return s
}

// run looks at what a query finds.
func (p *pieceScan) run(ctx context.Context, s *Session, query, list string) error {
	return s.functions.Scan(ctx, p.row, nil, func(token int64) error {
		var none int
		err := s.read.QueryRowContext(ctx, query, token, list, int64(filter.PlainKind), int64(filter.PlainMask), p.sides).Scan(&none)
		if err != nil {
			return fmt.Errorf("search bodies: %w", classify(err))
		}
		return nil
	})
}

// row takes a flow with a piece of one of its bodies.
func (p *pieceScan) row(row []driver.Value) error {
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
func (p *pieceScan) piece(id, size, enc int64, value driver.Value) bool {
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
	content, err := body.Decode(p.unpack, enc, size, data, p.buf)
	if err != nil {
		return true
	}
	if enc == body.EncZstd {
		p.buf = content
	}
	return p.has(content)
}

// has looks into a piece, and over its beginning.
func (p *pieceScan) has(content []byte) bool {
	if p.prefilter.In(content) {
		return true
	}
	overlap := p.prefilter.Longest() - 1
	p.tail = append(p.tail, content[:min(overlap, len(content))]...)
	if p.prefilter.In(p.tail) {
		return true
	}
	if len(content) >= overlap {
		p.tail = append(p.tail[:0], content[len(content)-overlap:]...)
	} else {
		p.tail = slices.Delete(p.tail, 0, max(0, len(p.tail)-overlap))
	}
	return false
}

// ownerMemo remembers of shared bodies whether flows that refer to them may match.
type ownerMemo struct {
	mu   sync.Mutex
	seen map[int64]bool
}

// maxOwners bounds the memory of an ownerMemo, in bodies.
const maxOwners = 64 << 10

func (sel *selection) ownerHas(ctx context.Context, owner int64) (bool, error) {
	sel.owners.mu.Lock()
	has, known := sel.owners.seen[owner]
	sel.owners.mu.Unlock()
	if known {
		return has, nil
	}
	scan := sel.newPieceScan()
	err := scan.run(ctx, sel.session, piecesOfBodies, fmt.Sprintf("[%d]", owner))
	if err != nil && !errors.Is(err, errSkipBody) {
		return false, err
	}
	// References to references are damage, which is for others to tell.
	has = len(scan.hits) > 0 || len(scan.owners) > 0
	sel.owners.mu.Lock()
	defer sel.owners.mu.Unlock()
	if sel.owners.seen == nil || len(sel.owners.seen) >= maxOwners {
		sel.owners.seen = map[int64]bool{}
	}
	sel.owners.seen[owner] = has
	return has, nil
}
