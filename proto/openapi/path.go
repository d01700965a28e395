package openapi

import (
	"strconv"
	"strings"
)

// maxSegments bounds the segments of a path that are told apart.
const maxSegments = 64

// parameter is a part of a path that differs from request to request.
type parameter struct {
	name   string
	number bool
}

// template makes a template of a path (RFC 6570): segments that look like ids become
// parameters, named after the segment before them.
func template(path string) (string, []parameter) {
	segments := strings.Split(strings.TrimPrefix(path, "/"), "/")
	if len(segments) > maxSegments {
		segments = segments[:maxSegments]
	}
	var found []parameter
	used := map[string]int{}
	for i, s := range segments {
		if !idLike(s) {
			segments[i] = strings.NewReplacer("{", "%7B", "}", "%7D").Replace(s)
			continue
		}
		name := "id"
		if i > 0 {
			name = idName(segments[i-1])
		}
		used[name]++
		if n := used[name]; n > 1 {
			name += strconv.Itoa(n)
		}
		found = append(found, parameter{name, digits(s)})
		segments[i] = "{" + name + "}"
	}
	return "/" + strings.Join(segments, "/"), found
}

// idName is what the ids below a collection are called: "users" has a "userId".
func idName(collection string) string {
	letters := strings.IndexFunc(collection, func(r rune) bool { return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') }) < 0
	if !letters || len(collection) < 2 || len(collection) > 40 {
		return "id"
	}
	if one, plural := strings.CutSuffix(collection, "ies"); plural && one != "" {
		return one + "yId"
	}
	if one, plural := strings.CutSuffix(collection, "s"); plural && !strings.HasSuffix(one, "s") {
		collection = one
	}
	return collection + "Id"
}

// idLike reports whether a segment looks like an id: a number, a UUID, a hash, a date,
// or a long mixture of letters and digits.
func idLike(s string) bool {
	var letter, digit, hyphen, other, beyondHex int
	for _, c := range s {
		switch {
		case c >= '0' && c <= '9':
			digit++
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			letter++
			if c > 'f' || c > 'F' && c < 'a' {
				beyondHex++
			}
		case c == '-' || c == '_' || c == '=':
			hyphen++
		default:
			other++
		}
	}
	switch {
	case other > 0 || digit == 0:
		return false
	case letter == 0:
		return hyphen == 0 || digit >= 6 // a number, a date
	case beyondHex == 0:
		return digit+letter >= 8
	default:
		return digit >= 2 && digit+letter >= 16
	}
}

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}
