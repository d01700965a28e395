package flowlist

import (
	"fmt"
	"strings"
	"testing"

	"weir/filter"
	flowpb "weir/proto"
	"weir/tui/theme"
	"weir/tui/widget"
)

func TestShortType(t *testing.T) {
	for in, want := range map[string]string{
		"":                                  "",
		"text/html; charset=utf-8":          "html",
		"application/json":                  "json",
		"application/vnd.api+json":          "json",
		"image/svg+xml":                     "xml",
		"application/x-www-form-urlencoded": "form",
		"application/x-protobuf":            "protobuf",
		"text/javascript":                   "js",
		"text/event-stream":                 "sse",
		"application/octet-stream":          "binary",
		"TEXT/PLAIN":                        "text",
		"text/html, text/plain":             "html",
		"nonsense":                          "nonsense",
		"application/vnd.api+":              "vnd.api+",
	} {
		if got := shortType(in); got != want {
			t.Errorf("shortType(%q): got %q, want %q", in, got, want)
		}
	}
}

// TestWebSocketIsAType shows and filters WebSocket flows as a type of their own.
func TestWebSocketIsAType(t *testing.T) {
	row := flowpb.Row{Summary: flowpb.Summary{Kind: flowpb.KindHTTP, Flags: flowpb.FlagResponse | flowpb.FlagWebSocket}}
	looks, err := theme.New(theme.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range columns {
		if c.name != "type" {
			continue
		}
		if got, _ := c.text(&Model{theme: looks}, &row); got != "ws" {
			t.Errorf("type: got %q, want ws", got)
		}
		if got := c.filter(&row); got != "~websocket" {
			t.Errorf("filter: got %q, want ~websocket", got)
		}
	}
}

// TestStatusCell tells at a glance what came of a flow.
func TestStatusCell(t *testing.T) {
	looks, err := theme.New(theme.Options{})
	if err != nil {
		t.Fatal(err)
	}
	g := looks.Glyphs
	for _, tt := range []struct {
		name string
		row  flowpb.Summary
		want string
	}{
		{"http", flowpb.Summary{Status: 404, State: flowpb.StateComplete}, "404"},
		{"failed", flowpb.Summary{Status: 200, Flags: flowpb.FlagError, State: flowpb.StateError}, "err"},
		{"tcp", flowpb.Summary{Kind: flowpb.KindTCP, State: flowpb.StateComplete}, g.Good},
		{"dns", flowpb.Summary{Kind: flowpb.KindDNS, Flags: flowpb.FlagResponse, State: flowpb.StateComplete}, g.Good},
		{"no such name", flowpb.Summary{Kind: flowpb.KindDNS, Flags: flowpb.FlagResponse | flowpb.FlagFailed, State: flowpb.StateComplete}, g.Wrong},
		{"waiting", flowpb.Summary{Kind: flowpb.KindDNS, State: flowpb.StateWaiting}, g.Pending},
	} {
		if got, _ := statusText(&Model{theme: looks}, &flowpb.Row{Summary: tt.row}); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestCellFilter holds every cell's expression to keep the row it came from and
// to drop one that differs there.
func TestCellFilter(t *testing.T) {
	row := flowpb.Row{Summary: flowpb.Summary{
		ID: 7, Kind: flowpb.KindHTTP, Method: "GET", Scheme: "https", Host: "api.shop.test", Port: 443,
		Path: `/a(b)/"c"?q=1`, Status: 404, ContentType: "application/json; charset=utf-8", Flags: flowpb.FlagResponse,
		Session: "mon", Agent: "proxy (a)",
	}}
	other := flowpb.Row{Summary: flowpb.Summary{
		ID: 8, Kind: flowpb.KindHTTP, Method: "GETS", Scheme: "https", Host: "xapi.shop.test", Port: 443,
		Path: `/x/a(b)/"c"2`, Status: 405, ContentType: "text/plain", Flags: flowpb.FlagResponse,
		Session: "monday", Agent: "proxy a",
	}}
	for i, c := range columns {
		if c.filter == nil {
			continue
		}
		t.Run(c.name, func(t *testing.T) {
			src := columns[i].filter(&row)
			e, err := filter.Parse(src)
			if err != nil {
				t.Fatalf("%s: %v", src, err)
			}
			for _, tt := range []struct {
				row  *flowpb.Row
				want bool
			}{{&row, true}, {&other, false}} {
				got, err := filter.Match(e, columnsOnly{row: tt.row})
				if err != nil || got != tt.want {
					t.Errorf("%s on flow %d: got %v, %v, want %v", src, tt.row.ID, got, err, tt.want)
				}
			}
		})
	}
}

// TestNoCellFilter holds cells without a value to say so.
func TestNoCellFilter(t *testing.T) {
	empty := flowpb.Row{Summary: flowpb.Summary{Kind: flowpb.KindTCP}}
	for _, c := range columns {
		if c.filter == nil {
			continue
		}
		if got := c.filter(&empty); got != "" {
			t.Errorf("%s of an empty row: got %q, want none", c.name, got)
		}
	}
}

// TestColumnsFit holds the layout to its width: header, rows and rules are exactly
// as wide as the list, whatever is in the cells, and columns only go as it narrows.
func TestColumnsFit(t *testing.T) {
	looks, err := theme.New(theme.Options{})
	if err != nil {
		t.Fatal(err)
	}
	row := flowpb.Row{Summary: flowpb.Summary{
		ID: 123456789, Kind: flowpb.KindHTTP, State: flowpb.StateComplete, Started: 1e18, Method: "PROPPATCH", Scheme: "http",
		Host: strings.Repeat("日本", 60), Path: strings.Repeat("/é\x1b", 90), Status: 4294967295,
		ContentType: "application/日本語日本語", ResponseSize: 1 << 62, Duration: 1 << 62,
	}}
	shown := len(columns)
	for w := 220; w >= 1; w-- {
		t.Run(fmt.Sprint(w), func(t *testing.T) {
			m := New(looks, nil)
			m.SetSeveral(true)
			m.SetSize(w, 12)
			m.length, m.fresh = 1, true
			m.setPage(0, []flowpb.Row{row})
			lines := strings.Split(m.View(), "\n")
			if len(lines) != 12 {
				t.Errorf("got %d lines, want 12", len(lines))
			}
			for i, line := range lines {
				if got := widget.Width(line); got > w || m.shape.lines == 1 && i < 3 && w >= twoLines && got != w {
					t.Errorf("line %d: got %d cells, want %d: %q", i, got, w, line)
				}
			}
			if n := len(m.shape.visible); n > shown {
				t.Errorf("got %d columns, want at most the %d of a wider list", n, shown)
			} else {
				shown = n
			}
		})
	}
}

// columnsOnly is a row as the filter sees it.
type columnsOnly struct {
	filter.Subject
	row *flowpb.Row
}

func (s columnsOnly) Summary() *flowpb.Summary { return &s.row.Summary }
func (s columnsOnly) Note() *flowpb.Note       { return &s.row.Note }
