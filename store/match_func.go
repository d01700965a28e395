package store

import (
	"database/sql/driver"
	"fmt"

	"modernc.org/sqlite"

	"weir/store/upcall"
)

// registerFunctions gives the connections of a session's driver the functions that they
// have beside SQLite's own: the one of package upcall, and those of [filter.Plan].
func registerFunctions(drv *sqlite.Driver) (*upcall.Functions, error) {
	return upcall.Register(drv, map[string]upcall.Function{
		"weir_match":     planFunction(1, match),
		"weir_known":     planFunction(1, known),
		"weir_learn":     planFunction(2, learn),
		"weir_known_url": planFunction(3, knownURL),
		"weir_learn_url": planFunction(7, learnURL),
	})
}

// planFunction makes a function of [filter.Plan] that takes so many arguments after the
// pattern's index. The state of its scan is the patterns' memos.
func planFunction(arguments int, of func(m *memo, args []driver.Value) driver.Value) upcall.Function {
	return func(call *upcall.Call, args []driver.Value) (driver.Value, error) {
		if len(args) != 1+arguments {
			return nil, fmt.Errorf("weir function called with %d arguments", len(args))
		}
		patterns, _ := call.State.([]memo)
		i, ok := args[0].(int64)
		if !ok || i < 0 || int(i) >= len(patterns) {
			return nil, fmt.Errorf("weir function called with no pattern %v", args[0])
		}
		return of(&patterns[i], args[1:]), nil
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
