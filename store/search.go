package store

import (
	"bytes"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"

	"weir/filter"
	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/rowid"
)

// How much a search holds at a time. What is larger is read piece by piece when
// the filter asks for it.
const (
	searchPage  = 128      // flows
	searchBody  = 32 << 10 // bytes of a body that is read ahead
	searchAhead = 4 << 20  // bytes of bodies read ahead
)

// residual returns those flows, given ascending, that pass what of the filter SQL
// cannot decide. It reads them a page at a time, and only what the filter needs.
func (sel *selection) residual(ctx context.Context, ids []uint32) ([]uint32, error) {
	if sel.bodies != nil {
		var err error
		if ids, err = sel.bodies.Flows(ctx, ids); err != nil {
			return nil, err
		}
	}
	var passed []uint32
	var matcher filter.Matcher
	for page := range slices.Chunk(ids, searchPage) {
		subjects, err := sel.subjects(ctx, page)
		if err != nil {
			return nil, err
		}
		for _, s := range subjects {
			ok, err := matcher.Match(sel.plan.Expr, s)
			switch {
			case errors.Is(err, ErrDamaged) && ctx.Err() == nil:
				continue // one flow that cannot be read must not end the search in the others
			case err != nil:
				return nil, fmt.Errorf("search flow %d: %w", s.row.ID, err)
			case ok:
				passed = append(passed, uint32(s.row.ID))
			}
		}
	}
	return passed, nil
}

// subjects reads flows for the filter to look at, in order of their ids. Those
// that were deleted meanwhile are left out.
func (sel *selection) subjects(ctx context.Context, ids []uint32) ([]*subject, error) {
	list := rowid.List(ids)
	rows, err := sel.session.read.QueryContext(ctx, rowsQuery, list)
	if err != nil {
		return nil, fmt.Errorf("search: %w", classify(err))
	}
	defer rows.Close()
	subjects := make([]*subject, 0, len(ids))
	more := sel.session.more(ctx)
	for rows.Next() {
		s := &subject{more: more}
		if err := sel.session.scanColumns(rows, &s.row, &s.blob); err != nil {
			return nil, fmt.Errorf("search: %w", classify(err))
		}
		subjects = append(subjects, s)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return nil, fmt.Errorf("search: %w", classify(err))
	}
	if sel.plan.Needs < filter.NeedBody {
		return subjects, nil
	}
	return subjects, readAhead(ctx, sel.session.bodies(sel.session.read), list, subjects)
}

// aheadQuery reads the first piece of each body, data only if it is not large,
// and tells by a second piece that there is more.
const aheadQuery = `SELECT b.id, b.size, b.enc, CASE WHEN b.id & ? = 0 AND b.size <= ? AND b.enc <> 2 THEN b.data END
	FROM json_each(?) j
	CROSS JOIN body b ON b.id BETWEEN j.value << ? AND (j.value + 1 << ?) - 1
	WHERE b.id & ? <= 1 ORDER BY b.id`

// readAhead reads the small bodies of flows together: one by one, finding them
// would take longer than searching them.
func readAhead(ctx context.Context, src body.Source, list string, subjects []*subject) error {
	const shift, mask = rowid.BodyBits, rowid.MaxPieces - 1
	rows, err := src.DB.QueryContext(ctx, aheadQuery, mask, searchBody, list, shift, shift, mask)
	if err != nil {
		return fmt.Errorf("search bodies: %w", classify(err))
	}
	defer rows.Close()
	at, held := 0, 0
	var buf []byte
	for rows.Next() {
		var id, size, enc int64
		var data sql.RawBytes
		if err := rows.Scan(&id, &size, &enc, &data); err != nil {
			return fmt.Errorf("search bodies: %w", classify(err))
		}
		for at < len(subjects) && int64(subjects[at].row.ID) < id>>shift {
			subjects[at].ahead = true
			if at++; held >= searchAhead {
				return rows.Close()
			}
		}
		if at == len(subjects) || int64(subjects[at].row.ID) > id>>shift {
			continue // of a flow that was deleted meanwhile
		}
		found := &subjects[at].bodies[rowid.Side(id)]
		found.small, found.large = nil, true
		if data == nil {
			continue
		}
		// A piece that cannot be decoded is met again by whoever reads the body.
		if out, err := body.Decode(src.Unpack, enc, size, data, buf); err == nil {
			if enc == body.EncZstd {
				buf = out
			}
			found.small, found.large = bytes.Clone(out), false
			held += len(out)
		}
	}
	for _, s := range subjects[at:] {
		s.ahead = true
	}
	return errors.Join(rows.Err(), rows.Close())
}

