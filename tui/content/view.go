package content

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"weir/proto/coding"
)

// Auto is the name that leaves the choice of the view to [Render].
const Auto = "auto"

// Input is what is known of a body.
type Input struct {
	Data    []byte // what is loaded, content codings undone
	Base    int64  // where Data begins in the body; above 0 only for windowed views
	More    bool   // the body goes on after Data
	Type    string // the Content-Type, as sent
	Query   []byte // the query of the request's URL, without "?"
	Columns int    // how wide the lines should be where that matters; 0: 80
}

// Result is what Render made of a body.
type Result struct {
	Doc  *Document
	View string // the name of the view that was used
	// Note says in brackets why it is not the view one would expect; "" if it is.
	Note string
}

// View is one way to show a body.
type View struct {
	Name string
	Help string
	// Windowed says that the view can show any part of a body (Input.Base above 0)
	// and that the lines of its documents have offsets. Others need it from the start.
	Windowed bool

	priority func(in *Input, media string) float64
	render   func(b *Builder, in *Input) error
}

// SyntaxError is why a body is not what its view takes it for.
type SyntaxError struct {
	Offset int    // where in the input, in bytes
	Msg    string // what is wrong there
	line   int    // 1-based; 0: it is the body as a whole
	column int
}

func (e *SyntaxError) Error() string {
	if e.line == 0 {
		return e.Msg
	}
	return fmt.Sprintf("%s at line %d, column %d", e.Msg, e.line, e.column)
}

// Find returns the view of that name.
func Find(name string) (View, bool) {
	for _, v := range Views() {
		if v.Name == name {
			return v, true
		}
	}
	return View{}, false
}

// Pick returns the view with the highest priority for the body.
func Pick(in Input) View {
	media := mediaType(in.Type)
	best, priority := View{}, 0.0
	for _, v := range Views() {
		if p := v.priority(&in, media); p > priority {
			best, priority = v, p
		}
	}
	return best
}

// Render shows a body by the view of that name. [Auto], or a name that is not
// known, picks one; if that fails the body is shown raw, or as hex if it is
// binary, and the note says why. If a view that was asked for fails, its error
// comes first and the raw body below. Render stops early when ctx ends; the
// document then is what was made so far, and Cut.
func Render(ctx context.Context, name string, in Input) Result {
	if in.Columns <= 0 {
		in.Columns = 80
	}
	v, asked := Find(name)
	if !asked {
		v = Pick(in)
	}
	stop := func() bool { return ctx.Err() != nil }
	b := NewBuilder(stop)
	b.expect(len(in.Data))
	err := v.render(b, &in)
	if err == nil {
		return Result{Doc: b.Document(), View: v.Name}
	}
	note := "[failed to parse as " + v.Name + ": " + err.Error() + "]"
	b = NewBuilder(stop)
	if asked {
		b.Say(Fault, "couldn't parse as "+v.Name+": "+err.Error())
		b.Newline()
		b.Newline()
		putRaw(b, &in)
		return Result{Doc: b.Document(), View: v.Name, Note: note}
	}
	if isBinary(in.Data) {
		putHex(b, &in)
		return Result{Doc: b.Document(), View: "hex", Note: note}
	}
	putRaw(b, &in)
	return Result{Doc: b.Document(), View: "raw", Note: note}
}

// placed adds line and column to a syntax error of text.
func placed(err error, text []byte) error {
	var e *SyntaxError
	if errors.As(err, &e) {
		before := text[:min(e.Offset, len(text))]
		e.line = 1 + bytes.Count(before, []byte{'\n'})
		e.column = 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
	}
	return err
}

// text returns the input as UTF-8, without a character cut by its end. Text that
// declares no charset is UTF-8 if any of it is, and bytes that are not then show
// as such; one of them does not make the whole be read in an older charset.
func (in *Input) text() []byte {
	data := in.Data
	if in.More {
		data = wholeRunes(data)
	}
	if text, charset := coding.Text(data, in.Type); charset != "utf-8" && (charset != fallback || in.declares() || !multibyte(data)) {
		return text
	}
	return bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
}

// source is text for what is UTF-8 by its own standard, or in a charset that is
// declared or plain to see.
func (in *Input) source() []byte {
	if _, charset := coding.Text(in.Data, in.Type); charset != fallback || in.declares() {
		return in.text()
	}
	data := bytes.TrimPrefix(in.Data, []byte("\xef\xbb\xbf"))
	if in.More {
		data = wholeRunes(data)
	}
	return data
}

// fallback is the charset that package coding reads what is not UTF-8 in.
const fallback = "windows-1252"

// declares reports whether the media type names a charset.
func (in *Input) declares() bool {
	return strings.Contains(strings.ToLower(in.Type), "charset")
}

// multibyte reports whether p begins with UTF-8 that is not ASCII: of its first
// bytes above 0x7f, one that starts a character of two bytes or more.
func multibyte(p []byte) bool {
	p = p[:min(len(p), 4<<10)]
	for i := range p {
		if p[i] < utf8.RuneSelf {
			continue
		}
		if r, n := utf8.DecodeRune(p[i:]); r != utf8.RuneError || n > 1 {
			return true
		}
	}
	return false
}

// wholeRunes leaves out a UTF-8 character that the end of p cuts.
func wholeRunes(p []byte) []byte {
	for i := len(p) - 1; i >= max(0, len(p)-utf8.UTFMax); i-- {
		if utf8.RuneStart(p[i]) {
			if !utf8.FullRune(p[i:]) {
				return p[:i]
			}
			break
		}
	}
	return p
}

// mediaType returns the type without parameters, in lower case.
func mediaType(contentType string) string {
	media, _, _ := strings.Cut(contentType, ";")
	return strings.ToLower(strings.TrimSpace(media))
}

// untold reports whether the media type says nothing about the content, so that
// the content may speak for itself.
func untold(media string) bool {
	switch media {
	case "", "text/plain", "application/octet-stream", "binary/octet-stream", "application/x-unknown", "unknown/unknown", "*/*":
		return true
	}
	return false
}

// isBinary reports whether the data would be unreadable as text: of its first
// hundred bytes more than 30 % are control characters or no UTF-8.
func isBinary(data []byte) bool {
	head := data[:min(len(data), 100)]
	if len(head) < len(data) {
		head = wholeRunes(head)
	}
	odd := 0
	for i := 0; i < len(head); {
		r, n := utf8.DecodeRune(head[i:])
		if r < 9 || r > 13 && r < 32 || r == 127 || r == utf8.RuneError && n == 1 {
			odd++
		}
		i += n
	}
	return odd*10 > len(head)*3
}
