package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"

	flowpb "weir/proto"
)

// MergeOptions say how sessions are merged.
type MergeOptions struct {
	Session Options
	// Progress, if set, is called now and then with how many flows were looked at, of
	// how many.
	Progress func(done, total uint64)
}

// Merged is what came of a merge.
type Merged struct {
	Flows      uint64 // in the new session
	Duplicates uint64 // flows that were met again and are there once
}

// Merge copies the flows of sessions, with all they have, into a new session at to. A
// flow keeps its identity, the session that recorded it and its id there, as Flow.uid;
// its id in the new session is the next one, in the order in which flows
// started as far as each session has them in that order. A flow that is met again, by
// its identity, is there once: as it was met first, or where it had ended, with the notes of all.
// Removed flows are not copied. View state is that of the first session.
//
// Memory does not depend on the sessions' size. Of a session that is being captured
// the flows are copied that are committed when the merge begins. It fails with
// [fs.ErrExist] if there is anything at to.
func Merge(ctx context.Context, paths []string, to string, o MergeOptions) (m Merged, err error) {
	g := &merger{progress: o.Progress}
	defer func() {
		for _, r := range g.reels {
			err = errors.Join(err, r.s.Close())
		}
	}()
	for _, path := range paths {
		s, err := Open(ctx, path, Options{ReadOnly: true})
		if err != nil {
			return Merged{}, err
		}
		g.reels = append(g.reels, &reel{s: s, place: uint64(len(g.reels)), of: uint64(len(paths))})
	}
	target, err := filepath.Abs(to)
	if err != nil {
		return Merged{}, err
	}
	err = fresh(ctx, target, o.Session, func(s *Session) error { return g.into(ctx, s) })
	return g.done, err
}

// merger copies flows from reels into one new session. It is used by one goroutine.
type merger struct {
	reels    []*reel
	s        *Session
	w        *scribe
	t        *tape
	batch    *batch
	places   map[uint64]int      // of flows in the batch
	sources  map[[16]byte]int64  // rows of the table source
	carried  map[uint64]struct{} // connections that were copied lately
	last     uint64              // the last id that was given
	looked   uint64
	total    uint64
	done     Merged
	progress func(done, total uint64)
}

// What is copied in one go.
const (
	mergeFlows   = 512
	mergeBytes   = 2 << 20
	maxCarried   = 1 << 16
	maxSources   = 1 << 12 // remembered; all are in the file
	progressStep = 16 << 10
)

func (g *merger) into(ctx context.Context, s *Session) (err error) {
	g.s, g.w = s, newScribe(s)
	g.sources, g.carried = map[[16]byte]int64{}, map[uint64]struct{}{}
	g.empty()
	defer func() { err = errors.Join(err, g.w.close()) }()
	if g.t, err = newTape(ctx, s, func(uint64) {}); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, g.t.close()) }()
	for _, r := range g.reels {
		if err := g.begin(ctx, r); err != nil {
			return fmt.Errorf("merge session %q: %w", r.s.path, err)
		}
	}
	for {
		r, err := g.earliest(ctx)
		if err != nil {
			return err
		}
		if r == nil {
			return g.flush(ctx)
		}
		if err := g.take(ctx, r); err != nil {
			return fmt.Errorf("merge session %q: %w", r.s.path, err)
		}
	}
}

// begin copies what belongs to a session as a whole.
func (g *merger) begin(ctx context.Context, r *reel) error {
	if err := r.s.read.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM flow").Scan(&r.high); err != nil {
		return classify(err)
	}
	n, err := r.s.Count(ctx)
	if err != nil {
		return err
	}
	g.total += n
	if err := g.addSource(ctx, r.s.uuid, filepath.Base(r.s.path), r.s.created, r.s.creator); err != nil {
		return err
	}
	copies := []struct{ from, to string }{
		{"SELECT uuid, name, created, creator FROM source", insertSource},
		{"SELECT sha256, der FROM cert", "INSERT OR IGNORE INTO cert (sha256, der) VALUES (?, ?)"},
	}
	if r.place == 0 {
		copies = append(copies, struct{ from, to string }{"SELECT name, value FROM state", "INSERT OR REPLACE INTO state (name, value) VALUES (?, ?)"})
	}
	for _, c := range copies {
		if err := g.copyRows(ctx, r, c.from, c.to, nil); err != nil {
			return err
		}
	}
	return g.w.flush()
}

// A session that was only known by its flows gets its name when it is met itself.
const insertSource = `INSERT INTO source (uuid, name, created, creator) VALUES (?, ?, ?, ?)
	ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, created = excluded.created, creator = excluded.creator WHERE name = ''`

func (g *merger) addSource(ctx context.Context, uuid [16]byte, name string, created int64, creator string) error {
	_, err := g.w.exec(ctx, 0, insertSource, uuid[:], name, created, creator)
	return err
}

