package main

import (
	"context"
	"path/filepath"
	"strings"

	flowpb "weir/proto"
	"weir/store"
)

// agentSink records flows with a word on what captured them, which ~agent finds.
type agentSink struct {
	*store.Writer
	agent []byte
}

// Flow implements proxy.Sink and packet.Sink. A flow that knows what captured it keeps that.
func (s agentSink) Flow(ctx context.Context, f *flowpb.Flow) error {
	if len(f.GetAgent()) == 0 {
		f.Agent = s.agent
	}
	return s.Writer.Flow(ctx, f)
}

// Whole records a flow that is new with parts of its bodies, likewise.
func (s agentSink) Whole(ctx context.Context, f *flowpb.Flow, parts ...store.Part) error {
	if len(f.GetAgent()) == 0 {
		f.Agent = s.agent
	}
	return s.Writer.Whole(ctx, f, parts...)
}

// agentWords are what is said of a capture: its kind, what it captures from, and the
// name that its user gave it, as far as there are any.
func agentWords(kind, from, name string) []byte {
	var words []string
	for _, w := range []string{kind, from, name} {
		if w != "" {
			words = append(words, w)
		}
	}
	return []byte(strings.Join(words, " "))
}

// importName is what is said of the file that flows were imported from.
func importName(file string) string {
	if file == "-" {
		return ""
	}
	return filepath.Base(file)
}

const agentHelp = "add NAME, such as this machine's, to what is said of who captured a flow, which ~agent finds"
