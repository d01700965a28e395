package content

import (
	"bytes"
	"regexp"
	"slices"
	"sort"
)

// Kind is what a piece of text is, for the theme to colour.
type Kind uint8

// The kinds of text.
const (
	Plain   Kind = iota
	Dim          // what matters less: offsets, padding, remarks of ours
	Key          // names: JSON keys, form fields, attributes, facts
	String       // string values
	Number       // numbers
	Keyword      // true, false, null, keywords of languages
	Punct        // brackets, commas, colons
	Tag          // names of elements
	Comment      // comments of languages
	Escape       // a byte or character that cannot be shown as it is
	Fault        // what is wrong with the body
)

// Span is a piece of a line that has one kind.
type Span struct {
	Kind Kind
	Text string
}

// Document is what a view made of a body: lines of sanitised text. A line longer
// than a few kilobytes is kept as several, which belong together (see [Document.Find]).
// It is immutable.
type Document struct {
	text  []byte
	lines []line
	marks []mark
	cut   bool
}

// line is where a line begins in the text. Its end is where the next begins.
type line struct {
	offset    int64 // where in the body its first byte comes from
	start     uint32
	continued bool // it goes on the line before
}

// mark says that from here on the text has another kind.
type mark struct {
	start uint32
	kind  Kind
}

// Hit is where a line matches a search, in bytes of its text.
type Hit struct {
	Line     int
	From, To int
}

// Len is the number of lines.
func (d *Document) Len() int {
	if d == nil {
		return 0
	}
	return len(d.lines)
}

// Cut reports whether the view stopped early, at its limits or because its
// context ended, so that what it was given is not all shown.
func (d *Document) Cut() bool { return d != nil && d.cut }

// Text returns the text of line i.
func (d *Document) Text(i int) string {
	start, end := d.bounds(i)
	return string(d.text[start:end])
}

// Continued reports whether line i goes on the line before it.
func (d *Document) Continued(i int) bool { return d.lines[i].continued }

// Offset is where in the body the content of line i begins, or a little before;
// in views that arrange the body anew it is -1.
func (d *Document) Offset(i int) int64 { return d.lines[i].offset }

// LineAt returns the last line that begins at the offset of the body or before,
// and 0 if there is none.
func (d *Document) LineAt(offset int64) int {
	i := sort.Search(len(d.lines), func(i int) bool { return d.lines[i].offset > offset })
	return max(0, i-1)
}

// Same reports whether two documents show the same.
func (d *Document) Same(other *Document) bool {
	if d == other || d.Len() == 0 && other.Len() == 0 {
		return true
	}
	return d.Len() == other.Len() && bytes.Equal(d.text, other.text) &&
		slices.Equal(d.lines, other.lines) && slices.Equal(d.marks, other.marks)
}

// Line returns the spans of line i.
func (d *Document) Line(i int) []Span {
	start, end := d.bounds(i)
	m := sort.Search(len(d.marks), func(m int) bool { return d.marks[m].start > start }) - 1
	var spans []Span
	for at := start; at < end; m++ {
		kind, until := Plain, end
		if m >= 0 {
			kind = d.marks[m].kind
		}
		if m+1 < len(d.marks) {
			until = min(end, d.marks[m+1].start)
		}
		if until > at {
			spans = append(spans, Span{Kind: kind, Text: string(d.text[at:until])})
			at = until
		}
	}
	return spans
}

// Find returns where the document matches, at most limit places, in order. Lines
// that belong together are searched as one, and a match across them is one hit
// in each. Empty matches do not count.
func (d *Document) Find(re *regexp.Regexp, limit int) []Hit {
	var hits []Hit
	for first := 0; first < d.Len() && len(hits) < limit; {
		last := first
		for last+1 < len(d.lines) && d.lines[last+1].continued {
			last++
		}
		start, _ := d.bounds(first)
		_, end := d.bounds(last)
		for _, m := range re.FindAllIndex(d.text[start:end], limit-len(hits)) {
			hits = d.appendHits(hits, first, last, start+uint32(m[0]), start+uint32(m[1]))
		}
		first = last + 1
	}
	return hits
}

// appendHits adds a match of text[from:to], which lies in the lines first to last.
func (d *Document) appendHits(hits []Hit, first, last int, from, to uint32) []Hit {
	i := first + sort.Search(last-first, func(i int) bool { return d.lines[first+i+1].start > from })
	for ; i <= last && from < to; i++ {
		start, end := d.bounds(i)
		hits = append(hits, Hit{Line: i, From: int(from - start), To: int(min(to, end) - start)})
		from = min(to, end)
	}
	return hits
}

func (d *Document) bounds(i int) (start, end uint32) {
	if i+1 < len(d.lines) {
		return d.lines[i].start, d.lines[i+1].start
	}
	return d.lines[i].start, uint32(len(d.text))
}
