package flowlist

import (
	"regexp"
	"strconv"
	"strings"

	flowpb "weir/proto"
)

func methodFilter(r *flowpb.Row) string {
	if r.Method == "" {
		return ""
	}
	return "~m " + quote("^"+regexp.QuoteMeta(r.Method)+"$")
}

func hostFilter(r *flowpb.Row) string {
	if r.Host == "" {
		return ""
	}
	return "~host " + quote(r.Host)
}

// pathFilter keeps the path and leaves the query open, which seldom repeats.
func pathFilter(r *flowpb.Row) string {
	path, _, _ := strings.Cut(r.Path, "?")
	if path == "" || r.Kind != flowpb.KindHTTP {
		return ""
	}
	return "~u " + quote("^[^?]*"+regexp.QuoteMeta(path)+`(\?|$)`)
}

func statusFilter(r *flowpb.Row) string {
	switch {
	case r.Flags&flowpb.FlagError != 0:
		return "~e"
	case r.Status == 0:
		return ""
	default:
		return "~c " + strconv.FormatUint(uint64(r.Status), 10)
	}
}

func typeFilter(r *flowpb.Row) string {
	if r.Flags&flowpb.FlagWebSocket != 0 {
		return "~websocket"
	}
	mediaType, _, _ := strings.Cut(r.ContentType, ";")
	mediaType = strings.TrimSpace(mediaType)
	if mediaType == "" {
		return ""
	}
	return "~ts " + quote(regexp.QuoteMeta(mediaType))
}

func sessionFilter(r *flowpb.Row) string {
	if r.Session == "" {
		return ""
	}
	return "~session " + quote("^"+regexp.QuoteMeta(r.Session)+"$")
}

func agentFilter(r *flowpb.Row) string {
	if r.Agent == "" {
		return ""
	}
	return "~agent " + quote("^"+regexp.QuoteMeta(r.Agent)+"$")
}

// quote writes an argument of the filter language: bare where nothing in it means
// anything there, else in quotes, where only quotes and backslashes are escaped.
func quote(s string) string {
	bare := strings.IndexFunc(s, func(r rune) bool {
		return r <= ' ' || r >= 0x7f || strings.ContainsRune(`()|&!"'\~<>=$^[]{}*+?,:`, r)
	}) < 0
	if bare && s != "" {
		return s
	}
	return `"` + strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(s) + `"`
}
