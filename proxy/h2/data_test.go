package h2

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// conversation is one case of testdata/*.txt:
//
//	== name
//	client | server            who the peer is
//	hears client | server      who the peer of an observer is
//	joins client | server      the same, from somewhere on
//	limit Name number          one of Limits
//	< FRAME …                  what the peer sends, see script.frame
//	= FRAME …                  what we send
//	= CALM
//	> event                    what comes out
type conversation struct {
	name  string
	peer  Role
	joins bool
	hears bool // an observer's
	lim   Limits
	steps []step
	want  string
}

// step is what one side sends.
type step struct {
	ours  bool
	line  string // of ours
	input string // of the peer's, encoded
}

func readConversations(t testing.TB, file string) []conversation {
	t.Helper()
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var all []conversation
	var wire *script
	for i, line := range strings.Split(string(text), "\n") {
		if name, ok := strings.CutPrefix(line, "== "); ok {
			all = append(all, conversation{name: name})
			wire = newScript()
			continue
		}
		if line == "" || line[0] == '#' {
			continue
		}
		c := &all[len(all)-1]
		word, rest, _ := strings.Cut(line, " ")
		var err error
		switch word {
		case "hears", "joins":
			c.hears, c.joins = true, word == "joins"
			c.peer = map[string]Role{"client": Client, "server": Server}[rest]
		case "client":
			c.peer = Client
		case "server":
			c.peer = Server
		case "limit":
			err = c.lim.set(rest)
		case "<":
			var frame []byte
			if frame, err = wire.frame(rest); err == nil {
				c.receives(string(frame))
			}
		case "=":
			c.steps = append(c.steps, step{ours: true, line: rest})
		case ">":
			c.want += rest + "\n"
		default:
			err = errors.New("unknown line")
		}
		if err != nil {
			t.Fatalf("%s:%d: %q: %v", file, i+1, line, err)
		}
	}
	return all
}

// receives adds to what the peer sends, as one piece with what it sent before.
func (c *conversation) receives(frame string) {
	if n := len(c.steps); n > 0 && !c.steps[n-1].ours {
		c.steps[n-1].input += frame
		return
	}
	c.steps = append(c.steps, step{input: frame})
}

func (l *Limits) set(text string) error {
	name, number, _ := strings.Cut(text, " ")
	n, err := strconv.Atoi(number)
	fields := map[string]*int{
		"HeaderList": &l.HeaderList, "HeaderBlock": &l.HeaderBlock, "Continuations": &l.Continuations,
		"Streams": &l.Streams, "Resets": &l.Resets, "Controls": &l.Controls, "Frame": &l.Frame,
	}
	if fields[name] == nil {
		return fmt.Errorf("no limit %q", name)
	}
	*fields[name] = n
	return err
}

// events runs the conversation with the peer's bytes cut by cut, and renders
// what comes out. Adjacent pieces of content are one line.
func (c conversation) events(cut func(string) []string) string {
	conn := c.conn()
	var out transcript
	for _, s := range c.steps {
		if s.ours {
			if err := say(conn, s.line); err != nil {
				return out.fail(err)
			}
			continue
		}
		for _, p := range cut(s.input) {
			if err := out.feed(conn, []byte(p)); err != nil {
				return out.fail(err)
			}
		}
	}
	if err := conn.End(); err != nil {
		return out.fail(err)
	}
	return out.String()
}

func (c conversation) conn() *Conn {
	if c.hears {
		return NewObserver(c.peer, c.lim, c.joins)
	}
	return NewConn(c.peer, c.lim)
}

// transcript is events as text.
type transcript struct {
	lines strings.Builder
	data  []byte
	id    uint32
}

func (o *transcript) feed(c *Conn, in []byte) error {
	for {
		n, ev, err := c.Feed(in)
		if err != nil {
			return err
		}
		in = in[n:]
		if ev.Kind == NeedMore {
			return nil
		}
		o.add(ev)
	}
}

// kindNames are the events as they stand in testdata.
var kindNames = [...]string{
	"", "message", "interim", "trailers", "data", "reset", "window", "priority", "settings", "settings ack", "ping",
	"ping ack", "goaway", "unknown", "stream error", "discarded", "promise",
}

