// Package flowdetail is the screen that shows one flow: its request, response,
// messages, timing, connections and notes, a tab each.
//
// The screen reads the flow from its [Source] and answers with [Result]s what it
// cannot do itself: go to another flow, write the clipboard, close. It knows no
// keys but in its table ([Commands]); the program dispatches them by name ([Model.Do])
// unless the user is typing ([Model.Typing]).
//
// # Bodies
//
// A body is never loaded whole. What is shown is a window of its content: 64 KB at
// first, read, decoded and made into lines by a command. Views that can start
// anywhere (hex, raw) slide the window as one scrolls, through a body of any
// size; views that arrange a body anew (JSON, XML …) need it from the start, and
// their window grows, by itself at first and by "full" to its limit (see
// limits_table.go). The bar at the foot says what part is shown. A search goes
// through what is shown first, and from there on through the content, in steps
// that report how far they are and end when the user or another search says so.
//
// # Answers
//
// Commands close over values, never over the model. Each answer carries the
// generation of what it was asked for: of the flow, and of the body's window. An
// answer for another one is dropped. Opening another flow ends the work for the
// one before, by its context.
//
// Concurrency: used by the event loop alone; the commands run elsewhere and share
// nothing with the model.
//
// Invariants:
//   - View is exactly as large as SetSize said, whatever the flow holds.
//   - At most one window of one body a tab is held, and no more than limits_table.go
//     says of anything.
//   - The same flow set again (SetDetail) keeps tab, position, view and search.
package flowdetail
