package openapi

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	flowpb "weir/proto"
)

// call is one exchange with bodies of JSON; "" is none.
func call(method, path, request string, status uint32, response string) *flowpb.Whole {
	body := func(s string) *flowpb.Body {
		if s == "" {
			return nil
		}
		return &flowpb.Body{State: flowpb.BodyComplete, Size: uint64(len(s))}
	}
	kind := []*flowpb.Field{{Name: []byte("Content-Type"), Value: []byte("application/json; charset=utf-8")}}
	f := &flowpb.Flow{Protocol: &flowpb.Flow_Http{Http: &flowpb.Http{
		Request: &flowpb.Request{
			Method: []byte(method), Scheme: []byte("https"), Host: []byte("api.test"), Port: 443, Path: []byte(path), Body: body(request),
			Headers: append(kind, &flowpb.Field{Name: []byte("Authorization"), Value: []byte("Bearer s3cret")}),
		},
		Response: &flowpb.Response{Status: status, Reason: []byte("Said"), Headers: kind, Body: body(response)},
	}}}
	return &flowpb.Whole{Flow: f, Body: func(s flowpb.Side) (io.Reader, error) {
		if s == flowpb.SideRequest {
			return strings.NewReader(request), nil
		}
		return strings.NewReader(response), nil
	}}
}

func document(t testing.TB, flows ...*flowpb.Whole) map[string]any {
	t.Helper()
	var out bytes.Buffer
	w := NewWriter(&out)
	for _, f := range flows {
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(out.String(), "s3cret") {
		t.Error("a secret is in the document")
	}
	var doc map[string]any
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}

func TestDocument(t *testing.T) {
	doc := document(t,
		call("GET", "/users/17?page=1&q=s3cret", "", 200, `{"id": 17, "name": "s3cret", "tags": ["a"], "age": null}`),
		call("GET", "/users/18?page=2", "", 200, `{"id": 18, "name": "bob", "age": 4.5}`),
		call("GET", "/users/19?page=2", "", 404, ""),
		call("POST", "/users", `[{"a": true}, {"a": false, "b": {}}]`, 201, `not JSON`),
	)
	const want = `{
	"openapi": "3.1.0",
	"info": {"title": "API", "version": "0", "description": "Sketched by weir from the traffic that it saw."},
	"servers": [{"url": "https://api.test"}],
	"components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
	"paths": {
		"/users": {"post": {
			"security": [{"bearer": []}],
			"requestBody": {"content": {"application/json": {"schema": {"type": "array", "items": {
				"type": "object", "required": ["a"], "properties": {"a": {"type": "boolean"}, "b": {"type": "object"}}
			}}}}},
			"responses": {"201": {"description": "Said", "content": {"application/json": {"schema": {}}}}}
		}},
		"/users/{userId}": {"get": {
			"security": [{"bearer": []}],
			"parameters": [
				{"name": "userId", "in": "path", "required": true, "schema": {"type": "integer"}},
				{"name": "page", "in": "query", "required": true, "schema": {"type": "integer"}},
				{"name": "q", "in": "query", "required": false, "schema": {"type": "string"}}
			],
			"responses": {
				"404": {"description": "Said"},
				"200": {"description": "Said", "content": {"application/json": {"schema": {
					"type": "object", "required": ["age", "id", "name"], "properties": {
						"id": {"type": "integer"}, "name": {"type": "string"}, "age": {"type": ["null", "number"]},
						"tags": {"type": "array", "items": {"type": "string"}}
					}
				}}}}
			}
		}}
	}
}`
	var expected map[string]any
	if err := json.Unmarshal([]byte(want), &expected); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(expected, doc); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTemplate(t *testing.T) {
	for path, want := range map[string]string{
		"/":                 "/",
		"/v1/users":         "/v1/users",
		"/users/7/orders/8": "/users/{userId}/orders/{orderId}",
		"/categories/7":     "/categories/{categoryId}",
		"/class/7":          "/class/{classId}",
		"/7/8":              "/{id}/{id2}",
		"/x_y/7":            "/x_y/{id}",
		"/a/5f2c9a10b7":     "/a/{id}",
		"/o/0b7e4c1e-9d50-4c59-8d35-3a5d3a1b2c3d/x": "/o/{id}/x",
		"/days/2026-11-21":                          "/days/{dayId}",
		"/s/eyJhbGciOiJIUzI1NiIsInR5":               "/s/{id}",
		"/js/app.4f2a.js":                           "/js/app.4f2a.js",
		"/feedface/decade":                          "/feedface/decade",
		"/a{b}/%7Bc%7D":                             "/a%7Bb%7D/%7Bc%7D",
		"/search2/v2beta":                           "/search2/v2beta",
	} {
		if got, _ := template(path); got != want {
			t.Errorf("%s: got %s, want %s", path, got, want)
		}
	}
}

// Whatever is seen, the document is JSON and stays small, and parts that are too many
// are told of.
func TestBounds(t *testing.T) {
	var many []*flowpb.Whole
	for i := range maxOperations + 50 {
		many = append(many, call("GET", fmt.Sprintf("/p%cx%cx%c", 'a'+i%26, 'a'+i/26%26, 'a'+i/676), "", 200, ""))
	}
	doc := document(t, many...)
	if n := len(doc["paths"].(map[string]any)); n != maxOperations {
		t.Errorf("%d paths, want %d", n, maxOperations)
	}
	if about := doc["info"].(map[string]any)["description"].(string); !strings.Contains(about, "not all") {
		t.Errorf("the description does not tell that some were left out: %s", about)
	}
	var deep strings.Builder
	deep.WriteString(strings.Repeat(`{"a":[`, 400) + strings.Repeat("]}", 400))
	wide := "{" + strings.Repeat(`"x":1,`, 3) + `"y":{`
	for i := range maxProperties + 50 {
		wide += fmt.Sprintf(`"p%d":1,`, i)
	}
	wide += `"z":1}}`
	doc = document(t, call("GET", "/deep", deep.String(), 200, wide))
	out, err := json.Marshal(doc)
	if err != nil || len(out) > 20_000 {
		t.Errorf("a document of %d bytes, %v", len(out), err)
	}
}

func TestNoForm(t *testing.T) {
	for _, f := range []*flowpb.Flow{
		{Protocol: &flowpb.Flow_Tcp{Tcp: &flowpb.Stream{}}},
		call("CONNECT", "", "", 200, "").Flow,
		call("BREW", "/pot", "", 200, "").Flow,
	} {
		if err := NewWriter(io.Discard).Write(&flowpb.Whole{Flow: f}); !errors.Is(err, flowpb.ErrNoForm) {
			t.Errorf("%v: got %v, want %v", f, err, flowpb.ErrNoForm)
		}
	}
}

// No address, field or body makes it fail.
func TestHostile(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.Map(rapid.SliceOf(rapid.Byte()), func(p []byte) string { return string(p) })
		f := call("POST", "/"+text.Draw(t, "path"), text.Draw(t, "request"), rapid.Uint32().Draw(t, "status"), text.Draw(t, "response"))
		f.Flow.GetHttp().GetResponse().Headers[0] = &flowpb.Field{Name: []byte("content-type"), Value: []byte(text.Draw(t, "type"))}
		f.Flow.GetHttp().GetResponse().Reason = []byte(text.Draw(t, "reason"))
		var out bytes.Buffer
		w := NewWriter(&out)
		if err := w.Write(f); err != nil {
			t.Fatal(err)
		}
		if err := w.Close(); err != nil || !json.Valid(out.Bytes()) {
			t.Fatalf("%v: %q", err, out.Bytes())
		}
	})
}
