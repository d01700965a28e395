package resend

import (
	"fmt"
	"io"

	flowpb "weir/proto"
)

// Tool is a way to send a request again.
type Tool struct {
	// Write makes the text of one request; what is returned as an error is why there
	// is none.
	Write func(*Request) (string, error)
	// most is how many bytes of a body there is room for.
	most int64
	// begin and end are around all requests, between is between two.
	begin, between, end string
}

// ByCurl is a command of curl a line.
func ByCurl() Tool { return Tool{Write: line(Curl), most: MaxBody} }

// ByHTTPie is a command of HTTPie a line.
func ByHTTPie() Tool { return Tool{Write: line(HTTPie), most: MaxBody} }

// ByPython is a program in Python.
func ByPython() Tool { return Tool{Write: Python, most: maxProgramBody, between: "\n"} }

// ByGo is a program in Go.
func ByGo() Tool { return Tool{Write: Go, most: maxProgramBody, begin: goHead, end: goTail} }

// ByFetch is a module in JavaScript.
func ByFetch() Tool { return Tool{Write: Fetch, most: maxProgramBody} }

// ByPowerShell is a script of PowerShell.
func ByPowerShell() Tool { return Tool{Write: PowerShell, most: maxProgramBody} }

// line is a command as a line.
func line(write func(*Request) (string, error)) func(*Request) (string, error) {
	return func(r *Request) (string, error) {
		s, err := write(r)
		return s + "\n", err
	}
}

// Writer writes the requests of flows as one command a line, or as one program.
type Writer struct {
	w     io.Writer
	tool  Tool
	begun bool
}

// NewWriter returns a Writer; nothing is written before the first flow.
func NewWriter(w io.Writer, tool Tool) *Writer { return &Writer{w: w, tool: tool} }

// Write adds the request of a flow. The error is [flowpb.ErrNoForm], a
// [flowpb.UnfitError], or that of reading or writing.
func (p *Writer) Write(f *flowpb.Whole) error {
	r, err := of(f, p.tool.most)
	if err != nil {
		return err
	}
	text, err := p.tool.Write(r)
	if err != nil {
		return &flowpb.UnfitError{Err: fmt.Errorf("flow %d: %w", f.Flow.GetId(), err)}
	}
	before := p.tool.between
	if !p.begun {
		before, p.begun = p.tool.begin, true
	}
	_, err = io.WriteString(p.w, before+text)
	return err
}

// Close ends the program.
func (p *Writer) Close() error {
	if !p.begun {
		return nil
	}
	_, err := io.WriteString(p.w, p.tool.end)
	return err
}
