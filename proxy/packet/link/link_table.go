package link

// Link types (tcpdump.org/linktypes.html) that a Decoder knows.
const (
	typeNull       = 0
	typeEthernet   = 1
	typePPP        = 9
	typeRaw12      = 12
	typeRaw14      = 14
	typePPPHDLC    = 50
	typeRaw        = 101
	typeCiscoHDLC  = 104
	typeWiFi       = 105
	typeLoop       = 108
	typeCooked     = 113
	typePrism      = 119
	typeWiFiRadio  = 127
	typeIPv4       = 228
	typeIPv6       = 229
	typeCooked2    = 276
	typeNFLog      = 239
	typePKTAP      = 258
	typeWiFiAVS    = 163
	typeLLC        = 100
	typeFrameRelay = 107
	typePFLog      = 117
	typeFireWire   = 138
	typePKTAPOld   = 149
	typePPI        = 192
	maxDepth       = 16 // layers inside layers
	etherVLAN      = 0x8100
	etherIPv4      = 0x0800
	etherIPv6      = 0x86dd
	etherPPPoE     = 0x8864
	etherMPLS      = 0x8847
	etherMPLSMulti = 0x8848
	etherBridge    = 0x6558 // Ethernet in GRE
	etherPPP       = 0x880b
	etherBackbone  = 0x88e7
)

// headers are link types that are a header of so many bytes before another one.
var headers = map[uint32]struct {
	bytes  int
	inside uint32
}{
	typeNull: {4, typeRaw}, // the version is in the IP header, too
	typeLoop: {4, typeRaw},
	10:       {13, typeLLC},     // FDDI
	51:       {6, typePPP},      // PPPoE
	109:      {12, typeRaw},     // OpenBSD's IPsec
	204:      {1, typePPP},      // PPP with a direction
	226:      {24, typeRaw},     // Solaris
	240:      {4, typeEthernet}, // netANALYZER
	274:      {8, typeEthernet}, // with the preamble
}

// tags are types of Ethernet that are so many bytes before another one: IEEE 802.1Q
// (VLAN, QinQ), 802.1BR and what Cisco has of the kind.
var tags = map[uint16]int{
	etherVLAN: 2, 0x88a8: 2, 0x9100: 2, 0x9200: 2,
	0x8909: 6, 0x8926: 4, 0x893f: 6,
}

// Known reports whether packets of a link type are understood.
func Known(kind uint32) bool {
	if _, ok := headers[kind]; ok {
		return true
	}
	switch kind {
	case typeEthernet, typePPP, typeRaw12, typeRaw14, typePPPHDLC, typeRaw, typeCiscoHDLC, typeWiFi, typeCooked, typePrism,
		typeWiFiRadio, typeIPv4, typeIPv6, typeCooked2, typeNFLog, typePKTAP, typePKTAPOld, typeWiFiAVS, typeLLC,
		typeFrameRelay, typePFLog, typeFireWire, typePPI:
		return true
	}
	return false
}
