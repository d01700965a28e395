package tui

import (
	"context"
	"io"
	"time"
)

// Options says how the interface looks and what it starts with. The zero value
// works on the process's own terminal.
type Options struct {
	Theme   string // one of theme.Names; "" follows the terminal
	ASCII   bool   // glyphs from ASCII only
	NoColor bool   // attributes only; the environment's NO_COLOR is obeyed without it
	Mouse   bool   // start with the mouse on; F2 toggles it

	Filter   string         // start with this filter; "" takes the session's last one
	Zone     *time.Location // of times of day; nil: the machine's
	Exporter Exporter       // makes what is copied; nil: copying is off, with that reason
	Proxy    Proxy          // the capture's; nil: there is none to change
	Library  Library        // other sessions; nil: the sessions screen is off

	In  io.Reader // nil: the terminal
	Out io.Writer // nil: standard output
	Env []string  // nil: the process's environment
}

// Exporter makes text of flows, for the clipboard and for files.
type Exporter interface {
	// Export writes the flow in a format of package export, or as "url", "body" (of the
	// response, else of the request) or "headers"; masked leaves out credentials. A result of more than limit bytes is written to
	// a file instead, of which Path tells.
	Export(ctx context.Context, format string, id uint64, masked bool, limit int) (Exported, error)
	// Keep writes text that is too long for the clipboard to a file of a name like
	// the one given, and returns its path.
	Keep(ctx context.Context, name string, text []byte) (path string, err error)
	// Save writes flows in a format of package export, or the "body" of one, to the file at
	// path, which appears whole or not at all.
	Save(ctx context.Context, format, path string, ids []uint64, masked bool) (Saved, error)
}

// Saved is what is in a file that was written.
type Saved struct {
	Flows int
	Left  int // flows that the format has no form for
}

// Exported is one flow as text, or where that text is.
type Exported struct {
	Text []byte
	Path string // "" if Text is all of it
}
