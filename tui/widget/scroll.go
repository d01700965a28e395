package widget

// ScrollCommands returns the commands of a screen that only scrolls.
func ScrollCommands() []Command {
	return []Command{
		{Name: "down", Keys: []string{"j", "down"}, Help: "one line down"},
		{Name: "up", Keys: []string{"k", "up"}, Help: "one line up"},
		{Name: "page-down", Keys: []string{"space", "ctrl+f", "pgdown"}, Help: "one page down", Hint: "page"},
		{Name: "page-up", Keys: []string{"ctrl+b", "pgup"}, Help: "one page up"},
		{Name: "half-down", Keys: []string{"ctrl+d"}, Help: "half a page down"},
		{Name: "half-up", Keys: []string{"ctrl+u"}, Help: "half a page up"},
		{Name: "top", Keys: []string{"g", "home"}, Help: "first line"},
		{Name: "bottom", Keys: []string{"G", "end"}, Help: "last line"},
	}
}

// ScrollBy is how many lines one of ScrollCommands moves, down for a positive
// number, with pages of page lines in a text of n; 0 for an unknown name.
func ScrollBy(name string, page, n int) int {
	switch name {
	case "down":
		return 1
	case "up":
		return -1
	case "page-down":
		return page
	case "page-up":
		return -page
	case "half-down":
		return max(1, page/2)
	case "half-up":
		return -max(1, page/2)
	case "top":
		return -n
	case "bottom":
		return n
	default:
		return 0
	}
}
