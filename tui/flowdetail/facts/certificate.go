package facts

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"fmt"
	"strings"

	flowpb "weir/proto"
	"weir/tui/content"
)

// maxNames bounds the alternative names of a certificate that are shown.
const maxNames = 50

// certificate writes what a certificate says (RFC 5280). One that cannot be read
// shows its hash and why.
func (t *table) certificate(c *flowpb.Certificate) {
	sum := c.GetSha256()
	if len(sum) == 0 && len(c.GetDer()) > 0 {
		own := sha256.Sum256(c.GetDer())
		sum = own[:]
	}
	defer t.row("SHA-256", hex.EncodeToString(sum))
	if len(c.GetDer()) == 0 {
		return
	}
	x, err := x509.ParseCertificate(c.GetDer())
	if err != nil {
		t.kind(content.Fault, "unreadable", strings.TrimPrefix(err.Error(), "x509: "))
		return
	}
	t.row("subject", x.Subject.String())
	t.row("issuer", x.Issuer.String())
	t.row("names", names(x))
	t.row("valid from", x.NotBefore.In(t.zone).Format("2006-01-02 15:04:05 MST"))
	t.row("valid until", x.NotAfter.In(t.zone).Format("2006-01-02 15:04:05 MST"))
	t.row("key", key(x))
	t.row("serial", x.SerialNumber.Text(16))
}

func names(x *x509.Certificate) string {
	all := append([]string{}, x.DNSNames...)
	for _, ip := range x.IPAddresses {
		all = append(all, ip.String())
	}
	all = append(all, x.EmailAddresses...)
	for _, u := range x.URIs {
		all = append(all, u.String())
	}
	if len(all) > maxNames {
		all = append(all[:maxNames:maxNames], fmt.Sprintf("and %d more", len(all)-maxNames))
	}
	return strings.Join(all, ", ")
}

func key(x *x509.Certificate) string {
	switch k := x.PublicKey.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d bit", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return x.PublicKeyAlgorithm.String()
}
