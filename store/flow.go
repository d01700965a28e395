package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"weir/filter"
	flowpb "weir/proto"
	"weir/store/rowid"
)

// flowColumns are the columns of the flow table as flowValues gives them.
const flowColumns = "id, revision, kind, state, flags, replay, started, duration, ttfb, status, " +
	"request_size, response_size, site, method, content_type, request_type, version, client, server, agent, path"

// flowValues is the row of a flow.
func (t *tape) flowValues(ctx context.Context, s *flowpb.Summary, revision uint64) ([]any, error) {
	values := []any{
		int64(s.ID), int64(revision), int64(s.Kind), int64(s.State), int64(s.Flags), int64(s.Replay),
		s.Started, present(s.Duration, flowpb.Absent), present(s.TTFB, flowpb.Absent), present(int64(s.Status), 0),
		present(s.RequestSize, flowpb.Absent), present(s.ResponseSize, flowpb.Absent),
	}
	site, err := t.dictionary.site(ctx, s)
	if err != nil {
		return nil, err
	}
	values = append(values, site)
	for _, text := range [...]string{s.Method, s.ContentType, s.RequestType, s.Version, s.Client, s.Server, s.Agent} {
		term, err := t.dictionary.term(ctx, text)
		if err != nil {
			return nil, err
		}
		values = append(values, term)
	}
	return append(values, s.Path), nil
}

// summaryColumns are the columns of `flow f` as summaryFields takes them, numbers
// put into words. In a damaged file a number may stand for nothing.
const summaryColumns = "f.id, f.kind, f.state, f.flags, f.replay, f.started, f.duration, f.ttfb, f.status, f.request_size, f.response_size, " +
	"coalesce(s.port, 0), coalesce(s.scheme, ''), coalesce(s.host, ''), coalesce(s.authority, ''), f.path, " +
	termText + "f.method), ''), " + termText + "f.content_type), ''), " + termText + "f.request_type), ''), " +
	termText + "f.version), ''), " + termText + "f.client), ''), " + termText + "f.server), ''), " + termText + "f.agent), '')"

const termText = "coalesce((SELECT text FROM term WHERE id = "

// present is v, or NULL where v says that there is nothing.
func present(v, absent int64) any {
	if v == absent {
		return nil
	}
	return v
}

// summaryFields are the places in s for summaryColumns; those of columns that may
// be NULL need fill afterwards.
type summaryFields struct {
	s                                                *flowpb.Summary
	duration, ttfb, status, requestSize, respondSize sql.NullInt64
}

func (f *summaryFields) into() []any {
	s := f.s
	return []any{
		&s.ID, &s.Kind, &s.State, &s.Flags, &s.Replay, &s.Started, &f.duration, &f.ttfb, &f.status, &f.requestSize, &f.respondSize,
		&s.Port, &s.Scheme, &s.Host, &s.Authority, &s.Path,
		&s.Method, &s.ContentType, &s.RequestType, &s.Version, &s.Client, &s.Server, &s.Agent,
	}
}

func (f *summaryFields) fill() {
	f.s.Duration, f.s.TTFB = orElse(f.duration, flowpb.Absent), orElse(f.ttfb, flowpb.Absent)
	f.s.Status = uint32(orElse(f.status, 0))
	f.s.RequestSize, f.s.ResponseSize = orElse(f.requestSize, flowpb.Absent), orElse(f.respondSize, flowpb.Absent)
}

func orElse(v sql.NullInt64, absent int64) int64 {
	if !v.Valid {
		return absent
	}
	return v.Int64
}

// Flow returns the head of a flow; [ErrNotFound] if there is no such flow, or it was
// removed.
func (s *Session) Flow(ctx context.Context, id uint64) (*flowpb.Flow, error) {
	return s.head(ctx, "SELECT h.blob FROM flow f JOIN head h ON h.id = f.id WHERE f.id = ?", id)
}

