package content

import (
	"slices"

	"weir/tui/widget"
)

// What a document may hold at most. A view that reaches one of these stops, and
// the document says so.
const (
	MaxText  = 12 << 20 // bytes of text
	MaxLines = 1 << 18

	maxMarks = 1 << 20 // changes of kind
	// maxLine is where a line is cut in two, in bytes, so that wrapping a line
	// for the screen is never more work than this.
	maxLine = 4 << 10
	// tabWidth is how far apart tab stops are, in columns.
	tabWidth = 4
	// checkEvery is how many bytes of text pass between two looks at the clock.
	checkEvery = 64 << 10
)

// A Builder writes a document. Text that was captured goes through put, which
// sanitises it; own text through say. Nothing is added once it is full, so that a
// view only has to look now and then.
type Builder struct {
	doc    Document
	stop   func() bool // reports whether time is up
	check  int         // length of the text at which to ask again
	offset int64       // of the lines that begin from here on
	kind   Kind        // of the last mark
}

// NewBuilder returns a builder of a document whose lines carry no offset. It
// stops when stop, asked now and then, returns true; nil never stops.
func NewBuilder(stop func() bool) *Builder {
	if stop == nil {
		stop = func() bool { return false }
	}
	b := &Builder{stop: stop, offset: -1, check: checkEvery}
	b.doc.lines = []line{{offset: -1}}
	return b
}

// expect makes room for what a view makes of n bytes, as a rule.
func (b *Builder) expect(n int) {
	b.doc.text = slices.Grow(b.doc.text, min(n+n/2, MaxText))
	b.doc.lines = slices.Grow(b.doc.lines, min(n/24, MaxLines))
	b.doc.marks = slices.Grow(b.doc.marks, min(n/8, maxMarks))
}

// Document returns what was written. The builder is done with.
func (b *Builder) Document() *Document {
	d := b.doc
	if n := len(d.lines); n > 0 && d.lines[n-1].start == uint32(len(d.text)) {
		d.lines = d.lines[:n-1]
	}
	return &d
}

// checkpoint is a state of a builder to go back to.
type checkpoint struct {
	text, lines, marks int
	kind               Kind
}

// here returns the state of the builder, which must be at the start of a line.
func (b *Builder) here() checkpoint {
	return checkpoint{text: len(b.doc.text), lines: len(b.doc.lines), marks: len(b.doc.marks), kind: b.kind}
}

// back undoes all that was added since.
func (b *Builder) back(to checkpoint) {
	b.doc.text, b.doc.lines, b.doc.marks = b.doc.text[:to.text], b.doc.lines[:to.lines], b.doc.marks[:to.marks]
	b.kind = to.kind
}

// Full reports whether there is no room or no time left.
func (b *Builder) Full() bool {
	if b.doc.cut {
		return true
	}
	if len(b.doc.text) >= b.check {
		b.check = len(b.doc.text) + checkEvery
		b.doc.cut = b.stop()
	}
	b.doc.cut = b.doc.cut || len(b.doc.text) >= MaxText || len(b.doc.lines) >= MaxLines || len(b.doc.marks) >= maxMarks
	return b.doc.cut
}

// Newline ends the line.
func (b *Builder) Newline() {
	if !b.Full() {
		b.begin(false)
	}
}

// At sets where in the body the line that begins here comes from.
func (b *Builder) At(offset int64) {
	b.offset = offset
	b.doc.lines[len(b.doc.lines)-1].offset = offset
}

// From sets where in the body the text that follows comes from, for the pieces
// of the line that may yet begin.
func (b *Builder) From(offset int64) { b.offset = offset }

// Say adds text of our own: printable, without line ends.
func (b *Builder) Say(kind Kind, text string) {
	if b.Full() || text == "" {
		return
	}
	b.mark(kind)
	b.room(len(text))
	b.doc.text = append(b.doc.text, text...)
}

// Put adds captured text, sanitised. Line ends in it are shown, not obeyed.
// Bytes that are not UTF-8 become \xNN.
func (b *Builder) Put(kind Kind, text []byte) {
	for len(text) > 0 && !b.Full() {
		b.room(1)
		used := len(b.doc.text) - int(b.doc.lines[len(b.doc.lines)-1].start)
		n := printable(text[:min(len(text), maxLine-used+1)])
		n = min(n, maxLine-used)
		if n > 0 {
			b.mark(kind)
			b.doc.text = append(b.doc.text, text[:n]...)
			text = text[n:]
			continue
		}
		text = text[b.putCharacter(kind, text):]
	}
}

// putCharacter adds the first character of text and returns how many bytes it has.
func (b *Builder) putCharacter(kind Kind, text []byte) int {
	if text[0] == '\t' {
		b.tab(kind)
		return 1
	}
	shown, n, altered := widget.SanitizeNext(text)
	if altered {
		kind = Escape
	}
	b.mark(kind)
	b.room(len(shown))
	b.doc.text = append(b.doc.text, shown...)
	return n
}

func (b *Builder) tab(kind Kind) {
	const spaces = "    "
	b.mark(kind)
	b.room(tabWidth)
	column := len(b.doc.text) - int(b.doc.lines[len(b.doc.lines)-1].start)
	b.doc.text = append(b.doc.text, spaces[:tabWidth-column%tabWidth]...)
}

// room begins another piece of the line when n more bytes would make it too long.
func (b *Builder) room(n int) {
	start := b.doc.lines[len(b.doc.lines)-1].start
	if used := len(b.doc.text) - int(start); used > 0 && used+n > maxLine {
		b.begin(true)
	}
}

func (b *Builder) begin(continued bool) {
	b.doc.lines = append(b.doc.lines, line{start: uint32(len(b.doc.text)), continued: continued, offset: b.offset})
}

func (b *Builder) mark(kind Kind) {
	if b.kind == kind {
		return
	}
	b.kind = kind
	if n := len(b.doc.marks); n > 0 && b.doc.marks[n-1].start == uint32(len(b.doc.text)) {
		b.doc.marks[n-1].kind = kind
		return
	}
	b.doc.marks = append(b.doc.marks, mark{start: uint32(len(b.doc.text)), kind: kind})
}

// printable returns how many bytes at the start of text are ASCII that every
// terminal shows as it is. One that a combining mark may follow is not counted.
func printable(text []byte) int {
	for i, c := range text {
		if c >= 0x80 {
			return max(0, i-1)
		}
		if c < ' ' || c > '~' {
			return i
		}
	}
	return len(text)
}
