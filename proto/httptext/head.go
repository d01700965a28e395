package httptext

import (
	"bytes"
	"fmt"

	flowpb "weir/proto"
)

// Request is the head of a request, its closing line included.
func Request(q *flowpb.Request) []byte {
	line := q.GetStartLine()
	if line == nil {
		line = bytes.Join([][]byte{q.GetMethod(), q.GetTarget(), q.GetVersion()}, []byte(" "))
	}
	return head(line, q.GetHeaders())
}

// Response is the head of a response, its closing line included.
func Response(p *flowpb.Response) []byte {
	line := p.GetStartLine()
	if line == nil {
		line = fmt.Appendf(nil, "%s %03d %s", p.GetVersion(), p.GetStatus(), p.GetReason())
	}
	return head(line, p.GetHeaders())
}

func head(line []byte, fields []*flowpb.Field) []byte {
	out := append(bytes.Clone(line), "\r\n"...)
	return append(AppendFields(out, fields), "\r\n"...)
}

// AppendFields appends a line for each field, as it was received.
func AppendFields(dst []byte, fields []*flowpb.Field) []byte {
	for _, f := range fields {
		if raw := f.GetRaw(); raw != nil {
			dst = append(dst, raw...)
			continue
		}
		dst = fmt.Appendf(dst, "%s: %s\r\n", f.GetName(), f.GetValue())
	}
	return dst
}
