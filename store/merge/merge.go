// Package merge copies the flows of sessions, with all they have, into a new one.
//
// A flow keeps its identity, the session that recorded it and its id there, as Flow.uid;
// its id in the new session is the next one, in the order in which flows started as far as
// each session has them in that order. A flow that is met again, by its identity, is there
// once: as it was met first, or where it had ended, with the notes of all. Removed flows are
// not copied. View state is that of the first session.
//
// The sessions are read a page at a time and written in batches, by the goroutine of the
// caller; memory does not depend on their size. Of a session that is being captured the
// flows are copied that are committed when the merge begins.
package merge

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"path/filepath"

	flowpb "weir/proto"
	"weir/store"
	"weir/store/fault"
)

// Options say how sessions are merged.
type Options struct {
	Session store.Options
	// Progress, if set, is called now and then with how many flows were looked at, of
	// how many.
	Progress func(done, total uint64)
}

// Result is what came of a merge.
type Result struct {
	Flows      uint64 // in the new session
	Duplicates uint64 // flows that were met again and are there once
}

// Sessions merges the sessions at paths into a new one at to. It fails with
// [fs.ErrExist] if there is anything at to.
func Sessions(ctx context.Context, paths []string, to string, o Options) (_ Result, err error) {
	g := &merger{
		progress: o.Progress,
		waiting:  map[uint64]flowpb.State{}, sources: map[[16]byte]int64{}, carried: map[uint64]struct{}{},
	}
	defer func() {
		for _, r := range g.reels {
			err = errors.Join(err, r.s.Close())
		}
	}()
	for _, path := range paths {
		s, err := store.Open(ctx, path, store.Options{ReadOnly: true})
		if err != nil {
			return Result{}, err
		}
		g.reels = append(g.reels, &reel{s: s, db: s.DB(), place: uint64(len(g.reels)), of: uint64(len(paths))})
	}
	err = store.Compose(ctx, to, o.Session, func(d *store.Draft) error {
		g.w = d
		return g.run(ctx)
	})
	return g.done, err
}

// merger copies flows from reels into one new session. It is used by one goroutine.
type merger struct {
	reels    []*reel
	w        *store.Draft
	waiting  map[uint64]flowpb.State // flows of the batch
	sources  map[[16]byte]int64      // rows of the table source
	carried  map[uint64]struct{}     // connections that were copied lately
	last     uint64                  // the last id that was given
	looked   uint64
	total    uint64
	done     Result
	progress func(done, total uint64)
}

// What is copied in one go.
const (
	batchFlows   = 512
	batchBytes   = 2 << 20
	maxCarried   = 1 << 16
	maxSources   = 1 << 12 // remembered; all are in the file
	progressStep = 16 << 10
)

func (g *merger) run(ctx context.Context) error {
	for _, r := range g.reels {
		if err := g.begin(ctx, r); err != nil {
			return fmt.Errorf("merge session %q: %w", r.s.Path(), err)
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
			return fmt.Errorf("merge session %q: %w", r.s.Path(), err)
		}
	}
}

// begin copies what belongs to a session as a whole.
func (g *merger) begin(ctx context.Context, r *reel) error {
	if err := r.db.QueryRowContext(ctx, "SELECT coalesce(max(id), 0) FROM flow").Scan(&r.high); err != nil {
		return fault.Classify(err)
	}
	n, err := r.s.Count(ctx)
	if err != nil {
		return err
	}
	g.total += n
	var created int64
	var creator string
	err = r.db.QueryRowContext(ctx, `SELECT (SELECT value FROM session WHERE key = 'created'),
		(SELECT coalesce(value, '') FROM session WHERE key = 'creator')`).Scan(&created, &creator)
	if err != nil {
		return fault.Classify(err)
	}
	if err := g.addSource(ctx, r.s.UUID(), filepath.Base(r.s.Path()), created, creator); err != nil {
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
	return g.w.Flush(ctx)
}

// A session that was only known by its flows gets its name when it is met itself.
const insertSource = `INSERT INTO source (uuid, name, created, creator) VALUES (?, ?, ?, ?)
	ON CONFLICT (uuid) DO UPDATE SET name = excluded.name, created = excluded.created, creator = excluded.creator WHERE name = ''`

func (g *merger) addSource(ctx context.Context, uuid [16]byte, name string, created int64, creator string) error {
	_, err := g.w.Exec(ctx, 0, insertSource, uuid[:], name, created, creator)
	return err
}

// sourceID is the row of a session that flows come from.
func (g *merger) sourceID(ctx context.Context, uuid [16]byte) (id int64, err error) {
	if id, known := g.sources[uuid]; known {
		return id, nil
	}
	const find = "SELECT id FROM source WHERE uuid = ?"
	err = g.w.Scan(ctx, find, []any{uuid[:]}, &id)
	if errors.Is(err, sql.ErrNoRows) {
		if err = g.addSource(ctx, uuid, "", 0, ""); err == nil {
			err = g.w.Scan(ctx, find, []any{uuid[:]}, &id)
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
			return nil, fmt.Errorf("merge session %q: %w", r.s.Path(), err)
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
		origin = flowpb.Origin{Session: r.s.UUID(), Sequence: f.GetId()}
	}
	source, err := g.sourceID(ctx, origin.Session)
	if err != nil {
		return err
	}
	was := f.GetId()
	n, err := g.w.Exec(ctx, 0, "INSERT OR IGNORE INTO origin (flow, source, sequence) VALUES (?, ?, ?)",
		int64(g.last+1), source, int64(origin.Sequence))
	if err != nil {
		return err
	}
	if n == 0 {
		return g.again(ctx, r, f, source, origin)
	}
	g.last++
	if g.last > math.MaxUint32 {
		return fmt.Errorf("more than %d flows: %w", uint32(math.MaxUint32), store.ErrLimit)
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
	if err := g.w.Scan(ctx, "SELECT flow FROM origin WHERE source = ? AND sequence = ?", []any{source, int64(origin.Sequence)}, &is); err != nil {
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
		if _, err := g.w.Exec(ctx, 0, statement, int64(is)); err != nil {
			return err
		}
	}
	return g.put(ctx, r, f, is, origin)
}

// stateOf is how far a flow has come that was copied.
func (g *merger) stateOf(ctx context.Context, id uint64) (state flowpb.State, err error) {
	if state, waits := g.waiting[id]; waits {
		return state, nil
	}
	err = g.w.DB().QueryRowContext(ctx, "SELECT state FROM flow WHERE id = ?", int64(id)).Scan(&state)
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
	if err := g.w.Put(f, false); err != nil {
		return err
	}
	g.waiting[is] = f.GetState()
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
