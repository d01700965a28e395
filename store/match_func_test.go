package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"strings"
	"testing"

	"weir/filter"
)

func TestPatternsRememberWithinBounds(t *testing.T) {
	calls := 0
	p := memoPattern{
		Pattern: filter.Pattern{Match: func(s string) bool { calls++; return s == "yes" }},
		seen:    map[string]bool{},
	}
	long := strings.Repeat("y", maxMemoText+1)
	for range 3 {
		if !p.match("yes") || p.match("no") || p.match(long) {
			t.Error("pattern: got a wrong answer")
		}
	}
	if calls != 1+1+3 {
		t.Errorf("calls: got %d, want one for each short text and three for the long one", calls)
	}
	for i := range 2 * maxMemo {
		p.match(string(rune(i + 0x10000)))
	}
	if len(p.seen) > maxMemo {
		t.Errorf("memory: got %d texts, want at most %d", len(p.seen), maxMemo)
	}
}

func TestScanFunctionsNeedAScan(t *testing.T) {
	s := newSession(t)
	for _, q := range []string{
		"SELECT weir_match(1, 0, 'a')", "SELECT weir_collect(1)", "SELECT weir_collect()",
		"SELECT weir_match()", "SELECT weir_match('x', 0, 'a')", "SELECT weir_match(-1, 0, 'a')", "SELECT weir_match(1000, 0, 'a')",
	} {
		var got any
		if err := s.read.QueryRowContext(t.Context(), q).Scan(&got); err == nil {
			t.Errorf("%s: got %v, want an error", q, got)
		}
	}
}

func TestAScanPassesOnWhatItsRowsFailWith(t *testing.T) {
	s, w := newWriter(t, WriterOptions{})
	record(t, w, httpFlow(1))
	sel, err := s.selection(Query{})
	if err != nil {
		t.Fatal(err)
	}
	sentinel := errors.New("enough")
	err = sel.each(t.Context(), s.read, span{1, 9}.condition(true), "", func([]driver.Value) error { return sentinel })
	if !errors.Is(err, sentinel) {
		t.Errorf("scan: got %v, want %v", err, sentinel)
	}
}

func TestScansBeyondTheLimitWait(t *testing.T) {
	s := newSession(t)
	var calls []*scanCall
	for range maxScans {
		call, err := s.functions.begin(t.Context(), nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		calls = append(calls, call)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.functions.begin(ctx, nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("one more: got %v, want that it waits until its context ends", err)
	}
	s.functions.end(calls[7])
	call, err := s.functions.begin(t.Context(), nil, nil)
	if err != nil || call.token != calls[7].token {
		t.Errorf("after one ended: got %+v, %v, want its token", call, err)
	}
}

// A pattern over URLs says the same whether or not it remembers the site.
func TestPatternsOverURLs(t *testing.T) {
	calls := 0
	p := memoPattern{sites: make(map[site]siteMemo), Pattern: filter.Pattern{
		Match:  func(s string) bool { calls++; return strings.Contains(s, "a") },
		Begins: func(head string) bool { return strings.Contains(head, "a") },
	}}
	tests := []struct {
		site  site
		path  string
		want  bool
		calls int
	}{
		{site{kind: 1, scheme: "http", host: "b"}, "/c", false, 1},
		{site{kind: 1, scheme: "http", host: "b"}, "/a", true, 1},
		{site{kind: 1, scheme: "http", host: "a"}, "/c", true, 0},
		{site{kind: 1, scheme: "http", host: strings.Repeat("b", maxMemoText)}, "/a", true, 1},
		{site{kind: 4}, "a", true, 1},
		{site{kind: 2}, "a", false, 1}, // has no URL
	}
	for range 2 {
		for _, tt := range tests {
			calls = 0
			if got := p.matchURL(tt.site, tt.path); got != tt.want || calls != tt.calls {
				t.Errorf("%+v, path %q: got %v with %d calls, want %v with %d", tt.site, tt.path, got, calls, tt.want, tt.calls)
			}
		}
	}
	if got, want := len(p.sites), 4; got != want {
		t.Errorf("sites remembered: got %d, want %d, those with short texts", got, want)
	}
}
