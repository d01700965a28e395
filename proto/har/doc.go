// Package har reads and writes HTTP Archives, HAR 1.2: what browsers and other
// proxies save of HTTP traffic.
//
//	file ─► scanner ─► one entry's bytes ─► Reader ─► flowpb.Whole
//	flowpb.Whole ─► Writer ─► file
//
// A [Reader] walks the file once and holds one entry at a time, so a file may
// be of any size. It takes what real programs write: a byte order mark, headers
// as objects or as pairs, times without a zone, "h2" and "HTTP/2", numbers in
// quotes, bodies in base64, WebSocket messages. An entry that is no entry is a
// [flowpb.SkipError], and the next one follows. What a file says and the flow has no
// field for (who asked, priorities, pages) is kept as the flow's meta, so that a
// [Writer] can say it again.
//
// HAR is not a capture of bytes: bodies stand in it with their content coding
// undone and as text. Text is turned into the charset that its Content-Type
// names, and the flow's Body says that it is decoded. HTTP flows alone have a
// form here; [Writer.Write] refuses others.
//
// Concurrency: a Reader or Writer belongs to one goroutine. There is no shared state.
//
// Invariants: nothing panics on hostile bytes, an entry needs at most about
// three times [MaxEntry] of memory, and Read(Write(flow)) is flow for flows that
// were read from a HAR file.
package har
