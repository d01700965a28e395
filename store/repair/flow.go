package repair

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"

	flowpb "weir/proto"
	"weir/store/rowid"
	"weir/store/verify"
)

// window is how many ids are looked at at a time.
const window = 512

// remains is what is left of one flow.
type remains struct {
	row      *flowpb.Summary // of the table flow; nil: lost
	stale    bool            // its row has numbers that stand for nothing
	removed  bool            // its row is among the removed
	dropped  bool            // what is left of it is being deleted
	head     *flowpb.Flow    // nil: lost
	bodies   [rowid.MaxSide + 1]int64
	messages int
	noted    bool
}

// mendFlows gives each flow of which anything is left a head and a row that fit
// each other and what else there is.
func (m *mender) mendFlows(ctx context.Context) error {
	for from := int64(0); ; {
		var low sql.NullInt64
		err := m.db.QueryRowContext(ctx, `SELECT min(id) FROM (
			SELECT min(id) AS id FROM flow WHERE id > ?1 UNION ALL SELECT min(id) FROM removed WHERE id > ?1 UNION ALL
			SELECT min(id) FROM head WHERE id > ?1 UNION ALL SELECT min(flow) FROM note WHERE flow > ?1 UNION ALL
			SELECT min(id) >> 23 FROM body WHERE id >= (?1 + 1) << 23 UNION ALL
			SELECT min(id) >> 28 FROM message WHERE id >= (?1 + 1) << 28)`, from).Scan(&low)
		if err != nil || !low.Valid {
			return err
		}
		from = low.Int64 + window - 1
		if err := m.mendWindow(ctx, low.Int64, from); err != nil {
			return err
		}
	}
}

// mendWindow mends the flows from low to high.
func (m *mender) mendWindow(ctx context.Context, low, high int64) error {
	left, err := m.gather(ctx, low, high)
	if err != nil {
		return err
	}
	lost, err := m.lostConns(ctx, left)
	if err != nil {
		return err
	}
	for _, id := range slices.Sorted(maps.Keys(left)) {
		f := m.mendFlow(id, left[id], lost)
		if f == nil {
			continue
		}
		if err := m.w.Put(f, left[id].row != nil || left[id].removed); err != nil {
			return err
		}
	}
	return m.w.Flush(ctx)
}

// gather finds out what is left of flows.
func (m *mender) gather(ctx context.Context, low, high int64) (map[uint64]*remains, error) {
	left := map[uint64]*remains{}
	of := func(id uint64) *remains {
		if left[id] == nil {
			left[id] = &remains{}
		}
		return left[id]
	}
	if err := m.w.Summaries(ctx, low, high, func(s *flowpb.Summary) { of(s.ID).row = s }); err != nil {
		return nil, err
	}
	for _, part := range []struct {
		query string
		row   func(*sql.Rows) error
	}{
		{"SELECT id, blob FROM head WHERE id BETWEEN ? AND ?", func(rows *sql.Rows) error {
			var id uint64
			var blob sql.RawBytes
			if err := rows.Scan(&id, &blob); err != nil {
				return err
			}
			of(id).head, _ = flowpb.DecodeFlow(id, blob) // one that cannot be read is lost
			return nil
		}},
		{"SELECT id FROM (" + verify.MissingTerms + " OR site NOT IN (SELECT id FROM site)) WHERE id BETWEEN ? AND ?", idRow(func(id uint64) { of(id).stale = true })},
		{"SELECT id FROM removed WHERE id BETWEEN ? AND ?", idRow(func(id uint64) { of(id).removed = true })},
		{"SELECT id FROM removed WHERE at = 0 AND id BETWEEN ? AND ?", idRow(func(id uint64) { of(id).dropped = true })},
		{"SELECT flow FROM note WHERE flow BETWEEN ? AND ?", idRow(func(id uint64) { of(id).noted = true })},
		{"SELECT id >> 28 FROM message WHERE id BETWEEN ? << 28 AND (? + 1 << 28) - 1", idRow(func(id uint64) { of(id).messages++ })},
		{`SELECT id >> 20, max(start + size) FROM body WHERE id BETWEEN ? << 23 AND (? + 1 << 23) - 1
			AND (id >> 23 IN (SELECT id FROM head) OR id >> 20 << 20 NOT IN (SELECT body FROM shared UNION ALL SELECT body FROM freed))
			GROUP BY id >> 20`, func(rows *sql.Rows) error {
			var key uint64
			var size int64
			err := rows.Scan(&key, &size)
			of(key >> rowid.SideBits).bodies[key&rowid.MaxSide] = size
			return err
		}},
	} {
		if err := rowid.Each(ctx, m.db, part.query, part.row, low, high); err != nil {
			return nil, err
		}
	}
	return left, nil
}

// lostConns are the connections that heads refer to and that are not there.
func (m *mender) lostConns(ctx context.Context, left map[uint64]*remains) (map[uint64]bool, error) {
	var ids []uint64
	for _, r := range left {
		ids = append(ids, r.head.GetClientConn(), r.head.GetServerConn())
	}
	gone, err := rowid.Select(ctx, m.db, "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT id FROM conn)", rowid.List(ids))
	lost := map[uint64]bool{}
	for _, id := range gone {
		lost[id] = id != 0
	}
	return lost, err
}

