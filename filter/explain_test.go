package filter

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestExplainJSON pins the form that scripts read.
func TestExplainJSON(t *testing.T) {
	tests := []struct{ src, want string }{
		{"", `{"canonical":"","ast":null,"plan":{"where":"","args":[],"exact":true,"reads":"columns"}}`},
		{"~q", `{"canonical":"~q","ast":{"op":"~q"},"plan":{"where":"(f.kind IN (1, 4) AND f.flags & 1 = 0)","args":[],"exact":true,"reads":"columns"}}`},
		{
			`~b "" !(~c 404 | ~m GET)`,
			`{"canonical":"~b \"\" & !(~c 404 | ~m GET)",` +
				`"ast":{"op":"and","args":[{"op":"~b","arg":""},{"op":"not","args":[{"op":"or","args":[{"op":"~c","arg":"404"},{"op":"~m","arg":"GET"}]}]}]},` +
				`"plan":{"where":"(f.kind IN (1, 2, 3, 4) AND NOT (((f.kind = 1 AND ifnull(f.status, 0) = ?) OR (f.kind = 1 AND coalesce(weir_known(?, 0, f.method), weir_learn(?, 0, f.method, (SELECT t.text FROM term t WHERE t.id = f.method)))))))",` +
				`"args":[404,"plan","plan"],"exact":false,"reads":"bodies"}}`,
		},
	}
	for _, tt := range tests {
		var b bytes.Buffer
		out := json.NewEncoder(&b)
		out.SetEscapeHTML(false)
		if err := out.Encode(Explain(mustParse(t, tt.src))); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(tt.want+"\n", b.String()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.src, diff)
		}
	}
}

func TestExplainText(t *testing.T) {
	tests := []struct{ src, want string }{
		{"", "no filter: every flow\n"},
		{"~all", "~all\n\n~all\n\ncolumns alone decide\nsql: every flow\n"},
		{`foo (~c 4xx | !~h 'x y')`, "~u foo & (~c 4xx | !~h \"x y\")\n\n" +
			"and\n├─ ~u foo\n└─ or\n   ├─ ~c 4xx\n   └─ not\n      └─ ~h \"x y\"\n\n" +
			"what the columns leave open is decided by reading heads\n" +
			"sql: (f.kind IN (1, 4) AND coalesce(weir_known_url(?, 0, f.kind, f.site, f.path), " +
			"weir_learn_url(?, 0, f.kind, f.site, f.path, (SELECT s.scheme FROM site s WHERE s.id = f.site), " +
			"(SELECT s.host FROM site s WHERE s.id = f.site), (SELECT s.port FROM site s WHERE s.id = f.site), " +
			"(SELECT s.authority FROM site s WHERE s.id = f.site))))\n"},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, Explain(mustParse(t, tt.src)).String()); diff != "" {
			t.Errorf("%q (-want +got):\n%s", tt.src, diff)
		}
	}
}
