package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"

	flowpb "weir/proto"
	"weir/store/rowid"
)

// tape is the connection that a writer's goroutine writes by, with its prepared
// statements. It is used by one goroutine at a time.
type tape struct {
	s      *Session
	db     *sql.DB
	conn   *sql.Conn
	points *checkpointer
	wal    *os.File     // the -wal file; nil where its owner does not want it synced
	sync   func() error // makes what was committed durable
	finish func() error // called before the connections are closed

	begin, commitTx, rollback *sql.Stmt
	nextRevision, logChange   *sql.Stmt
	trimChanges               *sql.Stmt
	bodyTail, bodyGrow        *sql.Stmt
	absent                    *sql.Stmt
	flow, head, body          *inserter
	message, connection, cert *inserter
	removed                   *inserter
	dictionary                dictionary

	stmts []*sql.Stmt
	tails map[uint64]*bodyTails
	large []byte // where pieces are put together
	// overflow is told of a body that takes no more.
	overflow func(flow uint64)
}

// newTape opens the connection and prepares its statements.
func newTape(ctx context.Context, s *Session, overflow func(flow uint64)) (_ *tape, err error) {
	t := &tape{s: s, tails: map[uint64]*bodyTails{}, overflow: overflow}
	// What is committed is synced by sync: see durable.go.
	d := dsn{mode: modeReadWrite, cache: writeCache, synchronous: SyncNormal, noCheckpoint: true, noSpill: true, bulk: s.bulk}
	if s.bulk {
		d.cache = bulkCache
	}
	t.db = s.pool(d, 1)
	defer func() {
		if err != nil {
			err = errors.Join(classify(err), t.close())
		}
	}()
	if t.conn, err = t.db.Conn(ctx); err != nil {
		return nil, err
	}
	if !s.bulk {
		if err := useWAL(ctx, t.conn); err != nil { // a session whose filling was interrupted
			return nil, err
		}
	}
	if err := t.prepare(ctx); err != nil {
		return nil, err
	}
	t.finish = func() error { return nil }
	if t.points, err = newCheckpointer(ctx, s); err != nil {
		return nil, err
	}
	if s.bulk {
		ending := context.WithoutCancel(ctx)
		t.finish = func() error { return t.endBulk(ending) }
	}
	return t, t.openWAL()
}

// openWAL opens the -wal file, which is there as long as there are connections. SQLite
// has no locks on it that would go when it is closed.
func (t *tape) openWAL() (err error) {
	t.sync = func() error { return nil }
	if t.s.sync == SyncFull && !t.s.bulk {
		t.wal, err = os.OpenFile(t.s.path+"-wal", os.O_RDWR, 0)
		t.sync = func() error { return syncData(t.wal) }
	}
	return err
}

func (t *tape) prepare(ctx context.Context) error {
	err := t.prepareAll(ctx, []statement{
		{&t.begin, "BEGIN IMMEDIATE"},
		{&t.commitTx, "COMMIT"},
		{&t.rollback, "ROLLBACK"},
		{&t.nextRevision, nextRevision},
		{&t.logChange, logChange},
		{&t.trimChanges, trimChanges},
		{&t.bodyTail, bodyTail},
		{&t.bodyGrow, bodyGrow},
		{&t.absent, absentFlows},
	})
	if err != nil {
		return err
	}
	for _, p := range []struct {
		to    **inserter
		table string
		cols  string
		rows  int
	}{
		{&t.flow, "flow", flowColumns, 16},
		{&t.head, "head", "id, blob", 16},
		{&t.body, "body", "id, start, size, data", 8},
		{&t.message, "message", "id, at, side, type, flags, detail, content", 16},
		{&t.connection, "conn", "id, blob", 4},
		{&t.cert, "cert", "sha256, der", 4},
		{&t.removed, "removed", "at, " + flowColumns, 4},
	} {
		in, err := t.inserter(ctx, p.table, p.cols, p.rows)
		if err != nil {
			return err
		}
		*p.to = in
	}
	return t.dictionary.prepare(ctx, t)
}

// statement is one to be prepared.
type statement struct {
	to    **sql.Stmt
	query string
}

func (t *tape) prepareAll(ctx context.Context, all []statement) error {
	for _, p := range all {
		stmt, err := t.stmt(ctx, p.query)
		if err != nil {
			return err
		}
		*p.to = stmt
	}
	return nil
}

// stmt prepares a statement that close closes: one left open would keep the -wal file.
func (t *tape) stmt(ctx context.Context, query string) (*sql.Stmt, error) {
	stmt, err := t.conn.PrepareContext(ctx, query)
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", query, err)
	}
	t.stmts = append(t.stmts, stmt)
	return stmt, nil
}

// close folds the -wal file into the session and closes the connections.
func (t *tape) close() (err error) {
	if t.points != nil {
		err = errors.Join(t.finish(), t.points.close())
	}
	for _, stmt := range t.stmts {
		err = errors.Join(err, stmt.Close())
	}
	if t.conn != nil {
		err = errors.Join(err, t.conn.Close())
	}
	if t.wal != nil {
		err = errors.Join(err, t.wal.Close())
	}
	return errors.Join(err, t.db.Close())
}

