package filter

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"modernc.org/sqlite"
	"pgregory.net/rapid"

	flowpb "weir/proto"
)

// TestPlan runs testdata/plan.txt: the condition with its arguments, and what is
// left to read.
func TestPlan(t *testing.T) {
	dataDriven(t, "plan.txt", func(t *testing.T, input string) string {
		p := NewPlan(mustParse(t, input))
		rest := "exact"
		if !p.Exact {
			rest = "superset, read " + p.Needs.String()
		}
		return fmt.Sprintf("where  %s\nargs   %v\nthen   %s\n", p.Where, Explain(p.Expr).Plan.Args, rest)
	})
}

func TestPlanNoFilter(t *testing.T) {
	p := NewPlan(nil)
	if p.Where != "" || !p.Exact || p.Needs != NeedColumns || p.Expr != nil {
		t.Errorf("got %+v, want an exact plan of every row", p)
	}
}

// plans is what tokens stand for, and tokens the last one given. The functions
// that use them belong to the process, as they do in a store.
var (
	plans    sync.Map
	tokens   atomic.Int64
	register = sync.OnceValue(func() error {
		return errors.Join(
			function("weir_match", func(p Pattern, args []driver.Value) driver.Value { return p.Match(args[0].(string)) }),
			// What store remembers, store tests: knowing nothing is always right.
			function("weir_known", func(Pattern, []driver.Value) driver.Value { return nil }),
			function("weir_learn", func(p Pattern, args []driver.Value) driver.Value { return p.Match(fmt.Sprint(args[1])) }),
			function("weir_known_url", func(Pattern, []driver.Value) driver.Value { return nil }),
			function("weir_learn_url", func(p Pattern, args []driver.Value) driver.Value {
				s := flowpb.Summary{
					Kind: flowpb.Kind(args[0].(int64)), Path: args[2].(string),
					Scheme: args[3].(string), Host: args[4].(string), Port: uint32(args[5].(int64)), Authority: args[6].(string),
				}
				return p.Match(s.URL())
			}))
	})
)

// function registers one of the functions that plans call.
func function(name string, of func(p Pattern, args []driver.Value) driver.Value) error {
	call := func(_ *sqlite.FunctionContext, args []driver.Value) (driver.Value, error) {
		plan, known := plans.Load(args[0])
		if !known {
			return nil, fmt.Errorf("%s called with %v", name, args)
		}
		return of(plan.(*Plan).Patterns[args[1].(int64)], args[2:]), nil
	}
	return sqlite.RegisterFunction(name, &sqlite.FunctionImpl{NArgs: -1, Scalar: call, VolatileArgs: true})
}

// ownName is the name of the session at hand.
const ownName = "own"

// database is a session's tables in memory.
type database struct{ *sql.DB }

func newDatabase(t *testing.T) *database {
	t.Helper()
	schema, err := os.ReadFile("../store/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	if err := register(); err != nil {
		t.Fatal(err)
	}
	db, err := sql.Open("sqlite", ":memory:")
	if err != nil {
		t.Fatal(err)
	}
	db.SetMaxOpenConns(1) // each connection would have a memory of its own
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if _, err := db.Exec(string(schema)); err != nil {
		t.Fatal(err)
	}
	return &database{db}
}

// null is NULL for a value that is absent.
func null(v, absent int64) any {
	if v == absent {
		return nil
	}
	return v
}

