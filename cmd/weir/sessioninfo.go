package main

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"weir/cmd/weir/internal/contract"
	"weir/store"
	"weir/store/survey"
	"weir/tui/widget"
)

func newInfo(std stdio) *cobra.Command {
	var format string
	var exact bool
	cmd := &cobra.Command{
		Use:   "info SESSION",
		Short: "Say what a session holds",
		Long: `Says how many flows of what kind a session holds, when they were, to which hosts,
where its bytes are and what compaction saved. In files of more than 64 MB the sizes
of tables are estimated from samples, unless --exact is given.`,
		Args: usageArgs(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			return sessionInfo(cmd.Context(), std, args[0], format, exact)
		},
	}
	cmd.Flags().StringVar(&format, "format", "text", "FORMAT, text or json")
	cmd.Flags().BoolVar(&exact, "exact", false, "measure the tables of a large file, which reads all of it")
	complete(cmd, "format", "text", "json")
	return cmd
}

// infoJSON is what is said of a session in short.
type infoJSON struct {
	Path      string  `json:"path"`
	UUID      string  `json:"uuid"`
	Creator   *string `json:"creator"`
	Format    int     `json:"format"`
	CreatedAt string  `json:"created_at"`
	FirstAt   *string `json:"first_at"`
	LastAt    *string `json:"last_at"`
	Flows     uint64  `json:"flows"`
	Marked    int     `json:"marked"`
	// RequestBytes and ResponseBytes are the sums of the bodies' sizes.
	RequestBytes  int64 `json:"request_bytes"`
	ResponseBytes int64 `json:"response_bytes"`
	FileBytes     int64 `json:"file_bytes"` // with the write-ahead log
}

// detailsJSON is all that is said of a session.
type detailsJSON struct {
	infoJSON
	Kinds       map[string]uint64 `json:"kinds"`
	Failed      uint64            `json:"failed"`
	Removed     uint64            `json:"removed"` // flows that can be brought back
	Hosts       []hostJSON        `json:"hosts"`
	Tables      []tableJSON       `json:"tables"`
	TablesExact bool              `json:"tables_exact"`
	FreeBytes   int64             `json:"free_bytes"`
	WALBytes    int64             `json:"wal_bytes"`
	// SharedBytes need not be stored: SharedBodies refer to others with the same bytes.
	SharedBodies     uint64       `json:"shared_bodies"`
	SharedBytes      int64        `json:"shared_bytes"`
	CompressedBytes  int64        `json:"compressed_bytes"` // before
	CompressedStored int64        `json:"compressed_stored_bytes"`
	Sources          []sourceJSON `json:"sources"`
}

type hostJSON struct {
	Host  string `json:"host"`
	Flows uint64 `json:"flows"`
	Bytes int64  `json:"bytes"`
}

type tableJSON struct {
	Name  string `json:"name"`
	Rows  uint64 `json:"rows"`
	Bytes int64  `json:"bytes"`
}

type sourceJSON struct {
	UUID      string  `json:"uuid"`
	Name      *string `json:"name"`
	CreatedAt *string `json:"created_at"`
	Creator   *string `json:"creator"`
	Flows     uint64  `json:"flows"`
}

