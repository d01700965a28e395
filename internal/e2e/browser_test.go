package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// A headless Chromium that trusts weir's authority loads a page of 100 assets
// over HTTP/2; its scripts count themselves.
func TestChromium(t *testing.T) {
	need(t, "chromium")
	need(t, "certutil")
	o := startOrigin(t)
	r := record(t, "--upstream-ca", o.CA)
	home := t.TempDir()
	trust(t, home, r.CA)

	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	// The loopback address is not proxied unless that is asked for. The other flags
	// keep the browser from calling home, which would add flows of its own.
	cmd := exec.CommandContext(ctx, "chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage",
		"--user-data-dir="+filepath.Join(home, "profile"), "--proxy-server=http://"+r.Addr, "--proxy-bypass-list=<-loopback>",
		"--virtual-time-budget=20000", "--dump-dom", o.HTTPS+"/page")
	cmd.Env = append(os.Environ(), "HOME="+home)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	dom, err := cmd.Output()
	if err != nil {
		t.Fatalf("chromium: %v\n%s", err, complaints.String())
	}
	if want := fmt.Sprintf("<title>ran %d</title>", assets); !strings.Contains(string(dom), want) {
		t.Fatalf("the page does not say %s:\n%s\n%s", want, dom, complaints.String())
	}
	for i := range assets {
		f := complete(t, r.Session, 1, fmt.Sprintf("~u /asset/%d$ ~ver h2", i))[0]
		_, response := show(t, r.Session, f.ID)
		if got, want := *response.BodySHA256, sum(strings.NewReader(assetText(i))); got != want {
			t.Errorf("stored asset %d hashes to %s, want %s", i, got, want)
		}
	}
	r.stop()
}

// trust makes an NSS database in home that trusts the certificate in file.
func trust(t *testing.T, home, file string) {
	t.Helper()
	db := filepath.Join(home, ".pki", "nssdb")
	if err := os.MkdirAll(db, 0o700); err != nil {
		t.Fatal(err)
	}
	run(t, "certutil", "-d", "sql:"+db, "-N", "--empty-password")
	run(t, "certutil", "-d", "sql:"+db, "-A", "-t", "C,,", "-n", "weir", "-i", file)
}
