package htpasswd

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
)

// maxFile bounds what is read of a file, in bytes.
const maxFile = 16 << 20

// maxRemembered bounds the logins that are remembered as good.
const maxRemembered = 4096

// Users is a set of users with the hashes of their passwords.
type Users struct {
	hashes map[string]hash

	key  [32]byte // of the remembered logins, so that they are no hashes to steal
	mu   sync.Mutex
	good map[[32]byte]struct{}
}

// Open reads a file.
func Open(path string) (*Users, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("open htpasswd file: %w", err)
	}
	defer f.Close()
	u, err := Read(io.LimitReader(f, maxFile))
	if err != nil {
		return nil, fmt.Errorf("read htpasswd file %q: %w", path, err)
	}
	return u, nil
}

// Read reads the lines of a file. Empty ones and those that begin with # are
// passed over.
func Read(r io.Reader) (*Users, error) {
	u := newUsers()
	lines := bufio.NewScanner(r)
	for n := 1; lines.Scan(); n++ {
		line := strings.TrimSpace(lines.Text())
		if line == "" || line[0] == '#' {
			continue
		}
		user, text, ok := strings.Cut(line, ":")
		if !ok || user == "" {
			return nil, fmt.Errorf("line %d: not USER:HASH", n)
		}
		h, err := parseHash(text)
		if err != nil {
			return nil, fmt.Errorf("line %d, user %q: %w", n, user, err)
		}
		u.hashes[user] = h
	}
	if err := lines.Err(); err != nil {
		return nil, fmt.Errorf("read lines: %w", err)
	}
	return u, nil
}

// Single returns the set of one user whose password is known.
func Single(user, password string) *Users {
	u := newUsers()
	u.hashes[user] = plain(password)
	return u
}

func newUsers() *Users {
	u := &Users{hashes: make(map[string]hash), good: make(map[[32]byte]struct{})}
	_, _ = rand.Read(u.key[:]) // never fails, see its documentation
	return u
}

// Verify reports whether password is the user's.
func (u *Users) Verify(user, password string) bool {
	h, ok := u.hashes[user]
	if !ok {
		return false
	}
	id := u.identify(user, password)
	u.mu.Lock()
	_, known := u.good[id]
	u.mu.Unlock()
	if known {
		return true
	}
	if !h.matches(password) {
		return false
	}
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.good) >= maxRemembered {
		clear(u.good)
	}
	u.good[id] = struct{}{}
	return true
}

func (u *Users) identify(user, password string) [32]byte {
	var b bytes.Buffer
	b.Write(u.key[:])
	fmt.Fprintf(&b, "%d:%s%s", len(user), user, password)
	return sha256.Sum256(b.Bytes())
}

// equal compares without telling by its time where the difference is.
func equal(a, b string) bool { return subtle.ConstantTimeCompare([]byte(a), []byte(b)) == 1 }
