package repair

import (
	"context"
	"fmt"
	"strings"

	flowpb "weir/proto"
	"weir/store"
	"weir/store/drop"
	"weir/store/rowid"
	"weir/store/salvage"
)

// table is a table of the new session that rows of the damaged one go into.
type table struct {
	Table
	root    uint32 // where the table begins in a new session
	columns []column
	insert  string
}

// column is what a value must be to fit.
type column struct {
	kind    string // the declared type
	null    bool   // may be NULL
	isRowID bool   // stands in the record as NULL
}

// copyRows copies the rows that fit their tables.
func (m *mender) copyRows(ctx context.Context, file *salvage.File) error {
	tables, err := m.tables(ctx)
	if err != nil {
		return err
	}
	roots, isSession, err := placeTables(ctx, file, tables)
	if err != nil {
		return err
	}
	for root, t := range roots {
		if err := file.Walk(ctx, root, func(r salvage.Row) error { return m.put(ctx, t, r) }); err != nil {
			return err
		}
	}
	if file.Broken() {
		m.step("looking for lost pages")
		err := file.Orphans(ctx, func(root uint32, r salvage.Row) error {
			if t := ownerOf(tables, roots[root], r); t != nil {
				return m.put(ctx, t, r)
			}
			return nil
		})
		if err != nil {
			return err
		}
	}
	flows := 0
	for _, t := range tables {
		m.r.Tables = append(m.r.Tables, t.Table)
		if t.Name == "flow" || t.Name == "head" {
			flows += t.Rows
		}
	}
	if flows == 0 && !isSession {
		return fmt.Errorf("no flow was found in it: %w", store.ErrNotSession)
	}
	return m.w.Flush(ctx)
}

// tables lists the tables of the new session, but for the change log: the new session
// begins its own.
func (m *mender) tables(ctx context.Context) ([]*table, error) {
	rows, err := m.db.QueryContext(ctx,
		"SELECT name, rootpage FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'change' ORDER BY rootpage")
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	var tables []*table
	for rows.Next() {
		t := &table{}
		if err := rows.Scan(&t.Name, &t.root); err != nil {
			return nil, err
		}
		tables = append(tables, t)
	}
	if err := rows.Err(); err != nil {
		return nil, err
	}
	for _, t := range tables {
		if err := t.describe(ctx, m.db); err != nil {
			return nil, err
		}
	}
	return tables, nil
}

// describe reads what the table's columns take.
func (t *table) describe(ctx context.Context, q rowid.Querier) error {
	rows, err := q.QueryContext(ctx, `SELECT c.name, c.type, c."notnull" = 0 AND c.pk = 0, c.pk > 0 AND c.type = 'INTEGER' AND NOT l.wr
		FROM pragma_table_info(?1) c, pragma_table_list l WHERE l.name = ?1 ORDER BY c.cid`, t.Name)
	if err != nil {
		return err
	}
	defer rows.Close()
	var names []string
	for rows.Next() {
		var name string
		var c column
		if err := rows.Scan(&name, &c.kind, &c.null, &c.isRowID); err != nil {
			return err
		}
		c.null = c.null || c.kind == "ANY"
		names = append(names, name)
		t.columns = append(t.columns, c)
	}
	t.insert = "INSERT OR IGNORE INTO " + t.Name + " (" + strings.Join(names, ", ") + ") VALUES (?" + strings.Repeat(", ?", len(names)-1) + ")"
	if t.Name == "session" {
		t.insert = strings.Replace(t.insert, "IGNORE", "REPLACE", 1) // the new session has its own identity until then
	}
	return rows.Err()
}

// placeTables finds where tables begin in the damaged file: where its schema says, or
// where that is lost, where a new session has them. isSession tells that the schema is one.
func placeTables(ctx context.Context, file *salvage.File, tables []*table) (roots map[uint32]*table, isSession bool, err error) {
	said, err := file.Tables(ctx)
	if err != nil {
		return nil, false, err
	}
	roots = map[uint32]*table{}
	placed := map[string]bool{}
	for _, t := range tables {
		for _, s := range said {
			if s.Name == t.Name {
				roots[s.Root], placed[t.Name] = t, true
			}
		}
	}
	for _, t := range tables {
		if !placed[t.Name] && roots[t.root] == nil {
			roots[t.root] = t
		}
	}
	return roots, placed["flow"] && placed["head"], nil
}

// ownerOf is the table of a row that was found beside all trees: t, if that is known, else
// the only one that it fits. Heads and connections look alike and are told by their content.
func ownerOf(tables []*table, t *table, r salvage.Row) *table {
	if t != nil {
		return t
	}
	var fits []*table
	for _, t := range tables {
		if t.fits(r) {
			fits = append(fits, t)
		}
	}
	if len(fits) == 1 {
		return fits[0]
	}
	for _, t := range fits {
		if blob, _ := r.Values[len(r.Values)-1].([]byte); t.Name == "head" && looksLikeFlow(blob) || t.Name == "conn" && looksLikeConn(blob) {
			return t
		}
	}
	return nil
}

func looksLikeFlow(blob []byte) bool {
	f := &flowpb.Flow{}
	return flowpb.Decode(blob, f) == nil && f.GetProtocol() != nil && len(f.ProtoReflect().GetUnknown()) == 0
}

func looksLikeConn(blob []byte) bool {
	c := &flowpb.Conn{}
	return flowpb.Decode(blob, c) == nil && c.GetSide() != 0 && len(c.ProtoReflect().GetUnknown()) == 0
}

// fits reports whether a row can be one of the table.
func (t *table) fits(r salvage.Row) bool {
	if len(r.Values) != len(t.columns) {
		return false
	}
	for i, c := range t.columns {
		if !c.takes(r.Values[i], t.Name) {
			return false
		}
	}
	return true
}

func (c column) takes(value any, table string) bool {
	if value == nil || c.isRowID {
		return value == nil && (c.null || c.isRowID)
	}
	switch value.(type) {
	case int64:
		return c.kind == "INTEGER" || c.kind == "ANY" || c.kind == "BLOB" && table == "body" // a body that another one has
	case string:
		return c.kind == "TEXT" || c.kind == "ANY"
	case []byte:
		return c.kind == "BLOB" || c.kind == "ANY"
	default:
		return false
	}
}

// put copies a row, if it fits.
func (m *mender) put(ctx context.Context, t *table, r salvage.Row) error {
	if !t.fits(r) || t.Name == "session" && !fitsSession(r.Values) {
		t.Refused++
		return nil
	}
	var size int64
	args := make([]any, len(t.columns))
	for i, c := range t.columns {
		args[i] = r.Values[i]
		if c.isRowID {
			args[i] = r.ID
		}
		switch v := args[i].(type) {
		case []byte:
			args[i] = v
			size += int64(len(v))
		case string:
			size += int64(len(v))
		}
	}
	n, err := m.w.Exec(ctx, size, t.insert, args...)
	switch {
	case err != nil:
		return fmt.Errorf("save a row of %s: %w", t.Name, err)
	case n > 0:
		t.Rows++
	default:
		t.Refused++
	}
	return nil
}

// fitsSession reports whether a row of the session table is what its key asks for.
func fitsSession(values []any) bool {
	key, _ := values[0].(string)
	switch value := values[1].(type) {
	case []byte:
		return key == "uuid" && len(value) == 16
	case string:
		return key != "uuid" && key != "created" && key != drop.KeyRemoved && key != drop.KeyHighest
	case int64:
		return key != "uuid" && key != "creator"
	default:
		return false
	}
}
