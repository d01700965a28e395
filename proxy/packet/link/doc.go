// Package link finds the TCP segments and UDP datagrams in captured packets: under
// Ethernet with VLANs, Wi-Fi, Linux "any" captures, PPP, MPLS, and inside tunnels
// (GRE with ERSPAN, VXLAN, Geneve, GTP-U, L2TP, Teredo, IP in IP), over IPv4 and
// IPv6, and puts IP fragments together again.
//
// A [Decoder] is given one packet at a time and answers with the one segment in
// it, or that there is none. Checksums are not looked at: captures on the sending
// host hold packets whose checksums the network card was to fill in.
//
// Every byte is hostile. Nothing panics, layers are followed to a fixed depth,
// and what waits for its missing fragments is bounded in number and bytes.
//
// Concurrency: a Decoder belongs to one goroutine.
package link
