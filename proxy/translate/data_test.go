package translate

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"weir/proxy/h1"
	"weir/proxy/h2"
)

// translation is one case of testdata/*.txt: a name, a setting, what one side
// says and what the other one is to hear.
//
//	== name
//	absolute | to METHOD | old        the Writer's settings, see there
//	key KEY                           of a WebSocket that is asked for, or answered
//	sockets                           the server takes WebSocket
//	request | response                the role of the Reader
//	< message [END] | :method=GET | a=b      an event for the Writer
//	< interim | :status=103
//	< data [END] "text"
//	< trailers | a=b
//	< bytes of HTTP/1                 for the Reader, with \r \n \x escapes
//	< AGREED                          the server agreed to the tunnel that was asked for
//	> line                            what comes out
type translation struct {
	name  string
	lines []string // settings
	input []string
	want  string
}

func readTranslations(t testing.TB, file string) []translation {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []translation
	for i, line := range strings.Split(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "== "); ok {
			all = append(all, translation{name: name})
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		if len(all) == 0 {
			t.Fatalf("%s:%d: a line before the first case", file, i+1)
		}
		c := &all[len(all)-1]
		switch {
		case strings.HasPrefix(line, "< "):
			c.input = append(c.input, line[2:])
		case strings.HasPrefix(line, "> "):
			c.want += line[2:] + "\n"
		default:
			c.lines = append(c.lines, line)
		}
	}
	return all
}

// event reads one line for the Writer.
func event(t testing.TB, line string) *h2.Event {
	t.Helper()
	line, list, _ := strings.Cut(line, " | ")
	ev := &h2.Event{Stream: 1}
	word, rest, _ := strings.Cut(line, " ")
	if rest, ev.End = strings.CutPrefix(rest, "END"); ev.End {
		rest = strings.TrimPrefix(rest, " ")
	}
	switch word {
	case "message":
		ev.Kind = h2.Message
	case "interim":
		ev.Kind = h2.Interim
	case "trailers":
		ev.Kind = h2.Trailers
	case "data":
		ev.Kind = h2.Data
		ev.Data = []byte(unquote(t, rest))
	default:
		t.Fatalf("no event: %q", line)
	}
	for field := range strings.SplitSeq(list, " | ") {
		if name, value, ok := strings.Cut(strings.TrimPrefix(field, ":"), "="); ok {
			addField(ev, field[0] == ':', name, unquote(t, `"`+value+`"`))
		}
	}
	return ev
}

func addField(ev *h2.Event, pseudo bool, name, value string) {
	if pseudo {
		ev.Head.Pseudo++
		switch name {
		case "method":
			ev.Head.Method = value
		case "scheme":
			ev.Head.Scheme = value
		case "authority":
			ev.Head.Authority = value
		case "path":
			ev.Head.Path = value
		case "protocol":
			ev.Head.Protocol = value
		case "status":
			ev.Head.Status, _ = strconv.Atoi(value)
		}
		name = ":" + name
	}
	ev.Fields = append(ev.Fields, h2.Field{Name: name, Value: value})
}

func unquote(t testing.TB, s string) string {
	t.Helper()
	if s == "" {
		return ""
	}
	out, err := strconv.Unquote(s)
	if err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return out
}

// written is what the Writer makes of the case, a line a line of HTTP/1.
func (c translation) written(t testing.TB) string {
	w := Writer{Reason: func(int) string { return "Why" }}
	for _, s := range c.lines {
		switch word, rest, _ := strings.Cut(s, " "); word {
		case "absolute":
			w.Absolute = true
		case "to":
			method, old, _ := strings.Cut(rest, " ")
			w.ForRequest(Request{Method: method, Old: old == "old"})
		case "key":
			w.Key = rest
			w.ForRequest(Request{Method: "GET", Key: rest})
		default:
			t.Fatalf("no setting: %q", s)
		}
	}
	var out []byte
	for _, line := range c.input {
		var err error
		if out, err = w.Append(out, event(t, line)); err != nil {
			return string(out) + "error " + err.Error() + "\n"
		}
	}
	var lines strings.Builder
	for line := range strings.Lines(string(out)) {
		lines.WriteString(strings.Trim(strconv.Quote(line), `"`) + "\n")
	}
	if w.Endless() {
		lines.WriteString("endless\n")
	}
	return lines.String()
}

