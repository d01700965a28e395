package record

import (
	flowpb "weir/proto"
	"weir/proxy/handshake"
)

// ClientHello is a ClientHello as connections keep it.
func ClientHello(h *handshake.ClientHello) *flowpb.ClientHello {
	return &flowpb.ClientHello{
		Versions: numbers(h.Versions), Ciphers: numbers(h.Ciphers), Extensions: numbers(h.Extensions),
		Groups: numbers(h.Groups), SignatureAlgorithms: numbers(h.SignatureAlgorithms),
		Ja3: h.JA3(), Ja4: h.JA4(),
	}
}

func numbers(list []uint16) []uint32 {
	out := make([]uint32, len(list))
	for i, n := range list {
		out[i] = uint32(n)
	}
	return out
}
