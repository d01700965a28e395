// Package pager shows documents one below another in a window of cells: long
// lines are wrapped, not cut, and every place can be scrolled to.
//
// It is not a widget for any text: what it shows are [content.Document]s, which
// are sanitised and have bounded lines. It does not load and does not search; the
// hits of a search are given to it to be drawn.
//
// Concurrency: none; a Pager lives on the goroutine of the event loop.
//
// Invariants:
//   - A step costs time in proportion to the rows it passes, and a View to the
//     rows it shows, however long the documents are.
//   - The position is a line and a row in it, so that it means the same after a
//     resize and when a document behind it grows.
package pager
