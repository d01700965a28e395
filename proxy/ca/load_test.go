package ca

import (
	"crypto/x509"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestLoadCreatesOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "weir")
	first := mustLoad(t, dir)
	second := mustLoad(t, dir)
	if !first.Certificate().Equal(second.Certificate()) {
		t.Error("second Load made another certificate")
	}
	modes := map[string]fs.FileMode{dir: 0o700, filepath.Join(dir, keyFile): 0o600, filepath.Join(dir, certFile): 0o644}
	for path, want := range modes {
		info, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		if got := info.Mode().Perm(); got != want && runtime.GOOS != "windows" {
			t.Errorf("mode of %s: got %o, want %o", filepath.Base(path), got, want)
		}
	}
	public, err := os.ReadFile(first.CertFile())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := string(public), string(first.CertPEM()); got != want {
		t.Errorf("certificate file: got %q, want %q", got, want)
	}
	assertNoTemp(t, dir)
}

func TestCreatedCertificate(t *testing.T) {
	c := mustLoad(t, t.TempDir()).Certificate()
	if err := c.CheckSignatureFrom(c); err != nil {
		t.Errorf("not self-signed: %v", err)
	}
	if !strings.HasPrefix(c.Subject.CommonName, "weir CA (") {
		t.Errorf("common name: got %q", c.Subject.CommonName)
	}
	if got, want := c.KeyUsage, x509.KeyUsageCertSign|x509.KeyUsageCRLSign; got != want {
		t.Errorf("key usage: got %b, want %b", got, want)
	}
	if !c.IsCA || c.MaxPathLen != 0 || !c.MaxPathLenZero || len(c.SubjectKeyId) == 0 {
		t.Errorf("got CA %v, path length %d, subject key id %x", c.IsCA, c.MaxPathLen, c.SubjectKeyId)
	}
	if got, want := c.NotAfter.Sub(c.NotBefore), caLifetime+backdate; got != want {
		t.Errorf("lifetime: got %v, want %v", got, want)
	}
	if age := time.Since(c.NotBefore); age < backdate || age > backdate+time.Hour {
		t.Errorf("valid since %v, want about %v", age, backdate)
	}
	critical := map[string]bool{"2.5.29.19": false, "2.5.29.15": false}
	for _, ext := range c.Extensions {
		if _, ok := critical[ext.Id.String()]; ok {
			critical[ext.Id.String()] = ext.Critical
		}
	}
	for id, ok := range critical {
		if !ok {
			t.Errorf("extension %s is not critical", id)
		}
	}
}

func TestHostnameInCommonName(t *testing.T) {
	day := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	for host, want := range map[string]string{
		"laptop":                  "weir CA (laptop, 2026-11-21)",
		"":                        "weir CA (2026-11-21)",
		"esc\x1b[2J":              "weir CA (2026-11-21)",
		strings.Repeat("long", 9): "weir CA (2026-11-21)",
	} {
		template, err := caTemplate(host, day)
		if err != nil {
			t.Fatal(err)
		}
		if got := template.Subject.CommonName; got != want {
			t.Errorf("host %q: got %q, want %q", host, got, want)
		}
	}
}

// Many processes that start in an empty directory share no memory, and so do
// separate Loads: all must end up with the key that is on disk.
func TestLoadRace(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "weir")
	const loaders = 16
	got := make([]*Authority, loaders)
	start := make(chan struct{})
	var wg sync.WaitGroup
	for i := range loaders {
		wg.Go(func() {
			<-start
			a, err := Load(dir)
			if err != nil {
				t.Errorf("loader %d: %v", i, err)
			}
			got[i] = a
		})
	}
	close(start)
	wg.Wait()
	if t.Failed() {
		return
	}
	want := mustLoad(t, dir)
	for i, a := range got {
		if !a.Certificate().Equal(want.Certificate()) {
			t.Errorf("loader %d has certificate %s, the file has %s", i, a.Fingerprint(), want.Fingerprint())
		}
	}
	assertNoTemp(t, dir)
}

// A file system without hard links still gets its key, and one that is there
// already stays.
func TestCreateWithoutLinks(t *testing.T) {
	path := filepath.Join(t.TempDir(), keyFile)
	noLinks := func(string, string) error { return errors.ErrUnsupported }
	if err := create(path, noLinks); err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := create(path, noLinks); err != nil {
		t.Fatal(err)
	}
	if got, _ := os.ReadFile(path); string(got) != string(want) {
		t.Error("an existing key was replaced")
	}
	if _, err := LoadFile(path); err != nil {
		t.Error(err)
	}
	assertNoTemp(t, filepath.Dir(path))
}

