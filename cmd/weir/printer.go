package main

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"slices"
	"strconv"
	"strings"

	"weir/cmd/weir/internal/contract"
	"weir/tui/widget"
)

// printer writes rows in one of query's formats. close writes what is buffered.
type printer interface {
	row(r contract.Row) error
	close() error
}

// newPrinter returns the printer of a format; names are the keys to print, nil
// for the format's own.
func newPrinter(w io.Writer, format string, names []string) (printer, error) {
	out := bufio.NewWriterSize(w, 64<<10)
	switch format {
	case "json":
		return &jsonPrinter{out: out, names: names}, nil
	case "csv":
		if names == nil {
			names = contract.Columns[:contract.LineKeys]
		}
		p := &csvPrinter{out: csv.NewWriter(out), buf: out, names: names}
		return p, p.out.Write(names)
	case "table":
		if names == nil {
			names = tableColumns
		}
		p := &tablePrinter{out: out, names: names}
		return p, p.line(names)
	default:
		return nil, usagef("--format %q: not a format of query", format).withHint("the formats are: table json csv")
	}
}

// jsonPrinter writes one object a line, with every key of the contract, or with
// the chosen ones in the order they were asked for.
type jsonPrinter struct {
	out   *bufio.Writer
	names []string
}

func (p *jsonPrinter) row(r contract.Row) error {
	line, err := contract.Marshal(r.Line)
	if err == nil && p.names != nil {
		line, err = p.picked(r)
	}
	if err != nil {
		return err
	}
	if _, err := p.out.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("write row %d: %w", r.ID, err)
	}
	return nil
}

func (p *jsonPrinter) picked(r contract.Row) ([]byte, error) {
	fields, err := r.Fields()
	if err != nil {
		return nil, err
	}
	var line bytes.Buffer
	line.WriteByte('{')
	for i, name := range p.names {
		if i > 0 {
			line.WriteByte(',')
		}
		fmt.Fprintf(&line, "%q:%s", name, fields[name])
	}
	line.WriteByte('}')
	return line.Bytes(), nil
}

func (p *jsonPrinter) close() error { return p.out.Flush() }

// csvPrinter writes RFC 4180 with a header line.
type csvPrinter struct {
	out   *csv.Writer
	buf   *bufio.Writer
	names []string
}

func (p *csvPrinter) row(r contract.Row) error {
	cells, err := cells(r, p.names)
	if err != nil {
		return err
	}
	return p.out.Write(cells)
}

func (p *csvPrinter) close() error {
	p.out.Flush()
	if err := p.out.Error(); err != nil {
		return fmt.Errorf("write CSV: %w", err)
	}
	return p.buf.Flush()
}

// tableColumns are what a table shows unless told otherwise.
var tableColumns = []string{"id", "method", "status", "response_size", "duration_ms", "content_type", "url"}

// cellWidths say how wide a table's columns are, in cells. A longer value pushes
// its row and is never cut; the last column has no width.
var cellWidths = map[string]int{
	"id": 7, "uid": 44, "kind": 4, "state": 8, "method": 7, "scheme": 6, "host": 24, "port": 5, "path": 32, "url": 48,
	"http_version": 12, "status": 6, "reason": 12, "content_type": 24, "request_size": 12, "response_size": 13,
	"started_at": 30, "duration_ms": 11, "client": 21, "server": 24, "error": 24, "marked": 9, "comment": 16, "tags": 12,
	"replay": 8, "session": 16, "agent": 16,
}

// tablePrinter writes columns for a person. It streams, so widths are fixed, and
// it may write to a terminal, so every value passes the sanitiser.
type tablePrinter struct {
	out   *bufio.Writer
	names []string
}

func (p *tablePrinter) row(r contract.Row) error {
	cells, err := cells(p.shown(r), p.names)
	if err != nil {
		return err
	}
	if i := slices.Index(p.names, "status"); i >= 0 && r.Status == nil && r.Error != nil {
		cells[i] = "err"
	}
	return p.line(cells)
}

// shown is r as a person wants to see it in one line: a flow without a URL by
// where it went, a failed one with what went wrong after it.
func (p *tablePrinter) shown(r contract.Row) contract.Row {
	url := deref(r.URL)
	if url == "" && r.Host != nil {
		url = *r.Host
		if r.Port != nil {
			url = net.JoinHostPort(url, strconv.FormatUint(uint64(*r.Port), 10))
		}
	}
	if r.Error != nil && !slices.Contains(p.names, "error") {
		url = strings.TrimSpace(url + " (" + *r.Error + ")")
	}
	r.URL = &url
	return r
}

func (p *tablePrinter) line(cells []string) error {
	var line strings.Builder
	for i, c := range cells {
		c = widget.Sanitize(c)
		line.WriteString(c)
		if i < len(cells)-1 {
			line.WriteString(strings.Repeat(" ", 2+max(0, cellWidths[p.names[i]]-widget.Width(c))))
		}
	}
	_, err := fmt.Fprintln(p.out, strings.TrimRight(line.String(), " "))
	return err
}

func (p *tablePrinter) close() error { return p.out.Flush() }

// cells are the named values of r as text.
func cells(r contract.Row, names []string) ([]string, error) {
	fields, err := r.Fields()
	if err != nil {
		return nil, err
	}
	out := make([]string, len(names))
	for i, name := range names {
		out[i] = cell(fields[name])
	}
	return out, nil
}

// cell is a JSON value as a table or CSV shows it: strings without quotes, null
// as nothing, lists joined by commas, numbers as they are.
func cell(raw json.RawMessage) string {
	var list []string
	if json.Unmarshal(raw, &list) == nil {
		return strings.Join(list, ",")
	}
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}
