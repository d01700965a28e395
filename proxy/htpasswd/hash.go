package htpasswd

import (
	"crypto/md5"  //nolint:gosec // the format is what it is
	"crypto/sha1" //nolint:gosec // the format is what it is
	"encoding/base64"
	"errors"
	"strings"

	"golang.org/x/crypto/bcrypt"
)

// hash is one way of keeping a password.
type hash interface{ matches(password string) bool }

type (
	plain   string // the password itself, given on the command line
	blow    []byte // bcrypt
	apr     string // the salt and the sum of apr1, "salt$sum"
	shaHash string // SHA-1 in Base64
)

const (
	prefixMD5 = "$apr1$"
	prefixSHA = "{SHA}"
)

func parseHash(text string) (hash, error) {
	switch {
	case strings.HasPrefix(text, "$2"):
		if _, err := bcrypt.Cost([]byte(text)); err != nil {
			return nil, err
		}
		return blow(text), nil
	case strings.HasPrefix(text, prefixMD5):
		rest := text[len(prefixMD5):]
		if salt, sum, ok := strings.Cut(rest, "$"); !ok || len(salt) > 8 || len(sum) != 22 {
			return nil, errors.New("not an $apr1$ hash")
		}
		return apr(rest), nil
	case strings.HasPrefix(text, prefixSHA):
		return shaHash(text[len(prefixSHA):]), nil
	}
	return nil, errors.New("a hash of no kind that is safe to use; make it with htpasswd -B")
}

func (p plain) matches(password string) bool { return equal(string(p), password) }

func (b blow) matches(password string) bool {
	return bcrypt.CompareHashAndPassword(b, []byte(password)) == nil
}

func (s shaHash) matches(password string) bool {
	sum := sha1.Sum([]byte(password)) //nolint:gosec // the format is what it is
	return equal(base64.StdEncoding.EncodeToString(sum[:]), string(s))
}

func (a apr) matches(password string) bool {
	salt, sum, _ := strings.Cut(string(a), "$")
	return equal(aprSum([]byte(password), []byte(salt)), sum)
}

// aprSum is Apache's variant of the MD5 of crypt(3): a thousand rounds over
// password, salt and the sum so far.
func aprSum(password, salt []byte) string {
	inner := md5.New() //nolint:gosec // the format is what it is
	inner.Write(password)
	inner.Write(salt)
	inner.Write(password)
	mixed := inner.Sum(nil)

	outer := md5.New() //nolint:gosec // the format is what it is
	outer.Write(password)
	outer.Write([]byte(prefixMD5))
	outer.Write(salt)
	for n := len(password); n > 0; n -= md5.Size {
		outer.Write(mixed[:min(n, md5.Size)])
	}
	for n := len(password); n > 0; n >>= 1 {
		if n&1 == 1 {
			outer.Write([]byte{0})
		} else {
			outer.Write(password[:1])
		}
	}
	sum := outer.Sum(nil)
	for i := range 1000 {
		sum = aprRound(i, sum, password, salt)
	}
	return aprEncode(sum)
}

func aprRound(i int, sum, password, salt []byte) []byte {
	d := md5.New() //nolint:gosec // the format is what it is
	first, last := sum, password
	if i&1 == 1 {
		first, last = password, sum
	}
	d.Write(first)
	if i%3 != 0 {
		d.Write(salt)
	}
	if i%7 != 0 {
		d.Write(password)
	}
	d.Write(last)
	return d.Sum(nil)
}

// aprEncode writes the sum in the order and alphabet of crypt(3).
func aprEncode(sum []byte) string {
	const alphabet = "./0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
	var out []byte
	write := func(v uint32, n int) {
		for range n {
			out = append(out, alphabet[v&0x3f])
			v >>= 6
		}
	}
	for i := range 5 {
		third := i + 12
		if i == 4 {
			third = 5
		}
		write(uint32(sum[i])<<16|uint32(sum[i+6])<<8|uint32(sum[third]), 4)
	}
	write(uint32(sum[11]), 2)
	return string(out)
}