// read is what the Reader makes of the case. cut cuts what comes in.
func (c translation) read(t testing.TB, cut func(string) []string) string {
	role := h1.Response
	method, key, sockets := "", "", false
	for _, s := range c.lines {
		switch word, rest, _ := strings.Cut(s, " "); word {
		case "request":
			role = h1.Request
		case "response":
		case "to":
			method = rest
		case "key":
			method, key = "GET", rest
		case "sockets":
			sockets = true
		default:
			t.Fatalf("no setting: %q", s)
		}
	}
	r := NewReader(role, h1.Limits{Lenient: true})
	r.Scheme, r.Authority, r.Sockets = "https", "fallback.test", func() bool { return sockets }
	r.ForRequest(Request{Method: method, Key: key})
	var out parts
	for _, line := range c.input {
		if line == "AGREED" {
			r.Open()
			continue
		}
		if line == "EOF" {
			out.flush()
			fmt.Fprintf(&out.lines, "complete %v\n", r.End())
			continue
		}
		for _, p := range cut(unquote(t, `"`+line+`"`)) {
			if err := out.feed(r, []byte(p)); err != nil {
				out.flush()
				return out.lines.String() + "error " + err.Error() + "\n"
			}
		}
	}
	out.flush()
	if r.Declined() {
		out.lines.WriteString("declined\n")
	}
	if r.Endless() {
		out.lines.WriteString("endless\n")
	}
	return out.lines.String()
}

// parts is what a Reader says, as text. Adjacent pieces of content are one line.
type parts struct {
	lines strings.Builder
	data  string
}

func (o *parts) feed(r *Reader, p []byte) error {
	for {
		n, part, err := r.Feed(p)
		if err != nil {
			return err
		}
		p = p[n:]
		if part.Kind == Data {
			o.data += string(part.Data)
			continue
		}
		if part.Kind == NeedMore {
			return nil
		}
		o.flush()
		o.lines.WriteString([]string{"", "head", "interim", "", "end"}[part.Kind])
		if part.Last {
			o.lines.WriteString(" last")
		}
		o.lines.WriteString("\n")
		for _, f := range part.Fields {
			fmt.Fprintf(&o.lines, "  %s=%s\n", f.Name, f.Value)
		}
	}
}

func (o *parts) flush() {
	if o.data != "" {
		fmt.Fprintf(&o.lines, "data %q\n", o.data)
		o.data = ""
	}
}

func whole(s string) []string { return []string{s} }

// TestTranslations runs testdata/*.txt. UPDATE_GOLDEN=1 rewrites what comes out.
func TestTranslations(t *testing.T) {
	for file, run := range map[string]func(translation) string{
		"testdata/writer.txt": func(c translation) string { return c.written(t) },
		"testdata/reader.txt": func(c translation) string { return c.read(t, whole) },
	} {
		if os.Getenv("UPDATE_GOLDEN") != "" {
			rewrite(t, file, run)
		}
		for _, c := range readTranslations(t, file) {
			t.Run(c.name, func(t *testing.T) {
				if diff := cmp.Diff(c.want, run(c)); diff != "" {
					t.Errorf("translation (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// rewrite replaces what comes out of every case in file by what does at present.
func rewrite(t *testing.T, file string, run func(translation) string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := readTranslations(t, file)
	var out strings.Builder
	next := 0
	for block := range strings.SplitSeq(strings.TrimRight(string(text), "\n"), "\n\n") {
		for line := range strings.SplitSeq(block, "\n") {
			if !strings.HasPrefix(line, ">") {
				out.WriteString(line + "\n")
			}
		}
		if strings.Contains(block, "== ") {
			for line := range strings.Lines(run(all[next])) {
				out.WriteString("> " + line)
			}
			next++
		}
		out.WriteString("\n")
	}
	if err := os.WriteFile(file, []byte(strings.TrimRight(out.String(), "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
}