// commit writes b in one transaction, which sync makes durable. If it fails nothing of b is in the file.
func (t *tape) commit(ctx context.Context, b *batch) error {
	if err := t.transact(ctx, b); err != nil {
		return classify(err)
	}
	t.s.feed.poke()
	t.points.all.Add(b.bytes)
	t.points.bulk.Add(b.bulk())
	t.points.wrote(ctx, b.bytes)
	return nil
}

func (t *tape) transact(ctx context.Context, b *batch) (err error) {
	t.s.writing.Lock()
	defer t.s.writing.Unlock()
	if err := t.s.unmoved(); err != nil {
		return err
	}
	err = t.s.inTurn(ctx, func() error {
		_, err := t.begin.ExecContext(ctx)
		return err
	})
	if err != nil {
		return fmt.Errorf("begin: %w", err)
	}
	if err = t.put(ctx, b); err == nil {
		_, err = t.commitTx.ExecContext(ctx)
	}
	if err != nil {
		// After some errors SQLite has rolled back by itself, and this one fails.
		_, _ = t.rollback.ExecContext(ctx)
		t.discard()
		return err
	}
	t.settle(b)
	return nil
}

// put writes b inside a transaction.
func (t *tape) put(ctx context.Context, b *batch) error {
	revision, err := t.change(ctx, b.touched)
	if err != nil {
		return fmt.Errorf("write change log: %w", err)
	}
	if b, err = t.present(ctx, b); err != nil {
		return fmt.Errorf("look for removed flows: %w", err)
	}
	for _, part := range []struct {
		name  string
		write func(context.Context, *batch) error
	}{
		{"certificates", t.putCerts},
		{"connections", t.putConns},
		{"flows", func(ctx context.Context, b *batch) error { return t.putFlows(ctx, b, revision) }},
		{"bodies", t.putBodies},
		{"messages", t.putMessages},
	} {
		if err := part.write(ctx, b); err != nil {
			return fmt.Errorf("write %s: %w", part.name, err)
		}
	}
	return nil
}

// change logs the touched flows under the next revision; none if there are none.
func (t *tape) change(ctx context.Context, touched []uint64) (revision uint64, err error) {
	if err := t.nextRevision.QueryRowContext(ctx).Scan(&revision); err != nil || len(touched) == 0 {
		return revision - 1, err
	}
	if _, err := t.logChange.ExecContext(ctx, int64(revision), appendIDs(nil, touched)); err != nil {
		return 0, err
	}
	if revision%trimEvery == 0 {
		_, err = t.trimChanges.ExecContext(ctx, int64(revision)-keptChanges)
	}
	return revision, err
}

func (t *tape) putCerts(ctx context.Context, b *batch) error {
	for _, c := range b.certs {
		if err := t.cert.add(ctx, c.hash[:], c.der); err != nil {
			return err
		}
	}
	return t.cert.flush(ctx)
}

func (t *tape) putConns(ctx context.Context, b *batch) error {
	for _, c := range b.conns {
		if err := t.connection.add(ctx, int64(c.id), c.blob); err != nil {
			return err
		}
	}
	return t.connection.flush(ctx)
}

func (t *tape) putFlows(ctx context.Context, b *batch, revision uint64) error {
	for _, e := range b.flows {
		if err := t.putRow(ctx, e, b.removed, revision); err != nil {
			return err
		}
		if e.fresh {
			t.startTails(e.summary.ID)
		}
	}
	if err := errors.Join(t.flow.flush(ctx), t.removed.flush(ctx)); err != nil {
		return err
	}
	for _, e := range b.flows {
		if err := t.head.add(ctx, int64(e.summary.ID), e.blob); err != nil {
			return err
		}
	}
	return t.head.flush(ctx)
}

// putRow writes the row of a flow where the flow's rows belong: those of removed
// flows stay among the removed.
func (t *tape) putRow(ctx context.Context, e *flowEntry, removed map[uint64]int64, revision uint64) error {
	values, err := t.flowValues(ctx, &e.summary, revision)
	if err != nil {
		return err
	}
	if at, ok := removed[e.summary.ID]; ok {
		return t.removed.add(ctx, append([]any{at}, values...)...)
	}
	return t.flow.add(ctx, values...)
}

func (t *tape) putMessages(ctx context.Context, b *batch) error {
	for _, m := range b.messages {
		err := t.message.add(ctx, rowid.Message(m.flow, m.sequence), m.at, int64(m.side), int64(m.kind), m.flags, m.detail, notNil(m.content))
		if err != nil {
			return err
		}
	}
	return t.message.flush(ctx)
}

// settle forgets where the bodies of flows end that are at their own end.
func (t *tape) settle(b *batch) {
	for _, e := range b.flows {
		if s := e.summary.State; s == flowpb.StateComplete || s == flowpb.StateError {
			delete(t.tails, e.summary.ID)
		}
	}
}

// discard forgets all that a transaction that failed may have left in memory.
func (t *tape) discard() {
	clear(t.tails)
	t.dictionary.forget()
	for _, in := range []*inserter{t.flow, t.head, t.body, t.message, t.connection, t.cert, t.removed} {
		in.reset()
	}
}
