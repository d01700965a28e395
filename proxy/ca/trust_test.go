package ca

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestTrustHelp(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "it's here")
	a := mustLoad(t, dir)
	help := a.TrustHelp()
	quoted := "'" + strings.ReplaceAll(a.CertFile(), "'", `'\''`) + "'"
	for _, want := range []string{
		a.Fingerprint(), quoted, "Debian", "Fedora", "macOS", "Windows", "Firefox", "Chromium",
		"curl --cacert", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE", "keytool",
	} {
		if !strings.Contains(help, want) {
			t.Errorf("help does not mention %q:\n%s", want, help)
		}
	}
	if strings.Contains(help, "{cert}") || strings.Contains(help, "weir ca export") {
		t.Errorf("help for a certificate that has a file:\n%s", help)
	}
	user, err := LoadFile(filepath.Join(dir, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	if help := user.TrustHelp(); !strings.Contains(help, "weir ca export > weir-ca-cert.pem") {
		t.Errorf("help for a user's own file does not say how to get the certificate out:\n%s", help)
	}
}

func TestFingerprint(t *testing.T) {
	a := mustLoad(t, t.TempDir())
	got := a.Fingerprint()
	if len(got) != 95 || strings.Count(got, ":") != 31 || got != strings.ToUpper(got) {
		t.Errorf("got %q, want 32 upper-case hex pairs", got)
	}
}
