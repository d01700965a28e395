package theme

// Glyphs is every sign the interface draws that is not a letter or digit, each
// one cell wide.
type Glyphs struct {
	Focus    string // before the row that has the focus
	Select   string // before the other rows of a range
	Mark     string // a marked flow
	Comment  string // a flow with a comment or tags but no mark
	Replay   string // a flow weir sent again
	Live     string // before the word LIVE
	Prompt   string // after the name of an input
	Up, Down string // sort orders; more above, more below
	Ellipsis string // where text was cut
	Good     string // done, in order
	Wrong    string // failed
	Pending  string // not here yet
	Sep      string // between hints
	Out, In  string // from the client; from the server
	Left     string // around the tab that is shown
	Right    string

	H, V                string    // rules
	TeeDown, TeeUp      string    // where a column rule leaves a horizontal one
	Corner              [4]string // top left, top right, bottom left, bottom right
	ScrollOn, ScrollOff string    // a scroll bar's thumb and track
}

var unicodeGlyphs = Glyphs{
	Focus: "▶", Select: "▌", Mark: "●", Comment: "¶", Replay: "↺", Live: "●",
	Prompt: "❯", Up: "▲", Down: "▼", Ellipsis: "…",
	Good: "✓", Wrong: "✗", Pending: "…", Sep: "·", Out: "→", In: "←", Left: "‹", Right: "›",
	H: "─", V: "│", TeeDown: "┬", TeeUp: "┴", Corner: [4]string{"╭", "╮", "╰", "╯"},
	ScrollOn: "█", ScrollOff: "│",
}

var asciiGlyphs = Glyphs{
	Focus: ">", Select: "|", Mark: "*", Comment: "#", Replay: "@", Live: "*",
	Prompt: ">", Up: "^", Down: "v", Ellipsis: "~",
	Good: "+", Wrong: "x", Pending: "~", Sep: "-", Out: ">", In: "<", Left: "<", Right: ">",
	H: "-", V: "|", TeeDown: "+", TeeUp: "+", Corner: [4]string{"+", "+", "+", "+"},
	ScrollOn: "#", ScrollOff: "|",
}
