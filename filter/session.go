package filter

import (
	"strings"

	flowpb "weir/proto"
)

// SessionSuffix is what the names of session files end in. It is no part of a
// session's name.
const SessionSuffix = ".weir"

// SessionName is the name of a session, of the base name of its file.
func SessionName(base string) string { return strings.TrimSuffix(base, SessionSuffix) }

// sourceName is SQL for the name of a session that flows were copied from: its file's,
// or where only flows of it were met, its identity in hexadecimal.
const sourceName = "coalesce(nullif(s.name, ''), lower(hex(s.uuid)))"

// sessionTest is about the name of the session that recorded the flow: another one
// than that at hand, if it was copied from there.
type sessionTest struct{}

func (sessionTest) holds(l *Leaf, s *flowpb.Summary, _ *flowpb.Note) bool {
	return l.accepts(s.Session)
}

func (sessionTest) where(l *Leaf, p *planner) condition {
	return p.recorded(func(name string) bool { return l.accepts(SessionName(name)) })
}
