package handshake

import (
	"crypto/md5" //nolint:gosec // JA3 is made of it; nothing depends on its strength
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// isGREASE reports whether n is one of the values that stand for nothing (RFC 8701).
func isGREASE(n uint16) bool { return n&0x0f0f == 0x0a0a && n>>8 == n&0xff }

func withoutGREASE(list []uint16) []uint16 {
	return slices.DeleteFunc(slices.Clone(list), isGREASE)
}

// JA3 is the MD5 of "version,ciphers,extensions,groups,point formats", each a
// list of decimal numbers in the client's order (github.com/salesforce/ja3).
func (h *ClientHello) JA3() string {
	points := make([]uint16, len(h.Points))
	for i, p := range h.Points {
		points[i] = uint16(p)
	}
	text := fmt.Sprintf("%d,%s,%s,%s,%s", h.Version, decimal(withoutGREASE(h.Ciphers)),
		decimal(withoutGREASE(h.Extensions)), decimal(withoutGREASE(h.Groups)), decimal(points))
	sum := md5.Sum([]byte(text)) //nolint:gosec // see the import
	return hex.EncodeToString(sum[:])
}

func decimal(list []uint16) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = strconv.Itoa(int(n))
	}
	return strings.Join(parts, "-")
}

// JA4 is the fingerprint "t13d1516h2_8daaf6152771_e5627efa2ab1": transport,
// version, whether there is a name, how many ciphers and extensions, the first
// protocol; then hashes over the sorted ciphers, and over the sorted extensions
// with the signature algorithms (FoxIO, technical_details/JA4.md).
func (h *ClientHello) JA4() string {
	ciphers, extensions := withoutGREASE(h.Ciphers), withoutGREASE(h.Extensions)
	name := "i"
	if slices.Contains(extensions, extensionServerName) {
		name = "d"
	}
	transport := "t"
	if h.QUIC {
		transport = "q"
	}
	head := fmt.Sprintf("%s%s%s%02d%02d%s", transport, ja4Version(h), name, min(len(ciphers), 99), min(len(extensions), 99), ja4Protocol(h.Protocols))
	hashed := slices.DeleteFunc(extensions, func(e uint16) bool { return e == extensionServerName || e == extensionALPN })
	slices.Sort(ciphers)
	slices.Sort(hashed)
	tail := hexList(hashed)
	if algorithms := withoutGREASE(h.SignatureAlgorithms); len(algorithms) > 0 && tail != "" {
		tail += "_" + hexList(algorithms)
	}
	return head + "_" + ja4Hash(hexList(ciphers)) + "_" + ja4Hash(tail)
}

func ja4Version(h *ClientHello) string {
	versions := withoutGREASE(h.Versions)
	if len(versions) == 0 {
		return "00"
	}
	switch slices.Max(versions) {
	case versionTLS13:
		return "13"
	case versionTLS12:
		return "12"
	case 0x0302:
		return "11"
	case 0x0301:
		return "10"
	case 0x0300: // SSL 3.0
		return "s3"
	}
	return "00"
}

// ja4Protocol is the first and the last character of the first protocol.
func ja4Protocol(protocols [][]byte) string {
	if len(protocols) == 0 || len(protocols[0]) == 0 {
		return "00"
	}
	first, last := protocols[0][0], protocols[0][len(protocols[0])-1]
	if isAlphanumeric(first) && isAlphanumeric(last) {
		return string([]byte{first, last})
	}
	text := hex.EncodeToString(protocols[0])
	return text[:1] + text[len(text)-1:]
}

func isAlphanumeric(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

func hexList(list []uint16) string {
	parts := make([]string, len(list))
	for i, n := range list {
		parts[i] = fmt.Sprintf("%04x", n)
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
