package tui

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"charm.land/lipgloss/v2"

	"weir/tui/widget"
)

// segment is one part of the top bar. Where the bar is too long, the parts with
// the highest drop go first; those with 0 never do.
type segment struct {
	text string
	drop int
}

// topBar is the session, what it is doing, and how that goes.
func (a *App) topBar() string {
	t, s := a.theme, a.stats
	if !a.told {
		return widget.Pad(" "+t.Title.Render("weir")+"  "+t.Dim.Render("opening"+t.Glyphs.Ellipsis), a.w, "")
	}
	left := []segment{
		{" " + t.Title.Render("weir"), 7},
		{" " + t.Text.Render(widget.Truncate(widget.Sanitize(s.Session), max(12, a.w/4), t.Glyphs.Ellipsis)), 0},
		{a.mode(), 0},
	}
	if a.capturingBehind() {
		left = append(left, segment{t.Live.Render(t.Glyphs.Live+" capturing") + t.Dim.Render(" q goes back"), 1})
	}
	if a.masked {
		left = append(left, segment{t.Warn.Render("MASKED"), 0})
	}
	if from := slices.Concat(s.Listen, s.Sniffing); s.Mode == Live && len(from) > 0 {
		listen := widget.Sanitize(from[0])
		if more := len(from) - 1; more > 0 {
			listen += " +" + strconv.Itoa(more)
		}
		left = append(left, segment{t.Text.Render(listen), 2})
	}
	right := []segment{{a.counts(), 0}}
	if s.Mode == Live {
		right = append(right, segment{widget.Count(uint64(max(0, s.PerSecond))) + t.Dim.Render("/s"), 3},
			segment{t.Dim.Render("queue ") + widget.Size(s.QueueBytes), 5})
	}
	if s.Trouble != "" {
		right = append(right, segment{t.Error.Render(widget.Sanitize(s.Trouble)), 0})
	}
	if s.Dropped > 0 {
		right = append(right, segment{t.Dim.Render("dropped ") + widget.Count(s.Dropped), 4})
	}
	if s.PacketsLost > 0 {
		right = append(right, segment{t.Error.Render("LOST " + widget.Count(s.PacketsLost) + " packets"), 0})
	} else if len(s.Sniffing) > 0 {
		right = append(right, segment{t.Dim.Render("lost ") + "0", 4})
	}
	if s.Lost > 0 {
		right = append(right, segment{t.Error.Render("LOST " + widget.Group(s.Lost)), 0})
	}
	right = append(right, segment{t.Dim.Render("RSS ") + widget.Size(int64(min(s.RSS, 1<<62))), 6})
	return fitBar(left, right, a.w, t.Glyphs.Ellipsis)
}

// mode is what can be done with the session, by colour and by word.
func (a *App) mode() string {
	t := a.theme
	styles := map[Mode]lipgloss.Style{Live: t.Live, Offline: t.Offline, ReadOnly: t.ReadOnly}
	words := map[Mode]string{Live: t.Glyphs.Live + " LIVE", Offline: "OFFLINE", ReadOnly: "READ-ONLY"}
	return styles[a.stats.Mode].Render(words[a.stats.Mode])
}

// counts is the flows shown and the flows there are.
func (a *App) counts() string {
	total := a.total()
	if uint64(a.list.Len()) == total {
		return widget.Group(total) + a.theme.Dim.Render(" flows")
	}
	return widget.Group(uint64(a.list.Len())) + a.theme.Dim.Render(" / ") + widget.Group(total)
}

// fitBar joins segments at both ends of a line, without those that do not fit.
func fitBar(left, right []segment, w int, tail string) string {
	for drop := 9; ; drop-- {
		l, r := joinSegments(left, drop, " "), joinSegments(right, drop, "  ")
		if drop == 0 || widget.Width(l)+2+widget.Width(r)+1 <= w {
			return widget.Spread(widget.Truncate(l, w-widget.Width(r)-2, tail), r+" ", w, tail)
		}
	}
}

// joinSegments joins the segments whose drop is not above a limit.
func joinSegments(segments []segment, limit int, sep string) string {
	var parts []string
	for _, s := range segments {
		if s.drop <= limit {
			parts = append(parts, s.text)
		}
	}
	return strings.Join(parts, sep)
}

// filterTags is what narrows or orders the list beside the filter.
func (a *App) filterTags() []string {
	var tags []string
	if a.order.MarkedOnly {
		tags = append(tags, a.theme.Glyphs.Mark+" marked only")
	}
	if a.order.Key != "id" || a.order.Reverse {
		arrow := a.theme.Glyphs.Up
		if a.order.Reverse {
			arrow = a.theme.Glyphs.Down
		}
		tags = append(tags, "by "+a.order.Key+" "+arrow)
	}
	return tags
}

