package htpasswd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/crypto/bcrypt"
)

func TestVerify(t *testing.T) {
	blowfish, err := bcrypt.GenerateFromPassword([]byte("bcrypted"), bcrypt.MinCost)
	if err != nil {
		t.Fatal(err)
	}
	// The MD5 hashes were made with openssl passwd -apr1, the SHA-1 with htpasswd -s.
	file := "# users\n\nblow:" + string(blowfish) + "\n" +
		"dutch:" + strings.Replace(string(blowfish), "$2a$", "$2y$", 1) + "\n" +
		"md5:$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/\nlong:$apr1$xy$5sHtsi5mMO.NePt2aw4cC.\n" +
		"sha:{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=\r\n"
	path := filepath.Join(t.TempDir(), "users")
	if err := os.WriteFile(path, []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	u, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	for user, password := range map[string]string{
		"blow": "bcrypted", "dutch": "bcrypted", "md5": "secret", "long": "longer password than sixteen bytes", "sha": "secret",
	} {
		for range 2 { // the second time from memory
			if !u.Verify(user, password) {
				t.Errorf("%s: the right password is refused", user)
			}
		}
		for _, wrong := range []string{"", password + "x", password[1:]} {
			if u.Verify(user, wrong) {
				t.Errorf("%s: %q is accepted", user, wrong)
			}
		}
	}
	if u.Verify("nobody", "") {
		t.Error("an unknown user is accepted")
	}
}

func TestSingle(t *testing.T) {
	u := Single("u", "p:w")
	if !u.Verify("u", "p:w") || u.Verify("u", "p") || u.Verify("", "p:w") {
		t.Error("got another answer than the password gives")
	}
}

func TestRefusedFiles(t *testing.T) {
	for _, tt := range []struct{ file, want string }{
		{"a:{SHA}x\nalice", "line 2: not USER:HASH"},
		{":x", "line 1: not USER:HASH"},
		{"alice:secret", `line 1, user "alice": a hash of no kind`},
		{"alice:rqXexS6ZhobKA", "a hash of no kind"},
		{"alice:$2y$xx", `user "alice"`},
		{"alice:$apr1$toolongsalt$x", "not an $apr1$ hash"},
		{strings.Repeat("x", 1<<17), "read lines"},
	} {
		if _, err := Read(strings.NewReader(tt.file)); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%.20q: got %v, want %q", tt.file, err, tt.want)
		}
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("no error for a file that is not there")
	}
}

// What is remembered stays bounded.
func TestRememberedIsBounded(t *testing.T) {
	u := newUsers()
	for i := range maxRemembered + 10 {
		name := strings.Repeat("u", i)
		u.hashes[name] = plain("p")
		u.Verify(name, "p")
	}
	if got := len(u.good); got > maxRemembered {
		t.Errorf("%d logins are remembered, want at most %d", got, maxRemembered)
	}
}
