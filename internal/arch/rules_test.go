package arch

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// rule is one law of the house. Its name is also that of its archive in
// testdata; why is printed with each complaint.
type rule struct {
	name  string
	why   string
	check func(*tree) []finding
}

// rules is every law that source text alone can show to be broken.
var rules = []rule{
	{
		name:  "package-comment",
		why:   "a package has one comment, which is its manual: what it is for, what not, its concurrency, its invariants",
		check: packageComments,
	},
	{
		name:  "imports",
		why:   "the arrows in docs/architecture.md keep parts replaceable; move the code or pass it in through an interface of the consumer",
		check: imports,
	},
	{
		name:  "no-init",
		why:   "what runs before main cannot be tested, ordered or turned off; build it in New or in main",
		check: noInit,
	},
	{
		name:  "package-vars",
		why:   "mutable package variables are shared by everything and owned by nobody; only sentinel errors, compiled regexps, tables that nothing writes to, embeds and guards may stand at package level",
		check: packageVars,
	},
	{
		name:  "no-goroutine",
		why:   "these packages are called from anywhere and own nothing that runs; concurrency belongs to their callers",
		check: noGoroutine,
	},
	{
		name:  "leak-check",
		why:   "every goroutine has an owner that waits for it; goleak in the package's tests proves that it does",
		check: leakCheck,
	},
	{
		name:  "contained",
		why:   "a panic in a goroutine that nobody recovers ends the capture for everybody; contain.Go ends what it was for, and says so",
		check: uncontained,
	},
	{
		name:  "no-sleep",
		why:   "a sleep is a guess about somebody else's speed; wait for the event, or for a timer together with a context",
		check: noSleep,
	},
	{
		name:  "context-field",
		why:   "a context belongs to one call; kept in a struct it outlives the call and cancels the wrong thing",
		check: contextField,
	},
	{
		name:  "context-root",
		why:   "only main decides when everything ends; elsewhere a fresh context cannot be cancelled by the caller",
		check: contextRoot,
	},
	{
		name:  "size",
		why:   "a long file or function, or a wide interface, is asking to be looked at again; split it by idea, or list it in sizeExceptions with the reason",
		check: sizes,
	},
	{
		name:  "fuzz-seeds",
		why:   "a fuzz target without seeds tests nothing in an ordinary `go test` run",
		check: fuzzSeeds,
	},
	{
		name:  "no-todo",
		why:   "what is not done is an issue in the tracker, not a note in the code",
		check: noTodo,
	},
}

// TestHouse holds every rule over the whole module.
func TestHouse(t *testing.T) {
	tr := loadTree(t, repository(t))
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			for _, f := range r.check(tr) {
				t.Errorf("%v\n\twhy: %s", f, r.why)
			}
		})
	}
}

// TestRules holds every rule to its archive of good and bad sources: the
// complaints must be exactly those in the archive's file "want", one a line,
// and there must be some. UPDATE_GOLDEN=1 rewrites them.
func TestRules(t *testing.T) {
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) {
			name := filepath.Join("testdata", r.name+".txtar")
			archive, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			fsys := make(fstest.MapFS)
			want := new(txtar.File)
			for i := range archive.Files {
				file := &archive.Files[i]
				if file.Name == "want" {
					want = file
					continue
				}
				fsys[file.Name] = &fstest.MapFile{Data: file.Data}
			}
			var got strings.Builder
			for _, f := range r.check(loadTree(t, fsys)) {
				got.WriteString(f.String() + "\n")
			}
			if got.Len() == 0 {
				t.Error("the rule complains about nothing in its archive")
			}
			if diff := cmp.Diff(string(want.Data), got.String()); diff != "" {
				t.Errorf("complaints (-want +got):\n%s", diff)
			}
			if os.Getenv("UPDATE_GOLDEN") != "" {
				want.Data = []byte(got.String())
				if err := os.WriteFile(name, txtar.Format(archive), 0o644); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}
