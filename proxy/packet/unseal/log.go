package unseal

import (
	"bytes"
	"encoding/hex"

	"weir/proxy/handshake"
)

// label is what a secret is for.
type label uint8

const (
	master label = iota // of TLS 1.2 and before
	clientEarly
	clientHandshake
	serverHandshake
	clientTraffic
	serverTraffic
	labels
)

// labelNames are the labels in key logs (draft-ietf-tls-keylogfile, section 2.1).
// Others, as of exporters, open no record.
var labelNames = [labels]string{
	"CLIENT_RANDOM", "CLIENT_EARLY_TRAFFIC_SECRET", "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
	"SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0",
}

// Random is the client's random, by which a connection is known.
type Random = [handshake.RandomSize]byte

// Secrets are those of one connection. What is not known is empty.
type Secrets struct{ of [labels][]byte }

// Complete reports whether these are all that a connection needs. Key logs are written
// line by line, and captures may have them in several places.
func (s *Secrets) Complete() bool {
	of := &s.of
	return of[master] != nil || of[clientHandshake] != nil && of[serverHandshake] != nil && of[clientTraffic] != nil && of[serverTraffic] != nil
}

// Sizes of secrets in bytes: a master secret has masterSize, others that of a hash.
const (
	masterSize = 48
	maxSecret  = 64
)

// maxConnections bounds the connections whose secrets are held: about 80 MB.
const maxConnections = 1 << 18

// Log holds the secrets of a key log. Its zero value is empty and ready.
type Log struct {
	secrets map[Random]*Secrets
	order   []Random // the oldest first, a ring once it is full
	oldest  int
}

// Len returns of how many connections there are secrets.
func (l *Log) Len() int { return len(l.secrets) }

// Find returns the secrets of a connection, nil where there are none. It has those
// that come later as well.
func (l *Log) Find(r Random) *Secrets { return l.secrets[r] }

// Add takes lines of a key log, each whole, and returns how many secrets are in them.
// Other lines are passed over. Of more connections than 262144 the first are forgotten.
func (l *Log) Add(lines []byte) (secrets int) {
	for line := range bytes.Lines(lines) {
		if l.line(line) {
			secrets++
		}
	}
	return secrets
}

// line takes a line and reports whether it is a secret.
func (l *Log) line(line []byte) bool {
	fields := bytes.Fields(line)
	if len(fields) != 3 {
		return false
	}
	of := label(0)
	for of < labels && labelNames[of] != string(fields[0]) {
		of++
	}
	var r Random
	n := hex.DecodedLen(len(fields[2]))
	if of == labels || n > maxSecret || of == master && n != masterSize || hex.DecodedLen(len(fields[1])) != len(r) {
		return false
	}
	secret := make([]byte, n)
	if _, err := hex.Decode(r[:], fields[1]); err != nil {
		return false
	}
	if _, err := hex.Decode(secret, fields[2]); err != nil {
		return false
	}
	l.of(r).of[of] = secret
	return true
}

// of returns the secrets of a connection, new ones where there were none.
func (l *Log) of(r Random) *Secrets {
	if s := l.secrets[r]; s != nil {
		return s
	}
	if l.secrets == nil {
		l.secrets = map[Random]*Secrets{}
	}
	if len(l.order) < maxConnections {
		l.order = append(l.order, r)
	} else {
		delete(l.secrets, l.order[l.oldest])
		l.order[l.oldest] = r
		l.oldest = (l.oldest + 1) % maxConnections
	}
	s := &Secrets{}
	l.secrets[r] = s
	return s
}
