package tui

import flowpb "weir/proto"

// noExporter is the reason why nothing can be copied.
const noExporter = "this session cannot be copied from"

// The reasons why a command is off. Each returns "" if it can run.

func noLibrary(a *App) string {
	if a.opts.Library == nil {
		return "no other sessions can be opened from here"
	}
	return ""
}

func noFocus(a *App) string {
	if a.list.Focus() == nil {
		return "no flow has the focus"
	}
	return ""
}

func noList(a *App) string {
	if a.listing == nil {
		return "the list is not open yet"
	}
	return ""
}

func noFilter(a *App) string {
	if a.bar.Expr() == "" {
		return "there is no filter"
	}
	return ""
}

func noCell(a *App) string {
	_, reason := a.list.CellFilter()
	return reason
}

func noWrite(a *App) string {
	if a.stats.Mode == ReadOnly {
		return "read-only session"
	}
	return ""
}

func noNote(a *App) string {
	if reason := noWrite(a); reason != "" {
		return reason
	}
	return noFocus(a)
}

func noEarlierView(a *App) string {
	if !a.history.beside(-1) {
		return "there is no view before this one"
	}
	return ""
}

func noLaterView(a *App) string {
	if !a.history.beside(1) {
		return "there is no view after this one"
	}
	return ""
}

func noFlows(a *App) string {
	if reason := noWrite(a); reason != "" {
		return reason
	}
	if a.total() == 0 {
		return "no flows in this session"
	}
	return ""
}

func noHidden(a *App) string {
	switch reason := noFlows(a); {
	case reason != "":
		return reason
	case a.loading || a.status.Building:
		return "what is shown is still being found"
	case a.hidden() == 0:
		return "all flows are shown"
	}
	return ""
}

func noPane(a *App) string {
	if !a.panes.open {
		return "one pane is open; enter opens the detail"
	}
	return ""
}

func noSplit(a *App) string {
	switch {
	case !a.panes.open:
		return noPane(a)
	case a.panes.alone():
		return "the pane has the whole screen; - or \\ gives the other some"
	}
	return ""
}

func noExport(a *App) string {
	if reason := noFocus(a); reason != "" {
		return reason
	}
	if a.opts.Exporter == nil {
		return noExporter
	}
	return ""
}

func noRequest(a *App) string {
	if reason := noExport(a); reason != "" {
		return reason
	}
	if k := a.list.Focus().Kind; k != flowpb.KindHTTP {
		return "not an HTTP flow"
	}
	return ""
}

func noURL(a *App) string {
	if reason := noExport(a); reason != "" {
		return reason
	}
	if a.list.Focus().URL() == "" {
		return "this flow has no URL"
	}
	return ""
}

func noBody(a *App) string {
	if reason := noExport(a); reason != "" {
		return reason
	}
	row := a.list.Focus()
	switch {
	case row.ResponseSize >= 0 || row.RequestSize >= 0:
		return ""
	case row.Kind == flowpb.KindHTTP && row.Flags&flowpb.FlagResponse == 0 && row.State != flowpb.StateComplete && row.State != flowpb.StateError:
		return "no response yet"
	default:
		return "this flow has no body"
	}
}
