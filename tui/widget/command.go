package widget

// Command is one thing a screen can do, as its part of the program's table of
// bindings.
type Command struct {
	Name string   // "next-tab"; the program puts the screen's name before it
	Keys []string // as the terminal library names them: "j", "ctrl+d", "space"
	Help string   // some words, for help, palette and manual
	Tip  string   // a sentence more, where that is needed
	Hint string   // one word for the footer; "" keeps it out of the footer
}
