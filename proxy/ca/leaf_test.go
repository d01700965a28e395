package ca

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// verify checks a leaf as a client does, for one name.
func verify(t *testing.T, a *Authority, leaf *tls.Certificate, name string) {
	t.Helper()
	roots := x509.NewCertPool()
	roots.AddCert(a.Certificate())
	if _, err := leaf.Leaf.Verify(x509.VerifyOptions{DNSName: name, Roots: roots}); err != nil {
		t.Errorf("verify for %s: %v", name, err)
	}
}

func mustLeaf(t testing.TB, a *Authority, names Names) *tls.Certificate {
	t.Helper()
	leaf, err := a.Leaf(names)
	if err != nil {
		t.Fatal(err)
	}
	return leaf
}

func TestLeaf(t *testing.T) {
	a := mustLoad(t, t.TempDir())
	leaf := mustLeaf(t, a, Names{
		Common:       "shop.test",
		Organization: "Shop Inc.",
		DNS:          []string{"shop.test", "*.shop.test"},
		IPs:          []netip.Addr{netip.MustParseAddr("192.0.2.7"), netip.MustParseAddr("2001:db8::7")},
	})
	for _, name := range []string{"shop.test", "www.shop.test", "192.0.2.7", "[2001:db8::7]"} {
		verify(t, a, leaf, name)
	}
	c := leaf.Leaf
	if got, want := c.Subject.String(), "CN=shop.test,O=Shop Inc."; got != want {
		t.Errorf("subject: got %q, want %q", got, want)
	}
	if !bytes.Equal(c.AuthorityKeyId, a.Certificate().SubjectKeyId) {
		t.Errorf("authority key id: got %x, want %x", c.AuthorityKeyId, a.Certificate().SubjectKeyId)
	}
	if len(c.SubjectKeyId) != 0 {
		t.Errorf("subject key id: got %x, want none", c.SubjectKeyId)
	}
	if c.IsCA || len(c.ExtKeyUsage) != 1 || c.ExtKeyUsage[0] != x509.ExtKeyUsageServerAuth {
		t.Errorf("got CA %v, usage %v, want a server certificate", c.IsCA, c.ExtKeyUsage)
	}
	if got, want := c.NotAfter.Sub(c.NotBefore), 199*24*time.Hour; got != want {
		t.Errorf("lifetime: got %v, want %v", got, want)
	}
	if a.leafKey.Equal(a.key) {
		t.Error("leaves carry the CA's key")
	}
}

// The alternative names are critical exactly when there is no common name.
// The end of the server's certificate is mirrored, unless it is past or far.
func TestLeafEnd(t *testing.T) {
	a := mustLoad(t, t.TempDir())
	soon := time.Now().Add(3 * time.Hour).Truncate(time.Second)
	for _, tt := range []struct {
		name   string
		end    time.Time
		mirror bool
	}{
		{"none", time.Time{}, false},
		{"soon", soon, true},
		{"past", time.Now().Add(-time.Hour), false},
		{"far", time.Now().AddDate(2, 0, 0), false},
	} {
		leaf := mustLeaf(t, a, Names{DNS: []string{"a.test"}, NotAfter: tt.end})
		if got := leaf.Leaf.NotAfter.Equal(tt.end); got != tt.mirror {
			t.Errorf("%s: ends at %v, the server's at %v", tt.name, leaf.Leaf.NotAfter, tt.end)
		}
		if again := mustLeaf(t, a, Names{DNS: []string{"a.test"}, NotAfter: tt.end}); again != leaf {
			t.Errorf("%s: issued twice", tt.name)
		}
	}
}

func TestLeafCommonName(t *testing.T) {
	a := mustLoad(t, t.TempDir())
	for _, tt := range []struct {
		name, common string
		want         string
	}{
		{"short", "x.test", "x.test"},
		{"63 bytes", strings.Repeat("a", 63), strings.Repeat("a", 63)},
		{"64 bytes", strings.Repeat("a", 64), ""},
		{"none", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			leaf := mustLeaf(t, a, Names{Common: tt.common, Organization: "Org", DNS: []string{"x.test"}})
			verify(t, a, leaf, "x.test")
			if got := leaf.Leaf.Subject.CommonName; got != tt.want {
				t.Errorf("common name: got %q, want %q", got, tt.want)
			}
			for _, ext := range leaf.Leaf.Extensions {
				if ext.Id.String() == "2.5.29.17" && ext.Critical != (tt.want == "") {
					t.Errorf("alternative names critical: got %v, common name %q", ext.Critical, tt.want)
				}
			}
		})
	}
}

