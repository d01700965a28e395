package contain

import (
	"errors"
	"io"
	"strings"
	"sync"
	"testing"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// parse panics as a parser that believes a length does.
func parse(p []byte) byte { return p[len(p)+2] }

func TestCall(t *testing.T) {
	caught := func(p *PanicError) error { return p }
	tests := map[string]struct {
		call  func() error
		want  string
		place string
		is    error
	}{
		"returns":         {call: func() error { return nil }},
		"fails":           {call: func() error { return io.EOF }, want: "EOF", is: io.EOF},
		"runtime":         {call: func() error { parse([]byte("abc")); return nil }, want: "index out of range [5] with length 3 in ", place: "contain.parse"},
		"value":           {call: func() error { panic("impossible") }, want: "impossible in contain.TestCall"},
		"long value":      {call: func() error { panic(strings.Repeat("x", 1000)) }, want: strings.Repeat("x", 200) + "… in contain.TestCall"},
		"while unwinding": {call: func() error { defer parse(nil); panic("first") }, want: "index out of range [2] with length 0", place: "contain.parse"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			err := Call(tt.call, caught)
			if got := errorText(err); !strings.HasPrefix(got, tt.want) || tt.want == "" && err != nil {
				t.Errorf("got %q, want it to begin with %q", got, tt.want)
			}
			if tt.is != nil && !errors.Is(err, tt.is) {
				t.Errorf("got %v, want it to be %v", err, tt.is)
			}
			p, ok := errors.AsType[*PanicError](err)
			if tt.place != "" && (!ok || p.Place != tt.place || !strings.Contains(string(p.Stack), tt.place+"(")) {
				t.Errorf("got %+v, want the place %s in the stack", p, tt.place)
			}
		})
	}
}

func TestGo(t *testing.T) {
	var wg sync.WaitGroup
	caught := make(chan *PanicError, 1)
	Go(&wg, func() { parse(nil) }, func(p *PanicError) { caught <- p })
	Go(&wg, func() {}, func(p *PanicError) { t.Errorf("got %v of a goroutine that returns", p) })
	wg.Wait()
	if p := <-caught; p.Place != "contain.parse" {
		t.Errorf("got the place %q, want contain.parse", p.Place)
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}
