package store

import (
	"strings"
	"testing"

	"weir/filter"
	flowpb "weir/proto"
)

func TestMemosRememberWithinBounds(t *testing.T) {
	calls := 0
	m := memo{Pattern: filter.Pattern{Match: func(s string) bool { calls++; return s == "yes" }}}
	for number, text := range map[int64]string{0: "no", 1: "yes", 63: "no", 64: "yes", memoPageSize*maxMemoPages - 1: "yes"} {
		if _, known := m.known(number); known {
			t.Errorf("number %d: known before it was told", number)
		}
		if got, want := m.learn(number, text), text == "yes"; got != want {
			t.Errorf("number %d: got %v when it was told, want %v", number, got, want)
		}
		calls = 0
		if is, known := m.known(number); !known || is != (text == "yes") || calls != 0 {
			t.Errorf("number %d: got %v, %v with %d calls, want it remembered", number, is, known, calls)
		}
	}
	for _, far := range []int64{memoPageSize * maxMemoPages, 1 << 62, -1} {
		if !m.learn(far, "yes") {
			t.Errorf("number %d: got no, want yes", far)
		}
		if _, known := m.known(far); known {
			t.Errorf("number %d: is remembered, want that it takes no memory", far)
		}
	}
	if len(m.pages) > maxMemoPages {
		t.Errorf("pages: got %d, want at most %d", len(m.pages), maxMemoPages)
	}
}

// A pattern over URLs says the same whether or not it remembers the site.
func TestMemosOfURLs(t *testing.T) {
	calls := 0
	m := memo{Pattern: filter.Pattern{
		Match:  func(s string) bool { calls++; return strings.Contains(s, "a") },
		Begins: func(head string) bool { return strings.Contains(head, "a") },
	}}
	const http, tcp, dns = int64(flowpb.KindHTTP), int64(flowpb.KindTCP), int64(flowpb.KindDNS)
	tests := []struct {
		of    siteOf
		site  site
		path  string
		want  bool
		calls int
		long  bool
	}{
		{siteOf{http, 1}, site{scheme: "http", host: "b"}, "/c", false, 1, false},
		{siteOf{http, 1}, site{scheme: "http", host: "b"}, "/a", true, 1, false},
		{siteOf{http, 2}, site{scheme: "http", host: "a"}, "/c", true, 0, false},
		{siteOf{http, 3}, site{scheme: "http", host: strings.Repeat("b", maxHeadText)}, "/a", true, 1, true},
		{siteOf{dns, 4}, site{}, "a", true, 1, false},
		{siteOf{tcp, 4}, site{}, "a", false, 1, false}, // has no URL
	}
	for round := range 2 {
		for _, tt := range tests {
			calls = 0
			is, known := m.knownURL(tt.of, tt.path)
			if round == 1 && known == tt.long {
				t.Errorf("%+v: known is %v the second time", tt.site, known)
			}
			if !known {
				is = m.learnURL(tt.of, tt.site, tt.path)
			}
			if is != tt.want || calls != tt.calls {
				t.Errorf("%+v, path %q: got %v with %d calls, want %v with %d", tt.site, tt.path, is, calls, tt.want, tt.calls)
			}
		}
	}
	if got, want := len(m.heads), 4; got != want {
		t.Errorf("sites remembered: got %d, want %d, those with short texts", got, want)
	}
}

func TestWhatOneScanLearnedServesTheNext(t *testing.T) {
	m := &memos{patterns: []filter.Pattern{{Match: func(string) bool { return true }}}}
	first, second := m.take(), m.take()
	first[0].learn(5, "")
	if _, known := second[0].known(5); known {
		t.Error("two scans under way share a memo")
	}
	m.give(first)
	if _, known := m.take()[0].known(5); !known {
		t.Error("the next scan does not know what the one before has learned")
	}
}
