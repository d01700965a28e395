package h1

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// conversation is one case of testdata/*.txt: a name, a direction, the bytes
// that come in and the events that go out.
//
//	== name
//	request | response [lenient] [to METHOD]
//	< bytes, with \r \n \x escapes, no line end of its own
//	< EOF
//	> event
type conversation struct {
	name  string
	role  Role
	soft  bool   // the reader is lenient
	to    string // method of the request that a response answers
	input string
	eof   bool
	want  string
}

func readConversations(t testing.TB, file string) []conversation {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []conversation
	for i, line := range strings.Split(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "== "); ok {
			all = append(all, conversation{name: name})
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		c := &all[len(all)-1]
		switch word, rest, _ := strings.Cut(line, " "); word {
		case "request", "response":
			if c.role = Request; word == "response" {
				c.role = Response
			}
			rest, c.soft = strings.CutPrefix(rest, "lenient")
			c.to = strings.TrimPrefix(strings.TrimSpace(rest), "to ")
		case "<":
			if c.eof = rest == "EOF"; c.eof {
				continue
			}
			s, err := strconv.Unquote(`"` + strings.ReplaceAll(rest, `"`, `\"`) + `"`)
			if err != nil {
				t.Fatalf("%s:%d: %v", file, i+1, err)
			}
			c.input += s
		case ">":
			c.want += rest + "\n"
		default:
			t.Fatalf("%s:%d: %q", file, i+1, line)
		}
	}
	return all
}

// events feeds input in the given pieces and renders what comes out. Adjacent
// pieces of a body are one line, since how they are cut is up to the input.
func (c conversation) events(pieces []string) string {
	r := NewReader(c.role, Limits{ChunkLine: 64, Fields: 20, Lenient: c.soft})
	var out transcript
	if c.to != "" {
		r.ForRequest([]byte(c.to))
	}
	for _, p := range pieces {
		in := []byte(p)
		for {
			n, ev, err := r.Feed(in)
			in = in[n:]
			if err != nil {
				out.odd(r.Oddities())
				return out.fail(err)
			}
			if ev.Kind == NeedMore {
				break
			}
			if ev.Kind == MessageEnd {
				out.odd(r.Oddities())
			}
			out.add(ev)
		}
	}
	if c.eof {
		ev, err := r.End()
		if err != nil {
			return out.fail(err)
		}
		if ev.Kind == MessageEnd {
			out.odd(r.Oddities())
		}
		out.add(ev)
	}
	return out.String()
}

// transcript is the events of a conversation as text.
type transcript struct {
	lines strings.Builder
	data  string
	kind  Kind
}

func (o *transcript) add(ev Event) {
	if ev.Kind == Data || ev.Kind == Tunnel {
		o.kind = ev.Kind
		o.data += string(ev.Data)
		return
	}
	o.flush()
	switch ev.Kind {
	case MessageHead:
		o.head(ev.Head)
	case ChunkExtension:
		fmt.Fprintf(&o.lines, "extension %q\n", ev.Data)
	case MessageEnd:
		o.fields("trailer", ev.Trailer)
		o.lines.WriteString("end\n")
	}
}

func (o *transcript) odd(what Oddity) {
	if what != 0 {
		o.flush()
		fmt.Fprintf(&o.lines, "odd %s\n", what)
	}
}

func (o *transcript) flush() {
	if o.data != "" {
		fmt.Fprintf(&o.lines, "%s %q\n", map[Kind]string{Data: "data", Tunnel: "tunnel"}[o.kind], o.data)
		o.data = ""
	}
}

func (o *transcript) head(h *Head) {
	if h.Role == Request {
		fmt.Fprintf(&o.lines, "head %q %q 1.%d", h.Method, h.Target, h.Minor)
	} else {
		fmt.Fprintf(&o.lines, "head %d %q 1.%d", h.Status, h.Reason, h.Minor)
	}
	fmt.Fprintf(&o.lines, " %s", []string{"none", "length", "chunked", "close", "tunnel"}[h.Framing])
	for _, flag := range []struct {
		set  bool
		name string
	}{{h.KeepAlive, "keep-alive"}, {h.Upgrade, "upgrade"}, {h.Continue, "continue"}} {
		if flag.set {
			o.lines.WriteString(" " + flag.name)
		}
	}
	o.lines.WriteString("\n")
	o.fields("field", h.Fields)
}

func (o *transcript) fields(label string, fields []Field) {
	for _, f := range fields {
		fmt.Fprintf(&o.lines, "%s %q %q", label, f.Name, f.Value)
		if f.Raw != nil {
			fmt.Fprintf(&o.lines, " raw %q", f.Raw)
		}
		o.lines.WriteString("\n")
	}
}

func (o *transcript) fail(err error) string {
	o.flush()
	fmt.Fprintf(&o.lines, "error %v\n", err)
	if _, ok := errors.AsType[*Error](err); !ok {
		o.lines.WriteString("which is no *Error\n")
	}
	return o.String()
}

func (o *transcript) String() string {
	o.flush()
	return o.lines.String()
}

// TestConversations runs testdata/*.txt. UPDATE_GOLDEN=1 rewrites the events.
func TestConversations(t *testing.T) {
	for _, file := range []string{"testdata/heads.txt", "testdata/bodies.txt", "testdata/refused.txt", "testdata/lenient.txt"} {
		if os.Getenv("UPDATE_GOLDEN") != "" {
			rewrite(t, file)
		}
		for _, c := range readConversations(t, file) {
			t.Run(c.name, func(t *testing.T) {
				if diff := cmp.Diff(c.want, c.events([]string{c.input})); diff != "" {
					t.Errorf("events (-want +got):\n%s", diff)
				}
			})
		}
	}
}

// rewrite replaces the events of every case in file by the present ones.
func rewrite(t *testing.T, file string) {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	all := readConversations(t, file)
	var out strings.Builder
	next := 0
	for block := range strings.SplitSeq(strings.TrimRight(string(text), "\n"), "\n\n") {
		for line := range strings.SplitSeq(block, "\n") {
			if !strings.HasPrefix(line, "> ") {
				out.WriteString(line + "\n")
			}
		}
		if strings.Contains(block, "== ") {
			for line := range strings.Lines(all[next].events([]string{all[next].input})) {
				out.WriteString("> " + line)
			}
			next++
		}
		out.WriteString("\n")
	}
	if err := os.WriteFile(file, []byte(out.String()), 0o600); err != nil {
		t.Fatal(err)
	}
}