// sourceID is the row of a session that flows come from.
func (g *merger) sourceID(ctx context.Context, uuid [16]byte) (id int64, err error) {
	if id, known := g.sources[uuid]; known {
		return id, nil
	}
	const find = "SELECT id FROM source WHERE uuid = ?"
	err = g.w.scan(ctx, find, []any{uuid[:]}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		if err = g.addSource(ctx, uuid, "", 0, ""); err == nil {
			err = g.w.scan(ctx, find, []any{uuid[:]}, &id)
		}
	}
	if err != nil {
		return 0, err
	}
	if len(g.sources) >= maxSources {
		clear(g.sources)
	}
	g.sources[uuid] = id
	return id, nil
}

// earliest returns the reel whose next flow started first; nil when all have ended.
func (g *merger) earliest(ctx context.Context) (*reel, error) {
	var first *reel
	for _, r := range g.reels {
		f, err := r.next(ctx)
		if err != nil {
			return nil, fmt.Errorf("merge session %q: %w", r.s.path, err)
		}
		if f != nil && (first == nil || f.GetCreatedNs() < first.page[0].GetCreatedNs()) {
			first = r
		}
	}
	return first, nil
}

// take moves the next flow of a reel into the batch, unless it is there already.
func (g *merger) take(ctx context.Context, r *reel) error {
	f := r.page[0]
	r.page = r.page[1:]
	if g.looked++; g.progress != nil && g.looked%progressStep == 0 {
		g.progress(g.looked, g.total)
	}
	origin := flowpb.OriginOf(f)
	if origin == (flowpb.Origin{}) {
		origin = flowpb.Origin{Session: r.s.uuid, Sequence: f.GetId()}
	}
	source, err := g.sourceID(ctx, origin.Session)
	if err != nil {
		return err
	}
	was := f.GetId()
	n, err := g.w.exec(ctx, 0, "INSERT OR IGNORE INTO origin (flow, source, sequence) VALUES (?, ?, ?)",
		int64(g.last+1), source, int64(origin.Sequence))
	if err != nil {
		return err
	}
	if n == 0 {
		return g.again(ctx, r, f, source, origin)
	}
	g.last++
	if g.last > maxID {
		return fmt.Errorf("more than %d flows: %w", uint32(maxID), ErrLimit)
	}
	g.done.Flows++
	r.copies = append(r.copies, copied{was: was, is: g.last, whole: true})
	return g.put(ctx, r, f, g.last, origin)
}

// again meets a flow that is there: its notes are united with what was said of it, and
// where it had not ended before and has now, it takes its own place.
func (g *merger) again(ctx context.Context, r *reel, f *flowpb.Flow, source int64, origin flowpb.Origin) error {
	g.done.Duplicates++
	var is uint64
	if err := g.w.scan(ctx, "SELECT flow FROM origin WHERE source = ? AND sequence = ?", []any{source, int64(origin.Sequence)}, &is); err != nil {
		return err
	}
	state, err := g.stateOf(ctx, is)
	if err != nil {
		return err
	}
	later := !ended(state) && ended(f.GetState())
	r.copies = append(r.copies, copied{was: f.GetId(), is: is, whole: later})
	if !later {
		return g.flushFull(ctx)
	}
	if err := g.flushBut(ctx, r); err != nil { // what it had is in the file then
		return err
	}
	for _, statement := range []string{
		"DELETE FROM body WHERE id BETWEEN ?1 << 23 AND (?1 + 1 << 23) - 1",
		"DELETE FROM message WHERE id BETWEEN ?1 << 28 AND (?1 + 1 << 28) - 1",
	} {
		if _, err := g.w.exec(ctx, 0, statement, int64(is)); err != nil {
			return err
		}
	}
	return g.put(ctx, r, f, is, origin)
}

// stateOf is how far a flow has come that was copied.
func (g *merger) stateOf(ctx context.Context, id uint64) (state flowpb.State, err error) {
	if i, waits := g.places[id]; waits {
		return g.batch.flows[i].summary.State, nil
	}
	err = g.s.read.QueryRowContext(ctx, "SELECT state FROM flow WHERE id = ?", int64(id)).Scan(&state)
	return state, err
}

func ended(s flowpb.State) bool { return s == flowpb.StateComplete || s == flowpb.StateError }

// put adds a head to the batch under its new id.
func (g *merger) put(ctx context.Context, r *reel, f *flowpb.Flow, is uint64, origin flowpb.Origin) error {
	f.Id = is
	f.Uid = &flowpb.Uid{Session: origin.Session[:], Sequence: origin.Sequence}
	for _, conn := range []*uint64{&f.ClientConn, &f.ServerConn} {
		g.carry(r, conn)
	}
	blob, err := flowpb.Encode(nil, f)
	if err != nil {
		return err
	}
	g.places[is] = len(g.batch.flows)
	g.batch.flows = append(g.batch.flows, &flowEntry{summary: flowpb.Summarize(f), blob: blob, fresh: true})
	g.batch.bytes += int64(len(blob))
	return g.flushFull(ctx)
}

// carry puts a connection on the list of what is to be copied, if it was not lately, and
// gives it its new number.
func (g *merger) carry(r *reel, conn *uint64) {
	was := *conn
	*conn = r.connID(was)
	if _, known := g.carried[*conn]; known || *conn == 0 {
		return
	}
	if len(g.carried) >= maxCarried {
		clear(g.carried)
	}
	g.carried[*conn] = struct{}{}
	r.conns = append(r.conns, was)
}
