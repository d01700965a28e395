// Package salvage reads rows out of the bytes of a SQLite file that SQLite itself
// may refuse: bits flipped, pages zeroed, the end cut off, the header or the schema gone.
//
// [Open] takes the bytes of the file and those of its -wal file. [File.Tables] says
// where tables begin, [File.Walk] reads the rows of one from there, and when something
// was [File.Broken] on the way, [File.Orphans] reads the pages that no walk came to.
//
// It is not a database: it knows pages, cells and records, as sqlite.org/fileformat2.html
// describes them, in UTF-8 files that reserve no space in pages, and leaves it to the caller
// to say what a row means. It never writes.
//
// # What is trusted
//
// Nothing. A file may also be made by somebody who means harm. Each page is visited once,
// so that no pointer leads in a circle; memory is bounded by one row, a bit a page, and
// an entry for each page of the -wal file; a cell that contradicts itself is counted and
// left out. A file with auto-vacuum says twice how pages hang together: pointers lead down,
// the pointer map leads up. Where the two differ the pointer is not followed, and the page it
// should have led to is found as an orphan, which knows its table by the way up.
//
// What no structure checks can be wrong unseen: content of a row has no checksum.
//
// # Concurrency
//
// A File is used by one goroutine at a time and starts none.
package salvage
