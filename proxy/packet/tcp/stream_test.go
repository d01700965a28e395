package tcp

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// told gathers events as one line of text: bytes as they are, a gap of n as "<n>",
// a conflict as "!".
type told struct{ bytes.Buffer }

func (o *told) yield(e Event) error {
	switch e.Kind {
	case Data:
		o.Write(e.Data)
	case Gap:
		o.WriteString("<" + string(rune('0'+e.Length)) + ">")
	case Conflict:
		o.WriteString("!")
	}
	return nil
}

func TestConversations(t *testing.T) {
	type step struct {
		seq     uint32
		data    string
		missing int
		at      int64
		ack     uint32 // acknowledge this instead
	}
	const second = 1e9
	for _, c := range []struct {
		name  string
		start int64 // -1: in the middle
		steps []step
		want  string
	}{
		{"in order", 1, []step{{seq: 1, data: "ab"}, {seq: 3, data: "cd"}}, "abcd"},
		{"out of order", 1, []step{{seq: 3, data: "cd"}, {seq: 5, data: "e"}, {seq: 1, data: "ab"}}, "abcde"},
		{"retransmitted", 1, []step{{seq: 1, data: "ab"}, {seq: 1, data: "ab"}, {seq: 2, data: "bc"}}, "abc"},
		{"retransmitted otherwise: the first wins", 1, []step{{seq: 1, data: "ab"}, {seq: 1, data: "XYz"}}, "abz"},
		{"waiting ones overlap and differ", 1, []step{{seq: 3, data: "cd"}, {seq: 2, data: "bXYe"}, {seq: 1, data: "a"}}, "!abcde"},
		{"waiting ones overlap alike", 1, []step{{seq: 4, data: "d"}, {seq: 2, data: "bcde"}, {seq: 1, data: "a"}}, "abcde"},
		{"in the middle", -1, []step{{seq: 900, data: "x"}, {seq: 901, data: "y"}}, "xy"},
		{"around the end of the numbers", 0xfffffffe, []step{{seq: 1, data: "de"}, {seq: 0xfffffffe, data: "abc"}}, "abcde"},
		{"keep-alive", 1, []step{{seq: 1, data: "ab"}, {seq: 2, data: "b"}, {seq: 2, data: ""}, {seq: 3, data: "c"}}, "abc"},
		{"a hole that is acknowledged and stays", 1, []step{
			{seq: 3, data: "c"}, {ack: 4}, {seq: 4, data: "d", at: second}, {seq: 5, data: "e", at: second},
		}, "<2>cde"},
		{"a hole that is acknowledged and filled", 1, []step{{seq: 3, data: "c"}, {ack: 4}, {seq: 1, data: "ab"}}, "abc"},
		{"a hole that is not acknowledged waits", 1, []step{{seq: 3, data: "c"}, {seq: 4, data: "d", at: 60 * second}, {seq: 1, data: "ab"}}, "abcd"},
		{"cut by the snap length", 1, []step{{seq: 1, data: "ab", missing: 3}, {seq: 6, data: "f"}}, "ab<3>f"},
		{"cut, but seen whole", 1, []step{{seq: 3, data: "cde"}, {seq: 1, data: "a", missing: 1}, {seq: 2, data: "b"}}, "a<1>cde"},
		{"far away", 1, []step{{seq: 1, data: "a"}, {seq: 0x60000000, data: "x"}, {seq: 2, data: "b"}}, "ab"},
		{"acknowledged and never seen", 1, []step{{seq: 1, data: "a"}, {ack: 4}}, "a<2>"},
		{"a hole at the end", 1, []step{{seq: 4, data: "d"}}, "<3>d"},
	} {
		t.Run(c.name, func(t *testing.T) {
			budget := Budget{Left: 1 << 20}
			s := NewStream(&budget)
			if c.start >= 0 {
				s.Start(uint32(c.start))
			}
			var out told
			for _, p := range c.steps {
				var err error
				if p.ack != 0 {
					err = s.Acknowledge(p.ack, p.at, out.yield)
				} else {
					err = s.Push(p.seq, []byte(p.data), p.missing, p.at, out.yield)
				}
				if err != nil {
					t.Fatal(err)
				}
			}
			if err := s.Close(0, out.yield); err != nil {
				t.Fatal(err)
			}
			if got := out.String(); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if budget.Left != 1<<20 {
				t.Errorf("the budget has %d bytes left, want all", budget.Left)
			}
		})
	}
}

// TestAnyOrder cuts a text into segments, repeats and shuffles them, and sees it whole again.
func TestAnyOrder(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.SliceOfN(rapid.Byte(), 1, 300).Draw(t, "text")
		start := rapid.Uint32().Draw(t, "start")
		type cut struct{ from, to int }
		var cuts []cut
		for from := 0; from < len(text); {
			to := min(len(text), from+rapid.IntRange(1, 40).Draw(t, "length"))
			cuts = append(cuts, cut{from, to})
			from = to
		}
		for range rapid.IntRange(0, 10).Draw(t, "more") {
			from := rapid.IntRange(0, len(text)-1).Draw(t, "from")
			cuts = append(cuts, cut{from, rapid.IntRange(from, len(text)).Draw(t, "to")})
		}
		budget := Budget{Left: 1 << 20}
		if rapid.Bool().Draw(t, "spill") {
			budget.Spill = &memory{}
		}
		s := NewStream(&budget)
		s.Start(start)
		var out told
		for _, c := range rapid.Permutation(cuts).Draw(t, "order") {
			if err := s.Push(start+uint32(c.from), text[c.from:c.to], 0, 0, out.yield); err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(out.Bytes(), text) || budget.Left != 1<<20 || len(s.waiting) > 0 {
			t.Fatalf("got %q, want %q; %d bytes held", out.Bytes(), text, 1<<20-budget.Left)
		}
	})
}

