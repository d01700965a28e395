package flowlist

import (
	"slices"
	"strings"

	flowpb "weir/proto"
)

// Values returns arguments for an operator of the filter language that begin with
// prefix, taken from the rows that are here: what the user is looking at is what
// the user is about to filter by.
func (m *Model) Values(op, prefix string) []string {
	var out []string
	add := func(v string) {
		if v != "" && strings.HasPrefix(strings.ToLower(v), strings.ToLower(prefix)) && !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	for i := range m.page {
		valuesOf(&m.page[i], op, add)
	}
	slices.Sort(out)
	return out
}

func valuesOf(r *flowpb.Row, op string, add func(string)) {
	switch op {
	case "~d", "~host":
		add(r.Host)
	case "~m":
		add(r.Method)
	case "~t", "~ts", "~tq":
		mediaType, _, _ := strings.Cut(r.ContentType, ";")
		add(strings.TrimSpace(mediaType))
	case "~tag":
		for _, tag := range r.Tags {
			add(tag)
		}
	case "~session":
		add(r.Session)
	case "~agent":
		add(r.Agent)
	case "~src":
		add(r.Client)
	case "~dst":
		add(r.Server)
	}
}
