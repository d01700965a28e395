package openapi

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	flowpb "weir/proto"
)

// maxOperations bounds the operations of a document.
const maxOperations = 2000

// maxServers bounds the servers that are named.
const maxServers = 100

// methods are those that a path item has a place for (OpenAPI 3.1 section 4.8.9).
const methods = " get put post delete options head patch trace "

// Writer gathers flows; the document is written by Close.
type Writer struct {
	w       io.Writer
	paths   map[string]map[string]*operation
	servers map[string]bool
	count   int
	dropped bool
}

// NewWriter returns a Writer.
func NewWriter(w io.Writer) *Writer {
	return &Writer{w: w, paths: map[string]map[string]*operation{}, servers: map[string]bool{}}
}

// Write takes a flow. The error is [flowpb.ErrNoForm], or that of reading a body.
func (p *Writer) Write(f *flowpb.Whole) error {
	h := f.Flow.GetHttp()
	s := flowpb.Summarize(f.Flow)
	method := strings.ToLower(s.Method)
	if h.GetRequest() == nil || h.GetWebsocket() != nil || !strings.Contains(methods, " "+method+" ") || strings.Contains(method, " ") || !strings.HasPrefix(s.Path, "/") {
		return flowpb.ErrNoForm
	}
	path, query, _ := strings.Cut(strings.ToValidUTF8(s.Path, "\uFFFD"), "?")
	name, parameters := template(path)
	o := p.paths[name][method]
	if o == nil {
		if p.count >= maxOperations {
			p.dropped = true
			return nil
		}
		p.count++
		o = &operation{parameters: parameters, query: map[string]*property{}, responses: map[string]*message{}, security: map[string]bool{}}
		if p.paths[name] == nil {
			p.paths[name] = map[string]*operation{}
		}
		p.paths[name][method] = o
	}
	for i := range min(len(parameters), len(o.parameters)) {
		o.parameters[i].number = o.parameters[i].number && parameters[i].number
	}
	if len(p.servers) < maxServers {
		p.servers[s.Scheme+"://"+strings.ToValidUTF8(s.HostPort(), "\uFFFD")] = true
	}
	return o.add(f, h, query)
}

// Close writes the document.
func (p *Writer) Close() error {
	paths, schemes := map[string]any{}, map[string]any{}
	for name, item := range p.paths {
		out := map[string]any{}
		for method, o := range item {
			out[method] = o.value()
			for s := range o.security {
				schemes[s] = map[string]any{"type": "http", "scheme": s}
			}
			p.dropped = p.dropped || o.dropped
		}
		paths[name] = out
	}
	servers := []any{}
	for _, s := range sorted(p.servers) {
		servers = append(servers, map[string]any{"url": s})
	}
	about := "Sketched by weir from the traffic that it saw."
	if p.dropped {
		about += " It is not all: some operations or parts of them were too many."
	}
	document := map[string]any{
		"openapi": "3.1.0",
		"info":    map[string]any{"title": "API", "version": "0", "description": about},
		"servers": servers,
		"paths":   paths,
	}
	if len(schemes) > 0 {
		document["components"] = map[string]any{"securitySchemes": schemes}
	}
	enc := json.NewEncoder(p.w)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", "  ")
	if err := enc.Encode(document); err != nil {
		return fmt.Errorf("write an OpenAPI document: %w", err)
	}
	return nil
}

// value is an operation as the document has it.
func (o *operation) value() map[string]any {
	parameters := []any{}
	for _, p := range o.parameters {
		kind := "string"
		if p.number {
			kind = "integer"
		}
		parameters = append(parameters, map[string]any{"name": p.name, "in": "path", "required": true, "schema": map[string]any{"type": kind}})
	}
	for _, name := range sorted(o.query) {
		q := o.query[name]
		parameters = append(parameters, map[string]any{"name": name, "in": "query", "required": q.seen == o.requests, "schema": q.value()})
	}
	out := map[string]any{}
	if len(parameters) > 0 {
		out["parameters"] = parameters
	}
	if len(o.request.content) > 0 {
		out["requestBody"] = map[string]any{"content": o.request.value()}
	}
	responses := map[string]any{}
	for status, m := range o.responses {
		r := map[string]any{"description": m.reason}
		if len(m.content) > 0 {
			r["content"] = m.value()
		}
		responses[status] = r
	}
	if len(responses) > 0 {
		out["responses"] = responses
	}
	if len(o.security) > 0 {
		var ways []map[string][]string
		for _, s := range sorted(o.security) {
			ways = append(ways, map[string][]string{s: {}})
		}
		out["security"] = ways
	}
	return out
}

// value is the content of a message by media type.
func (m *message) value() map[string]any {
	out := map[string]any{}
	for media, s := range m.content {
		out[media] = map[string]any{"schema": s.value()}
	}
	return out
}

func sorted[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}
