package bench

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
	"time"

	_ "modernc.org/sqlite" // the driver, by its name

	"weir/store"
)

const (
	// singleFor bounds how long transactions of one flow are timed.
	singleFor = 2 * time.Second
	// portion is how many flows are in memory while they are inserted.
	portion = 8 << 10
)

// recorded is the tables that a stream fills, in the order in which a transaction
// does, and how far the flow's id is shifted in their keys (docs/session-format.md).
var recorded = []struct {
	table string
	shift int
}{{"flow", 0}, {"head", 0}, {"body", 23}}

// insert copies the rows of the session at path into a new session by the plain
// driver, so many flows a transaction: prepared statements, a row each, no queue
// and no other goroutine. Only the transactions are timed.
func (o Stream) insert(ctx context.Context, path string, batch int, level store.Synchronous) (b *Baseline, err error) {
	to := filepath.Join(o.Dir, fmt.Sprintf("raw-%d.weir", batch))
	s, err := store.Create(ctx, to, store.Options{})
	if err != nil {
		return nil, err
	}
	if err := s.Close(); err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, removeSession(to)) }()
	from, err := openRaw(ctx, path, level)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, from.close()) }()
	into, err := openRaw(ctx, to, level)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, into.close()) }()
	c := &copier{from: from, to: into, batch: batch}
	if batch == 1 {
		c.limit = singleFor
	}
	if err := c.run(ctx); err != nil {
		return nil, err
	}
	return &Baseline{FlowsPerSecond: float64(c.flows) / c.took.Seconds()}, nil
}

// rawDB is a session as a bare database, on one connection with the pragmas of a
// writer. SQLite itself folds the -wal file in, after every 16 MB.
type rawDB struct {
	db    *sql.DB
	conn  *sql.Conn
	stmts []*sql.Stmt
}

func openRaw(ctx context.Context, path string, level store.Synchronous) (*rawDB, error) {
	q := url.Values{"_pragma": {
		"trusted_schema(0)", "cell_size_check(1)", "cache_size(-2048)", "mmap_size(0)", "synchronous(" + level.String() + ")",
	}}
	db, err := sql.Open("sqlite", (&url.URL{Scheme: "file", Path: path}).String()+"?"+q.Encode())
	if err != nil {
		return nil, err
	}
	r := &rawDB{db: db}
	if r.conn, err = db.Conn(ctx); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return r, nil
}

func (r *rawDB) close() (err error) {
	for _, stmt := range r.stmts {
		err = errors.Join(err, stmt.Close())
	}
	return errors.Join(err, r.conn.Close(), r.db.Close())
}

// row is one row of one of the tables.
type row struct {
	flow   int64
	table  int
	values []any
}

// load reads the rows of the flows after the given one, a portion of them, by table.
func (r *rawDB) load(ctx context.Context, after int64) (tables [][]row, err error) {
	for i, from := range recorded {
		query := fmt.Sprintf("SELECT * FROM %s WHERE id >= ? AND id < ? ORDER BY id", from.table)
		found, err := r.query(ctx, i, query, (after+1)<<from.shift, (after+1+portion)<<from.shift)
		if err != nil {
			return nil, err
		}
		tables = append(tables, found)
	}
	return tables, nil
}

// query returns rows of a table as they are.
func (r *rawDB) query(ctx context.Context, table int, query string, args ...any) (out []row, err error) {
	rows, err := r.conn.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return nil, err
	}
	for rows.Next() {
		values, to := make([]any, len(names)), make([]any, len(names))
		for i := range values {
			to[i] = &values[i]
		}
		if err := rows.Scan(to...); err != nil {
			return nil, err
		}
		id, ok := values[0].(int64)
		if !ok {
			return nil, fmt.Errorf("a key of table %s is a %T", recorded[table].table, values[0])
		}
		out = append(out, row{flow: id >> recorded[table].shift, table: table, values: values})
	}
	return out, rows.Err()
}

// copier copies rows in transactions of so many flows.
type copier struct {
	from, to *rawDB
	batch    int
	limit    time.Duration // of took; 0: none

	flows int
	took  time.Duration
}

func (c *copier) run(ctx context.Context) error {
	for after := int64(0); ; after += portion {
		tables, err := c.from.load(ctx, after)
		if err != nil || len(tables[0]) == 0 {
			return err
		}
		if err := c.to.prepare(ctx, tables); err != nil {
			return err
		}
		for low := after + 1; low <= after+portion; low += int64(c.batch) {
			var rows []row
			for i := range tables {
				n := 0
				for n < len(tables[i]) && tables[i][n].flow < min(low+int64(c.batch), after+1+portion) {
					n++
				}
				rows, tables[i] = append(rows, tables[i][:n]...), tables[i][n:]
			}
			if err := c.insert(ctx, rows); err != nil || c.limit > 0 && c.took > c.limit {
				return err
			}
		}
	}
}

// prepare prepares an insert for each table, once.
func (r *rawDB) prepare(ctx context.Context, tables [][]row) error {
	for i := len(r.stmts); i < len(tables); i++ {
		width := 1
		if len(tables[i]) > 0 {
			width = len(tables[i][0].values)
		}
		query := fmt.Sprintf("INSERT INTO %s VALUES (?%s)", recorded[i].table, strings.Repeat(", ?", width-1))
		if len(tables[i]) == 0 {
			query = "SELECT ?" // no such rows: never run
		}
		stmt, err := r.conn.PrepareContext(ctx, query) //nolint:sqlclosecheck // close closes it
		if err != nil {
			return err
		}
		r.stmts = append(r.stmts, stmt)
	}
	return nil
}

// insert writes rows in one transaction, and times it.
func (c *copier) insert(ctx context.Context, rows []row) error {
	began := time.Now()
	tx, err := c.to.conn.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	for _, r := range rows {
		if _, err := c.to.stmts[r.table].ExecContext(ctx, r.values...); err != nil {
			return errors.Join(err, tx.Rollback())
		}
		if r.table == 0 {
			c.flows++
		}
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	c.took += time.Since(began)
	return nil
}

// payload is what the rows of a session say, in bytes: blobs and texts, and 8 bytes a number.
func payload(ctx context.Context, path string) (n int64, err error) {
	r, err := openRaw(ctx, path, store.SyncNormal)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.close()) }()
	for after := int64(0); ; after += portion {
		tables, err := r.load(ctx, after)
		if err != nil || len(tables[0]) == 0 {
			return n, err
		}
		for _, rows := range tables {
			for _, r := range rows {
				n += size(r.values)
			}
		}
	}
}

func size(values []any) (n int64) {
	for _, v := range values {
		switch v := v.(type) {
		case string:
			n += int64(len(v))
		case []byte:
			n += int64(len(v))
		case int64:
			n += 8
		}
	}
	return n
}
