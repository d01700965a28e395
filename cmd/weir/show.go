package main

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"weir/cmd/weir/internal/contract"
	flowpb "weir/proto"
	"weir/proto/coding"
	"weir/store"
	"weir/tui/flowdetail/facts"
	"weir/tui/widget"
)

// showFlags are the options of 'weir show'.
type showFlags struct {
	format string
	body   string
	as     string
	masked bool
}

func newShow(std stdio) *cobra.Command {
	var flags showFlags
	cmd := &cobra.Command{
		Use:   "show SESSION ID",
		Short: "Print one flow, or one of its bodies",
		Long: `Prints one flow: its headers as they were sent, sizes, connections and times.
With --body it prints that body alone, byte for byte, its content codings
(gzip, br …) undone; --as says in which other shape.`,
		Example: `  weir show bug.weir 12
  weir show bug.weir 12 --body response > page.html
  weir show bug.weir 12 --body response --as json`,
		Args: usageArgs(cobra.ExactArgs(2)),
		RunE: func(cmd *cobra.Command, args []string) error { return runShow(cmd.Context(), std, flags, args) },
	}
	f := cmd.Flags()
	f.StringVar(&flags.format, "format", "text", "print as FORMAT: text or json")
	f.StringVar(&flags.body, "body", "", "print only this BODY: request or response")
	f.BoolVar(&flags.masked, "mask", false, maskHelp)
	f.StringVar(&flags.as, "as", "", "print the body as VIEW: "+strings.Join(bodyViews(), " "))
	complete(cmd, "format", "text", "json")
	complete(cmd, "body", "request", "response")
	complete(cmd, "as", bodyViews()...)
	return cmd
}

