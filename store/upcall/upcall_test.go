package upcall

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"modernc.org/sqlite"
)

// open is a database in memory with Collect and one function of its own.
func open(t *testing.T) (*sql.DB, *Functions) {
	t.Helper()
	drv := &sqlite.Driver{}
	f, err := Register(drv, map[string]Function{
		"scan_state": func(call *Call, _ []driver.Value) (driver.Value, error) { return call.State.(string), nil },
	})
	if err != nil {
		t.Fatal(err)
	}
	db := sql.OpenDB(connector{drv})
	t.Cleanup(func() { _ = db.Close() })
	return db, f
}

type connector struct{ drv *sqlite.Driver }

func (c connector) Connect(context.Context) (driver.Conn, error) { return c.drv.Open(":memory:") }
func (c connector) Driver() driver.Driver                        { return c.drv }

// TestScan hands over rows, again with more where the row function wants more.
func TestScan(t *testing.T) {
	db, f := open(t)
	const query = `SELECT count(coalesce(weir_collect(?1, value), weir_collect(?1, value, value * 10, scan_state(?1)))) FROM json_each('[1, 2, 3]')`
	var got [][]driver.Value
	row := func(row []driver.Value) error {
		if row[0] == int64(2) && len(row) == 1 {
			return ErrMore
		}
		if text, ok := row[len(row)-1].(string); ok {
			row[len(row)-1] = strings.Clone(text) // it is valid during the call only
		}
		got = append(got, slices.Clone(row))
		return nil
	}
	err := f.Scan(t.Context(), row, "x", func(token int64) error {
		var none int
		return db.QueryRowContext(t.Context(), query, token).Scan(&none)
	})
	want := [][]driver.Value{{int64(1)}, {int64(2), int64(20), "x"}, {int64(3)}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("rows: %v (-want +got):\n%s", err, diff)
	}
	if got := f.Rows(); got != 4 {
		t.Errorf("rows: got %d handed over, want 4", got)
	}
}

// TestScanFails says what went wrong where it did.
func TestScanFails(t *testing.T) {
	db, f := open(t)
	sentinel := errors.New("enough")
	interrupted := errors.New("interrupted")
	ctx, cancel := context.WithCancel(t.Context())
	for _, tt := range []struct {
		name string
		row  func([]driver.Value) error
		fail error // what the statement fails with, beside its row
		want error
	}{
		{"row", func([]driver.Value) error { return sentinel }, nil, sentinel},
		{"statement", func([]driver.Value) error { return nil }, interrupted, interrupted},
		{"context", func([]driver.Value) error { cancel(); return nil }, interrupted, context.Canceled},
	} {
		err := f.Scan(ctx, tt.row, nil, func(token int64) error {
			var none int
			if err := db.QueryRowContext(t.Context(), "SELECT weir_collect(?, 1)", token).Scan(&none); err != nil {
				return err
			}
			return tt.fail
		})
		if !errors.Is(err, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, err, tt.want)
		}
	}
}

// TestFunctionsNeedAScan refuses statements that no scan runs, as a hostile file has them.
func TestFunctionsNeedAScan(t *testing.T) {
	db, _ := open(t)
	for _, query := range []string{
		"SELECT weir_collect()", "SELECT weir_collect(1)", "SELECT weir_collect('x', 0)", "SELECT weir_collect(-1, 0)", "SELECT scan_state(1000)",
	} {
		var got any
		if err := db.QueryRowContext(t.Context(), query).Scan(&got); err == nil {
			t.Errorf("%s: got %v, want an error", query, got)
		}
	}
}

// TestScansBeyondTheLimitWait has one more wait for one to end.
func TestScansBeyondTheLimitWait(t *testing.T) {
	_, f := open(t)
	var calls []*Call
	for range MaxScans {
		call, err := f.begin(t.Context(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, call)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := f.Scan(ctx, nil, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("one more: got %v, want that it waits until its context ends", err)
	}
	f.end(calls[7])
	call, err := f.begin(t.Context(), nil, nil)
	if err != nil || call.token != calls[7].token {
		t.Errorf("after one ended: got %+v, %v, want its token", call, err)
	}
}
