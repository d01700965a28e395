package ca

import (
	"crypto"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"testing"
	"time"
)

func TestLoadFileAccepts(t *testing.T) {
	rsa, ec, ed := rsaKey(t), ecKey(t), edKey(t)
	sec1, err := x509.MarshalECPrivateKey(ec)
	if err != nil {
		t.Fatal(err)
	}
	cert := func(key crypto.Signer) []byte { return block(blockCertificate, selfSign(t, userCA("user"), key)) }
	tests := []struct {
		name  string
		parts [][]byte
	}{
		{"RSA PKCS#1, as mitmproxy writes it", [][]byte{block(blockPKCS1, x509.MarshalPKCS1PrivateKey(rsa)), cert(rsa)}},
		{"RSA PKCS#8", [][]byte{pkcs8(t, rsa), cert(rsa)}},
		{"ECDSA SEC 1 with parameters", [][]byte{block("EC PARAMETERS", []byte{6, 0}), block(blockSEC1, sec1), cert(ec)}},
		{"ECDSA PKCS#8, certificate first", [][]byte{cert(ec), pkcs8(t, ec)}},
		{"Ed25519", [][]byte{pkcs8(t, ed), cert(ed)}},
		{"text around the blocks", [][]byte{[]byte("Bag Attributes\n"), pkcs8(t, ec), []byte("subject=x\n"), cert(ec), []byte("end\n")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			a, err := LoadFile(writeFile(t, 0o600, tt.parts...))
			if err != nil {
				t.Fatal(err)
			}
			leaf, err := a.Leaf(NamesFor("www.test", "", nil))
			if err != nil {
				t.Fatal(err)
			}
			verify(t, a, leaf, "www.test")
			if got := len(leaf.Certificate); got != 1 {
				t.Errorf("certificates sent: got %d, want the leaf alone", got)
			}
			if a.CertFile() != "" {
				t.Errorf("certificate file: got %q, want none", a.CertFile())
			}
		})
	}
}

// An authority below a root is sent along with its chain, in order.
func TestLoadFileChain(t *testing.T) {
	rootKey, midKey, key := ecKey(t), ecKey(t), rsaKey(t)
	root, err := x509.ParseCertificate(selfSign(t, userCA("root"), rootKey))
	if err != nil {
		t.Fatal(err)
	}
	mid, err := x509.ParseCertificate(sign(t, userCA("mid"), root, midKey.Public(), rootKey))
	if err != nil {
		t.Fatal(err)
	}
	der := sign(t, userCA("low"), mid, key.Public(), midKey)
	a, err := LoadFile(writeFile(t, 0o600, block(blockCertificate, mid.Raw), block(blockCertificate, der), pkcs8(t, key)))
	if err != nil {
		t.Fatal(err)
	}
	leaf, err := a.Leaf(NamesFor("www.test", "", nil))
	if err != nil {
		t.Fatal(err)
	}
	if len(leaf.Certificate) != 3 || string(leaf.Certificate[1]) != string(der) || string(leaf.Certificate[2]) != string(mid.Raw) {
		t.Fatalf("got %d certificates, want leaf, low and mid", len(leaf.Certificate))
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	roots.AddCert(root)
	for _, der := range leaf.Certificate[1:] {
		c, err := x509.ParseCertificate(der)
		if err != nil {
			t.Fatal(err)
		}
		between.AddCert(c)
	}
	if _, err := leaf.Leaf.Verify(x509.VerifyOptions{DNSName: "www.test", Roots: roots, Intermediates: between}); err != nil {
		t.Error(err)
	}
}

func TestLoadFileRefuses(t *testing.T) {
	key := ecKey(t)
	made := func(edit func(*x509.Certificate)) []byte {
		c := userCA("user")
		edit(c)
		return block(blockCertificate, selfSign(t, c, key))
	}
	good := made(func(*x509.Certificate) {})
	x25519, err := ecdh.X25519().GenerateKey(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	agreement, err := x509.MarshalPKCS8PrivateKey(x25519)
	if err != nil {
		t.Fatal(err)
	}
	traditional := pem.EncodeToMemory(&pem.Block{
		Type:    blockPKCS1,
		Headers: map[string]string{"Proc-Type": "4,ENCRYPTED", "DEK-Info": "AES-256-CBC,00112233445566778899AABBCCDDEEFF"},
		Bytes:   []byte("secret"),
	})
	var many [][]byte
	for range maxChain + 1 {
		many = append(many, good)
	}
	tests := []struct {
		name        string
		parts       [][]byte
		cause, hint string
	}{
		{"empty", nil, "no certificate and no private key", "PEM file"},
		{"binary", [][]byte{{0x30, 0x82, 0, 1}}, "no certificate and no private key", "PEM file"},
		{"key alone", [][]byte{pkcs8(t, key)}, "no certificate", "PEM file"},
		{"certificate alone", [][]byte{good}, "no private key", "PEM file"},
		{"mismatch", [][]byte{pkcs8(t, ecKey(t)), good}, "does not belong", "one file"},
		{"two keys", [][]byte{pkcs8(t, key), pkcs8(t, key), good}, "more than one private key", "only the key"},
		{"encrypted PKCS#8", [][]byte{block(blockEncrypted, []byte("secret")), good}, "encrypted", "openssl pkey"},
		{"encrypted traditional", [][]byte{traditional, good}, "encrypted", "openssl pkey"},
		{"a key that cannot sign", [][]byte{block(blockPKCS8, agreement), good}, "cannot sign", "RSA, ECDSA"},
		{"damaged key", [][]byte{block(blockPKCS8, []byte("x")), good}, "parse private key", ""},
		{"damaged certificate", [][]byte{pkcs8(t, key), block(blockCertificate, []byte("x"))}, "parse certificate", ""},
		{"too many certificates", append(many, pkcs8(t, key)), "more than 10 certificates", "keep the CA"},
		{"not a CA", [][]byte{pkcs8(t, key), made(func(c *x509.Certificate) { c.IsCA = false })}, "not a CA", "basicConstraints"},
		{"no constraints", [][]byte{pkcs8(t, key), made(func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = false, false })}, "not a CA", "basicConstraints"},
		{"may not sign", [][]byte{pkcs8(t, key), made(func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageDigitalSignature })}, "may not sign", "keyCertSign"},
		{"expired", [][]byte{pkcs8(t, key), made(func(c *x509.Certificate) {
			c.NotBefore, c.NotAfter = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(2020, 5, 17, 0, 0, 0, 0, time.UTC)
		})}, "expired on 2020-05-17", "delete the file"},
		{"not yet valid", [][]byte{pkcs8(t, key), made(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) })}, "not valid before", "clock"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := writeFile(t, 0o600, tt.parts...)
			_, err := LoadFile(path)
			assertRefusal(t, err, path, tt.cause, tt.hint)
		})
	}
}

func FuzzParseBundle(f *testing.F) {
	key := ecKey(f)
	cert := block(blockCertificate, selfSign(f, userCA("seed"), key))
	f.Add(append(pkcs8(f, key), cert...))
	f.Add(cert)
	f.Add([]byte("-----BEGIN PRIVATE KEY-----\nDEK-Info: x\n\nAAAA\n-----END PRIVATE KEY-----\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := parseBundle(data)
		if err == nil && (b.key == nil || b.cert == nil || len(b.chain) >= maxChain) {
			t.Errorf("got %+v without an error", b)
		}
	})
}
