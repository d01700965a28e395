package facts

import (
	"crypto/tls"
	"fmt"
	"strings"

	flowpb "weir/proto"
)

// hello writes what a client offered.
func (t *table) hello(h *flowpb.ClientHello) {
	if h == nil {
		return
	}
	t.row("JA4", h.GetJa4())
	t.row("JA3", h.GetJa3())
	t.row("versions", named(h.GetVersions(), tls.VersionName))
	t.row("ciphers", named(h.GetCiphers(), tls.CipherSuiteName))
	t.row("groups", named(h.GetGroups(), func(n uint16) string { return tls.CurveID(n).String() }))
	t.row("extensions", named(h.GetExtensions(), func(n uint16) string { return fmt.Sprint(n) }))
}

// maxNamed bounds the numbers of one list that are shown.
const maxNamed = 200

// named joins the names of the numbers. GREASE (RFC 8701) is called so.
func named(numbers []uint32, name func(uint16) string) string {
	var parts []string
	for _, n := range numbers[:min(len(numbers), maxNamed)] {
		text := name(uint16(n))
		if n&0x0f0f == 0x0a0a && n>>8 == n&0xff {
			text = "GREASE"
		}
		parts = append(parts, text)
	}
	return strings.Join(parts, ", ")
}
