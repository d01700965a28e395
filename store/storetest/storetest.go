// Package storetest gives tests of the packages around store what they begin with: sessions
// to be filled, flows to fill them with, and a session's file without the session, for
// those below store, which cannot ask it, and those that damage what it keeps.
//
// It is imported by tests only. What it opens is closed with the test; a connection of a
// [File] has the function that bodies are read by, and none of the limits that store sets
// for itself.
package storetest

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"os"
	"testing"

	"modernc.org/sqlite"

	"weir/store/body"
	"weir/store/pack"
	"weir/store/rowid"
	"weir/store/upcall"
)

// File is an open file.
type File struct {
	DB     *sql.DB
	calls  *upcall.Functions
	unpack *pack.Unpacker
}

// Open opens the session file at path.
func Open(t testing.TB, path string) *File { return open(t, path) }

// New makes the tables of a session in memory, with nothing in them. Its one connection
// is busy as long as rows are read from it.
func New(t testing.TB) *File {
	t.Helper()
	schema, err := os.ReadFile("../schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	f := open(t, ":memory:")
	f.DB.SetMaxOpenConns(1) // each would have a database of its own
	f.Exec(t, string(schema))
	return f
}

func open(t testing.TB, name string) *File {
	t.Helper()
	drv := &sqlite.Driver{}
	calls, err := upcall.Register(drv, nil)
	if err != nil {
		t.Fatal(err)
	}
	unpack, err := pack.NewUnpacker(1, body.PieceSize)
	if err != nil {
		t.Fatal(err)
	}
	f := &File{DB: sql.OpenDB(connector{drv, name}), calls: calls, unpack: unpack}
	t.Cleanup(func() { _ = f.DB.Close() })
	return f
}

// Bodies is where the bodies of a snapshot are read from.
func (f *File) Bodies(q rowid.Querier) body.Source {
	return body.Source{DB: q, Calls: f.calls, Unpack: f.unpack}
}

// T is what tests of any kind have in common.
type T interface {
	Fatal(args ...any)
	Context() context.Context
}

// Exec runs a statement.
func (f *File) Exec(t T, query string, args ...any) {
	if _, err := f.DB.ExecContext(t.Context(), query, args...); err != nil {
		t.Fatal(err)
	}
}

// connector opens connections by a driver of their own.
type connector struct {
	drv  *sqlite.Driver
	name string
}

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.drv.Open(c.name) }
func (c connector) Driver() driver.Driver                        { return c.drv }
