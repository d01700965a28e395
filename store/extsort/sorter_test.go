package extsort

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.uber.org/goleak"
	"pgregory.net/rapid"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// pair is what the model sorts.
type pair struct {
	id  uint32
	key string
}

func (p pair) compare(q pair) int {
	return cmp.Or(strings.Compare(p.key, q.key), cmp.Compare(p.id, q.id))
}

// wantOf is the ids of pairs in the order of their keys.
func wantOf(pairs []pair) []uint32 {
	pairs = slices.Clone(pairs)
	slices.SortFunc(pairs, pair.compare)
	ids := make([]uint32, len(pairs))
	for i, p := range pairs {
		ids[i] = p.id
	}
	return ids
}

// drawKey makes keys up that have much in common.
func drawKey() *rapid.Generator[string] {
	piece := rapid.SampledFrom([]string{"", "a", "b", "\x00", "\xff", "https://", "/api/v1/items/", "0123456789", "\x00\x00\x00\x00\x00\x00\x00\x00", strings.Repeat("x", blockSize)})
	return rapid.Custom(func(t *rapid.T) string {
		return strings.Join(rapid.SliceOfN(piece, 0, 5).Draw(t, "pieces"), "")
	})
}

// run adds pairs to a sorter, each shard the share that is its, and sorts.
func run(ctx context.Context, t rapid.TB, s *Sorter, pairs []pair, stem func(p pair) (prefix, rest string)) []uint32 {
	t.Helper()
	for i, p := range pairs {
		shard := s.Shard(i * s.options.Shards / len(pairs))
		prefix, rest := stem(p)
		at := s.Stem(prefix)
		if err := shard.AddTo(&at, p.id, rest); err != nil {
			t.Fatal(err)
		}
	}
	var got []uint32
	err := s.Sort(ctx, func(ids []uint32) error {
		got = append(got, ids...)
		return nil
	})
	if err := errors.Join(err, s.Close()); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestSortersSort(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		keys := rapid.SliceOfN(drawKey(), 0, 200).Draw(t, "keys")
		pairs := make([]pair, len(keys))
		for i, key := range keys {
			pairs[i] = pair{uint32(3*i + 1), key}
		}
		if len(pairs) > 1 && rapid.Bool().Draw(t, "ids out of order") {
			pairs = rapid.Permutation(pairs).Draw(t, "order")
		}
		sample := rapid.SliceOf(rapid.OneOf(rapid.SampledFrom(append(keys, "")), drawKey())).Draw(t, "sample")
		s := New(sample, Options{
			Expect: perCut * rapid.IntRange(0, 40).Draw(t, "cuts"),
			Shards: rapid.IntRange(1, 3).Draw(t, "shards"),
			Memory: rapid.SampledFrom([]int{1, 4 * blockSize, 1 << 20}).Draw(t, "memory"),
			Load:   rapid.SampledFrom([]int{1, 500, 1 << 20}).Draw(t, "load"),
			Dir:    dir,
		})
		cut := rapid.IntRange(0, 30).Draw(t, "stem")
		got := run(t.Context(), t, s, pairs, func(p pair) (string, string) {
			n := min(cut, len(p.key))
			return p.key[:n], p.key[n:]
		})
		if want := wantOf(pairs); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
	left, err := os.ReadDir(dir)
	if err != nil || len(left) > 0 {
		t.Errorf("files left behind: %v, %v", left, err)
	}
}

func TestNumbersSortAsNumbers(t *testing.T) {
	s := New([]string{Number(7), Number(1 << 40)}, Options{Expect: 3 * perCut})
	defer s.Close()
	numbers := []uint64{1 << 63, 7, 0, 1<<64 - 1, 7, 255, 256, 1 << 40}
	for i, n := range numbers {
		if err := s.Shard(0).AddNumber(uint32(i), n); err != nil {
			t.Fatal(err)
		}
	}
	var got []uint32
	err := s.Sort(t.Context(), func(ids []uint32) error {
		got = append(got, ids...)
		return nil
	})
	if want := []uint32{2, 1, 4, 5, 6, 7, 0, 3}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %v, %v, want %v", got, err, want)
	}
}

// What is held in memory does not grow with what is sorted, and a sample that says
// nothing of the keys does no harm.
func TestMemoryIsBounded(t *testing.T) {
	const memory = 40 * blockSize
	s := New([]string{"z"}, Options{Expect: 100 * perCut, Memory: memory, Load: 64 << 10, Dir: t.TempDir()})
	defer s.Close()
	var want []pair
	for i := range 20_000 {
		p := pair{uint32(i + 1), fmt.Sprintf("/the/same/beginning/%d/%s", i*7919%20_000, strings.Repeat("x", i%50))}
		want = append(want, p)
		if err := s.Shard(0).Add(p.id, p.key); err != nil {
			t.Fatal(err)
		}
	}
	if held := s.storage.held.Load(); held > memory+blockSize {
		t.Errorf("held in memory: got %d bytes, want at most %d", held, memory)
	}
	if s.storage.end.Load() == 0 {
		t.Error("nothing went to the file")
	}
	var got []uint32
	err := s.Sort(t.Context(), func(ids []uint32) error {
		got = append(got, ids...)
		return nil
	})
	if err != nil || !slices.Equal(got, wantOf(want)) {
		t.Errorf("sorted: got %d ids, %v, want those of %d keys in order", len(got), err, len(want))
	}
}

func TestSortingEndsEarly(t *testing.T) {
	sentinel := errors.New("enough")
	filled := func() *Sorter {
		s := New(nil, Options{Expect: 1})
		for id := range uint32(100) {
			if err := s.Shard(0).AddNumber(id+1, uint64(id)); err != nil {
				t.Fatal(err)
			}
		}
		return s
	}
	if err := filled().Sort(t.Context(), func([]uint32) error { return sentinel }); !errors.Is(err, sentinel) {
		t.Errorf("emit failed: got %v, want %v", err, sentinel)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := filled().Sort(ctx, func([]uint32) error { return nil }); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: got %v, want %v", err, context.Canceled)
	}
}

func TestWhereNoFileCanBeMade(t *testing.T) {
	s := New(nil, Options{Memory: 1, Dir: filepath.Join(t.TempDir(), "nowhere")})
	defer s.Close()
	var err error
	for id := uint32(1); err == nil && id < 10_000; id++ {
		err = s.Shard(0).AddNumber(id, 1)
	}
	if !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v, want that there is no such directory", err)
	}
}
