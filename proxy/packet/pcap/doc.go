// Package pcap reads capture files: classic pcap, in either byte order and with
// micro- or nanoseconds, and pcapng with any number of sections and interfaces.
//
// A [Reader] walks the file once and gives one packet at a time. It allocates by
// what it has read, never by what a length in the file claims, and passes over
// blocks it does not know. What ends it is an [Error] with its place: every packet before it stands.
//
// It does not look into packets (package link does) and undoes no compression.
//
// Concurrency: a Reader belongs to one goroutine.
//
// Sources: draft-ietf-opsawg-pcap, draft-ietf-opsawg-pcapng.
package pcap
