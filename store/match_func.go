package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"unsafe"

	"modernc.org/sqlite"

	"weir/filter"
)

// Names of the two SQL functions that a session's read connections have beside
// SQLite's own. weir_match is also written by package filter.
const (
	matchFunction   = "weir_match"   // weir_match(token, pattern, text or parts of URL): the pattern matches
	collectFunction = "weir_collect" // weir_collect(token, id, column…): hands a row to Go
)

// maxScans is how many scans may be under way at once in one session; the next
// one waits. It is far above the number of connections, and below 256, so that
// tokens cost no allocation on their way through the driver.
const maxScans = 64

// maxMemo bounds a pattern's memory of what it matched: entries, and bytes of
// a text that is worth remembering.
const (
	maxMemo     = 8192
	maxMemoText = 128
)

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
	patterns []memoPattern
}

// memoPattern is a pattern that remembers its answers where the column has few
// distinct values: 0.13 s instead of 0.66 s for a host regexp over a million rows.
type memoPattern struct {
	filter.Pattern
	seen   map[string]bool
	sites  map[site]siteMemo
	joined []byte // room for a URL
}

// siteMemo is what a pattern over URLs remembers of a site.
type siteMemo struct {
	head string
	open bool // the path follows the head
	all  bool // the pattern matches whatever follows the head
}

// registerFunctions gives the connections of a session's driver the functions.
func registerFunctions(drv *sqlite.Driver, s *Session) error {
	f := &functions{free: make(chan int64, maxScans)}
	for token := range int64(maxScans) {
		f.free <- token
	}
	err := errors.Join(
		drv.RegisterFunction(matchFunction, &sqlite.FunctionImpl{
			NArgs: -1, Scalar: f.match, Deterministic: true, VolatileArgs: true,
		}),
		drv.RegisterFunction(collectFunction, &sqlite.FunctionImpl{
			NArgs: -1, Scalar: f.collect, VolatileArgs: true,
		}))
	if err != nil {
		return fmt.Errorf("register sql functions: %w", err)
	}
	s.functions = f
	return nil
}

// begin registers a scan under a token; it waits while maxScans others hold one.
// The caller ends it with end.
func (f *functions) begin(ctx context.Context, collect func([]driver.Value) error, patterns []filter.Pattern) (*scanCall, error) {
	call := &scanCall{collect: collect, patterns: make([]memoPattern, len(patterns))}
	select {
	case call.token = <-f.free:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	for i, p := range patterns {
		call.patterns[i] = memoPattern{Pattern: p, sites: make(map[site]siteMemo)}
		if p.Memo {
			call.patterns[i].seen = make(map[string]bool)
		}
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

// collect implements weir_collect. It returns NULL, which the statements count
// as nothing.
func (f *functions) collect(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	call, err := f.call(args)
	if err != nil {
		return nil, err
	}
	call.rows++
	if err := call.collect(args[1:]); err != nil {
		call.err = err
		return nil, err
	}
	return nil, nil
}

// match implements weir_match.
func (f *functions) match(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
	call, err := f.call(args)
	if err != nil {
		return nil, err
	}
	if len(args) != 2+1 && len(args) != 2+siteColumns {
		return nil, fmt.Errorf("weir_match with %d arguments", len(args))
	}
	i, ok := args[1].(int64)
	if !ok || i < 0 || int(i) >= len(call.patterns) {
		return nil, fmt.Errorf("weir_match: no pattern %v", args[1])
	}
	if len(args) == 2+siteColumns {
		return call.patterns[i].matchURL(siteOf(args[2:])), nil
	}
	text, _ := args[2].(string) // NULL matches as "" does
	return call.patterns[i].match(text), nil
}

func (p *memoPattern) match(text string) bool {
	if p.seen == nil || len(text) > maxMemoText {
		return p.Match(text)
	}
	is, known := p.seen[text]
	if !known {
		is = p.Match(text)
		if len(p.seen) < maxMemo {
			p.seen[strings.Clone(text)] = is
		}
	}
	return is
}

// matchURL matches the URL of a path. Often its head decides.
func (p *memoPattern) matchURL(s site, path string) bool {
	of, known := p.sites[s]
	if !known {
		of.head, of.open = s.head()
		of.all = p.Begins != nil && p.Begins(of.head)
		if len(p.sites) < maxMemo && s.textBytes() <= maxMemoText {
			p.sites[s.clone()] = of
		}
	}
	switch {
	case of.all:
		return true
	case of.open:
		p.joined = append(append(p.joined[:0], of.head...), path...)
		// A million strings would cost more than the matching. Match keeps none.
		return p.Match(unsafe.String(unsafe.SliceData(p.joined), len(p.joined)))
	default:
		return p.Match(of.head)
	}
}
