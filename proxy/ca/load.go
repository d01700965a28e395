package ca

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"
)

const (
	keyFile  = "weir-ca.pem"
	certFile = "weir-ca-cert.pem"

	// maxFile bounds what is read of a key file; an RSA-4096 key with a long
	// chain stays under 32 KB.
	maxFile = 1 << 20

	// What a key file may not allow: weir's own to anyone else, the user's own
	// to anyone but its group.
	ownMask  fs.FileMode = 0o077
	userMask fs.FileMode = 0o007
)

// Error says which file the authority could not be loaded from, and why. The
// cause is in the chain: errors.Is(err, fs.ErrNotExist) works.
type Error struct {
	// Path is the file or directory at fault.
	Path string
	// Err is the cause.
	Err  error
	hint string
}

func (e *Error) Error() string { return fmt.Sprintf("load CA %q: %v", e.Path, e.Err) }

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// Hint returns what the user can do about it, as one line.
func (e *Error) Hint() string { return e.hint }

// Load returns the authority kept in dir, which is created with mode 0700, and
// the authority in it, when absent. It also brings weir-ca-cert.pem up to date.
// Processes that call Load on an empty directory at the same time end up with
// the same authority. An error that has a remedy is an *Error.
func Load(dir string) (*Authority, error) {
	if err := prepareDir(dir); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, keyFile)
	a, err := load(path, ownMask)
	if errors.Is(err, fs.ErrNotExist) {
		if err := create(path, os.Link); err != nil {
			return nil, &Error{Path: path, Err: err, hint: "make the directory writable, or give another with --config"}
		}
		a, err = load(path, ownMask)
	}
	if err != nil {
		return nil, err
	}
	a.certFile = filepath.Join(dir, certFile)
	if err := publish(a.certFile, a.CertPEM()); err != nil {
		return nil, &Error{Path: a.certFile, Err: err, hint: "make the directory writable, or give another with --config"}
	}
	return a, nil
}

// LoadFile returns the authority in a PEM file that the user supplies: one
// private key (RSA, ECDSA or Ed25519, as PKCS#1, SEC 1 or PKCS#8, not
// encrypted), the CA certificate that belongs to it, and optionally the
// certificates that lead from it to a root. A directory is one of mitmproxy's, or
// of weir's, and means the file in it. Nothing is written.
func LoadFile(path string) (*Authority, error) {
	if info, err := os.Stat(path); err == nil && info.IsDir() {
		for _, name := range []string{keyFile, "mitmproxy-ca.pem"} {
			file := filepath.Join(path, name)
			if _, err := os.Stat(file); err == nil {
				return load(file, userMask)
			}
		}
		return nil, &Error{
			Path: path, Err: errors.New("neither " + keyFile + " nor mitmproxy-ca.pem is in the directory"),
			hint: "name the file with the key and the certificate",
		}
	}
	return load(path, userMask)
}

func load(path string, mask fs.FileMode) (*Authority, error) {
	data, err := readKeyFile(path, mask)
	if err != nil {
		return nil, err
	}
	b, err := parseBundle(data)
	if err == nil {
		err = b.check(time.Now())
	}
	if err != nil {
		return nil, refuse(path, err)
	}
	a, err := newAuthority(b.cert, b.key, b.chain)
	if err != nil {
		return nil, &Error{Path: path, Err: err}
	}
	return a, nil
}

// readKeyFile reads the file after looking at the mode of the very file it
// opened, so that it cannot be swapped in between.
func readKeyFile(path string, mask fs.FileMode) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, &Error{Path: path, Err: err, hint: "check the path, and that this user may read it"}
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, &Error{Path: path, Err: err}
	}
	if !info.Mode().IsRegular() {
		return nil, &Error{Path: path, Err: errors.New("not a regular file"), hint: "give a PEM file with a CA key and certificate"}
	}
	if perm := info.Mode().Perm(); perm&mask != 0 && runtime.GOOS != "windows" {
		return nil, &Error{
			Path: path,
			Err:  fmt.Errorf("the private key is accessible to other users (mode %04o)", perm),
			hint: fmt.Sprintf("if nobody else can have copied it: chmod 600 %q; otherwise delete it, distrust its certificate and start again", path),
		}
	}
	data, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return nil, &Error{Path: path, Err: err}
	}
	if len(data) > maxFile {
		return nil, &Error{Path: path, Err: fmt.Errorf("larger than %d bytes", maxFile), hint: "give a PEM file with a CA key and certificate"}
	}
	return data, nil
}

// prepareDir makes the directory, or checks one that exists: where everybody
// can rename files, everybody can put their own CA in place of ours. Its mode
// is never changed, because it may be any directory the user named.
func prepareDir(dir string) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return &Error{Path: dir, Err: err, hint: "give a directory that can be created with --config"}
	}
	info, err := os.Stat(dir)
	if err != nil {
		return &Error{Path: dir, Err: err}
	}
	open := info.Mode().Perm()&0o002 != 0 && info.Mode()&fs.ModeSticky == 0
	if open && runtime.GOOS != "windows" {
		return &Error{
			Path: dir,
			Err:  fmt.Errorf("every user can write to the directory (mode %04o)", info.Mode().Perm()),
			hint: fmt.Sprintf("chmod 700 %q", dir),
		}
	}
	return nil
}
