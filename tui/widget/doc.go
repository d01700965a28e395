// Package widget is the parts that screens are made of: the sanitiser, text cut
// and padded by cells, numbers of fixed width, a line of input, a menu, boxes.
// It has no knowledge of the product; colours and glyphs come from package theme.
//
// # What a screen is
//
// Screens (flowlist, flowdetail, filterbar, palette, help, eventlog …) are plain
// structs with pointer methods, and only package tui has a tea.Model:
//
//	func New(o Options) *Model            // theme, sources, an Async; never nil
//	func (m *Model) SetSize(w, h int)     // cells; any size, 0 and 1 included
//	func (m *Model) SetTheme(*theme.Theme)
//	func (m *Model) Update(tea.Msg) tea.Cmd // its own unexported messages, and input
//	func (m *Model) View() string         // exactly h lines of at most w cells
//
// A screen knows nothing of the program around it. What it may block on it asks
// for through an interface of its own, in commands made by [Async]; the answer
// is an unexported message that carries a generation, and late ones are dropped.
// Update does no I/O and reads no clock. What a user asked for that is not the
// screen's business it answers as a typed Result.
//
// A screen with commands of its own lists them (name, keys, help, the reason why
// one is off) and runs them by name, so that one table of the program makes
// dispatch, footer, help, palette and manual:
//
//	func Commands() []Command
//	func (m *Model) Do(name string) (Result, tea.Cmd)
//	func (m *Model) Off(name string) string // "" or the reason it cannot run now
//	func (m *Model) Typing() bool           // keys are text now: send them to Update
//	func (m *Model) Cursor() (x, y int, ok bool) // where the terminal's cursor belongs
//
// # Hostile bytes
//
// Whatever came from the wire, a file or another person passes [Sanitize] exactly
// once, as late as possible, before styles are put around it. Text from Sanitize
// has the same width by every way a terminal may measure it.
//
// Concurrency: nothing here starts goroutines or is safe for concurrent use; a
// screen lives on the goroutine of the program's event loop.
package widget
