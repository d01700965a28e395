package pcapfilter

// etherTypes is the names of "ether proto".
var etherTypes = map[string]uint16{
	"ip": etherIPv4, "ip6": etherIPv6, "arp": etherARP, "rarp": etherRARP,
	"vlan": etherVLAN, "mpls": 0x8847, "pppoed": 0x8863, "pppoes": 0x8864, "loopback": 0x9000, "lldp": 0x88cc,
}

// protocols is the names of "proto".
var protocols = map[string]uint8{
	"icmp": protoICMP, "igmp": 2, "tcp": protoTCP, "udp": protoUDP, "gre": 47, "esp": 50, "ah": protoAH,
	"icmp6": protoICMP6, "ospf": 89, "pim": 103, "vrrp": 112, "sctp": protoSCTP,
}

// alone is the protocols that are a filter by themselves.
var alone = map[string]node{
	"ip": carries{etherIPv4}, "ip6": carries{etherIPv6}, "arp": carries{etherARP}, "rarp": carries{etherRARP},
	"tcp": speaks{proto: protoTCP}, "udp": speaks{proto: protoUDP}, "sctp": speaks{proto: protoSCTP},
	"icmp": speaks{etherIPv4, protoICMP}, "icmp6": speaks{etherIPv6, protoICMP6},
}

// beyond is the words of pcap-filter(7) that are not understood here, so that they are
// not taken for names of hosts.
var beyond = map[string]bool{
	"gateway": true, "broadcast": true, "multicast": true, "inbound": true, "outbound": true, "ifname": true, "on": true,
	"protochain": true, "mpls": true, "pppoed": true, "pppoes": true, "geneve": true, "vxlan": true, "wlan": true, "link": true,
	"fddi": true, "tr": true, "decnet": true, "atalk": true, "aarp": true, "iso": true, "stp": true, "ipx": true, "netbeui": true,
	"lat": true, "moprc": true, "mopdl": true, "igmp": true, "pim": true, "igrp": true, "vrrp": true, "carp": true, "ah": true,
	"esp": true, "llc": true, "byte": true, "len": true,
}