func (o *transcript) add(ev Event) {
	if ev.Kind == Data {
		if len(o.data) > 0 && o.id != ev.Stream {
			o.flush()
		}
		o.id = ev.Stream
		o.data = append(o.data, ev.Data...)
		if ev.End || ev.Refund > 0 {
			if len(o.data) == 0 {
				fmt.Fprintf(&o.lines, "data %d \"\"", o.id)
			}
			o.flushLine()
			o.tail(ev)
		}
		return
	}
	o.flush()
	o.lines.WriteString(kindNames[ev.Kind])
	if ev.Stream != 0 || ev.Kind == WindowUpdate {
		fmt.Fprintf(&o.lines, " %d", ev.Stream)
	}
	o.details(ev)
	o.tail(ev)
	for i, f := range ev.Fields {
		mark := ""
		if f.Sensitive {
			mark = " sensitive"
		}
		if i < ev.Head.Pseudo {
			mark += " pseudo"
		}
		fmt.Fprintf(&o.lines, "  %q %q%s\n", f.Name, f.Value, mark)
	}
}

func (o *transcript) details(ev Event) {
	switch ev.Kind {
	case Reset:
		fmt.Fprintf(&o.lines, " %s", ev.Code)
	case WindowUpdate:
		fmt.Fprintf(&o.lines, " +%d", ev.Increment)
	case Settings:
		for _, s := range ev.Settings {
			fmt.Fprintf(&o.lines, " %s", s)
		}
	case Ping, PingAck:
		fmt.Fprintf(&o.lines, " %q", ev.Data)
	case GoAway:
		fmt.Fprintf(&o.lines, " %s last %d %q", ev.Code, ev.Last, ev.Data)
	case Unknown:
		fmt.Fprintf(&o.lines, " type %d flags %d %q", ev.Type, ev.Flags, ev.Data)
	case StreamError:
		fmt.Fprintf(&o.lines, " %s: %v", ev.Err.Code, ev.Err)
	case Promise:
		fmt.Fprintf(&o.lines, " of %d", ev.Promised)
	}
	if ev.Err != nil && ev.Kind != StreamError {
		fmt.Fprintf(&o.lines, " wrong: %s", ev.Err.Reason)
	}
	if len(ev.Unread) > 0 {
		fmt.Fprintf(&o.lines, " unread %q", ev.Unread)
	}
	if p := ev.Priority; p != nil {
		fmt.Fprintf(&o.lines, " on %d weight %d", p.Stream, p.Weight)
		if p.Exclusive {
			o.lines.WriteString(" exclusive")
		}
	}
}

func (o *transcript) tail(ev Event) {
	if ev.Refund > 0 {
		fmt.Fprintf(&o.lines, " refund %d", ev.Refund)
	}
	if ev.End {
		o.lines.WriteString(" end")
	}
	o.lines.WriteString("\n")
}

// flushLine writes the content gathered so far, without a line end.
func (o *transcript) flushLine() {
	const most = 60
	switch {
	case len(o.data) > most:
		fmt.Fprintf(&o.lines, "data %d of %d bytes", o.id, len(o.data))
	case len(o.data) > 0:
		fmt.Fprintf(&o.lines, "data %d %q", o.id, o.data)
	}
	o.data = o.data[:0]
}

func (o *transcript) flush() {
	if len(o.data) > 0 {
		o.flushLine()
		o.lines.WriteString("\n")
	}
}

func (o *transcript) fail(err error) string {
	o.flush()
	if e, ok := errors.AsType[*Error](err); ok {
		fmt.Fprintf(&o.lines, "connection error %s: %v\n", e.Code, err)
	} else {
		fmt.Fprintf(&o.lines, "which is no *Error: %v\n", err)
	}
	return o.String()
}

func (o *transcript) String() string {
	o.flush()
	return o.lines.String()
}

// whole does not cut.
func whole(s string) []string { return []string{s} }

// TestConversations runs testdata/*.txt. UPDATE_GOLDEN=1 rewrites the events.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no test data: %v", err)
	}
	for _, file := range files {
		if os.Getenv("UPDATE_GOLDEN") != "" {
			rewrite(t, file)
		}
		for _, c := range readConversations(t, file) {
			t.Run(c.name, func(t *testing.T) {
				if diff := cmp.Diff(c.want, c.events(whole)); diff != "" {
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
			if !strings.HasPrefix(line, ">") {
				out.WriteString(line + "\n")
			}
		}
		if strings.Contains(block, "== ") {
			for line := range strings.Lines(all[next].events(whole)) {
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

// unhex reads hexadecimal bytes.
func unhex(s string) ([]byte, error) { return hex.DecodeString(s) }
