package dns

import (
	"bytes"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"
)

// drawName draws a name in its presentation form, of labels with any bytes.
func drawName(t *rapid.T) []byte {
	var wire []byte
	for range rapid.IntRange(0, 3).Draw(t, "labels") {
		label := rapid.SliceOfN(rapid.Byte(), 1, 63).Draw(t, "label")
		wire = append(append(wire, byte(len(label))), label...)
	}
	return AppendName(nil, append(wire, 0))
}

func drawRecords(t *rapid.T) (out []Record) {
	for range rapid.IntRange(0, 2).Draw(t, "records") {
		out = append(out, Record{
			Name: drawName(t), Type: 1000 + rapid.Uint16Max(99).Draw(t, "type"), Class: rapid.Uint16().Draw(t, "class"),
			TTL: rapid.Uint32().Draw(t, "ttl"), Data: rapid.SliceOfN(rapid.Byte(), 0, 20).Draw(t, "data"),
		})
	}
	return out
}

// What is appended is parsed as it was.
func TestAppendParse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		b := rapid.Bool()
		want := &Message{
			ID: rapid.Uint16().Draw(t, "id"), Response: b.Draw(t, "response"), OpCode: rapid.Uint8Max(15).Draw(t, "opcode"),
			Authoritative: b.Draw(t, "aa"), Truncated: b.Draw(t, "tc"), RecursionDesired: b.Draw(t, "rd"), RecursionAvailable: b.Draw(t, "ra"),
			Reserved: rapid.Uint8Max(7).Draw(t, "z"), Code: rapid.Uint16Max(15).Draw(t, "code"),
			Answers: drawRecords(t), Authorities: drawRecords(t), Additionals: drawRecords(t),
		}
		for range rapid.IntRange(0, 2).Draw(t, "questions") {
			want.Questions = append(want.Questions, Question{Name: drawName(t), Type: rapid.Uint16().Draw(t, "type"), Class: rapid.Uint16().Draw(t, "class")})
		}
		wire, err := Append(nil, want)
		if err != nil {
			t.Fatal(err)
		}
		got, err := Parse(wire)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
			t.Fatalf("(-want +got):\n%s", diff)
		}
	})
}

func TestAppendRefuses(t *testing.T) {
	label := bytes.Repeat([]byte("x"), 63)
	for name, m := range map[string]*Message{
		"an empty label": {Questions: []Question{{Name: []byte("a..b")}}},
		"a long label":   {Questions: []Question{{Name: append(label[:63:63], 'x')}}},
		"a long name":    {Questions: []Question{{Name: bytes.Join([][]byte{label, label, label, label}, []byte("."))}}},
		"long data":      {Answers: []Record{{Name: []byte("."), Data: make([]byte, 1<<16)}}},
		"too much":       {Answers: []Record{{Name: []byte("."), Data: make([]byte, 60000)}, {Name: []byte("."), Data: make([]byte, 60000)}}},
	} {
		if p, err := Append(nil, m); err == nil {
			t.Errorf("%s: got % .20x", name, p)
		}
	}
}
