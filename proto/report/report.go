// Package report writes flows as a report in Markdown, for people to read and to pass
// on: what was asked, what came back, what somebody noted about it.
//
// Credentials are not in it: the values of the fields that carry them
// ([flowpb.HideSecrets]), and what stands behind names like token or password in
// addresses, forms and JSON. That is a help and no promise: a secret under a name that
// nobody knows stays.
//
// Captured text stands in fenced blocks whose fence it cannot close, without control
// characters; of a body there is at most 4 KB, and of one that is no text its size.
package report

import (
	"fmt"
	"io"
	"strings"
	"time"
	"unicode/utf8"

	"google.golang.org/protobuf/proto"

	flowpb "weir/proto"
	"weir/proto/coding"
)

// maxExcerpt bounds what is shown of a body, in bytes.
const maxExcerpt = 4 << 10

// Writer writes a report.
type Writer struct {
	w     io.Writer
	begun bool
}

// NewWriter returns a Writer.
func NewWriter(w io.Writer) *Writer { return &Writer{w: w} }

// Write adds a flow as a section. The error is that of reading or writing.
func (p *Writer) Write(f *flowpb.Whole) error {
	own := *f
	own.Flow = proto.CloneOf(f.Flow)
	flowpb.HideSecrets(own.Flow)
	var b strings.Builder
	if !p.begun {
		p.begun = true
		b.WriteString("# Flows\n")
	}
	s := flowpb.Summarize(own.Flow)
	fmt.Fprintf(&b, "\n## %d · %s\n\n", f.Flow.GetId(), code(title(&s)))
	facts(&b, &own, &s)
	if h := own.Flow.GetHttp(); h != nil {
		if err := exchange(&b, &own, h); err != nil {
			return err
		}
	}
	_, err := io.WriteString(p.w, b.String())
	return err
}

// Close ends the report.
func (p *Writer) Close() error {
	if p.begun {
		return nil
	}
	_, err := io.WriteString(p.w, "# Flows\n\nThere are none.\n")
	return err
}

// title is a flow in a line.
func title(s *flowpb.Summary) string {
	url := maskQuery(s.URL())
	if url == "" {
		url = s.Host
	}
	if s.Kind != flowpb.KindHTTP {
		return s.Kind.String() + " " + url
	}
	return s.Method + " " + url
}

// facts are what is known of a flow beside its messages, as a list.
func facts(b *strings.Builder, f *flowpb.Whole, s *flowpb.Summary) {
	item := func(name, value string) {
		if value != "" {
			fmt.Fprintf(b, "- %s: %s\n", name, value)
		}
	}
	item("when", time.Unix(0, s.Started).UTC().Format("2006-01-02 15:04:05.000 UTC"))
	if s.Status > 0 {
		item("status", fmt.Sprint(s.Status))
	}
	if s.Duration != flowpb.Absent {
		item("took", time.Duration(s.Duration).Round(time.Microsecond).String())
	}
	item("client", code(s.Client))
	item("server", code(s.Server))
	if e := f.Flow.GetError(); e != nil {
		item("failed", code(e.GetMessage()))
	}
	item("marked", code(f.Note.Marked))
	item("tags", code(strings.Join(f.Note.Tags, ", ")))
	if f.Note.Comment != "" {
		for line := range strings.SplitSeq(plain(f.Note.Comment), "\n") {
			fmt.Fprintf(b, "\n> %s\n", escape(line))
		}
	}
}

// exchange is both messages of a flow.
func exchange(b *strings.Builder, f *flowpb.Whole, h *flowpb.Http) error {
	if q := h.GetRequest(); q != nil {
		head := fmt.Sprintf("%s %s %s", q.GetMethod(), maskQuery(string(q.GetTarget())), q.GetVersion())
		if err := message(b, "Request", head, f, flowpb.SideRequest, q.GetHeaders(), q.GetBody()); err != nil {
			return err
		}
	}
	if p := h.GetResponse(); p != nil {
		head := fmt.Sprintf("%s %d %s", p.GetVersion(), p.GetStatus(), p.GetReason())
		return message(b, "Response", head, f, flowpb.SideResponse, p.GetHeaders(), p.GetBody())
	}
	return nil
}

func message(b *strings.Builder, name, head string, f *flowpb.Whole, side flowpb.Side, fields []*flowpb.Field, body *flowpb.Body) error {
	var text strings.Builder
	text.WriteString(head + "\n")
	for _, x := range fields {
		value := string(x.GetValue())
		if secretField.Match(x.GetName()) {
			value = hidden
		}
		if strings.EqualFold(string(x.GetName()), "referer") || strings.EqualFold(string(x.GetName()), "location") {
			value = maskQuery(value)
		}
		fmt.Fprintf(&text, "%s: %s\n", x.GetName(), value)
	}
	excerpt, err := excerpt(f, side, fields, body)
	if err != nil {
		return err
	}
	if excerpt != "" {
		text.WriteString("\n" + excerpt)
	}
	fmt.Fprintf(b, "\n### %s\n\n%s", name, fenced(text.String()))
	return nil
}

// excerpt is the beginning of a body as text, or what it is.
func excerpt(f *flowpb.Whole, side flowpb.Side, fields []*flowpb.Field, body *flowpb.Body) (string, error) {
	switch {
	case body.GetSize() == 0:
		return "", nil
	case body.GetState() == flowpb.BodyDropped || f.Body == nil:
		return fmt.Sprintf("(%d bytes that were not kept)", body.GetSize()), nil
	}
	r, err := f.Body(side)
	if err != nil || r == nil {
		return "", err
	}
	decoded, err := coding.NewReader(r, coding.Of(body, fields))
	if err != nil {
		return fmt.Sprintf("(%d bytes in a coding that is not known)", body.GetSize()), nil
	}
	defer decoded.Close()
	p, err := io.ReadAll(io.LimitReader(decoded, maxExcerpt+utf8.UTFMax))
	if err != nil && len(p) == 0 {
		return fmt.Sprintf("(%d bytes that cannot be decoded)", body.GetSize()), nil
	}
	more := len(p) > maxExcerpt
	if more {
		p = p[:maxExcerpt]
		for len(p) > 0 && !utf8.RuneStart(p[len(p)-1]) {
			p = p[:len(p)-1]
		}
		p = p[:len(p)-1] // the first byte of a character may be its only one
	}
	if !utf8.Valid(p) || strings.ContainsRune(string(p), 0) {
		return fmt.Sprintf("(%d bytes that are no text)", body.GetSize()), nil
	}
	text := maskBody(string(p))
	if more {
		text += "\n…"
	}
	return text, nil
}
