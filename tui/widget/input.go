package widget

import (
	"strings"
	"unicode/utf8"

	"charm.land/bubbles/v2/key"
	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"
	"charm.land/lipgloss/v2"

	"weir/tui/theme"
)

// maxInput bounds a line of input, in characters; what is pasted beyond is lost.
const maxInput = 4096

// Input is one line of text that the user edits, with a history. The terminal's
// own cursor shows where the next character goes, so that nothing blinks over a
// slow link. The zero value is not usable; see NewInput.
type Input struct {
	edit    textinput.Model
	history []string // oldest first
	at      int      // the entry shown; len(history) is the draft
	draft   string
}

// NewInput returns an empty line that takes keys and pastes.
func NewInput() Input {
	edit := textinput.New()
	edit.SetVirtualCursor(false)
	edit.Prompt = ""
	edit.CharLimit = maxInput
	// Keys that would read a clipboard of this machine, which over SSH is not
	// the user's, or that belong to completion and history here.
	edit.KeyMap.Paste = key.NewBinding()
	edit.KeyMap.AcceptSuggestion = key.NewBinding()
	edit.KeyMap.NextSuggestion = key.NewBinding()
	edit.KeyMap.PrevSuggestion = key.NewBinding()
	edit.Focus()
	return Input{edit: edit}
}

// Update takes a key or a paste and reports whether the text changed.
func (in *Input) Update(msg tea.Msg) (changed bool) {
	before := in.edit.Value()
	in.edit, _ = in.edit.Update(msg)
	return in.edit.Value() != before
}

// Walk goes to an older entry of the history, for a step of -1, or to a newer one,
// for 1, and reports whether there is one that differs from the text. The text
// that was typed stands below the newest entry and is found there again.
func (in *Input) Walk(step int) bool {
	now := in.edit.Value()
	if in.at == len(in.history) {
		in.draft = now
	}
	for to := in.at + step; to >= 0 && to <= len(in.history); to += step {
		text := in.draft
		if to < len(in.history) {
			text = in.history[to]
		}
		if text != now {
			in.at = to
			in.put(text)
			return true
		}
	}
	return false
}

func (in *Input) put(s string) {
	in.edit.SetValue(s)
	in.edit.CursorEnd()
}

// Value is the text.
func (in *Input) Value() string { return in.edit.Value() }

// SetValue replaces the text, puts the cursor at its end and leaves the history.
func (in *Input) SetValue(s string) {
	in.at = len(in.history)
	in.put(s)
}

// SetHistory says what up and down walk through, oldest first.
func (in *Input) SetHistory(entries []string) {
	in.history = entries
	in.at = len(entries)
}

// Offset is the cursor's place in Value, in bytes.
func (in *Input) Offset() int {
	return len(string([]rune(in.edit.Value())[:in.edit.Position()]))
}

// Replace puts text in the place of Value's bytes from start to end, and the
// cursor behind it.
func (in *Input) Replace(start, end int, text string) {
	v := in.edit.Value()
	in.edit.SetValue(v[:start] + text + v[end:])
	in.edit.SetCursor(utf8.RuneCountInString(v[:start] + text))
}

// View draws the text in w cells, scrolled so that the cursor is in sight, with
// Value's bytes from wrongFrom to wrongTo (none where both are 0) as wrong. It
// also says in which cell the cursor stands.
func (in *Input) View(w int, t *theme.Theme, wrongFrom, wrongTo int) (view string, cursor int) {
	if w <= 0 {
		return "", 0
	}
	v := in.Value()
	cursor = Width(Sanitize(v[:in.Offset()]))
	shown := mark(v, wrongFrom, wrongTo, t.Input, t.Wrong)
	if skip := cursor - (w - 1); skip > 0 {
		shown = from(shown, skip)
		cursor = w - 1
	}
	return Truncate(shown, w, ""), cursor
}

// mark styles text, with its bytes from start to end in another style. Where
// they lie behind the end of the text, a blank there stands for what is missing.
func mark(text string, start, end int, style, other lipgloss.Style) string {
	if start == 0 && end == 0 {
		return style.Render(Sanitize(text))
	}
	start = min(max(start, 0), len(text))
	end = min(max(end, start), len(text))
	wrong := Sanitize(text[start:end])
	if wrong == "" && start == len(text) {
		wrong = " "
	} else if wrong == "" {
		_, n := utf8.DecodeRuneInString(text[start:])
		end = start + n
		wrong = Sanitize(text[start:end])
	}
	var b strings.Builder
	if start > 0 {
		b.WriteString(style.Render(Sanitize(text[:start])))
	}
	b.WriteString(other.Render(wrong))
	if end < len(text) {
		b.WriteString(style.Render(Sanitize(text[end:])))
	}
	return b.String()
}

// Remember returns a history of at most limit entries with entry as its newest;
// an older entry of the same text goes, and so does an empty one.
func Remember(history []string, entry string, limit int) []string {
	if strings.TrimSpace(entry) == "" {
		return history
	}
	out := make([]string, 0, len(history)+1)
	for _, h := range history {
		if h != entry {
			out = append(out, h)
		}
	}
	out = append(out, entry)
	return out[max(0, len(out)-limit):]
}
