package ca

import (
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"fmt"
	"net"
	"strconv"
	"time"
)

const (
	// leafLifetime with backdate makes 199 days, under the 200 that Chromium
	// allows since 2026.
	leafLifetime = 197 * 24 * time.Hour
	// renewBefore is how long before its end a cached leaf is replaced.
	renewBefore = 24 * time.Hour
)

// Leaf returns a server certificate for names, signed by the authority, with
// the certificates a client needs to reach the root. The same names, in the
// same order, get the same certificate until it is a day from its end or 1024
// others were used since. The result is shared: do not change it.
func (a *Authority) Leaf(names Names) (*tls.Certificate, error) {
	switch n := names.count(); {
	case n == 0:
		return nil, errors.New("issue leaf certificate: no names")
	case n > maxNames:
		return nil, fmt.Errorf("issue leaf certificate: %d names, more than %d", n, maxNames)
	}
	now := time.Now()
	end := names.end(now)
	renewAt := now.Add(end.Sub(now) / 2)
	if end.Sub(now) > 2*renewBefore {
		renewAt = end.Add(-renewBefore)
	}
	e := a.leaves.entry(names.key(), now, renewAt)
	e.once.Do(func() { e.cert, e.err = a.issue(names, now, end) })
	if e.err != nil {
		a.leaves.forget(e)
		return nil, fmt.Errorf("issue leaf certificate for %q: %w", names.first(), e.err)
	}
	return e.cert, nil
}

// end is when a leaf issued now ends: as the server's certificate does, so that a
// client sees an end that is near, but not in the past, which would only hide what
// passes from whoever asked for it to pass.
func (n *Names) end(now time.Time) time.Time {
	end := now.Add(leafLifetime)
	if n.NotAfter.After(now) && n.NotAfter.Before(end) {
		return n.NotAfter
	}
	return end
}

// key is a cache key that differs whenever the names do; quoting keeps names
// with odd bytes from running into each other.
func (n *Names) key() string {
	key := strconv.AppendQuote(nil, n.Common)
	key = strconv.AppendQuote(key, n.Organization)
	for _, name := range n.DNS {
		key = strconv.AppendQuote(key, name)
	}
	for _, addr := range n.IPs {
		key = append(key, ' ')
		key = addr.AppendTo(key)
	}
	if !n.NotAfter.IsZero() {
		key = strconv.AppendInt(append(key, '@'), n.NotAfter.Unix(), 10)
	}
	return string(key)
}

func (a *Authority) issue(names Names, now, end time.Time) (*tls.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	// CreateCertificate does the rest by the book: it copies the issuer's
	// subject key identifier as it stands into the authority key identifier,
	// gives the leaf none (SChannel stumbles over one), and makes the
	// alternative names critical when the subject is empty.
	template := &x509.Certificate{
		SerialNumber:          serial,
		Subject:               names.subject(),
		NotBefore:             now.Add(-backdate),
		NotAfter:              end,
		BasicConstraintsValid: true,
		KeyUsage:              x509.KeyUsageDigitalSignature,
		ExtKeyUsage:           []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		DNSNames:              names.DNS,
		IPAddresses:           names.ipAddresses(),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, a.leafKey.Public(), a.key)
	if err != nil {
		return nil, err
	}
	leaf, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &tls.Certificate{
		Certificate: append([][]byte{der}, a.chain...),
		PrivateKey:  a.leafKey,
		Leaf:        leaf,
	}, nil
}

// subject is empty without a usable common name: an organisation alone would
// identify nobody, and an empty subject is what makes the alternative names
// critical (RFC 5280, section 4.2.1.6).
func (n *Names) subject() pkix.Name {
	if n.Common == "" || len(n.Common) >= maxSubject {
		return pkix.Name{}
	}
	subject := pkix.Name{CommonName: n.Common}
	if n.Organization != "" && len(n.Organization) < maxSubject {
		subject.Organization = []string{n.Organization}
	}
	return subject
}

func (n *Names) ipAddresses() []net.IP {
	ips := make([]net.IP, 0, len(n.IPs))
	for _, addr := range n.IPs {
		ips = append(ips, addr.AsSlice())
	}
	return ips
}
