// Package repair saves what can be read of a damaged session into a new one.
//
// It reads the damaged file without SQLite, by package salvage, and never changes it. First
// all rows that fit their tables are copied, in whatever order they are found; then these
// are made to fit each other, so that the new session passes package verify: bodies end
// where a piece is missing, messages move up, flows whose head is lost get one made of what
// else there is. What is not as it was is told in a [Report].
//
// Memory is bounded by the largest row. It all happens in the goroutine of the caller.
package repair

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"weir/store"
	"weir/store/lock"
	"weir/store/salvage"
	"weir/store/verify"
)

// Options say how a session is repaired.
type Options struct {
	Session store.Options
	// Progress, if set, is told of each step as it begins.
	Progress func(step string)
}

// Report is what was saved and what was not.
type Report struct {
	Pages  int            // of the damaged file
	Damage salvage.Damage // what of them could not be read
	Tables []Table
	Flows  uint64 // saved, removed ones not counted
	// Rebuilt are flows among them whose head is lost, made of what else there was.
	Rebuilt uint64
	// Lost are flows of which nothing is left, as far as the file still tells.
	Lost uint64
	// Missing are ids that no saved flow has, up to a hundred ranges of them. Flows that
	// were removed for good before the damage are among them.
	Missing  []Range
	Findings []verify.Problem // what is not as it was, up to a thousand
	Unlisted int              // findings beyond these
}

// Whole reports whether nothing was found to be damaged.
func (r *Report) Whole() bool {
	return !r.Damage.Any() && len(r.Findings) == 0 && r.Lost == 0 && r.Refused() == 0
}

// Refused is the number of rows that could be read and cannot be.
func (r *Report) Refused() (n int) {
	for _, t := range r.Tables {
		n += t.Refused
	}
	return n
}

// Table says what of a table came through.
type Table struct {
	Name    string
	Rows    int
	Refused int // rows that do not fit the table, or were there already
}

// Range is ids from First to Last.
type Range struct{ First, Last uint64 }

func (r *Report) report(place, format string, args ...any) {
	if len(r.Findings) >= verify.MaxProblems {
		r.Unlisted++
		return
	}
	r.Findings = append(r.Findings, verify.Problem{Place: place, What: fmt.Sprintf(format, args...)})
}

// File saves all that is readable of the session file at path, which may be damaged in
// any way, into a new session at to. Commits in a -wal file beside it are taken in as far
// as they are unharmed. Ids, and the session's identity, stay.
//
// It fails with [store.ErrNotSession] where no flow is found, with [lock.ErrCapturing]
// while a capture writes to the file, and with [fs.ErrExist] if there is anything at to.
func File(ctx context.Context, path, to string, o Options) (*Report, error) {
	r := &Report{}
	err := r.repair(ctx, path, to, o)
	if err != nil {
		return nil, fmt.Errorf("repair session %q: %w", path, err)
	}
	return r, nil
}

func (r *Report) repair(ctx context.Context, path, to string, o Options) error {
	if err := lock.Free(path); err != nil {
		return err
	}
	db, err := openSource(path)
	if err != nil {
		return err
	}
	defer closeSource(db)
	wal, err := openSource(path + "-wal")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	defer closeSource(wal)
	file, err := salvage.Open(db, wal, store.PageSize)
	if errors.Is(err, salvage.ErrEmpty) {
		return fmt.Errorf("the file is empty: %w", store.ErrNotSession)
	}
	if err != nil {
		return err
	}
	r.Pages = file.Pages()
	return store.Compose(ctx, to, o.Session, func(d *store.Draft) error {
		m := &mender{w: d, db: d.DB(), r: r, step: o.step}
		return m.run(ctx, file)
	})
}

// step tells what begins.
func (o Options) step(name string) {
	if o.Progress != nil {
		o.Progress(name)
	}
}

// openSource opens a file to be read raw.
func openSource(path string) (salvage.Source, error) {
	info, err := os.Stat(path)
	if err != nil {
		return salvage.Source{}, err
	}
	if !info.Mode().IsRegular() {
		return salvage.Source{}, fmt.Errorf("%s is no regular file: %w", filepath.Base(path), store.ErrNotSession)
	}
	f, err := os.Open(path)
	if err != nil {
		return salvage.Source{}, err
	}
	return salvage.Source{ReaderAt: f, Size: info.Size()}, nil
}

func closeSource(s salvage.Source) {
	if c, ok := s.ReaderAt.(io.Closer); ok {
		_ = c.Close() // it was only read
	}
}

// mender makes a sound session of what is left of a damaged one. First it copies all
// rows that fit their tables, in whatever order they are found; then it makes them fit each
// other.
type mender struct {
	w    *store.Draft
	db   *sql.DB // reads what w has flushed
	r    *Report
	step func(string)
}

func (m *mender) run(ctx context.Context, file *salvage.File) error {
	m.step("reading pages")
	if err := m.copyRows(ctx, file); err != nil {
		return err
	}
	m.r.Damage = file.Damage()
	for _, part := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"joining what belongs together", m.prune},
		{"checking bodies", m.mendBodies},
		{"checking messages", m.mendMessages},
		{"checking connections", m.mendConns},
		{"checking flows", m.mendFlows},
		{"counting", m.count},
	} {
		m.step(part.name)
		if err := part.do(ctx); err != nil {
			return err
		}
		if err := m.w.Flush(ctx); err != nil {
			return err
		}
	}
	return nil
}
