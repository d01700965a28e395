package ca

import (
	"crypto/x509"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/net/idna"
)

const (
	// maxNames bounds the names of a leaf. Certificates of large networks carry
	// about a hundred; a hostile one can carry thousands, and each leaf is kept.
	maxNames = 128
	// maxSubject is the length from which a subject attribute is left out; RFC
	// 5280 allows 64 characters in a common name.
	maxSubject = 64
)

// Names says whom a leaf certificate is for.
type Names struct {
	// Common is the subject's common name; it is left out of the certificate
	// when empty or not shorter than 64 bytes.
	Common string
	// DNS and IPs become the subject alternative names; at least one name in
	// all, at most 128.
	DNS []string
	IPs []netip.Addr
	// Organization is the subject's organisation, and needs a common name.
	Organization string
	// NotAfter ends the certificate, where that is sooner than it would end by
	// itself and still to come; zero for no such end.
	NotAfter time.Time
}

// NamesFor returns the names for the leaf that answers a client: those of the
// certificate that the upstream server showed (nil when there was none), then
// the name the client asked for in its ClientHello, then the host it connected
// to. Both may be empty; host may be an address, in brackets or not, but
// carries no port. Duplicates go, the first stays. What is neither a host name
// nor an address is skipped: the certificate is the server's word, not ours.
// Upstream names are cut where they would leave no room for the client's own.
func NamesFor(sni, host string, upstream *x509.Certificate) Names {
	var n Names
	if upstream != nil {
		n.mirror(upstream)
	}
	n.add(sni)
	n.add(host)
	if n.Common == "" {
		n.Common = n.first()
	}
	return n
}

// mirror takes over what the upstream certificate says about itself.
func (n *Names) mirror(upstream *x509.Certificate) {
	if cn := upstream.Subject.CommonName; plainText(cn) {
		n.Common = cn
		n.add(cn)
	}
	n.NotAfter = upstream.NotAfter
	for _, o := range upstream.Subject.Organization {
		if plainText(o) {
			n.Organization = o
			break
		}
	}
	const room = maxNames - 2 // SNI and host come after.
	for _, name := range upstream.DNSNames {
		if n.count() >= room {
			return
		}
		n.add(name)
	}
	for _, ip := range upstream.IPAddresses {
		if n.count() >= room {
			return
		}
		if addr, ok := netip.AddrFromSlice(ip); ok {
			n.addIP(addr)
		}
	}
}

// add files a name under addresses or host names, once, and ignores what is
// neither.
func (n *Names) add(name string) {
	if addr, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		n.addIP(addr)
		return
	}
	if name, ok := hostName(name); ok && !slices.Contains(n.DNS, name) {
		n.DNS = append(n.DNS, name)
	}
}

func (n *Names) addIP(addr netip.Addr) {
	addr = addr.Unmap().WithZone("")
	if !slices.Contains(n.IPs, addr) {
		n.IPs = append(n.IPs, addr)
	}
}

func (n *Names) count() int { return len(n.DNS) + len(n.IPs) }

func (n *Names) first() string {
	switch {
	case len(n.DNS) > 0:
		return n.DNS[0]
	case len(n.IPs) > 0:
		return n.IPs[0].String()
	}
	return ""
}

// hostName returns name as it stands in a certificate: lower case, A-labels,
// no final dot. It is lenient about underscores, which real hosts have, and
// accepts a wildcard as the first of at least two labels (RFC 6125, 6.4.3).
func hostName(name string) (string, bool) {
	name = strings.TrimSuffix(name, ".")
	if !isASCII(name) {
		ascii, err := idna.Lookup.ToASCII(name)
		if err != nil {
			return "", false
		}
		name = ascii
	}
	name = strings.ToLower(name)
	if len(name) == 0 || len(name) > 253 {
		return "", false
	}
	rest, wildcard := strings.CutPrefix(name, "*.")
	if wildcard && !strings.Contains(rest, ".") {
		return "", false
	}
	for label := range strings.SplitSeq(rest, ".") {
		if !hostLabel(label) {
			return "", false
		}
	}
	return name, true
}

func hostLabel(label string) bool {
	if len(label) == 0 || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
		return false
	}
	for _, c := range []byte(label) {
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' {
			return false
		}
	}
	return true
}

func isASCII(s string) bool {
	for i := range len(s) {
		if s[i] >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// plainText reports whether s can stand in a certificate's subject: something,
// short, and without characters that would disturb whoever displays it.
func plainText(s string) bool {
	if s == "" || len(s) >= maxSubject || !utf8.ValidString(s) {
		return false
	}
	for _, r := range s {
		if !unicode.IsPrint(r) {
			return false
		}
	}
	return true
}
