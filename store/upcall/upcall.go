// Package upcall lets SQL statements call Go, row by row.
//
// A scan that streams a million rows through database/sql spends most of its time there;
// a statement that calls a Go function from inside SQLite does not. [Functions.Scan] runs
// such a statement: it carries the scan's token as an argument of its functions, as in
// SELECT count(weir_collect(?, id, path)) FROM flow, and returns nothing that matters.
//
// The functions live on a driver of the session's own, so nothing is registered for the
// process: SQLite keeps for good what is registered, which here is a small struct and never
// the session. A statement that carries no token of a scan under way gets an error,
// whoever wrote it. A [Functions] may be used from any goroutine; a Call belongs to the one
// that runs its statement.
package upcall

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"

	"modernc.org/sqlite"
)

// Collect is the SQL function that hands a row to the row function of a scan, as
// weir_collect(token, column…). It returns false, for a WHERE, or NULL where the row
// function returned [ErrMore].
const Collect = "weir_collect"

// ErrMore is what a row function returns, as it is, to be called again with more columns.
var ErrMore = errors.New("more columns are needed")

// MaxScans is how many scans may be under way at once in one session; the next
// one waits. It is far above the number of connections, and below 256, so that
// tokens cost no allocation on their way through the driver.
const MaxScans = 64

// Functions is what joins SQL and Go in one session.
type Functions struct {
	free chan int64 // tokens not in use
	live [MaxScans]atomic.Pointer[Call]
	rows atomic.Uint64 // that ended scans handed over
}

// Call is one scan's side of the functions. SQLite calls it from the one
// goroutine that runs the statement, so it needs no lock.
type Call struct {
	State any // what the session's own functions work with

	token   int64
	rows    uint64
	collect func(row []driver.Value) error
	err     error // what collect failed with, of which SQLite passes on only the words
}

// Function is an SQL function in Go: it gets its scan, and the arguments after the token.
type Function func(call *Call, args []driver.Value) (driver.Value, error)

// Register gives the connections of a driver Collect and functions of the session's own,
// by their names.
func Register(drv *sqlite.Driver, own map[string]Function) (*Functions, error) {
	f := &Functions{free: make(chan int64, MaxScans)}
	for token := range int64(MaxScans) {
		f.free <- token
	}
	if err := f.register(drv, Collect, collect); err != nil {
		return nil, err
	}
	for name, function := range own {
		if err := f.register(drv, name, function); err != nil {
			return nil, err
		}
	}
	return f, nil
}

func (f *Functions) register(drv *sqlite.Driver, name string, function Function) error {
	scalar := func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		call, err := f.call(args)
		if err != nil {
			return nil, err
		}
		return function(call, args[1:])
	}
	if err := drv.RegisterFunction(name, &sqlite.FunctionImpl{NArgs: -1, Scalar: scalar, VolatileArgs: true}); err != nil {
		return fmt.Errorf("register sql function %s: %w", name, err)
	}
	return nil
}

// Scan has run run a statement whose rows go to a row function, which may keep nothing of
// them. The statement carries the token. It waits while [MaxScans] others are under way.
//
// The error is that of the row function, or else that of ctx, for SQLite only says that it
// was interrupted, or else what run returns.
func (f *Functions) Scan(ctx context.Context, row func([]driver.Value) error, state any, run func(token int64) error) error {
	call, err := f.begin(ctx, row, state)
	if err != nil {
		return err
	}
	defer f.end(call)
	switch err := run(call.token); {
	case err == nil:
		return nil
	case call.err != nil:
		return call.err
	case ctx.Err() != nil:
		return ctx.Err()
	default:
		return err
	}
}

// begin gives a scan a token.
func (f *Functions) begin(ctx context.Context, row func([]driver.Value) error, state any) (*Call, error) {
	call := &Call{collect: row, State: state}
	select {
	case call.token = <-f.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f.live[call.token].Store(call)
	return call, nil
}

func (f *Functions) end(call *Call) {
	f.rows.Add(call.rows)
	f.live[call.token].Store(nil)
	f.free <- call.token
}

// Rows is how many rows the scans that have ended were handed.
func (f *Functions) Rows() uint64 { return f.rows.Load() }

// call finds the scan that a statement's first argument names.
func (f *Functions) call(args []driver.Value) (*Call, error) {
	if len(args) > 0 {
		if token, ok := args[0].(int64); ok && token >= 0 && token < MaxScans {
			if call := f.live[token].Load(); call != nil {
				return call, nil
			}
		}
	}
	return nil, errors.New("call of a weir function outside a scan")
}

// collect implements [Collect].
func collect(call *Call, row []driver.Value) (driver.Value, error) {
	call.rows++
	switch err := call.collect(row); {
	case err == ErrMore: //nolint:errorlint // it is never wrapped, and there are ten million rows
		return nil, nil
	case err != nil:
		call.err = err
		return nil, err
	}
	return int64(0), nil
}
