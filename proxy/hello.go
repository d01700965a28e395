package proxy

import (
	"crypto/md5" //nolint:gosec // JA3 is made of it; nothing depends on its strength
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"

	flowpb "weir/proto"
)

// The extensions that fingerprints treat apart (IANA, TLS ExtensionType Values).
const (
	extensionServerName = 0
	extensionALPN       = 16
	extensionVersions   = 43
)

// helloRecord is a ClientHello as connections keep it.
func helloRecord(h *tls.ClientHelloInfo) *flowpb.ClientHello {
	return &flowpb.ClientHello{
		Versions: numbers(offeredVersions(h)), Ciphers: numbers(h.CipherSuites), Extensions: numbers(h.Extensions),
		Groups: numbers(h.SupportedCurves), SignatureAlgorithms: numbers(h.SignatureSchemes),
		Ja3: ja3(h), Ja4: ja4(h),
	}
}

func numbers[N ~uint16](list []N) []uint32 {
	out := make([]uint32, len(list))
	for i, n := range list {
		out[i] = uint32(n)
	}
	return out
}

// offeredVersions leaves out what crypto/tls adds where a client names only its
// highest version.
func offeredVersions(h *tls.ClientHelloInfo) []uint16 {
	if slices.Contains(h.Extensions, extensionVersions) || len(h.SupportedVersions) == 0 {
		return h.SupportedVersions
	}
	return []uint16{slices.Max(h.SupportedVersions)}
}

// isGREASE reports whether n is one of the values that stand for nothing (RFC 8701).
func isGREASE[N ~uint16](n N) bool { return n&0x0f0f == 0x0a0a && n>>8 == n&0xff }

func withoutGREASE[N ~uint16](list []N) []N {
	return slices.DeleteFunc(slices.Clone(list), isGREASE[N])
}

// ja3 is the MD5 of "version,ciphers,extensions,groups,point formats", each a
// list of decimal numbers in the client's order (github.com/salesforce/ja3).
func ja3(h *tls.ClientHelloInfo) string {
	version := uint16(tls.VersionTLS12) // what the message says where the extension has the versions
	if offered := offeredVersions(h); len(offered) == 1 && !slices.Contains(h.Extensions, extensionVersions) {
		version = offered[0]
	}
	points := make([]uint16, len(h.SupportedPoints))
	for i, p := range h.SupportedPoints {
		points[i] = uint16(p)
	}
	text := fmt.Sprintf("%d,%s,%s,%s,%s", version, decimal(withoutGREASE(h.CipherSuites)),
		decimal(withoutGREASE(h.Extensions)), decimal(withoutGREASE(h.SupportedCurves)), decimal(points))
	sum := md5.Sum([]byte(text)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

func decimal[N ~uint16](list []N) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = strconv.Itoa(int(n))
	}
	return strings.Join(parts, "-")
}

// ja4 is the fingerprint "t13d1516h2_8daaf6152771_e5627efa2ab1": transport,
// version, whether there is a name, how many ciphers and extensions, the first
// protocol; then hashes over the sorted ciphers, and over the sorted extensions
// with the signature algorithms (FoxIO, technical_details/JA4.md).
func ja4(h *tls.ClientHelloInfo) string {
	ciphers, extensions := withoutGREASE(h.CipherSuites), withoutGREASE(h.Extensions)
	name := "i"
	if slices.Contains(extensions, extensionServerName) {
		name = "d"
	}
	head := fmt.Sprintf("t%s%s%02d%02d%s", ja4Version(h), name, min(len(ciphers), 99), min(len(extensions), 99), ja4Protocol(h.SupportedProtos))
	hashed := slices.DeleteFunc(extensions, func(e uint16) bool { return e == extensionServerName || e == extensionALPN })
	slices.Sort(ciphers)
	slices.Sort(hashed)
	tail := hexList(hashed)
	if algorithms := withoutGREASE(h.SignatureSchemes); len(algorithms) > 0 && tail != "" {
		tail += "_" + hexList(algorithms)
	}
	return head + "_" + ja4Hash(hexList(ciphers)) + "_" + ja4Hash(tail)
}

func ja4Version(h *tls.ClientHelloInfo) string {
	versions := withoutGREASE(offeredVersions(h))
	if len(versions) == 0 {
		return "00"
	}
	switch slices.Max(versions) {
	case tls.VersionTLS13:
		return "13"
	case tls.VersionTLS12:
		return "12"
	case tls.VersionTLS11:
		return "11"
	case tls.VersionTLS10:
		return "10"
	case 0x0300: // SSL 3.0
		return "s3"
	}
	return "00"
}

// ja4Protocol is the first and the last character of the first protocol.
func ja4Protocol(protocols []string) string {
	if len(protocols) == 0 || protocols[0] == "" {
		return "00"
	}
	first, last := protocols[0][0], protocols[0][len(protocols[0])-1]
	if isAlphanumeric(first) && isAlphanumeric(last) {
		return string([]byte{first, last})
	}
	text := hex.EncodeToString([]byte(protocols[0]))
	return text[:1] + text[len(text)-1:]
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func hexList[N ~uint16](list []N) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = fmt.Sprintf("%04x", uint16(n))
	}
	return strings.Join(parts, ",")
}

func ja4Hash(text string) string {
	if text == "" {
		return "000000000000"
	}
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}
