// Package verify checks a session's file: that its pages are sound, which SQLite's integrity
// check says, and that it holds what a session promises on top.
//
// Every flow has a head that can be read and every head a flow, bodies are whole and as
// long as the heads say, those that are shared are what their digests say, messages are
// numbered without a hole, and all that is referred to is there. What is wrong is a list of
// [Problem]; it is repaired elsewhere, and nothing is written here.
//
// [Run] reads the whole file, a flow as of one moment and not all flows as of the same: a
// snapshot of the whole would keep the -wal file of a capture from beginning anew. For the
// same reason SQLite's check is of the small tables only while somebody captures. It runs
// in one goroutine, with a connection of the pool it is given, and holds a page of memory.
package verify

import (
	"cmp"
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
	"time"

	flowpb "weir/proto"
	"weir/store/body"
	"weir/store/lock"
	"weir/store/rowid"
)

// MaxProblems is where [Run] stops to look for more.
const MaxProblems = 1000

// Problem is one thing that is wrong with a session.
type Problem struct {
	Place string // "file", "flow 12", "body of flow 12", "connection 3" …
	What  string
}

func (p Problem) String() string { return p.Place + ": " + p.What }

// File is a session's file as it is open.
type File struct {
	Path   string
	DB     *sql.DB                         // connections that read
	Bodies func(rowid.Querier) body.Source // bodies as a snapshot of DB has them
}

// Options say how a check is made.
type Options struct {
	// Progress, if set, is called often, from the goroutine of the call: with what is
	// being checked, and where that can be said how many of how many; total is 0 where
	// it cannot.
	Progress func(what string, done, total uint64)
	// Snapshot is how long one snapshot of the file is read from, or a little longer;
	// half a second by default. Less than 0 is one for each flow.
	Snapshot time.Duration
}

// Run checks a file. No problems is nil; the error is for a check that could not be made.
func Run(ctx context.Context, f File, o Options) ([]Problem, error) {
	v := &verifier{file: f, tell: o.Progress, most: cmp.Or(o.Snapshot, snapshotFor), uses: map[int64]int64{}}
	if v.tell == nil {
		v.tell = func(string, uint64, uint64) {}
	}
	defer v.end()
	return v.run(ctx)
}

// run makes all checks.
func (v *verifier) run(ctx context.Context) ([]Problem, error) {
	for _, check := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"pages", v.pages},
		{"flows", v.flows},
		{"rows that belong together", v.pairs},
		{"shared bodies", v.counts},
		{"shared bodies", v.owners},
		{"messages", v.messages},
		{"connections", v.connections},
		{"certificates", v.certificates},
	} {
		v.tell(check.what, 0, 0)
		err := v.begin(ctx)
		if err == nil {
			err = check.do(ctx)
		}
		if err != nil {
			if ctx.Err() != nil {
				return v.problems, fmt.Errorf("verify session: %w", context.Cause(ctx))
			}
			v.report("file", "%v", err) // a page that cannot be read is a finding
		}
		if len(v.problems) >= MaxProblems {
			break
		}
	}
	return v.problems, nil
}

// verifier checks one snapshot after the other.
type verifier struct {
	file  File
	tx    *sql.Tx // the snapshot
	since time.Time
	most  time.Duration // how long a snapshot is read from, or a little longer
	body.Source
	tell     func(what string, done, total uint64)
	problems []Problem
	uses     map[int64]int64 // how many other bodies refer to a shared one; nil: too many to count on the way
}

// snapshotFor is how long a snapshot is read from, as a rule.
const snapshotFor = 500 * time.Millisecond

// begin begins a new snapshot.
func (v *verifier) begin(ctx context.Context) error {
	v.end()
	tx, err := v.file.DB.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	v.tx, v.since, v.Source = tx, time.Now(), v.file.Bodies(tx)
	return nil
}

func (v *verifier) end() {
	if v.tx != nil {
		_ = v.tx.Rollback() // it only read
		v.tx = nil
	}
}

// old reports whether it is time for a new snapshot.
func (v *verifier) old() bool { return time.Since(v.since) > v.most }

func (v *verifier) report(place, format string, args ...any) {
	if len(v.problems) < MaxProblems {
		v.problems = append(v.problems, Problem{Place: place, What: fmt.Sprintf(format, args...)})
	}
}

