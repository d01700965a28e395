package merge

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"

	flowpb "weir/proto"
	"weir/store"
	"weir/store/body"
	"weir/store/fault"
	"weir/store/rowid"
)

// reel gives the flows of a session in their order, a page in memory at a time. Each
// page is read in a transaction of its own, so that a capture's -wal file can be
// folded meanwhile.
type reel struct {
	s         *store.Session
	db        *sql.DB // reads s
	page      []*flowpb.Flow
	place, of uint64 // it is number place, from 0, of so many sessions
	at, high  uint64 // the last id that was read, and the last to read

	copies []copied // flows of the batch
	conns  []uint64 // of these, by their old numbers
}

// copied is a flow that moved. Where it is not whole only its notes are copied.
type copied struct {
	was, is uint64
	whole   bool
}

// connID is the new number of a connection. Those of all sessions take turns, so that
// a session that is being captured has room for more.
func (r *reel) connID(was uint64) uint64 {
	if was == 0 || was > maxConns {
		return 0 // there is none such
	}
	return (was-1)*r.of + r.place + 1
}

// maxConns bounds the numbers of connections that are believed.
const maxConns = 1 << 40

// How much is read at a time: heads, and about so many bytes of them.
const (
	pageFlows = 128
	pageBytes = 4 << 20
)

// errPageFull ends the reading of a page before its last row.
var errPageFull = errors.New("page full")

// next returns the next flow, which stays in the page; nil at the end.
func (r *reel) next(ctx context.Context) (*flowpb.Flow, error) {
	if len(r.page) > 0 {
		return r.page[0], nil
	}
	if r.at >= r.high {
		return nil, nil
	}
	r.page = make([]*flowpb.Flow, 0, pageFlows)
	bytes := 0
	err := rowid.Each(ctx, r.db, "SELECT h.id, h.blob FROM flow f JOIN head h ON h.id = f.id WHERE f.id > ? AND f.id <= ? ORDER BY f.id LIMIT ?",
		func(rows *sql.Rows) error {
			var blob sql.RawBytes
			if err := rows.Scan(&r.at, &blob); err != nil {
				return err
			}
			f, err := flowpb.DecodeFlow(r.at, blob)
			if err != nil {
				return err
			}
			r.page = append(r.page, f)
			if bytes += len(blob); bytes > pageBytes {
				return errPageFull
			}
			return nil
		}, int64(r.at), int64(r.high), pageFlows)
	if err != nil && !errors.Is(err, errPageFull) {
		return nil, fault.Classify(err)
	}
	if len(r.page) == 0 {
		r.at = r.high
		return nil, nil
	}
	return r.page[0], nil
}

// ids are the flows of the batch that pick chooses, by their old ids.
func (r *reel) ids(pick func(copied) bool) (was []uint64, is map[uint64]uint64) {
	is = map[uint64]uint64{}
	for _, c := range r.copies {
		if pick(c) {
			was = append(was, c.was)
			is[c.was] = c.is
		}
	}
	slices.Sort(was)
	return was, is
}

// bytes reads a piece of a body.
func (r *reel) bytes(ctx context.Context, flow uint64, side flowpb.Side, start, size int64) ([]byte, error) {
	if size < 1 || size > body.PieceSize {
		return nil, fmt.Errorf("body of flow %d: a piece of %d bytes: %w", flow, size, fault.ErrDamaged)
	}
	b, err := r.s.Body(ctx, flow, side)
	if err != nil {
		return nil, err
	}
	p := make([]byte, size)
	if n, err := b.ReadAt(ctx, p, start); int64(n) < size {
		if errors.Is(err, io.EOF) {
			err = fmt.Errorf("body of flow %d: it ends in a piece: %w", flow, fault.ErrDamaged)
		}
		return nil, err
	}
	return p, nil
}