// statusLine is the line being typed, else the news, else what there is to say
// about the focused flow.
func (a *App) statusLine() string {
	if a.view == ViewLine && a.line != nil {
		text, _ := a.lineView()
		return text
	}
	t := a.theme
	if m := a.message; m.text != "" {
		text := " " + a.levelStyle(m.level).Render(widget.Sanitize(m.text))
		if m.hint != "" {
			text += t.Dim.Render("  " + widget.Sanitize(m.hint))
		}
		return widget.Pad(text, a.w, t.Glyphs.Ellipsis)
	}
	if a.job != nil && a.job.shown {
		return widget.Pad(" "+t.Warn.Render(a.job.what+t.Glyphs.Ellipsis)+t.Dim.Render("  esc gives it up"), a.w, t.Glyphs.Ellipsis)
	}
	if first, last, ok := a.list.Range(); ok {
		n := widget.Group(uint64(last - first + 1))
		return widget.Pad(" "+t.Mark.Render(n+" flows selected")+t.Dim.Render("  m mark, ; comment, t tags, d delete, esc forgets the range"), a.w, t.Glyphs.Ellipsis)
	}
	return widget.Spread(" "+a.aboutFocus(), a.day(), a.w, t.Glyphs.Ellipsis)
}

func (a *App) levelStyle(l Level) lipgloss.Style {
	switch l {
	case Error:
		return a.theme.Error
	case Warn:
		return a.theme.Warn
	default:
		return a.theme.Text
	}
}

// aboutFocus is why the flow failed, its tags and its comment.
func (a *App) aboutFocus() string {
	t, row := a.theme, a.list.Focus()
	if row == nil {
		return ""
	}
	parts := []string{t.Dim.Render(flowNumber(row.ID))}
	if a.stats.Sessions > 0 {
		parts[0] += t.Dim.Render(" of ") + t.Text.Render(widget.Sanitize(row.Session))
	}
	if row.Error != "" {
		parts = append(parts, t.Error.Render(t.Glyphs.Wrong+" "+widget.Sanitize(row.Error)))
	} else if row.Reason != "" && row.Status >= 400 {
		parts = append(parts, t.Status(row.Status).Render(strconv.FormatUint(uint64(row.Status), 10)+" "+widget.Sanitize(row.Reason)))
	}
	if len(row.Tags) > 0 {
		parts = append(parts, t.Dim.Render("tags ")+t.Mark.Render(widget.Sanitize(strings.Join(row.Tags, ", "))))
	}
	if row.Comment != "" {
		parts = append(parts, t.Dim.Render("note ")+t.Mark.Render(widget.Sanitize(row.Comment)))
	}
	return strings.Join(parts, "  ")
}

// day is when the focused flow started, with the day: rows have room for the time
// alone, and what is imported or was captured overnight is of more than one.
func (a *App) day() string {
	row := a.list.Focus()
	if row == nil || row.Started == 0 {
		return ""
	}
	return a.theme.Dim.Render(time.Unix(0, row.Started).In(a.zone).Format(time.DateTime)) + " "
}

// lineView is the line that is being typed in, and where the cursor stands.
func (a *App) lineView() (text string, cursor int) {
	t, l := a.theme, a.line
	if l == nil {
		return "", 0
	}
	head := " " + t.Key.Render(widget.Sanitize(l.label)) + " "
	if !l.command {
		head = " " + t.Title.Render(widget.Sanitize(l.label)) + " " + t.Key.Render(t.Glyphs.Prompt) + " "
	}
	head = widget.Truncate(head, max(0, a.w-12), t.Glyphs.Ellipsis)
	room := max(1, a.w-widget.Width(head)-1)
	typed, at := l.input.View(room, t, 0, 0)
	line := head + widget.Spread(typed, t.Dim.Render(a.lineHint(l))+" ", room+1, "")
	return widget.Truncate(line, a.w, ""), widget.Width(head) + at
}

// footer is the keys of the view that has them on the left, and those that work
// everywhere on the right.
func (a *App) footer() string {
	own, all := a.hints()
	right := a.hintLine(all, a.w/2)
	left := a.hintLine(own, a.w-widget.Width(right)-2)
	return widget.Spread(left, right+" ", a.w, "")
}

// hintLine is as many hints as fit in w cells.
func (a *App) hintLine(hints []hint, w int) string {
	line := ""
	for _, h := range hints {
		part := " " + a.theme.Key.Render(h.key) + " " + a.theme.Dim.Render(h.text) + " "
		if widget.Width(line)+widget.Width(part) > w {
			break
		}
		line += part
	}
	return line
}
