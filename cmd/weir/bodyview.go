package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	flowpb "weir/proto"
	"weir/tui/content"
	"weir/tui/widget"
)

// wireView is the --as of bytes as they were received, content codings kept.
const wireView = "wire"

// bodyViews are the names that --as takes.
func bodyViews() []string {
	names := []string{wireView}
	for _, v := range content.Views() {
		names = append(names, v.Name)
	}
	return names
}

func checkView(name string) error {
	if name != "" && !slices.Contains(bodyViews(), name) {
		return usagef("--as %q: not a view", name).withHint("the views are: " + strings.Join(bodyViews(), " "))
	}
	return nil
}

const (
	// viewWindow is how much of a body a windowed view gets at a time.
	viewWindow = 1 << 20
	// viewWhole bounds what a view that needs the body from its start gets.
	viewWhole = 16 << 20
)

// writeView prints a body as the interface would show it: windowed views piece
// by piece, whatever the size, others from the start up to a limit.
func writeView(ctx context.Context, std stdio, name string, body io.Reader, headers []*flowpb.Field) error {
	in := content.Input{}
	if types := flowpb.Get(headers, "content-type"); len(types) > 0 {
		in.Type = string(types[0])
	}
	view, _ := content.Find(name)
	size := viewWhole
	if view.Windowed {
		size = viewWindow
	}
	out := bufio.NewWriter(std.out)
	r := bufio.NewReader(body)
	for {
		data := make([]byte, size)
		n, err := io.ReadFull(r, data)
		if err != nil && err != io.EOF && err != io.ErrUnexpectedEOF {
			return err
		}
		_, rest := r.Peek(1)
		in.Data, in.More = data[:n], rest == nil
		if err := writeDocument(out, content.Render(ctx, name, in)); err != nil {
			return err
		}
		in.Base += int64(n)
		if !in.More {
			return out.Flush()
		}
		if !view.Windowed {
			fmt.Fprintf(std.err, "weir: the view shows the first %s of the body\n", widget.Size(viewWhole))
			return out.Flush()
		}
	}
}

func writeDocument(w io.Writer, r content.Result) error {
	if r.Note != "" {
		if _, err := fmt.Fprintln(w, r.Note); err != nil {
			return err
		}
	}
	for i := range r.Doc.Len() {
		end := "\n"
		if i+1 < r.Doc.Len() && r.Doc.Continued(i+1) {
			end = ""
		}
		if _, err := io.WriteString(w, r.Doc.Text(i)+end); err != nil {
			return err
		}
	}
	return nil
}

// sanitizeLines makes text from the wire fit for a terminal, line by line.
func sanitizeLines(p []byte) string {
	lines := strings.Split(strings.TrimSuffix(string(p), "\n"), "\n")
	for i, line := range lines {
		lines[i] = widget.Sanitize(strings.TrimSuffix(line, "\r"))
	}
	return strings.Join(lines, "\n")
}
