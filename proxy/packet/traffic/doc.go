// Package traffic makes up captures to measure with: pcap files of HTTP/1.1 between many
// clients and servers, as a network card sees it, the same bytes for the same options.
//
// Connections live side by side and are kept alive for some requests. Responses carry
// 1 to 100 KB of text, JSON or noise; some segments change places and some are sent
// again, none is missing. It is not for tests of the assembler, which write packets of their
// own, and knows nothing of what reads them.
//
// Nothing here is shared: a [Capture] may be written by any goroutine, each time anew.
package traffic