// subject is one flow as the filter sees it: its columns and note at hand, the
// head decoded when asked for, bodies and messages read then.
type subject struct {
	row    flowpb.Row
	blob   []byte
	flow   *flowpb.Flow
	ahead  bool // bodies tells all there is to know of the stored bodies
	bodies [rowid.MaxSide + 1]struct {
		small []byte // the whole body
		large bool   // there is one, to be read when asked for
	}
	more *more
}

// more reads of a session what was not read ahead, within the context of the
// search: the methods of filter.Subject are given none.
type more struct {
	body     func(flow uint64, side flowpb.Side) (io.Reader, error) // nil: nothing is stored
	messages func(flow, first uint64) ([]*flowpb.Message, error)
}

func (s *Session) more(ctx context.Context) *more {
	return &more{
		body: func(flow uint64, side flowpb.Side) (io.Reader, error) {
			body, err := s.Body(ctx, flow, side)
			if err != nil || body.Size() == 0 {
				return nil, err
			}
			return body.NewReader(ctx), nil
		},
		messages: func(flow, first uint64) ([]*flowpb.Message, error) {
			return s.Messages(ctx, flow, first, searchMessages)
		},
	}
}

var _ filter.Subject = (*subject)(nil)

// Summary implements filter.Subject.
func (s *subject) Summary() *flowpb.Summary { return &s.row.Summary }

// Note implements filter.Subject.
func (s *subject) Note() *flowpb.Note { return &s.row.Note }

// Flow implements filter.Subject.
func (s *subject) Flow() (*flowpb.Flow, error) {
	if s.flow == nil {
		flow, err := flowpb.DecodeFlow(s.row.ID, s.blob)
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
		}
		s.flow = flow
	}
	return s.flow, nil
}

// Body implements filter.Subject.
func (s *subject) Body(side flowpb.Side) (io.Reader, error) {
	if side < 1 || side > rowid.MaxSide {
		return nil, nil
	}
	if small := s.bodies[side].small; small != nil {
		return bytes.NewBuffer(small), nil
	}
	if !s.ahead || s.bodies[side].large {
		if body, err := s.more.body(s.row.ID, side); err != nil || body != nil {
			return body, err
		}
	}
	there, err := s.hasBody(side)
	if err != nil || !there {
		return nil, err
	}
	return &bytes.Buffer{}, nil // an empty body is not none
}

// hasBody reports whether a message of the flow has a body at all.
func (s *subject) hasBody(side flowpb.Side) (bool, error) {
	switch side {
	case flowpb.SideRequest:
		return s.row.RequestSize != flowpb.Absent, nil
	case flowpb.SideResponse:
		return s.row.ResponseSize != flowpb.Absent, nil
	}
	flow, err := s.Flow()
	if err != nil {
		return false, err
	}
	if side == flowpb.SideOriginalRequest {
		return flow.GetHttp().GetOriginalRequest().GetBody() != nil, nil
	}
	return flow.GetHttp().GetOriginalResponse().GetBody() != nil, nil
}

// searchMessages is how many messages are read at a time.
const searchMessages = 64

// Messages implements filter.Subject.
func (s *subject) Messages(yield func(*flowpb.Message) bool) error {
	for first := uint64(1); ; {
		page, err := s.more.messages(s.row.ID, first)
		if err != nil {
			return err
		}
		for _, m := range page {
			if !yield(m) {
				return nil
			}
			first = m.Sequence + 1
		}
		if len(page) < searchMessages {
			return nil
		}
	}
}
