// Package pcapfilter reads capture filters, the expressions that tcpdump made known
// (pcap-filter(7)), and compiles them to programs that the kernel runs on each packet.
//
//	tcp port 80 and (host 10.0.0.1 or net 192.168/16)
//	   └─► Parse ─► tree ─► Program: what there is to know of the packet, once
//	                                 then the comparisons of the tree on that
//
// Understood are host, net, port, portrange and proto, each with src or dst and with a
// protocol before it; ip, ip6, arp, rarp, tcp, udp, sctp, icmp and icmp6 alone; ether
// proto, vlan, less and greater; and, or, not and parentheses. As in tcpdump "and" and
// "or" bind equally, from the left, and a value without a keyword takes those of the
// value before it: "port 80 or 443". Comparisons of bytes ("tcp[13] & 2 != 0") are not
// understood, since weir shows what packets amount to.
//
// Two things differ from tcpdump, because they are what is nearly always meant. VLAN
// tags are looked through: "tcp port 80" finds tagged packets as well, and "vlan 5"
// says nothing about what is to the right of it. And the extension headers of IPv6 are
// passed over, so that "tcp" finds what is behind them. Tunnels are not looked into.
//
// Hosts and ports may be names, which are looked up while the filter is read.
//
// Concurrency: a [Filter] never changes.
package pcapfilter
