package survey

import (
	"cmp"
	"context"
	"database/sql"
	"os"
	"slices"
	"strings"

	"weir/store/rowid"
)

// TableSize is how large a table is with its indexes.
type TableSize struct {
	Name  string
	Rows  uint64
	Bytes int64
}

// How sizes are estimated: from windows of flows at even distances.
const (
	measuredBytes = 64 << 20 // a file up to here is measured
	sampleWindows = 128
	windowFlows   = 32 // ids a window
)

// readSizes measures the tables, or estimates them.
func (r reader) readSizes(ctx context.Context, s *Survey) (err error) {
	s.Exact = s.Exact || fileSize(r.path) <= measuredBytes
	if s.Exact {
		s.Tables, err = r.measure(ctx)
	} else {
		s.Tables, err = r.estimate(ctx, s)
	}
	slices.SortFunc(s.Tables, func(a, b TableSize) int { return cmp.Or(-cmp.Compare(a.Bytes, b.Bytes), cmp.Compare(a.Name, b.Name)) })
	return err
}

// measure visits every page.
func (r reader) measure(ctx context.Context) ([]TableSize, error) {
	var tables []TableSize
	const query = `SELECT coalesce(o.tbl_name, d.name), sum(d.pgsize) FROM dbstat d LEFT JOIN sqlite_schema o ON o.name = d.name
		WHERE d.aggregate = TRUE GROUP BY 1`
	err := rowid.Each(ctx, r.db, query, func(rows *sql.Rows) error {
		var t TableSize
		err := rows.Scan(&t.Name, &t.Bytes)
		tables = append(tables, t)
		return err
	})
	if err != nil {
		return nil, err
	}
	for i, t := range tables {
		// The names come from the file, and go into a query as names do.
		if err := r.db.QueryRowContext(ctx, `SELECT count(*) FROM "`+quoted(t.Name)+`"`).Scan(&tables[i].Rows); err != nil {
			return nil, err
		}
	}
	return tables, nil
}

// estimate counts rows and bytes of some windows of flows, and takes the others to be
// like them. What that makes of the whole is fitted to the size of the file.
func (r reader) estimate(ctx context.Context, s *Survey) ([]TableSize, error) {
	var low, high, conns int64
	err := r.db.QueryRowContext(ctx, "SELECT coalesce(min(id), 0), coalesce(max(id), 0), (SELECT coalesce(max(id), 0) FROM conn) FROM flow").Scan(&low, &high, &conns)
	if err != nil {
		return nil, err
	}
	tables := []TableSize{}
	for _, t := range []struct {
		name, query string
		low, high   int64
	}{
		{"flow", "SELECT count(*), coalesce(sum(length(path) + 50), 0) FROM flow WHERE id BETWEEN ? AND ?", low, high},
		{"head", "SELECT count(*), coalesce(sum(length(blob) + 8), 0) FROM head WHERE id BETWEEN ? AND ?", low, high},
		{"body", "SELECT count(*), coalesce(sum(length(data) + 16), 0) FROM body WHERE id BETWEEN ? << 23 AND (? + 1 << 23) - 1", low, high},
		{"message", "SELECT count(*), coalesce(sum(length(content) + 24), 0) FROM message WHERE id BETWEEN ? << 28 AND (? + 1 << 28) - 1", low, high},
		{"conn", "SELECT count(*), coalesce(sum(length(blob) + 8), 0) FROM conn WHERE id BETWEEN ? AND ?", 1, conns},
	} {
		size, err := r.sample(ctx, t.query, t.low, t.high)
		if err != nil {
			return nil, err
		}
		size.Name = t.name
		tables = append(tables, size)
	}
	var content float64
	for _, t := range tables {
		content += float64(t.Bytes)
	}
	scale := float64(fileSize(r.path)-s.Free) / max(content, 1)
	for i := range tables {
		tables[i].Bytes = int64(float64(tables[i].Bytes) * scale)
	}
	return tables, nil
}

// sample runs a query of count and bytes on windows of the ids from low to high, and
// scales what it says up to all of them.
func (r reader) sample(ctx context.Context, query string, low, high int64) (t TableSize, err error) {
	span := high - low + 1
	if high <= 0 || span <= 0 {
		return t, nil
	}
	stride := max(span/sampleWindows, windowFlows)
	var looked int64
	for from := low; from <= high; from += stride {
		to := min(from+windowFlows-1, high)
		var rows uint64
		var bytes int64
		if err := r.db.QueryRowContext(ctx, query, from, to).Scan(&rows, &bytes); err != nil {
			return t, err
		}
		t.Rows, t.Bytes, looked = t.Rows+rows, t.Bytes+bytes, looked+to-from+1
	}
	scale := float64(span) / float64(looked)
	t.Rows, t.Bytes = uint64(float64(t.Rows)*scale+0.5), int64(float64(t.Bytes)*scale)
	return t, nil
}

// quoted is a name as it stands between double quotes in SQL.
func quoted(name string) string { return strings.ReplaceAll(name, `"`, `""`) }

// fileSize is the size of the file at path, 0 if that cannot be told.
func fileSize(path string) int64 {
	info, err := os.Stat(path)
	if err != nil {
		return 0
	}
	return info.Size()
}
