// Package tui is the terminal interface: the flow list, the filter line, the
// detail of one flow, and what surrounds them.
//
// It shows one session, given as a [Source], and neither captures nor stores:
// cmd/weir joins it to those that do. [Run] runs it on a terminal until the user
// leaves or the context ends.
//
// # How it is made
//
// [App] is the only tea.Model. Screens live in packages of their own (flowlist,
// flowdetail, filterbar, palette, help, eventlog, sessions), are plain structs and know
// nothing of the App; package widget says what a screen is. All keys stand in one
// table (bindings): dispatch, footer, help, palette, the ":" line and the manual's
// key reference are made from it.
//
//	key ─→ Update ─→ binding ─→ screen or action ─→ tea.Cmd ─→ Source
//	         ↑                                                   │
//	         └────────── message with a generation ←─────────────┘
//
// # Visits
//
// From the sessions screen the user visits other sessions, of a [Library], and comes back
// by q. Each visit begins the App anew ([App.lookAt]): what belongs to a session is made
// again, what belongs to the user is taken along. Commands end with their visit, and their
// messages are tagged with it, so that an answer for a session that was left changes nothing.
//
// # Concurrency
//
// Update and View run on the program's event loop and do no I/O and read no
// clock: whatever may block is a command, and time arrives in messages. The
// package starts no goroutine of its own; the terminal library runs commands, and
// the context given to Run ends them. Two commands wait all the time, one for the
// list to change and one for a notice; each is started again by its answer.
//
// # Invariants
//
//   - An answer that carries an older generation changes nothing.
//   - The last good list stays on the screen until its successor answers.
//   - Bytes from the wire are drawn only after widget.Sanitize.
//   - No typed text is lost by leaving a line: it is there when the line opens again.
package tui
