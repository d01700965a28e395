package har

import (
	"encoding/json"
	"strings"

	flowpb "weir/proto"
)

// metas is what a flow kept of the file it came from, taken out piece by piece.
type metas struct{ list []*flowpb.Meta }

func metaOf(f *flowpb.Flow) *metas {
	m := &metas{}
	for _, e := range f.GetMeta() {
		if strings.HasPrefix(e.GetKey(), metaEntry) {
			m.list = append(m.list, e)
		}
	}
	return m
}

// take removes the value of one key.
func (m *metas) take(key string) (string, bool) {
	for i, e := range m.list {
		if e.GetKey() == key {
			m.list = append(m.list[:i:i], m.list[i+1:]...)
			return e.GetValue(), true
		}
	}
	return "", false
}

// under removes what stands directly under prefix and is JSON, with the prefix cut off.
func (m *metas) under(prefix string) []*flowpb.Meta {
	var out, rest []*flowpb.Meta
	for _, e := range m.list {
		name, ok := strings.CutPrefix(e.GetKey(), prefix)
		switch {
		case !ok:
			rest = append(rest, e)
		case name == "connection":
			quoted, _ := json.Marshal(e.GetValue()) // a string always has a form
			out = append(out, &flowpb.Meta{Key: name, Value: string(quoted)})
		case json.Valid([]byte(e.GetValue())):
			out = append(out, &flowpb.Meta{Key: name, Value: e.GetValue()})
		}
	}
	m.list = rest
	return out
}
