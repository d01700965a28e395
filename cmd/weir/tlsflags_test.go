package main

import (
	"crypto/tls"
	"os"
	"path/filepath"
	"testing"

	"weir/proxy"
	"weir/proxy/ca"
)

func TestTLSFlags(t *testing.T) {
	dir := t.TempDir()
	if _, err := ca.Load(dir); err != nil { // a certificate with its key is all that is wanted
		t.Fatal(err)
	}
	pem := filepath.Join(dir, "weir-ca.pem")
	hosts := t.TempDir()
	data, err := os.ReadFile(pem)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(hosts, "a.test.pem"), data, 0o600); err != nil {
		t.Fatal(err)
	}
	keys := filepath.Join(dir, "keys")
	t.Setenv("SSLKEYLOGFILE", keys)
	f := tlsFlags{
		min: "1.1", max: "TLS1.2", serverMin: "1.3", ciphers: []string{"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"},
		clientCerts: []string{"b.test=" + pem, hosts}, certs: []string{pem}, askClients: true,
	}
	o, err := f.options()
	if err != nil {
		t.Fatal(err)
	}
	if o.Min != tls.VersionTLS11 || o.Max != tls.VersionTLS12 || o.ServerMin != tls.VersionTLS13 || o.ServerMax != 0 || !o.AskClients {
		t.Errorf("versions: got %+v", o)
	}
	if len(o.Ciphers) != 1 || o.Ciphers[0] != tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256 {
		t.Errorf("ciphers: got %v", o.Ciphers)
	}
	if len(o.ClientCertificates) != 2 || o.ClientCertificates[0].Host != "b.test" || o.ClientCertificates[1].Host != "a.test" || o.Certificates[0].Host != "" {
		t.Errorf("certificates: got %d and %d", len(o.ClientCertificates), len(o.Certificates))
	}
	if info, err := os.Stat(keys); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("key log: got %v, %v, want a file of mode 0600", info, err)
	}
	if c, ok := o.KeyLog.(*os.File); ok {
		_ = c.Close()
	}
}

func TestTLSFlagsRefused(t *testing.T) {
	t.Setenv("SSLKEYLOGFILE", "")
	for name, f := range map[string]tlsFlags{
		"version":      {min: "0.9"},
		"cipher":       {serverCiphers: []string{"TLS_NULL"}},
		"TLS 1.3":      {ciphers: []string{"TLS_AES_128_GCM_SHA256"}},
		"missing file": {certs: []string{"none.pem"}},
		"client cert":  {clientCerts: []string{"h=none.pem"}},
	} {
		if _, err := f.options(); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestProxyFlags(t *testing.T) {
	t.Setenv("SSLKEYLOGFILE", "")
	f := proxyFlags{auth: "u:p", ignore: []string{`^a\.test:`}, only: []string{"b"}, lenient: true}
	var o proxy.Options
	if err := f.options(&o); err != nil {
		t.Fatal(err)
	}
	if !o.Auth.Verify("u", "p") || !o.Ignore[0].MatchString("A.TEST:443") || o.Ignore[0].String() != `^a\.test:` || len(o.Only) != 1 || !o.Limits.Lenient {
		t.Errorf("got %+v", o)
	}
	for name, f := range map[string]proxyFlags{
		"no colon": {auth: "user"}, "no file": {auth: "@none"}, "pattern": {ignore: []string{"("}}, "only": {only: []string{"["}},
	} {
		if err := f.options(new(proxy.Options)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
	up := proxyFlags{listen: defaultListen, upstreamAuth: "u:p"}
	if modes, err := up.parse([]string{"upstream:proxy:1"}); err != nil || !modes[0].HasLogin() {
		t.Errorf("--upstream-auth: got %v, %v", modes, err)
	}
	up.upstreamAuth = "nocolon"
	if _, err := up.parse(nil); err == nil {
		t.Error("--upstream-auth without a colon: no error")
	}
}
