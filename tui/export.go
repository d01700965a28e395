package tui

import (
	"context"
	"strconv"
	"strings"

	tea "charm.land/bubbletea/v2"

	"weir/proto/export"
	"weir/tui/widget"
)

// exported is what became of an export into a file.
type exported struct {
	format, path string
	saved        Saved
	err          error
}

// export writes flows to a file: "FORMAT FILE", of the marked flows where those are
// named. Without a format it offers them, and then asks for the file.
func (a *App) export(arg string) tea.Cmd {
	rest, marked := cutMarked(arg)
	if !marked {
		rest = strings.TrimSpace(arg)
	}
	targets, of := a.targets, a.target()
	if marked {
		targets, of = a.marked, "the marked flows"
	}
	name, path, _ := strings.Cut(rest, " ")
	if name == "" {
		return a.openExportMenu(of, targets)
	}
	f, ok := export.Find(name)
	if !ok {
		a.say(Error, "export: "+strconv.Quote(name)+" is no format", "tab completes")
		return nil
	}
	return a.exportAs(f, strings.TrimSpace(path), of, targets)
}

// openExportMenu offers the formats.
func (a *App) openExportMenu(of string, targets func() pick) tea.Cmd {
	var items []widget.Item
	for _, f := range export.Formats() {
		items = append(items, widget.Item{Key: f.Key, Name: f.Name, Text: f.Name})
	}
	a.menu = &openMenu{Menu: widget.NewMenu("export "+of+" as", items, ""), choose: func(a *App, name string) tea.Cmd {
		f, _ := export.Find(name)
		return a.exportAs(f, "", of, targets)
	}}
	return nil
}

// exportAs writes the file, or asks for its name first.
func (a *App) exportAs(f export.Format, path, of string, targets func() pick) tea.Cmd {
	if path == "" {
		a.ask("write "+of+" as "+f.Name+" to", "export", "flows"+f.Suffix, func(a *App, text string) tea.Cmd {
			if text = strings.TrimSpace(text); text == "" {
				return nil
			}
			return a.exportAs(f, text, of, targets)
		})
		return nil
	}
	save, find, masked := a.opts.Exporter, targets(), a.masked
	return a.start("writing "+path, func(ctx context.Context) tea.Msg {
		found, err := find(ctx)
		if err != nil {
			return exported{err: err}
		}
		saved, err := save.Save(ctx, f.Name, path, found.ids, masked)
		return exported{f.Name, path, saved, err}
	})
}

// saveBody writes the body of the focused flow to a file, or asks for its name first.
func (a *App) saveBody(path string) tea.Cmd { return a.saveBodyOf(a.list.FocusID(), path) }

func (a *App) saveBodyOf(id uint64, path string) tea.Cmd {
	if path = strings.TrimSpace(path); path == "" {
		a.ask("write the body of flow "+flowNumber(id)+" to", "save-body", "body", func(a *App, text string) tea.Cmd {
			if strings.TrimSpace(text) == "" {
				return nil
			}
			return a.saveBodyOf(id, text)
		})
		return nil
	}
	save := a.opts.Exporter
	return a.start("writing "+path, func(ctx context.Context) tea.Msg {
		saved, err := save.Save(ctx, "body", path, []uint64{id}, false)
		return exported{"body", path, saved, err}
	})
}

func (a *App) exported(msg exported) tea.Cmd {
	a.endJob()
	if msg.err != nil {
		if !isCancelled(msg.err) {
			a.fail("export", msg.err, "nothing was written")
		}
		return nil
	}
	said := flowCount(uint64(msg.saved.Flows)) + " as " + msg.format + " in " + msg.path
	if msg.format == "body" {
		said = "the body is in " + msg.path
	}
	hint := ""
	if n := msg.saved.Left; n > 0 {
		hint = flowCount(uint64(n)) + " left out, which the format has no form for"
	}
	a.say(Info, said, hint)
	return nil
}

// exportValues are what may stand behind the command's name.
func exportValues(*App) (out []string) {
	for _, f := range export.Formats() {
		out = append(out, f.Name)
	}
	return append(out, markedFlows)
}
