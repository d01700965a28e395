package flowpb

// DefaultMarker is what the mark key puts on a flow; other markers are free text
// in the same shape.
const DefaultMarker = ":default:"

// Note is what a person (or a rule) says about a flow. It lives apart from the
// head, because it changes when the flow no longer does, and other processes
// write it. The zero value is a flow nobody said anything about.
type Note struct {
	Marked    string   // the marker, "" for none
	Tags      []string // sorted, each once
	Comment   string
	Highlight string // name of a row style, "" for none
}

// Empty reports whether the note says nothing.
func (n *Note) Empty() bool {
	return n == nil || n.Marked == "" && len(n.Tags) == 0 && n.Comment == "" && n.Highlight == ""
}

// Row is one line of a flow list: the flow's columns, its note, and what of its
// head a list shows.
type Row struct {
	Summary
	Note
	Reason string // of the response, as sent
	Error  string // Flow.error's message, "" for none
	Origin Origin // who it was in the session that recorded it
}

// Origin is Flow.uid as a value: a flow's identity across files. The zero value stands
// for the session that the flow was read from, and its id there.
type Origin struct {
	Session  [16]byte // UUIDv7
	Sequence uint64
}

// OriginOf reads the uid of a head; the zero value where there is none that could be one.
func OriginOf(f *Flow) Origin {
	uid := f.GetUid()
	if len(uid.GetSession()) != len(Origin{}.Session) || uid.GetSequence() == 0 {
		return Origin{}
	}
	return Origin{Session: [16]byte(uid.GetSession()), Sequence: uid.GetSequence()}
}
