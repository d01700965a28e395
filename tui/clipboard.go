package tui

import (
	"context"
	"strings"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"

	"weir/tui/widget"
)

// maxCopy is the most bytes that go to the clipboard. Terminals take OSC 52
// sequences of up to 100 000 bytes, and base64 makes 74 KB of text that.
const maxCopy = 74_000

// terminal is what the environment says about the terminal.
type terminal struct {
	tmux, screen bool
}

// meet takes the environment. Over SSH the terminal library does not ask whether
// the terminal draws frames as a whole (mode 2026) or measures by grapheme
// cluster (mode 2027), though it takes the answers; so we ask.
func (a *App) meet(env tea.EnvMsg) tea.Cmd {
	environ := uv.Environ(env)
	_, a.term.tmux = environ.LookupEnv("TMUX")
	_, sty := environ.LookupEnv("STY")
	a.term.screen = sty || !a.term.tmux && strings.HasPrefix(environ.Getenv("TERM"), "screen")
	if _, ssh := environ.LookupEnv("SSH_TTY"); ssh {
		return tea.Raw(ansi.RequestModeSynchronizedOutput + ansi.RequestModeUnicodeCore)
	}
	return nil
}

// clip is the command that puts text on the user's own clipboard, through the
// multiplexer between. tmux takes the sequence itself or passes it on, depending
// on its settings; it gets both forms.
func (t terminal) clip(text string) tea.Cmd {
	seq := ansi.SetSystemClipboard(text)
	switch {
	case t.tmux:
		return tea.Raw(seq + ansi.TmuxPassthrough(seq))
	case t.screen:
		const chunk = 768 - 4 // screen's limit of a string, less its own frame
		return tea.Raw(ansi.ScreenPassthrough(seq, chunk))
	default:
		return tea.SetClipboard(text)
	}
}

// copied is text made for the clipboard.
type copied struct {
	what string
	id   uint64
	out  Exported
	err  error
}

// copy makes text of the focused flow and puts it on the clipboard.
func (a *App) copy(format, what string) tea.Cmd {
	export, id := a.opts.Exporter, a.list.FocusID()
	if a.view == ViewDetail {
		id = a.detail.id
	}
	return a.async.Do(func(ctx context.Context) tea.Msg {
		out, err := export.Export(ctx, format, id, maxCopy)
		return copied{what, id, out, err}
	})
}

func (a *App) copied(msg copied) tea.Cmd {
	if msg.err != nil {
		a.fail("copy the "+msg.what, msg.err, "")
		return nil
	}
	if msg.out.Path != "" {
		a.say(Info, "the "+msg.what+" is too large for the clipboard; it is in "+msg.out.Path, "")
		return nil
	}
	return a.clip(msg.what+" of flow "+flowNumber(msg.id), msg.out.Text)
}

// clip puts text on the clipboard and says what it was.
func (a *App) clip(what string, text []byte) tea.Cmd {
	if len(text) > maxCopy {
		a.say(Warn, "the "+what+" is too large for the clipboard", "yb writes the body to a file")
		return nil
	}
	a.say(Info, "copied the "+what+", "+widget.Size(int64(len(text)))+" bytes", "")
	return a.term.clip(string(text))
}
