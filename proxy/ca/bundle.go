package ca

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"time"
)

const (
	blockCertificate = "CERTIFICATE"
	blockPKCS8       = "PRIVATE KEY"
	blockPKCS1       = "RSA PRIVATE KEY"
	blockSEC1        = "EC PRIVATE KEY"
	blockEncrypted   = "ENCRYPTED PRIVATE KEY"

	// maxChain bounds the certificates of one file, all of which go over the
	// wire in each handshake.
	maxChain = 10
)

// remedy is a cause with the advice that goes with it, while the path that
// both will be shown with is not known yet.
type remedy struct {
	cause error
	hint  string
}

func (r *remedy) Error() string { return r.cause.Error() }
func (r *remedy) Unwrap() error { return r.cause }

// refuse makes the error a person sees from what parseBundle and check found.
func refuse(path string, err error) *Error {
	e := &Error{Path: path, Err: err}
	if r, ok := errors.AsType[*remedy](err); ok {
		e.Err, e.hint = r.cause, r.hint
	}
	return e
}

// bundle is what a CA file holds: a key, its certificate, and the rest.
type bundle struct {
	key   crypto.Signer
	cert  *x509.Certificate
	chain []*x509.Certificate
}

// parseBundle reads PEM blocks in any order. Blocks of other types, such as EC
// PARAMETERS, are passed over, as is any text around them.
func parseBundle(data []byte) (*bundle, error) {
	const giveBoth = "give a PEM file with a CA certificate and its private key"
	var b bundle
	var certs []*x509.Certificate
	for block, rest := pem.Decode(data); block != nil; block, rest = pem.Decode(rest) {
		switch block.Type {
		case blockCertificate:
			cert, err := x509.ParseCertificate(block.Bytes)
			if err != nil {
				return nil, fmt.Errorf("parse certificate: %w", err)
			}
			if certs = append(certs, cert); len(certs) > maxChain {
				return nil, &remedy{fmt.Errorf("more than %d certificates", maxChain), "keep the CA certificate and those that lead to its root"}
			}
		case blockPKCS1, blockSEC1, blockPKCS8, blockEncrypted:
			key, err := parseKey(block)
			if err != nil {
				return nil, err
			}
			if b.key != nil {
				return nil, &remedy{errors.New("more than one private key"), "keep only the key that belongs to the CA certificate"}
			}
			b.key = key
		}
	}
	switch {
	case b.key == nil && len(certs) == 0:
		return nil, &remedy{errors.New("no certificate and no private key in PEM form"), giveBoth}
	case b.key == nil:
		return nil, &remedy{errors.New("no private key"), giveBoth}
	case len(certs) == 0:
		return nil, &remedy{errors.New("no certificate"), giveBoth}
	}
	return &b, b.pair(certs)
}

func parseKey(block *pem.Block) (crypto.Signer, error) {
	// Traditional encrypted keys say so in a header (RFC 1421), PKCS#8 ones in
	// the type (RFC 7468).
	if block.Type == blockEncrypted || block.Headers["DEK-Info"] != "" {
		return nil, &remedy{errors.New("the private key is encrypted"), "decrypt it into a file of mode 0600: openssl pkey -in FILE -out DECRYPTED"}
	}
	var key any
	var err error
	switch block.Type {
	case blockPKCS1:
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case blockSEC1:
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, fmt.Errorf("parse private key: %w", err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, &remedy{fmt.Errorf("a key of type %T cannot sign", key), "give an RSA, ECDSA or Ed25519 key"}
	}
	return signer, nil
}

// pair finds the certificate that the key belongs to; the others are its chain.
func (b *bundle) pair(certs []*x509.Certificate) error {
	public, ok := b.key.Public().(interface{ Equal(crypto.PublicKey) bool })
	for _, cert := range certs {
		if ok && b.cert == nil && public.Equal(cert.PublicKey) {
			b.cert = cert
			continue
		}
		b.chain = append(b.chain, cert)
	}
	if b.cert == nil {
		return &remedy{errors.New("the private key does not belong to the certificate"), "put the CA certificate and the key it was made with into one file"}
	}
	return nil
}

// check refuses a certificate that clients would refuse as an issuer.
func (b *bundle) check(now time.Time) error {
	c := b.cert
	const renew = "make a new one: delete the file, start weir again and trust the new certificate"
	switch {
	case !c.BasicConstraintsValid || !c.IsCA:
		return &remedy{errors.New("the certificate is not a CA certificate"), "give one with basicConstraints CA:TRUE"}
	case c.KeyUsage != 0 && c.KeyUsage&x509.KeyUsageCertSign == 0:
		return &remedy{errors.New("the certificate may not sign others (keyUsage without keyCertSign)"), "give one with keyUsage keyCertSign"}
	case now.After(c.NotAfter):
		return &remedy{fmt.Errorf("the certificate expired on %s", c.NotAfter.UTC().Format(time.DateOnly)), renew}
	case now.Before(c.NotBefore):
		return &remedy{fmt.Errorf("the certificate is not valid before %s", c.NotBefore.UTC().Format(time.RFC3339)), "check this machine's clock"}
	}
	return nil
}
