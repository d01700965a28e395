package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"sync/atomic"

	"modernc.org/sqlite"
)

// collectFunction is the SQL function that hands a row to Go, as
// weir_collect(token, id, column…). The other functions that a session's read
// connections have beside SQLite's own are those of [filter.Plan].
const collectFunction = "weir_collect"

// maxScans is how many scans may be under way at once in one session; the next
// one waits. It is far above the number of connections, and below 256, so that
// tokens cost no allocation on their way through the driver.
const maxScans = 64

// functions is what joins SQL and Go in one session. A scan that streams a
// million rows through database/sql spends most of its time there; one that
// calls a Go function from inside SQLite does not.
//
// The functions live on a driver of the session's own, so nothing is registered
// for the process: SQLite keeps for good what is registered, which here is this
// small struct and never the session. A call finds its scan by the token that
// the statement carries as a bound argument.
type functions struct {
	free chan int64 // tokens not in use
	live [maxScans]atomic.Pointer[scanCall]
	rows atomic.Uint64 // that ended scans handed over
}

// scanCall is one scan's side of the functions. SQLite calls it from the one
// goroutine that runs the statement, so it needs no lock.
type scanCall struct {
	token    int64
	rows     uint64
	collect  func(row []driver.Value) error // the arguments after the token; valid during the call only
	err      error                          // what collect failed with, of which SQLite passes on only the words
	patterns []memo
}

// registerFunctions gives the connections of a session's driver the functions.
func registerFunctions(drv *sqlite.Driver, s *Session) error {
	f := &functions{free: make(chan int64, maxScans)}
	for token := range int64(maxScans) {
		f.free <- token
	}
	for name, scalar := range map[string]scalarFunction{
		collectFunction:  f.collect,
		"weir_match":     f.pattern(1, match),
		"weir_known":     f.pattern(1, known),
		"weir_learn":     f.pattern(2, learn),
		"weir_known_url": f.pattern(3, knownURL),
		"weir_learn_url": f.pattern(7, learnURL),
	} {
		if err := drv.RegisterFunction(name, &sqlite.FunctionImpl{NArgs: -1, Scalar: scalar, VolatileArgs: true}); err != nil {
			return fmt.Errorf("register sql function %s: %w", name, err)
		}
	}
	s.functions = f
	return nil
}

// scalarFunction is an SQL function in Go.
type scalarFunction = func(*sqlite.FunctionContext, []driver.Value) (driver.Value, error)

// begin registers a scan under a token; it waits while maxScans others hold one.
// The caller ends it with end.
func (f *functions) begin(ctx context.Context, collect func([]driver.Value) error, patterns []memo) (*scanCall, error) {
	call := &scanCall{collect: collect, patterns: patterns}
	select {
	case call.token = <-f.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	f.live[call.token].Store(call)
	return call, nil
}

func (f *functions) end(call *scanCall) {
	f.rows.Add(call.rows)
	f.live[call.token].Store(nil)
	f.free <- call.token
}

// call finds the scan that a statement's first argument names.
func (f *functions) call(args []driver.Value) (*scanCall, error) {
	if len(args) > 0 {
		if token, ok := args[0].(int64); ok && token >= 0 && token < maxScans {
			if call := f.live[token].Load(); call != nil {
				return call, nil
			}
		}
	}
	return nil, errors.New("call of a weir function outside a scan")
}

// collect implements weir_collect. It returns NULL where the row function asks for more
// columns, else 0: false for a WHERE.
func (f *functions) collect(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	call, err := f.call(args)
	if err != nil {
		return nil, err
	}
	call.rows++
	switch err := call.collect(args[1:]); {
	case err == errMore: //nolint:errorlint // it is never wrapped, and there are ten million rows
		return nil, nil
	case err != nil:
		call.err = err
		return nil, err
	}
	return int64(0), nil
}

// pattern implements a function of [filter.Plan] that takes so many arguments
// after the token and the pattern's index.
func (f *functions) pattern(arguments int, of func(m *memo, args []driver.Value) driver.Value) scalarFunction {
	return func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		call, err := f.call(args)
		if err != nil {
			return nil, err
		}
		if len(args) != 2+arguments {
			return nil, fmt.Errorf("weir function called with %d arguments", len(args))
		}
		i, ok := args[1].(int64)
		if !ok || i < 0 || int(i) >= len(call.patterns) {
			return nil, fmt.Errorf("weir function called with no pattern %v", args[1])
		}
		return of(&call.patterns[i], args[2:]), nil
	}
}

func match(m *memo, args []driver.Value) driver.Value {
	text, _ := args[0].(string) // NULL matches as "" does
	return m.Match(text)
}

func known(m *memo, args []driver.Value) driver.Value {
	number, _ := args[0].(int64)
	return orNull(m.known(number))
}

func learn(m *memo, args []driver.Value) driver.Value {
	number, _ := args[0].(int64)
	return m.learn(number, referenced(args[1]))
}

func knownURL(m *memo, args []driver.Value) driver.Value {
	return orNull(m.knownURL(urlOf(args)))
}

func learnURL(m *memo, args []driver.Value) driver.Value {
	of, path := urlOf(args)
	return m.learnURL(of, siteFrom(args[pathColumnsLen:]), path)
}

// urlOf reads kind, site and path.
func urlOf(args []driver.Value) (of siteOf, path string) {
	of.kind, _ = args[0].(int64)
	of.site, _ = args[1].(int64)
	path, _ = args[2].(string)
	return of, path
}

func orNull(is, known bool) driver.Value {
	if !known {
		return nil
	}
	return is
}
