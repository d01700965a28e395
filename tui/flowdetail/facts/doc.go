// Package facts says what is known of a flow but its bodies, as documents: its
// message heads as sent, its timing, its connections and certificates, its notes.
//
// It does no I/O and keeps nothing: a function for each pane, values in, document
// out. Bodies are package content's.
//
// Concurrency: pure functions.
//
// Invariants:
//   - Names and values of fields are bytes. They show in the order, case and
//     number in which they were sent; all but printable ASCII is escaped as \xNN,
//     so that no two different heads look alike.
//   - Anything may be absent. What did not happen is left out or named as such;
//     it is never shown as zero.
package facts
