package store

import (
	"context"
	"fmt"
	"strings"
	"testing"

	flowpb "weir/proto"
)

// numbers runs f with the dictionary of a tape, inside a transaction of it.
func numbers(t *testing.T, f func(ctx context.Context, d *dictionary)) {
	t.Helper()
	s := newSession(t)
	tape, err := newTape(t.Context(), s, func(uint64) {})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := tape.close(); err != nil {
			t.Error(err)
		}
	}()
	if _, err := tape.begin.Exec(); err != nil {
		t.Fatal(err)
	}
	f(t.Context(), &tape.dictionary)
	if _, err := tape.commitTx.Exec(); err != nil {
		t.Fatal(err)
	}
}

// What a dictionary no longer remembers is still numbered as before.
func TestADictionaryForgetsButTheFileDoesNot(t *testing.T) {
	numbers(t, func(ctx context.Context, d *dictionary) {
		texts := []string{"", "GET", "\x00", "\xff", strings.Repeat("long", maxRecentText)}
		ask := func() (ids []int64) {
			for _, text := range texts {
				term, err := d.term(ctx, text)
				if err != nil {
					t.Fatal(err)
				}
				site, err := d.site(ctx, &flowpb.Summary{Host: text, Port: 80})
				if err != nil {
					t.Fatal(err)
				}
				ids = append(ids, term, site)
			}
			return ids
		}
		want := fmt.Sprint(ask())
		for _, when := range []string{"remembered", "forgotten"} {
			if got := fmt.Sprint(ask()); got != want {
				t.Errorf("%s: got numbers %v, want %v", when, got, want)
			}
			d.forget()
		}
		if other, err := d.site(ctx, &flowpb.Summary{Host: "GET", Port: 81}); err != nil || other != int64(len(texts))+1 {
			t.Errorf("another port: got site %d, %v, want the next number, %d", other, err, len(texts)+1)
		}
	})
}

func TestRecentKeepsWhatIsUsed(t *testing.T) {
	var r recent[int]
	for key := range 3 * maxRecent {
		r.put(key, int64(key))
		if id, known := r.get(7); key >= 7 && (!known || id != 7) {
			t.Fatalf("after %d keys: got %d, %v, want that what is used stays", key, id, known)
		}
		if n := len(r.young) + len(r.old); n > 2*maxRecent {
			t.Fatalf("after %d keys: got %d remembered, want at most %d", key, n, 2*maxRecent)
		}
	}
	if _, known := r.get(8); known {
		t.Error("what was not used is remembered")
	}
}