func TestLoadRestoresCertificateFile(t *testing.T) {
	dir := t.TempDir()
	a := mustLoad(t, dir)
	if err := os.WriteFile(a.CertFile(), []byte("another"), 0o600); err != nil {
		t.Fatal(err)
	}
	mustLoad(t, dir)
	if got, _ := os.ReadFile(a.CertFile()); string(got) != string(a.CertPEM()) {
		t.Errorf("certificate file: got %q, want the certificate", got)
	}
}

func TestLoadFilePermissions(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("file modes say nothing on Windows")
	}
	tests := []struct {
		name string
		mode fs.FileMode
		own  bool // weir's own file, else the user's
		ok   bool
	}{
		{"own private", 0o600, true, true},
		{"own read-only", 0o400, true, true},
		{"own group-readable", 0o640, true, false},
		{"own world-readable", 0o644, true, false},
		{"user private", 0o600, false, true},
		{"user group-readable", 0o640, false, true},
		{"user world-readable", 0o644, false, false},
		{"user world-writable", 0o602, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			mustLoad(t, dir)
			path := filepath.Join(dir, keyFile)
			if err := os.Chmod(path, tt.mode); err != nil {
				t.Fatal(err)
			}
			var err error
			if tt.own {
				_, err = Load(dir)
			} else {
				_, err = LoadFile(path)
			}
			if got := err == nil; got != tt.ok {
				t.Fatalf("mode %o accepted: got %v (%v), want %v", tt.mode, got, err, tt.ok)
			}
			if err != nil {
				assertRefusal(t, err, path, "accessible to other users", "chmod 600")
			}
		})
	}
}

func TestLoadRefusesOpenDirectory(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("file modes say nothing on Windows")
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o777); err != nil {
		t.Fatal(err)
	}
	_, err := Load(dir)
	assertRefusal(t, err, dir, "every user can write", "chmod 700")
	if err := os.Chmod(dir, 0o777|fs.ModeSticky); err != nil {
		t.Fatal(err)
	}
	if _, err := Load(dir); err != nil {
		t.Errorf("sticky directory: %v", err)
	}
}

func TestLoadFileErrors(t *testing.T) {
	_, err := LoadFile(filepath.Join(t.TempDir(), "absent.pem"))
	if !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("absent file: got %v, want fs.ErrNotExist", err)
	}
	dir := t.TempDir()
	_, err = LoadFile(dir)
	assertRefusal(t, err, dir, "neither weir-ca.pem nor mitmproxy-ca.pem", "name the file")
	_, err = LoadFile("/dev/null")
	assertRefusal(t, err, "/dev/null", "not a regular file", "PEM file")
	big := writeFile(t, 0o600, make([]byte, maxFile+1))
	_, err = LoadFile(big)
	assertRefusal(t, err, big, "larger than", "PEM file")
	if _, err = Load(filepath.Join(big, "weir")); err == nil {
		t.Error("a directory under a file was made")
	}
}

// A directory of mitmproxy's is used as it is.
func TestLoadFileOfDirectory(t *testing.T) {
	own := t.TempDir()
	mustLoad(t, own)
	data, err := os.ReadFile(filepath.Join(own, keyFile))
	if err != nil {
		t.Fatal(err)
	}
	theirs := t.TempDir()
	if err := os.WriteFile(filepath.Join(theirs, "mitmproxy-ca.pem"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, dir := range []string{own, theirs} {
		a, err := LoadFile(dir)
		if err != nil {
			t.Fatal(err)
		}
		mustLeaf(t, a, Names{DNS: []string{"a.test"}})
	}
}

// assertRefusal checks that err names the path and the cause, and tells what
// to do.
func assertRefusal(t *testing.T, err error, path, cause, hint string) {
	t.Helper()
	refusal, ok := errors.AsType[*Error](err)
	if !ok {
		t.Fatalf("got %v, want an *Error", err)
	}
	if refusal.Path != path {
		t.Errorf("path: got %q, want %q", refusal.Path, path)
	}
	if got := err.Error(); !strings.Contains(got, cause) || !strings.Contains(got, path) {
		t.Errorf("got %q, want it to name %q and %q", got, path, cause)
	}
	if got := refusal.Hint(); !strings.Contains(got, hint) {
		t.Errorf("hint: got %q, want it to contain %q", got, hint)
	}
}

func assertNoTemp(t *testing.T, dir string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(dir, ".weir-ca*"))
	if err != nil || len(left) > 0 {
		t.Errorf("temporary files left: %v (%v)", left, err)
	}
}