// number finds a row of the small tables, or adds it.
func (d *database) number(t testing.TB, find, add string, values ...any) (id int64) {
	t.Helper()
	err := d.QueryRow(find, values...).Scan(&id)
	if errors.Is(err, sql.ErrNoRows) {
		var added sql.Result
		if added, err = d.Exec(add, values...); err == nil {
			id, err = added.LastInsertId()
		}
	}
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func (d *database) insert(t testing.TB, s *subject) {
	t.Helper()
	f := &s.summary
	term := func(text string) int64 {
		return d.number(t, "SELECT id FROM term WHERE text = ?", "INSERT INTO term (text) VALUES (?)", text)
	}
	site := d.number(t, "SELECT id FROM site WHERE host = ? AND port = ? AND scheme = ? AND authority = ?",
		"INSERT INTO site (host, port, scheme, authority) VALUES (?, ?, ?, ?)", f.Host, f.Port, f.Scheme, f.Authority)
	_, err := d.Exec(`INSERT INTO flow VALUES (?, 0, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
		f.ID, f.Kind, f.State, f.Flags, f.Replay, f.Started, null(f.Duration, flowpb.Absent), null(f.TTFB, flowpb.Absent),
		null(int64(f.Status), 0), null(f.RequestSize, flowpb.Absent), null(f.ResponseSize, flowpb.Absent), site,
		term(f.Method), term(f.ContentType), term(f.RequestType), term(f.Version), term(f.Client), term(f.Server), term(f.Agent), f.Path)
	if err != nil {
		t.Fatal(err)
	}
	if f.Session != ownName {
		source := d.number(t, "SELECT id FROM source WHERE name = ?",
			"INSERT INTO source (uuid, name, created, creator) VALUES (randomblob(16), ?, 0, '')", f.Session)
		if _, err := d.Exec(`INSERT INTO origin VALUES (?, ?, ?)`, f.ID, source, f.ID); err != nil {
			t.Fatal(err)
		}
	}
	if s.note.Empty() {
		return
	}
	_, err = d.Exec(`INSERT INTO note (flow, marked, tags, comment) VALUES (?, ?, ?, ?)`,
		f.ID, s.note.Marked, tagColumn(&s.note), s.note.Comment)
	if err != nil {
		t.Fatal(err)
	}
}

// fataler is what tests and properties have in common.
type fataler interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

// selected asks SQLite of each flow whether the plan lets it through.
func (d *database) selected(t fataler, p *Plan) map[uint64]bool {
	token := tokens.Add(1)
	plans.Store(token, p)
	defer plans.Delete(token)
	args := make([]any, len(p.Args))
	for i, a := range p.Args {
		args[i] = a
		switch a.(type) {
		case PlanToken:
			args[i] = token
		case PlanSession:
			args[i] = ownName
		}
	}
	where := p.Where
	if where == "" {
		where = "1"
	}
	rows, err := d.Query("SELECT f.id, "+where+" FROM flow f", args...)
	if err != nil {
		t.Fatalf("%s: %v", p.Where, err)
	}
	defer rows.Close()
	out := make(map[uint64]bool)
	for rows.Next() {
		var id uint64
		var through sql.NullBool
		if err := rows.Scan(&id, &through); err != nil {
			t.Fatal(err)
		}
		if !through.Valid {
			t.Fatalf("NULL for flow %d: %s", id, p.Where)
		}
		out[id] = through.Bool
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return out
}

// genSubject makes flows whose texts share letters with the expressions.
func genSubject(id uint64) *rapid.Generator[*subject] {
	word := rapid.SampledFrom([]string{"", "a", "ab", "B", "x:1", "[::1]:80", "::1", "h.com", "H.COM:8080", "ä", "K", "\xff", "a, b", "5", "a\x00b"})
	size := rapid.SampledFrom([]int64{flowpb.Absent, 0, 7})
	return rapid.Custom(func(t *rapid.T) *subject {
		s := &subject{flow: &flowpb.Flow{}, bodies: map[flowpb.Side][]byte{}}
		s.summary = flowpb.Summary{
			ID: id, Kind: flowpb.Kind(rapid.IntRange(0, 5).Draw(t, "kind")),
			State: flowpb.StateComplete, Replay: flowpb.Replay(rapid.IntRange(0, 2).Draw(t, "replay")),
			Flags:  flowpb.Flags(rapid.IntRange(0, 1<<10-1).Draw(t, "flags")),
			Method: word.Draw(t, "method"), Scheme: rapid.SampledFrom([]string{"http", "https", "HTTP", ""}).Draw(t, "scheme"),
			Host: word.Draw(t, "host"), Port: rapid.SampledFrom([]uint32{0, 5, 80, 443, 8080}).Draw(t, "port"),
			Authority: word.Draw(t, "authority"), Path: word.Draw(t, "path"),
			Version: rapid.SampledFrom([]string{"", "HTTP/1.1", "HTTP/2", "HTTP/2.0", "http/1.0"}).Draw(t, "version"),
			Status:  rapid.SampledFrom([]uint32{0, 5, 8, 200, 404}).Draw(t, "status"),
			// The types are joined fields.
			ContentType: word.Draw(t, "content type"), RequestType: word.Draw(t, "request type"),
			RequestSize: size.Draw(t, "request size"), ResponseSize: size.Draw(t, "response size"),
			Duration: size.Draw(t, "duration"), TTFB: size.Draw(t, "ttfb"),
			Client: word.Draw(t, "client"), Server: word.Draw(t, "server"),
			Agent: word.Draw(t, "agent"), Session: rapid.SampledFrom([]string{ownName, ownName, "a", "x.y"}).Draw(t, "session"),
		}
		s.note.Marked = word.Draw(t, "marked")
		s.note.Comment = word.Draw(t, "comment")
		s.note.Tags = rapid.SampledFrom([][]string{nil, {"a"}, {"ab", "x"}, {"5", "a b"}}).Draw(t, "tags")
		// The head and body operators answer by these alone.
		s.flow.Meta = []*flowpb.Meta{{Key: word.Draw(t, "key"), Value: "x"}}
		return s
	})
}

// TestPlanAgreesWithMatch is the law of plans: for random flows and expressions,
// the condition lets through each flow that matches, and only those if it is
// said to be exact.
func TestPlanAgreesWithMatch(t *testing.T) {
	d := newDatabase(t)
	rapid.Check(t, func(rt *rapid.T) {
		if _, err := d.Exec("DELETE FROM flow; DELETE FROM note; DELETE FROM origin"); err != nil {
			t.Fatal(err)
		}
		var flows []*subject
		for id := range uint64(6) {
			s := genSubject(id+1).Draw(rt, "flow")
			d.insert(t, s)
			flows = append(flows, s)
		}
		for range 10 {
			src := genExpr(3).Draw(rt, "src")
			clock := Clock{Now: rapid.SampledFrom([]int64{0, 3 * day}).Draw(rt, "now"), Offset: rapid.Int64Range(-14, 14).Draw(rt, "zone") * 1800 * second}
			p := NewPlan(Bind(mustParse(t, src), clock))
			through := d.selected(rt, p)
			for _, s := range flows {
				ok, err := Match(p.Expr, s)
				if err != nil {
					rt.Fatal(err)
				}
				if sql := through[s.summary.ID]; ok && !sql || !ok && sql && p.Exact {
					rt.Fatalf("%s\nflow %+v %+v\nmatch %v, but SQL %v (exact %v): %s",
						p.Expr, s.summary, s.note, ok, sql, p.Exact, p.Where)
				}
			}
		}
	})
}

// TestPlanLong: SQLite takes the longest and the deepest expressions there are.
func TestPlanLong(t *testing.T) {
	d := newDatabase(t)
	for _, leaf := range []string{"~q ", "!~e|", "(~q|a) ", "~d a|", "~port 9 ", "~session a "} {
		src := strings.Repeat(leaf, MaxLength/len(leaf)-1) + "~q"
		d.selected(t, NewPlan(mustParse(t, src)))
	}
	deep := strings.Repeat("!(~q & ", MaxNesting/2) + "~q" + strings.Repeat(")", MaxNesting/2)
	d.selected(t, NewPlan(mustParse(t, deep)))
}
