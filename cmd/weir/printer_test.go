package main

import (
	"strings"
	"testing"

	"github.com/google/uuid"

	"weir/cmd/weir/internal/contract"
	flowpb "weir/proto"
)

// A table says of every flow where it went, and of a failed one why it failed.
func TestTableShowsWhatMatters(t *testing.T) {
	absent := flowpb.Summary{RequestSize: flowpb.Absent, ResponseSize: flowpb.Absent, Duration: flowpb.Absent, TTFB: flowpb.Absent}
	tcp, tls, http := absent, absent, absent
	tcp.Kind, tcp.Host, tcp.Port = flowpb.KindTCP, "db.test", 5432
	tls.Kind, tls.Host, tls.Port = flowpb.KindTLS, "::1", 443
	http.Kind, http.Method, http.Scheme, http.Host, http.Path = flowpb.KindHTTP, "GET", "http", "a.test", "/"
	cut := http
	cut.Status = 200
	for _, tt := range []struct {
		name   string
		format string
		names  []string
		row    flowpb.Row
		want   string
	}{
		{"tcp", "table", nil, flowpb.Row{Summary: tcp}, "db.test:5432"},
		{"tls", "table", nil, flowpb.Row{Summary: tls, Error: "bad certificate"}, "err [::1]:443 (bad certificate)"},
		{"refused", "table", nil, flowpb.Row{Summary: http, Error: "refused"}, "GET err http://a.test/ (refused)"},
		{"failed after its status", "table", nil, flowpb.Row{Summary: cut, Error: "cut off"}, "GET 200 http://a.test/ (cut off)"},
		{"the error has its own column", "table", []string{"url", "error"}, flowpb.Row{Summary: http, Error: "refused"}, "http://a.test/ refused"},
		{"csv stays as it is", "csv", []string{"status", "url"}, flowpb.Row{Summary: tls, Error: "x"}, ","},
		{"json stays as it is", "json", []string{"status", "url"}, flowpb.Row{Summary: tls, Error: "x"}, `{"status":null,"url":null}`},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var out strings.Builder
			p, err := newPrinter(&out, tt.format, tt.names)
			if err != nil {
				t.Fatal(err)
			}
			if err := p.row(contract.NewRow(uuid.Nil, &tt.row)); err != nil {
				t.Fatal(err)
			}
			if err := p.close(); err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(strings.TrimSpace(out.String()), "\n")
			got := strings.Join(strings.Fields(lines[len(lines)-1]), " ")
			if got = strings.TrimPrefix(got, "0 "); got != tt.want {
				t.Errorf("the row is %q, want %q", got, tt.want)
			}
		})
	}
}

// The table has a width for each column.
func TestCellWidths(t *testing.T) {
	for _, name := range contract.Columns {
		if cellWidths[name] == 0 {
			t.Errorf("column %s has no width", name)
		}
	}
}