func TestLeafRefuses(t *testing.T) {
	a := mustLoad(t, t.TempDir())
	many := Names{}
	for i := range maxNames + 1 {
		many.DNS = append(many.DNS, fmt.Sprintf("h%d.test", i))
	}
	for name, names := range map[string]Names{
		"no names":  {Common: "x.test"},
		"too many":  many,
		"not ASCII": {DNS: []string{"bücher.test"}},
	} {
		if _, err := a.Leaf(names); err == nil || !strings.HasPrefix(err.Error(), "issue leaf certificate") {
			t.Errorf("%s: got error %v", name, err)
		}
	}
	if got := a.leaves.order.Len(); got != 0 {
		t.Errorf("failures in the cache: got %d, want 0", got)
	}
}

func TestLeafOpenSSLStrict(t *testing.T) {
	openssl, err := exec.LookPath("openssl")
	if err != nil {
		t.Skip("openssl is not installed")
	}
	own := mustLoad(t, t.TempDir())
	key := rsaKey(t)
	template := userCA("mitmproxy")
	template.SubjectKeyId = []byte("not the hash of the key") // It must be copied, not computed.
	user, err := LoadFile(writeFile(t, 0o600, pkcs8(t, key), block(blockCertificate, selfSign(t, template, key))))
	if err != nil {
		t.Fatal(err)
	}
	for name, a := range map[string]*Authority{"own": own, "user's RSA": user} {
		for _, names := range []Names{NamesFor("www.test", "", nil), {DNS: []string{"www.test"}}} {
			dir := t.TempDir()
			caPath, leafPath := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "leaf.pem")
			leaf := block(blockCertificate, mustLeaf(t, a, names).Certificate[0])
			if err := errors.Join(os.WriteFile(caPath, a.CertPEM(), 0o600), os.WriteFile(leafPath, leaf, 0o600)); err != nil {
				t.Fatal(err)
			}
			out, err := exec.Command(openssl, "verify", "-x509_strict", "-purpose", "sslserver",
				"-verify_hostname", "www.test", "-CAfile", caPath, leafPath).CombinedOutput()
			if err != nil {
				t.Errorf("%s, %+v: %v: %s", name, names, err, out)
			}
		}
	}
}

func TestLeafSingleFlight(t *testing.T) {
	a := mustLoad(t, t.TempDir())
	const callers = 500
	serials := make([]string, callers)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range callers {
		wg.Go(func() {
			<-start
			leaf, err := a.Leaf(NamesFor("www.test", "192.0.2.1", nil))
			if err != nil {
				t.Error(err)
				return
			}
			serials[i] = leaf.Leaf.SerialNumber.String()
		})
	}
	close(start)
	wg.Wait()
	for i, s := range serials {
		if s != serials[0] {
			t.Fatalf("caller %d got serial %s, caller 0 got %s", i, s, serials[0])
		}
	}
}

func TestLeafRenewal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := mustLoad(t, t.TempDir())
		names := NamesFor("www.test", "", nil)
		first := mustLeaf(t, a, names)
		time.Sleep(leafLifetime - renewBefore - time.Second)
		if mustLeaf(t, a, names) != first {
			t.Error("renewed before it was due")
		}
		time.Sleep(time.Second)
		second := mustLeaf(t, a, names)
		if second == first {
			t.Error("not renewed a day before its end")
		}
		if mustLeaf(t, a, names) != second {
			t.Error("renewed twice")
		}
		if got := a.leaves.order.Len(); got != 1 {
			t.Errorf("cached leaves: got %d, want 1", got)
		}
	})
}

func TestNamesKey(t *testing.T) {
	seen := map[string]Names{}
	for _, n := range []Names{
		{},
		{Common: "a"},
		{Organization: "a"},
		{DNS: []string{"a"}},
		{DNS: []string{"a", "b"}},
		{DNS: []string{"b", "a"}},
		{DNS: []string{`a""b`}},
		{DNS: []string{"192.0.2.1"}},
		{IPs: []netip.Addr{netip.MustParseAddr("192.0.2.1")}},
	} {
		if other, ok := seen[n.key()]; ok {
			t.Errorf("%+v and %+v share a key", n, other)
		}
		seen[n.key()] = n
	}
}

func BenchmarkLeaf(b *testing.B) {
	a := mustLoad(b, b.TempDir())
	b.Run("cached", func(b *testing.B) {
		names := NamesFor("www.test", "192.0.2.1", nil)
		b.ReportAllocs()
		for b.Loop() {
			mustLeaf(b, a, names)
		}
	})
	b.Run("issued", func(b *testing.B) {
		b.ReportAllocs()
		for i := 0; b.Loop(); i++ {
			mustLeaf(b, a, Names{DNS: []string{fmt.Sprintf("h%d.test", i)}})
		}
	})
}
