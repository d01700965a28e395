package content

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// TestViews renders each archive of testdata/views: its comment says how ("view",
// "type", "query", "more", "base", "columns", one a line, and "quoted" where the
// input is a Go string), its file in is the body, its file want is what shows,
// after a line with the view and the note. UPDATE_GOLDEN=1 rewrites it.
func TestViews(t *testing.T) {
	names, err := filepath.Glob("testdata/views/*.txtar")
	if err != nil || len(names) == 0 {
		t.Fatalf("no archives in testdata/views: %v", err)
	}
	for _, name := range names {
		t.Run(strings.TrimSuffix(filepath.Base(name), ".txtar"), func(t *testing.T) {
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			view, in := archiveInput(t, archive)
			got := show(Render(t.Context(), view, in))
			want := file(archive, "want")
			if os.Getenv("UPDATE_GOLDEN") != "" {
				want.Data = []byte(got)
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(want.Data), got); diff != "" {
				t.Errorf("lines (-want +got):\n%s", diff)
			}
		})
	}
}

// show prints a result as text.
func show(r Result) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%s\n", strings.TrimSpace("= "+r.View+" "+r.Note))
	for i := range r.Doc.Len() {
		s.WriteString(strings.TrimRight(r.Doc.Text(i), " ") + "\n")
	}
	return s.String()
}

func archiveInput(t *testing.T, archive *txtar.Archive) (view string, in Input) {
	t.Helper()
	in.Data = file(archive, "in").Data
	for line := range strings.Lines(string(archive.Comment)) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), " ")
		var err error
		switch key {
		case "view":
			view = value
		case "type":
			in.Type = value
		case "query":
			in.Query = []byte(value)
		case "more":
			in.More = true
		case "base":
			in.Base, err = strconv.ParseInt(value, 0, 64)
		case "columns":
			in.Columns, err = strconv.Atoi(value)
		case "quoted":
			var s string
			s, err = strconv.Unquote(strings.TrimSpace(string(in.Data)))
			in.Data = []byte(s)
		case "unended":
			in.Data = []byte(strings.TrimSuffix(string(in.Data), "\n"))
		case "", "#":
		default:
			t.Fatalf("unknown word %q", key)
		}
		if err != nil {
			t.Fatalf("%s: %v", key, err)
		}
	}
	return view, in
}

func file(archive *txtar.Archive, name string) *txtar.File {
	for i := range archive.Files {
		if archive.Files[i].Name == name {
			return &archive.Files[i]
		}
	}
	archive.Files = append(archive.Files, txtar.File{Name: name})
	return &archive.Files[len(archive.Files)-1]
}
