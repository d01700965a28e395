package proxy

import (
	"crypto/tls"
	"slices"

	flowpb "weir/proto"
	"weir/proxy/handshake"
	"weir/proxy/record"
)

// helloRecord is a ClientHello as connections keep it.
func helloRecord(info *tls.ClientHelloInfo) *flowpb.ClientHello {
	const supportedVersions = 43
	h := &handshake.ClientHello{
		Version: tls.VersionTLS12, Versions: info.SupportedVersions, // the message says 1.2 where the extension has more
		Ciphers: info.CipherSuites, Extensions: info.Extensions, Points: info.SupportedPoints,
		Groups: numbers(info.SupportedCurves), SignatureAlgorithms: numbers(info.SignatureSchemes),
	}
	if !slices.Contains(info.Extensions, supportedVersions) && len(info.SupportedVersions) > 0 {
		h.Version = slices.Max(info.SupportedVersions) // crypto/tls adds those below it
		h.Versions = []uint16{h.Version}
	}
	for _, p := range info.SupportedProtos {
		h.Protocols = append(h.Protocols, []byte(p))
	}
	return record.ClientHello(h)
}

func numbers[N ~uint16](list []N) []uint16 {
	out := make([]uint16, len(list))
	for i, n := range list {
		out[i] = uint16(n)
	}
	return out
}
