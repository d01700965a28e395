package tui

import (
	"context"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"
	uv "github.com/charmbracelet/ultraviolet"
	"github.com/charmbracelet/x/ansi"

	flowpb "weir/proto"
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

// clipHint is what the user may have to do for the clipboard to work.
func (t terminal) clipHint() string {
	if t.tmux {
		return "in tmux this needs: set -s set-clipboard on"
	}
	return ""
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
	return a.copyFlow(a.list.FocusID(), format, what)
}

func (a *App) copyFlow(id uint64, format, what string) tea.Cmd {
	export := a.opts.Exporter
	if export == nil {
		a.say(Info, noExporter, "")
		return nil
	}
	masked := a.masked
	return a.async.Do(func(ctx context.Context) tea.Msg {
		out, err := export.Export(ctx, format, id, masked, maxCopy)
		return copied{what, id, out, err}
	})
}

// clip puts text on the clipboard; what is too long for it goes to a file.
func (a *App) clip(what string, id uint64, text []byte) tea.Cmd {
	if len(text) <= maxCopy {
		return a.copied(copied{what, id, Exported{Text: text}, nil})
	}
	export := a.opts.Exporter
	if export == nil {
		a.say(Warn, "the "+what+" is too large for the clipboard", "")
		return nil
	}
	return a.async.Do(func(ctx context.Context) tea.Msg {
		_, number := flowpb.Placed(id)
		path, err := export.Keep(ctx, "flow-"+strconv.FormatUint(number, 10), text)
		return copied{what, id, Exported{Path: path}, err}
	})
}

// copied puts text on the clipboard, or says in which file it is.
func (a *App) copied(msg copied) tea.Cmd {
	switch {
	case msg.err != nil:
		a.fail("copy the "+msg.what, msg.err, "")
		return nil
	case msg.out.Path != "":
		a.say(Info, "the "+msg.what+" is too large for the clipboard; it is in "+msg.out.Path, "")
		return nil
	}
	a.say(Info, "copied the "+msg.what+" of flow "+flowNumber(msg.id)+", "+widget.Size(int64(len(msg.out.Text)))+" bytes", a.term.clipHint())
	return a.term.clip(string(msg.out.Text))
}