// idRow reads rows of one id.
func idRow(take func(uint64)) func(*sql.Rows) error {
	return func(rows *sql.Rows) error {
		var id uint64
		err := rows.Scan(&id)
		take(id)
		return err
	}
}

// mendFlow returns the head that a flow is to have, nil if all is well with it.
func (m *mender) mendFlow(id uint64, left *remains, lost map[uint64]bool) *flowpb.Flow {
	f := left.head
	switch {
	case left.dropped:
		return nil // and deleted by the next Purge
	case f == nil:
		m.r.Rebuilt++
		m.r.report(fmt.Sprintf("flow %d", id), "its head is lost: headers, times and reasons are not as they were")
		return left.rebuild(id)
	}
	changed := false
	for _, conn := range []*uint64{&f.ClientConn, &f.ServerConn} {
		if lost[*conn] {
			m.r.report(fmt.Sprintf("flow %d", id), "its connection %d is lost", *conn)
			*conn, changed = 0, true
		}
	}
	for side, b := range bodiesOf(f) {
		stored := left.bodies[side]
		if (b.GetState() == flowpb.BodyComplete || b.GetState() == flowpb.BodyCut) && int64(b.GetSize()) != stored {
			if stored == 0 {
				m.r.report(fmt.Sprintf("body of flow %d", id), "side %d: all of it is lost", side)
			}
			b.State, b.Size = flowpb.BodyCut, uint64(stored)
			changed = true
		}
	}
	if changed || left.stale || left.row == nil && !left.removed {
		return f
	}
	if want := flowpb.Summarize(f); left.row != nil && *left.row != want {
		return f // the row is rebuilt without loss
	}
	return nil
}

// bodiesOf are the bodies that a head speaks of, by side.
func bodiesOf(f *flowpb.Flow) map[flowpb.Side]*flowpb.Body {
	all := map[flowpb.Side]*flowpb.Body{}
	h := f.GetHttp()
	for side, b := range map[flowpb.Side]*flowpb.Body{
		flowpb.SideRequest:          h.GetRequest().GetBody(),
		flowpb.SideResponse:         h.GetResponse().GetBody(),
		flowpb.SideOriginalRequest:  h.GetOriginalRequest().GetBody(),
		flowpb.SideOriginalResponse: h.GetOriginalResponse().GetBody(),
	} {
		if b != nil {
			all[side] = b
		}
	}
	return all
}

// rebuild makes a head of what the row says, and of bodies and messages.
func (left *remains) rebuild(id uint64) *flowpb.Flow {
	row := left.row
	if row == nil {
		row = &flowpb.Summary{ID: id}
	}
	f := &flowpb.Flow{
		Id: id, State: flowpb.StateError, CreatedNs: row.Started, Replay: row.Replay, Client: []byte(row.Client), Server: []byte(row.Server),
		Agent: []byte(row.Agent),
		Error: &flowpb.Error{Message: "the head of this flow was lost when its file was damaged"},
	}
	stream := &flowpb.Stream{Messages: uint64(left.messages)}
	switch {
	case row.Kind == flowpb.KindUDP:
		f.Protocol = &flowpb.Flow_Udp{Udp: stream}
	case row.Kind == flowpb.KindTCP, row.Kind == flowpb.KindUnknown && left.messages > 0:
		f.Protocol = &flowpb.Flow_Tcp{Tcp: stream}
	case row.Kind == flowpb.KindDNS:
		f.Protocol = &flowpb.Flow_Dns{Dns: &flowpb.Dns{Request: &flowpb.DnsMessage{Questions: []*flowpb.DnsQuestion{{Name: []byte(row.Path)}}}}}
	case row.Kind == flowpb.KindTLS:
		f.Protocol = &flowpb.Flow_Tls{Tls: &flowpb.TlsFailure{Host: []byte(row.Host), Port: row.Port}}
	default:
		f.Protocol = &flowpb.Flow_Http{Http: left.rebuildHTTP(row)}
	}
	return f
}

func (left *remains) rebuildHTTP(row *flowpb.Summary) *flowpb.Http {
	body := func(side flowpb.Side) *flowpb.Body {
		if left.bodies[side] == 0 {
			return nil
		}
		return &flowpb.Body{State: flowpb.BodyCut, Size: uint64(left.bodies[side])}
	}
	h := &flowpb.Http{Request: &flowpb.Request{
		Method: []byte(row.Method), Scheme: []byte(row.Scheme), Host: []byte(row.Host), Port: row.Port, Authority: []byte(row.Authority),
		Path: []byte(row.Path), Version: []byte(row.Version), Headers: contentType(row.RequestType),
		Body: body(flowpb.SideRequest), StartedNs: row.Started,
	}}
	if row.Status != 0 || left.bodies[flowpb.SideResponse] > 0 {
		h.Response = &flowpb.Response{
			Status: row.Status, Version: []byte(row.Version), Headers: contentType(row.ContentType), Body: body(flowpb.SideResponse),
		}
	}
	if b := body(flowpb.SideOriginalRequest); b != nil {
		h.OriginalRequest = &flowpb.Request{Body: b}
	}
	if b := body(flowpb.SideOriginalResponse); b != nil {
		h.OriginalResponse = &flowpb.Response{Body: b}
	}
	return h
}

// contentType is the one header that a row still knows.
func contentType(value string) []*flowpb.Field {
	if value == "" {
		return nil
	}
	return []*flowpb.Field{{Name: []byte("Content-Type"), Value: []byte(value)}}
}
