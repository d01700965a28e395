// Package contract is the JSON that weir prints of flows: scripts rely on its keys, their
// order and what they say, which change with a note in the changelog only.
//
// [Row] is a flow in a list, as `weir query` prints it; [Flow] is a whole one, as `weir
// show` does, with what is read of a session for it. Absent values are null, times RFC 3339
// with nanoseconds in UTC, and texts from the wire lose no byte: see [String]. Nothing is
// sanitised here, for JSON escapes what a terminal would obey.
//
// Its values are made once and belong to the caller.
package contract

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/google/uuid"

	flowpb "weir/proto"
)

// Row is one flow as the command line prints it: what 'weir query' prints of each, and
// the keys that are printed where somebody asks for them.
type Row struct {
	Line
	Session *string `json:"session"`
	Agent   *string `json:"agent"`
}

// Line is what 'weir query' prints of a flow unless it is told otherwise: exactly
// these keys, in this order. A pointer that is nil prints as null.
type Line struct {
	ID           uint64   `json:"id"`
	UID          string   `json:"uid"`
	Kind         string   `json:"kind"`
	State        string   `json:"state"`
	Method       *string  `json:"method"`
	Scheme       *string  `json:"scheme"`
	Host         *string  `json:"host"`
	Port         *uint32  `json:"port"`
	Path         *string  `json:"path"`
	URL          *string  `json:"url"`
	HTTPVersion  *string  `json:"http_version"`
	Status       *uint32  `json:"status"`
	Reason       *string  `json:"reason"`
	ContentType  *string  `json:"content_type"`
	RequestSize  *int64   `json:"request_size"`
	ResponseSize *int64   `json:"response_size"`
	StartedAt    string   `json:"started_at"`
	DurationMS   *float64 `json:"duration_ms"`
	Client       *string  `json:"client"`
	Server       *string  `json:"server"`
	Error        *string  `json:"error"`
	Marked       *string  `json:"marked"`
	Comment      *string  `json:"comment"`
	Tags         []string `json:"tags"`
	Replay       *string  `json:"replay"`
}

// Columns are the names of Row's keys, in order, Line's first.
var Columns = []string{
	"id", "uid", "kind", "state", "method", "scheme", "host", "port", "path", "url", "http_version", "status", "reason",
	"content_type", "request_size", "response_size", "started_at", "duration_ms", "client", "server", "error", "marked",
	"comment", "tags", "replay",
	"session", "agent",
}

// LineKeys is how many of Columns are Line's.
const LineKeys = 25

// NewRow turns a list row into its printed form.
func NewRow(session uuid.UUID, r *flowpb.Row) Row {
	_, number := flowpb.Placed(r.ID)
	out := Row{Session: Text(r.Session), Agent: Text(r.Agent), Line: Line{
		ID: number, UID: uid(session, r), Kind: r.Kind.String(), State: r.State.Label(),
		Method: Text(r.Method), Scheme: Text(r.Scheme), Host: Text(r.Host), Path: Text(r.Path), URL: Text(r.URL()),
		HTTPVersion: Text(r.Version), Reason: Text(r.Reason), ContentType: Text(r.ContentType),
		RequestSize: present(r.RequestSize), ResponseSize: present(r.ResponseSize),
		StartedAt: Timestamp(r.Started), Client: Text(r.Client), Server: Text(r.Server), Error: Text(r.Error),
		Marked: Text(r.Marked), Comment: Text(r.Comment), Tags: r.Tags, Replay: Text(r.Replay.Label()),
	}}
	if r.Port != 0 {
		out.Port = &r.Port
	}
	if r.Status != 0 {
		out.Status = &r.Status
	}
	if r.Duration != flowpb.Absent {
		ms := float64(r.Duration) / 1e6
		out.DurationMS = &ms
	}
	if out.Tags == nil {
		out.Tags = []string{}
	}
	return out
}

// uid names a flow wherever it is copied to.
func uid(session uuid.UUID, r *flowpb.Row) string {
	sequence := r.ID
	if r.Origin != (flowpb.Origin{}) {
		session, sequence = r.Origin.Session, r.Origin.Sequence
	}
	return session.String() + ":" + strconv.FormatUint(sequence, 10)
}

// Timestamp prints nanoseconds since the epoch as the contract says.
func Timestamp(ns int64) string { return time.Unix(0, ns).UTC().Format(rfc3339Nano) }

// rfc3339Nano keeps trailing zeros, so that times align and sort as text.
const rfc3339Nano = "2006-01-02T15:04:05.000000000Z07:00"

// Text is nil for "", else s as JSON can carry it.
func Text(s string) *string {
	if s == "" {
		return nil
	}
	s = String(s)
	return &s
}

// String returns bytes from the wire as a JSON string may carry them: UTF-8 as
// it is, anything else byte for byte as Latin-1, which is what RFC 9110 section
// 5.5 says of field values, and loses nothing.
func String(s string) string {
	if utf8.ValidString(s) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

func present(n int64) *int64 {
	if n == flowpb.Absent {
		return nil
	}
	return &n
}

// Marshal is JSON without the escapes that only HTML needs.
func Marshal(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return bytes.TrimRight(buf.Bytes(), "\n"), nil
}

// Fields is r by key, each value as JSON.
func (r Row) Fields() (map[string]json.RawMessage, error) {
	whole, err := Marshal(r)
	if err != nil {
		return nil, err
	}
	var out map[string]json.RawMessage
	if err := json.Unmarshal(whole, &out); err != nil {
		return nil, fmt.Errorf("read JSON back: %w", err)
	}
	return out, nil
}
