// Package arch holds the shape of the house as tests. It has no code of its
// own: whatever imports it gets nothing, and `go test ./internal/arch` is its
// whole use.
//
// A rule reads the source tree with go/parser alone (no build, no network), so
// that it answers in a second and judges files for every operating system. It
// sees what is written, not what runs: an alias of a slice, or a goroutine a
// library starts, is beyond it, and review is for those.
//
// Each rule lives in one table row with the reason printed beside every
// complaint, and has an archive testdata/RULE.txtar of small sources, good and
// bad, with the complaints they must draw: a rule that cannot complain fails.
// Rules that name packages fail when a named package is gone, so that renaming
// one cannot silence them; packages that are designed but not written yet stand
// in a list of their own, and must leave it when they come to be.
//
// Modules of their own (internal/tools, internal/bench) and testdata are not
// product code and are not read.
package arch
