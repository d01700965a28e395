// Package live captures packets from network interfaces. It works on Linux alone,
// with packet sockets of its own (packet(7)) and without cgo.
//
//	kernel ─► capture filter ─► ring of blocks, shared memory ─┐
//	kernel ─► capture filter ─► ring of another interface ─────┴─► Read: the earliest first
//
// Each interface has a ring (TPACKET_V3), which the kernel fills while nobody reads, so
// that a reader who is busy for a while loses nothing. What does not fit is dropped by
// the kernel and counted; nothing else drops a packet.
//
// # What a packet is
//
// As it was on the wire, with its Ethernet header and the VLAN tag that the network
// card or the kernel had taken out. Interfaces without Ethernet, and "any", which is
// all interfaces at once, give Linux cooked packets of version 2 instead. What the
// kernel put together from several packets (GRO), or has not cut up yet, comes as one
// of up to 64 KB or more. On the loopback interface, which shows each packet going out and coming
// in, it comes once.
//
// An interface that goes down or away is waited for; Notify tells.
//
// Concurrency: a [Source] belongs to one goroutine, but for Stats. It starts none; Read
// returns within a tenth of a second after its context ends.
package live