// head reads the head that a query finds for a flow.
func (s *Session) head(ctx context.Context, query string, id uint64) (*flowpb.Flow, error) {
	var blob []byte
	err := s.read.QueryRowContext(ctx, query, int64(id)).Scan(&blob)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read flow %d: %w", id, classify(err))
	}
	return flowpb.DecodeFlow(id, blob)
}

// Heads returns the heads of flows in the order of ids; those that do not exist
// are left out. It is meant for a window of some hundreds.
func (s *Session) Heads(ctx context.Context, ids []uint64) ([]*flowpb.Flow, error) {
	rows, err := s.read.QueryContext(ctx,
		"SELECT h.id, h.blob FROM json_each(?) j CROSS JOIN flow f ON f.id = j.value JOIN head h ON h.id = f.id ORDER BY j.key", rowid.List(ids))
	if err != nil {
		return nil, fmt.Errorf("read flows: %w", classify(err))
	}
	defer rows.Close()
	out := make([]*flowpb.Flow, 0, len(ids))
	for rows.Next() {
		var id uint64
		var blob sql.RawBytes
		if err := rows.Scan(&id, &blob); err != nil {
			return nil, fmt.Errorf("read flows: %w", classify(err))
		}
		f, err := flowpb.DecodeFlow(id, blob)
		if err != nil {
			return nil, err
		}
		out = append(out, f)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read flows: %w", classify(err))
	}
	return out, nil
}

// rowsQuery reads list rows, in the order of the JSON array of ids.
const rowsQuery = `SELECT ` + summaryColumns + `,
	coalesce(n.marked, ''), coalesce(n.tags, ''), coalesce(n.comment, ''), coalesce(n.highlight, ''), h.blob,
	(SELECT coalesce(nullif(s.name, ''), lower(hex(s.uuid))) FROM origin o JOIN source s ON s.id = o.source WHERE o.flow = f.id)
	FROM json_each(?) j
	CROSS JOIN flow f ON f.id = j.value
	LEFT JOIN site s ON s.id = f.site
	LEFT JOIN note n ON n.flow = f.id
	LEFT JOIN head h ON h.id = f.id
	ORDER BY j.key`

// Rows returns the list rows of flows in the order of ids; those that do not
// exist are left out. It is meant for a window of some hundreds.
func (s *Session) Rows(ctx context.Context, ids []uint64) ([]flowpb.Row, error) {
	rows, err := s.read.QueryContext(ctx, rowsQuery, rowid.List(ids))
	if err != nil {
		return nil, fmt.Errorf("read rows: %w", classify(err))
	}
	defer rows.Close()
	out := make([]flowpb.Row, 0, len(ids))
	for rows.Next() {
		row, err := s.scanRow(rows)
		if err != nil {
			return nil, fmt.Errorf("read rows: %w", classify(err))
		}
		out = append(out, row)
	}
	if err := rows.Err(); err != nil {
		return nil, fmt.Errorf("read rows: %w", classify(err))
	}
	return out, nil
}

func (s *Session) scanRow(rows *sql.Rows) (row flowpb.Row, err error) {
	var blob sql.RawBytes
	if err := s.scanColumns(rows, &row, &blob); err != nil {
		return row, err
	}
	head, err := flowpb.DecodeFlow(row.ID, blob)
	if err != nil {
		// A damaged head must not hide the other rows of the page.
		row.Error = err.Error()
		return row, nil
	}
	row.Reason = string(head.GetHttp().GetResponse().GetReason())
	row.Error = head.GetError().GetMessage()
	row.Origin = flowpb.OriginOf(head)
	return row, nil
}

// scanColumns reads a row of rowsQuery as it is, into blob what is a flow's head.
func (s *Session) scanColumns(rows *sql.Rows, row *flowpb.Row, blob any) error {
	fields := summaryFields{s: &row.Summary}
	var tags string
	var from sql.NullString
	if err := rows.Scan(append(fields.into(), &row.Marked, &tags, &row.Comment, &row.Highlight, blob, &from)...); err != nil {
		return err
	}
	fields.fill()
	row.Tags = splitTags(tags)
	row.Session = s.Name()
	if from.Valid {
		row.Session = filter.SessionName(from.String)
	}
	return nil
}
