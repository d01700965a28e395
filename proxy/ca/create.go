package ca

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

const (
	// backdate covers clients whose clocks are behind.
	backdate   = 48 * time.Hour
	caLifetime = 10 * 365 * 24 * time.Hour
	// maxHostname keeps the common name under the 64 characters of RFC 5280.
	maxHostname = 32
)

// create makes a new authority and puts it at path unless one is there already.
// The file is written whole under another name and then linked to its own, an
// operation that fails where the name is taken: so the first of several
// processes wins, and nobody ever reads half a key. Where the file system has
// no links the last of several wins instead. Either way the caller must read
// the file back.
func create(path string, link func(oldname, newname string) error) error {
	host, _ := os.Hostname() // Only a help for the eye: a name without it will do.
	data, err := generate(host, time.Now())
	if err != nil {
		return err
	}
	temp, err := writeTemp(path, data, 0o600)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	err = link(temp, path)
	if err == nil || errors.Is(err, fs.ErrExist) {
		return nil
	}
	if _, err := os.Lstat(path); err == nil {
		return nil
	}
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("put new key in place: %w", err)
	}
	return nil
}

// publish writes the certificate file unless it is right already, so that a
// configuration on a read-only disk works.
func publish(path string, data []byte) error {
	if old, err := os.ReadFile(path); err == nil && bytes.Equal(old, data) {
		return nil
	}
	temp, err := writeTemp(path, data, 0o644)
	if err != nil {
		return err
	}
	defer os.Remove(temp)
	if err := os.Rename(temp, path); err != nil {
		return fmt.Errorf("put certificate in place: %w", err)
	}
	return nil
}

// writeTemp writes data to a new file beside path, on disk before it returns,
// and answers with its name. os.CreateTemp opens it with O_EXCL and 0600.
func writeTemp(path string, data []byte, mode fs.FileMode) (name string, err error) {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return "", fmt.Errorf("create temporary file: %w", err)
	}
	defer func() {
		err = errors.Join(err, f.Close())
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := f.Chmod(mode); err != nil {
		return "", fmt.Errorf("set mode of temporary file: %w", err)
	}
	if _, err := f.Write(data); err != nil {
		return "", fmt.Errorf("write temporary file: %w", err)
	}
	if err := f.Sync(); err != nil {
		return "", fmt.Errorf("sync temporary file: %w", err)
	}
	return f.Name(), nil
}

// generate returns a new P-256 key with its self-signed certificate, as PEM.
func generate(host string, now time.Time) ([]byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generate CA key: %w", err)
	}
	template, err := caTemplate(host, now)
	if err != nil {
		return nil, err
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("sign CA certificate: %w", err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("encode CA key: %w", err)
	}
	out := pem.EncodeToMemory(&pem.Block{Type: blockPKCS8, Bytes: pkcs8})
	return append(out, pem.EncodeToMemory(&pem.Block{Type: blockCertificate, Bytes: cert})...), nil
}

// caTemplate describes the CA certificate. CreateCertificate adds the subject
// key identifier and marks BasicConstraints and KeyUsage critical, as RFC 5280
// asks. The name carries host and day, so that two of them can be told apart in
// a trust store, and so that no two differ in nothing but the key, which some
// stores report as a bad signature.
func caTemplate(host string, now time.Time) (*x509.Certificate, error) {
	serial, err := newSerial()
	if err != nil {
		return nil, err
	}
	day := now.UTC().Format(time.DateOnly)
	name := fmt.Sprintf("weir CA (%s, %s)", host, day)
	if !plainText(host) || len(host) > maxHostname {
		name = fmt.Sprintf("weir CA (%s)", day)
	}
	return &x509.Certificate{
		SerialNumber:          serial,
		Subject:               pkix.Name{CommonName: name, Organization: []string{"weir traffic inspector"}},
		NotBefore:             now.Add(-backdate),
		NotAfter:              now.Add(caLifetime),
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true, // It signs leaves only.
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
	}, nil
}

// newSerial returns a random positive serial number of up to 127 bits, well
// inside the 20 octets of RFC 5280, section 4.1.2.2.
func newSerial() (*big.Int, error) {
	limit := new(big.Int).Lsh(big.NewInt(1), 127)
	serial, err := rand.Int(rand.Reader, limit.Sub(limit, big.NewInt(1)))
	if err != nil {
		return nil, fmt.Errorf("draw serial number: %w", err)
	}
	return serial.Add(serial, big.NewInt(1)), nil
}