// each calls row for each row of a query until there are too many problems.
func (v *verifier) each(ctx context.Context, query string, row func(*sql.Rows) error, args ...any) error {
	rows, err := v.tx.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() && len(v.problems) < MaxProblems {
		if err := row(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// pages runs SQLite's own check.
func (v *verifier) pages(ctx context.Context) error {
	if lock.Free(v.file.Path) == nil {
		return v.integrity(ctx, strconv.Itoa(MaxProblems))
	}
	var small []string
	err := v.each(ctx, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT IN ('head', 'body', 'message')", func(rows *sql.Rows) error {
		var name string
		err := rows.Scan(&name)
		small = append(small, name)
		return err
	})
	for _, name := range small {
		if err == nil {
			err = v.begin(ctx)
		}
		if err == nil {
			err = v.integrity(ctx, "'"+strings.ReplaceAll(name, "'", "''")+"'")
		}
	}
	return err
}

// integrity runs SQLite's check of the file, or of the table that is named.
func (v *verifier) integrity(ctx context.Context, what string) error {
	return v.each(ctx, "PRAGMA integrity_check("+what+")", func(rows *sql.Rows) error {
		var line string
		err := rows.Scan(&line)
		if err == nil && line != "ok" {
			v.report("file", "%s", line)
		}
		return err
	})
}

// MissingTerms selects the flows with a number that stands for no text.
const MissingTerms = `SELECT id FROM flow WHERE
	method NOT IN (SELECT id FROM term) OR content_type NOT IN (SELECT id FROM term) OR request_type NOT IN (SELECT id FROM term)
	OR version NOT IN (SELECT id FROM term) OR client NOT IN (SELECT id FROM term) OR server NOT IN (SELECT id FROM term)`

// pairs finds rows without the row that they belong to.
func (v *verifier) pairs(ctx context.Context) error {
	unknown := func(id string) string {
		return fmt.Sprintf("NOT EXISTS (SELECT 1 FROM flow WHERE flow.id = %[1]s) AND NOT EXISTS (SELECT 1 FROM removed WHERE removed.id = %[1]s)", id)
	}
	for _, p := range []struct{ query, place, what string }{
		{"SELECT DISTINCT id >> 28 FROM message WHERE " + unknown("message.id >> 28"), "messages of flow", "have no flow"},
		{"SELECT flow FROM note WHERE " + unknown("note.flow"), "note of flow", "has no flow"},
		{"SELECT id FROM flow WHERE site NOT IN (SELECT id FROM site)", "flow", "is of no site"},
		{"SELECT flow FROM origin WHERE " + unknown("origin.flow"), "origin of flow", "has no flow"},
		{"SELECT flow FROM origin WHERE source NOT IN (SELECT id FROM source)", "flow", "comes from a session that is not listed"},
		{MissingTerms, "flow", "has a column that stands for no text"},
	} {
		err := v.each(ctx, p.query, func(rows *sql.Rows) error {
			var id uint64
			err := rows.Scan(&id)
			if err == nil {
				v.report(fmt.Sprintf("%s %d", p.place, id), "%s", p.what)
			}
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// lengths compares what is stored with what the head says of bodies that are whole.
func (v *verifier) lengths(f *flowpb.Flow, stored [rowid.MaxSide + 1]int64) {
	h := f.GetHttp()
	for side, b := range map[flowpb.Side]*flowpb.Body{
		flowpb.SideRequest:          h.GetRequest().GetBody(),
		flowpb.SideResponse:         h.GetResponse().GetBody(),
		flowpb.SideOriginalRequest:  h.GetOriginalRequest().GetBody(),
		flowpb.SideOriginalResponse: h.GetOriginalResponse().GetBody(),
	} {
		if b.GetState() == flowpb.BodyComplete && int64(b.GetSize()) != stored[side] {
			v.report(fmt.Sprintf("body of flow %d", f.GetId()), "side %d: %d bytes are stored, the head says %d", side, stored[side], b.GetSize())
		}
	}
}

// certificates checks that certificates are what their hashes say.
func (v *verifier) certificates(ctx context.Context) error {
	return v.each(ctx, "SELECT sha256, der FROM cert", func(rows *sql.Rows) error {
		var hash, der sql.RawBytes
		if err := rows.Scan(&hash, &der); err != nil {
			return err
		}
		if sum := sha256.Sum256(der); string(sum[:]) != string(hash) {
			v.report(fmt.Sprintf("certificate %x", hash), "its bytes have another hash")
		}
		return nil
	})
}