// TestBounds sees that what waits behind a hole that nobody fills is let go.
func TestBounds(t *testing.T) {
	for name, left := range map[string]int64{"of a stream": 1 << 30, "of all": 64 << 10} {
		t.Run(name, func(t *testing.T) {
			budget := Budget{Left: left}
			s := NewStream(&budget)
			s.Start(0)
			var kinds []Kind
			p := make([]byte, 1000)
			for i := range 10_000 {
				err := s.Push(uint32(1+i*len(p)), p, 0, 0, func(e Event) error {
					kinds = append(kinds, e.Kind)
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
				if s.held > maxWaiting+int64(len(p)) || budget.Left < -int64(len(p)) {
					t.Fatalf("%d bytes held, %d left", s.held, budget.Left)
				}
			}
			if diff := cmp.Diff([]Kind{Gap, Data}, slices.Compact(kinds)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

// memory is a Spill that may be full.
type memory struct {
	bytes.Buffer
	room int // left; 0: any
}

func (m *memory) Keep(p []byte) (int64, error) {
	if m.room--; m.room == 0 {
		m.room++
		return 0, errors.New("full")
	}
	at := int64(m.Len())
	m.Write(p)
	return at, nil
}

func (m *memory) Fetch(at int64, p []byte) error {
	copy(p, m.Bytes()[at:])
	return nil
}

func (m *memory) Clear() { m.Reset() }

// TestSpill sees that what is more than memory may hold waits elsewhere, until the hole
// is filled, or there is no room anywhere.
func TestSpill(t *testing.T) {
	const pieces, size = 10_000, 1000
	for name, c := range map[string]struct {
		left int64
		room int
		want []Kind
	}{
		"more than a stream may hold": {1 << 30, 0, []Kind{Data}},
		"more than all may hold":      {spillBelow, 0, []Kind{Data}},
		"more than there is room":     {1 << 30, 3000, []Kind{Gap, Data}},
	} {
		t.Run(name, func(t *testing.T) {
			spill := &memory{room: c.room}
			budget := Budget{Left: c.left, Spill: spill}
			s := NewStream(&budget)
			s.Start(0)
			var kinds []Kind
			next := 0
			push := func(i int) {
				err := s.Push(uint32(i*size), bytes.Repeat([]byte{byte(i)}, size), 0, 0, func(e Event) error {
					kinds = append(kinds, e.Kind)
					if e.Kind == Gap {
						next++
						return nil
					}
					if e.Data[0] != byte(next) || e.Data[size-1] != byte(next) {
						t.Fatalf("piece %d: got %d", next, e.Data[0])
					}
					next++
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			for i := 1; i < pieces; i++ {
				if push(i); s.held > maxWaiting+size || budget.Left < 0 {
					t.Fatalf("%d bytes are held, %d left", s.held, budget.Left)
				}
			}
			if push(0); next != pieces || spill.Len() != 0 || budget.Left != c.left {
				t.Errorf("got %d pieces, want %d; %d bytes are kept, %d left", next, pieces, spill.Len(), budget.Left)
			}
			if diff := cmp.Diff(c.want, slices.Compact(kinds)); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func FuzzStream(f *testing.F) {
	f.Add([]byte{0, 1, 2, 3, 4, 5, 6, 7, 8, 9})
	f.Fuzz(func(t *testing.T, script []byte) {
		budget := Budget{Left: 1 << 12}
		if len(script) > 9 && script[0] > 9 {
			budget.Spill = &memory{room: int(script[9])}
		}
		s := NewStream(&budget)
		yield := func(e Event) error {
			if e.Kind == Gap && e.Length <= 0 || e.Kind == Data && len(e.Data) == 0 {
				t.Fatalf("an empty event: %+v", e)
			}
			return nil
		}
		at := int64(0)
		for ; len(script) >= 4; script = script[4:] {
			seq := uint32(script[0]) | uint32(script[1])<<28
			at += int64(script[3]) << 20
			var err error
			switch n := int(script[2] & 31); script[2] >> 5 {
			case 0:
				err = s.Acknowledge(seq, at, yield)
			case 1:
				s.Finish(seq)
			case 2:
				err = s.Push(seq, script[:min(n, len(script))], n, at, yield)
			default:
				err = s.Push(seq, script[:min(n, len(script))], 0, at, yield)
			}
			if err != nil {
				t.Fatal(err)
			}
			for i := 1; i < len(s.waiting); i++ {
				if s.waiting[i].at < s.waiting[i-1].stop() {
					t.Fatalf("what waits overlaps: %+v", s.waiting)
				}
			}
		}
		if err := s.Close(at, yield); err != nil || s.held != 0 || budget.Left != 1<<12 {
			t.Fatalf("close: %v, %d bytes held, %d left", err, s.held, budget.Left)
		}
	})
}