func sessionInfo(ctx context.Context, std stdio, path, format string, exact bool) error {
	if format != "text" && format != "json" {
		return usagef("--format %q: not a format of session info", format).withHint("the formats are: text json")
	}
	s, err := store.Open(ctx, path, store.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer s.Close()
	p := newProgress(std, "counting")
	defer p.stop()
	short, err := readInfo(ctx, s)
	if err != nil {
		return err
	}
	d, err := survey.Of(ctx, s, exact)
	if err != nil {
		return err
	}
	all := newDetails(short, d)
	if format == "json" {
		return writeJSON(std, all)
	}
	return all.print(std)
}

// loadInfo describes the session at path in short.
func loadInfo(ctx context.Context, path string) (*infoJSON, error) {
	s, err := store.Open(ctx, path, store.Options{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	return readInfo(ctx, s)
}

func readInfo(ctx context.Context, s *store.Session) (*infoJSON, error) {
	i, err := s.Info(ctx)
	if err != nil {
		return nil, err
	}
	return &infoJSON{
		Path: s.Path(), UUID: uuid.UUID(s.UUID()).String(), Creator: contract.Text(i.Creator), Format: i.Format, CreatedAt: contract.Timestamp(i.Created),
		FirstAt: contract.Moment(i.First), LastAt: contract.Moment(i.Last), Flows: i.Flows, Marked: i.Marked, RequestBytes: i.RequestBytes, ResponseBytes: i.ResponseBytes, FileBytes: i.FileBytes,
	}, nil
}

func newDetails(short *infoJSON, d *survey.Survey) *detailsJSON {
	all := &detailsJSON{
		infoJSON: *short, Kinds: map[string]uint64{}, Failed: d.Failed, Removed: d.Removed, Hosts: []hostJSON{}, Tables: []tableJSON{},
		TablesExact: d.Exact, FreeBytes: d.Free, WALBytes: d.WAL, SharedBodies: d.SharedBodies, SharedBytes: d.SharedBytes,
		CompressedBytes: d.PackedFrom, CompressedStored: d.PackedTo, Sources: []sourceJSON{},
	}
	for kind, n := range d.Kinds {
		all.Kinds[kind.String()] += n
	}
	for _, h := range d.Hosts {
		all.Hosts = append(all.Hosts, hostJSON{Host: contract.String(h.Host), Flows: h.Flows, Bytes: h.Bytes})
	}
	for _, t := range d.Tables {
		all.Tables = append(all.Tables, tableJSON{Name: contract.String(t.Name), Rows: t.Rows, Bytes: t.Bytes})
	}
	for _, s := range d.Sources {
		all.Sources = append(all.Sources, sourceJSON{
			UUID: uuid.UUID(s.UUID).String(), Name: contract.Text(s.Name), CreatedAt: contract.Moment(s.Created), Creator: contract.Text(s.Creator), Flows: s.Flows,
		})
	}
	return all
}

// print shows the details to a person.
func (d *detailsJSON) print(std stdio) error {
	w := tabwriter.NewWriter(std.out, 0, 0, 2, ' ', 0)
	line := func(name, format string, args ...any) {
		if value := fmt.Sprintf(format, args...); value != "" {
			fmt.Fprintf(w, "%s\t%s\n", name, widget.Sanitize(value))
		}
	}
	line("session", "%s", d.Path)
	line("uuid", "%s", d.UUID)
	line("made by", "%s", deref(d.Creator))
	line("format", "%d", d.Format)
	line("created", "%s", d.CreatedAt)
	line("first flow", "%s", deref(d.FirstAt))
	line("last flow", "%s", deref(d.LastAt))
	line("flows", "%d", d.Flows)
	line("kinds", "%s", d.kinds())
	line("failed", "%d", d.Failed)
	line("marked", "%d", d.Marked)
	if d.Removed > 0 {
		line("removed", "%d, which can be brought back", d.Removed)
	}
	line("requests", "%s", widget.Size(d.RequestBytes))
	line("responses", "%s", widget.Size(d.ResponseBytes))
	line("file", "%s, of that %s free and %s write-ahead log", widget.Size(d.FileBytes), widget.Size(d.FreeBytes), widget.Size(d.WALBytes))
	line("shared", "%d bodies are the same as others, %s less to store", d.SharedBodies, widget.Size(d.SharedBytes))
	line("compressed", "%s to %s", widget.Size(d.CompressedBytes), widget.Size(d.CompressedStored))
	about := "about "
	if d.TablesExact {
		about = ""
	}
	for _, t := range d.Tables {
		if t.Rows > 0 {
			line("table "+t.Name, "%s%s, %d rows", about, widget.Size(t.Bytes), t.Rows)
		}
	}
	for _, h := range d.Hosts {
		line("host", "%s: %d flows, %s", h.Host, h.Flows, widget.Size(h.Bytes))
	}
	for _, s := range d.Sources {
		line("merged in", "%s %s: %d flows", s.UUID, deref(s.Name), s.Flows)
	}
	return w.Flush()
}

// kinds lists how many flows there are of which kind.
func (d *detailsJSON) kinds() string {
	var parts []string
	for _, kind := range slices.Sorted(maps.Keys(d.Kinds)) {
		parts = append(parts, fmt.Sprintf("%s %d", kind, d.Kinds[kind]))
	}
	return strings.Join(parts, ", ")
}