func runShow(ctx context.Context, std stdio, flags showFlags, args []string) error {
	id, err := strconv.ParseUint(args[1], 10, 63)
	if err != nil || id == 0 {
		return usagef("flow id %q: not a number from 1 up", args[1]).withHint("'weir query SESSION' lists the ids")
	}
	if err := flags.check(); err != nil {
		return err
	}
	session, err := store.Open(ctx, args[0], store.Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer session.Close()
	s := reading{Session: session, masked: flags.masked}
	if flags.body != "" {
		return showBody(ctx, std, s, id, flags)
	}
	f, err := loadShown(ctx, s, id)
	if err != nil {
		return err
	}
	if flags.format == "json" {
		line, err := contract.Marshal(f.Flow)
		if err == nil {
			_, err = fmt.Fprintf(std.out, "%s\n", line)
		}
		return err
	}
	return showText(ctx, std, s, f)
}

func (f showFlags) check() error {
	switch {
	case f.format != "text" && f.format != "json":
		return usagef("--format %q: not a format of show", f.format).withHint("the formats are: text json")
	case f.body != "" && f.body != "request" && f.body != "response":
		return usagef("--body %q: not a body", f.body).withHint("the bodies are: request response")
	case f.as != "" && f.body == "":
		return usagef("--as goes with --body")
	}
	return checkView(f.as)
}

// textBody bounds how much of a body the text form shows.
const textBody = 64 << 10

// showText prints a flow for a person. It may go to a terminal, so whatever was
// captured passes the sanitiser.
func showText(ctx context.Context, std stdio, s reading, f shown) error {
	var b strings.Builder
	fmt.Fprintf(&b, "#%d %s %s\n", f.ID, f.Kind, f.State)
	writeFacts(&b, f.Flow)
	for _, name := range []string{"request", "response"} {
		h := f.Request
		if name == "response" {
			h = f.Response
		}
		if h == nil {
			continue
		}
		fmt.Fprintf(&b, "\n%s\n", startLine(h))
		for _, p := range h.Headers {
			fmt.Fprintf(&b, "%s: %s\n", widget.Sanitize(p[0]), widget.Sanitize(p[1]))
		}
		if err := writeBody(ctx, &b, s, f.head, h, name); err != nil {
			return err
		}
		for _, p := range h.Trailers {
			fmt.Fprintf(&b, "(trailer) %s: %s\n", widget.Sanitize(p[0]), widget.Sanitize(p[1]))
		}
	}
	for _, m := range []*flowpb.DnsMessage{f.head.GetDns().GetRequest(), f.head.GetDns().GetResponse()} {
		if m == nil {
			continue
		}
		doc := facts.DNS(m)
		b.WriteByte('\n')
		for i := range doc.Len() {
			fmt.Fprintln(&b, doc.Text(i))
		}
	}
	for _, m := range f.Messages {
		fmt.Fprintf(&b, "\n[%s]\n", heading(&m))
		if m.Text != nil {
			fmt.Fprintln(&b, widget.Sanitize(*m.Text))
		} else {
			fmt.Fprintln(&b, *m.Base64)
		}
	}
	_, err := io.WriteString(std.out, b.String())
	return err
}

// writeFacts writes the facts that stand above the headers.
func writeFacts(b *strings.Builder, f *contract.Flow) {
	line := func(name string, value *string) {
		if value != nil {
			fmt.Fprintf(b, "%-10s %s\n", name, widget.Sanitize(*value))
		}
	}
	line("url", f.URL)
	line("started", &f.StartedAt)
	if f.DurationMS != nil {
		fmt.Fprintf(b, "%-10s %.3f ms\n", "took", *f.DurationMS)
	}
	line("client", f.Client)
	line("server", f.Server)
	if c := f.ServerConn; c != nil && c.TLS != nil {
		tls := c.TLS.Version + " " + c.TLS.Cipher
		line("tls", &tls)
		line("untrusted", c.TLS.VerifyError)
	}
	line("marked", f.Marked)
	line("comment", f.Comment)
	if len(f.Tags) > 0 {
		tags := strings.Join(f.Tags, ", ")
		line("tags", &tags)
	}
	line("error", f.Error)
	if f.ErrorDetail != nil {
		line("hint", f.ErrorDetail.Hint)
	}
}

func startLine(h *contract.Half) string {
	word := func(s *string) string {
		if s == nil {
			return ""
		}
		return widget.Sanitize(*s)
	}
	if h.Status != nil {
		return strings.TrimSpace(fmt.Sprintf("%s %d %s", word(h.HTTPVersion), *h.Status, word(h.Reason)))
	}
	return fmt.Sprintf("%s %s %s", word(h.Method), word(h.Target), word(h.HTTPVersion))
}

// writeBody appends the beginning of a body, decoded, or says why there is none.
func writeBody(ctx context.Context, b *strings.Builder, s reading, f *flowpb.Flow, h *contract.Half, name string) error {
	switch {
	case h.BodySize == nil:
		return nil
	case *h.BodyState == "dropped":
		fmt.Fprintf(b, "\n(%d bytes passed on, not kept)\n", *h.BodySize)
		return nil
	}
	side, body, headers := half(f, name)
	stored, err := s.Body(ctx, f.GetId(), side)
	if err != nil {
		return err
	}
	decoded, err := coding.NewReader(stored.NewReader(ctx), coding.Of(body, headers))
	if err != nil {
		fmt.Fprintf(b, "\n(%d bytes that do not decode: %s)\n", *h.BodySize, widget.Sanitize(err.Error()))
		return nil
	}
	defer decoded.Close()
	p, err := io.ReadAll(io.LimitReader(decoded, textBody))
	if err != nil && h.BodyCodingError == nil {
		return err
	}
	fmt.Fprintf(b, "\n%s\n", sanitizeLines(p))
	if h.BodyDecodedSize != nil && *h.BodyDecodedSize > int64(len(p)) {
		fmt.Fprintf(b, "(%d more bytes; --body %s prints all)\n", *h.BodyDecodedSize-int64(len(p)), name)
	}
	return nil
}

// heading is what the text form says above a message.
func heading(m *contract.Message) string {
	parts := []string{m.From, m.Type, fmt.Sprintf("%d bytes", m.Size)}
	if e := m.Event; e != nil && e.Type != nil {
		parts = append(parts, widget.Sanitize(*e.Type))
	}
	if n := len(m.Frames); n > 1 {
		parts = append(parts, fmt.Sprintf("in %d frames", n))
	}
	for _, f := range []struct {
		set  bool
		name string
	}{{m.Compressed, "compressed"}, {m.Continues, "continues"}, {m.Dropped, "dropped"}, {m.Injected, "injected"}} {
		if f.set {
			parts = append(parts, f.name)
		}
	}
	if m.Note != "" {
		parts = append(parts, "note: "+widget.Sanitize(m.Note))
	}
	return strings.Join(parts, " ")
}
