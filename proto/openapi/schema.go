package openapi

import (
	"encoding/json"
	"slices"
	"strings"
)

// Bounds of a schema.
const (
	maxProperties = 200
	maxDepth      = 12
)

// schema is what values of one place look like (JSON Schema 2020-12).
type schema struct {
	kinds      map[string]bool // "null", "boolean", "integer", "number", "string", "array", "object"
	objects    int             // values that were objects
	properties map[string]*property
	items      *schema
}

// property is one member of objects, and how many of them had it.
type property struct {
	schema
	seen int
}

// add takes another value, as encoding/json decodes it with numbers as they are.
func (s *schema) add(v any, depth int) {
	if s.kinds == nil {
		s.kinds = map[string]bool{}
	}
	switch v := v.(type) {
	case nil:
		s.kinds["null"] = true
	case bool:
		s.kinds["boolean"] = true
	case json.Number:
		if strings.ContainsAny(v.String(), ".eE") {
			s.kinds["number"] = true
		} else {
			s.kinds["integer"] = true
		}
	case string:
		s.kinds["string"] = true
	case []any:
		s.kinds["array"] = true
		if depth >= maxDepth {
			return
		}
		if s.items == nil {
			s.items = &schema{}
		}
		for _, item := range v {
			s.items.add(item, depth+1)
		}
	case map[string]any:
		s.kinds["object"] = true
		s.objects++
		if depth < maxDepth {
			s.members(v, depth)
		}
	}
}

func (s *schema) members(v map[string]any, depth int) {
	if s.properties == nil {
		s.properties = map[string]*property{}
	}
	names := make([]string, 0, len(v))
	for name := range v {
		names = append(names, name)
	}
	slices.Sort(names) // so that the same ones are left out each time
	for _, name := range names {
		p := s.properties[name]
		if p == nil {
			if len(s.properties) >= maxProperties {
				continue
			}
			p = &property{}
			s.properties[name] = p
		}
		p.seen++
		p.add(v[name], depth+1)
	}
}

// value is the schema as the document has it.
func (s *schema) value() map[string]any {
	out := map[string]any{}
	var kinds []string
	for k := range s.kinds {
		if k != "integer" || !s.kinds["number"] { // every integer is a number
			kinds = append(kinds, k)
		}
	}
	slices.Sort(kinds)
	switch len(kinds) {
	case 0:
	case 1:
		out["type"] = kinds[0]
	default:
		out["type"] = kinds
	}
	if s.items != nil {
		out["items"] = s.items.value()
	}
	if len(s.properties) > 0 {
		properties, required := map[string]any{}, []string{}
		for name, p := range s.properties {
			properties[name] = p.value()
			if p.seen == s.objects {
				required = append(required, name)
			}
		}
		out["properties"] = properties
		if len(required) > 0 {
			slices.Sort(required)
			out["required"] = required
		}
	}
	return out
}
