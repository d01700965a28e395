package ca

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"fmt"
)

// Authority signs leaf certificates. It is made by Load or LoadFile, is safe
// for concurrent use and holds no resource that needs closing.
type Authority struct {
	cert *x509.Certificate
	key  crypto.Signer
	// chain follows the leaf in every handshake. It is empty for a self-signed
	// authority, which clients have in their trust store already.
	chain [][]byte
	// certFile is where the certificate can be found for trusting it; empty
	// when only the user's own file, with the key in it, exists.
	certFile string
	leafKey  *ecdsa.PrivateKey
	leaves   *cache
}

// newAuthority puts an authority together from a certificate, its key and the
// further certificates that lead to a root.
func newAuthority(cert *x509.Certificate, key crypto.Signer, further []*x509.Certificate) (*Authority, error) {
	leafKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate leaf key: %w", err)
	}
	a := &Authority{cert: cert, key: key, leafKey: leafKey, leaves: newCache(maxLeaves)}
	if !bytes.Equal(cert.RawIssuer, cert.RawSubject) {
		a.chain = append(a.chain, cert.Raw)
	}
	for _, c := range further {
		a.chain = append(a.chain, c.Raw)
	}
	return a, nil
}

// Certificate returns the authority's own certificate. It is shared: do not
// change it.
func (a *Authority) Certificate() *x509.Certificate { return a.cert }

// CertPEM returns the authority's certificate, without its key, as PEM.
func (a *Authority) CertPEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: a.cert.Raw})
}

// CertFile returns the path of the file that holds the certificate alone, or
// "" for an authority that came from LoadFile.
func (a *Authority) CertFile() string { return a.certFile }

// Fingerprint returns the SHA-256 of the certificate in the form that trust
// stores show, for comparing by eye: "A1:B2:…", 95 characters.
func (a *Authority) Fingerprint() string {
	sum := sha256.Sum256(a.cert.Raw)
	out := make([]byte, 0, 3*len(sum))
	for i, b := range sum {
		if i > 0 {
			out = append(out, ':')
		}
		out = fmt.Appendf(out, "%02X", b)
	}
	return string(out)
}
