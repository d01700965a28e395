package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"os"
	"time"

	"weir/proxy/packet"
	"weir/proxy/packet/pcap"
	"weir/proxy/packet/unseal"
)

// readKeyLogs reads the secrets of all files.
func readKeyLogs(names []string) (*unseal.Log, error) {
	log := &unseal.Log{}
	for _, name := range names {
		secrets, err := readKeyLog(log, name)
		if err != nil {
			return nil, fmt.Errorf("key log %q: %w", name, err)
		}
		if secrets == 0 {
			return nil, hinted(fmt.Errorf("key log %q: there are no secrets of TLS connections in it", name),
				"with SSLKEYLOGFILE=keys.txt in their environment browsers, curl and weir write such a file")
		}
	}
	return log, nil
}

// maxKeyLine bounds a line of a key log, in bytes.
const maxKeyLine = 64 << 10

func readKeyLog(log *unseal.Log, name string) (secrets int, err error) {
	f, err := os.Open(name)
	if err != nil {
		return 0, err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, maxKeyLine)
	for lines.Scan() {
		secrets += log.Add(lines.Bytes())
	}
	return secrets, lines.Err()
}

// keyFollower finds secrets in key logs that others still write, and that may not even
// be there yet. It reads what is new of them when a connection has none.
type keyFollower struct {
	log    unseal.Log
	files  []followed
	looked time.Time
}

// followed is how far a key log was read.
type followed struct {
	name string
	at   int64
}

func newKeyFollower(names []string) *keyFollower {
	k := &keyFollower{}
	for _, name := range names {
		k.files = append(k.files, followed{name: name})
	}
	return k
}

// keyLook is how often key logs are looked at, at most: each connection that has no
// secrets asks with each of its packets.
const keyLook = 20 * time.Millisecond

// Find implements packet.Keys.
func (k *keyFollower) Find(random unseal.Random) (s *unseal.Secrets, more bool) {
	if s = k.log.Find(random); s != nil {
		return s, true
	}
	if now := time.Now(); now.Sub(k.looked) >= keyLook {
		k.looked = now
		for i := range k.files {
			k.files[i].read(&k.log)
		}
	}
	return k.log.Find(random), true
}

// maxKeyNews bounds what is read of a key log at once, in bytes. The rest is read the
// next time.
const maxKeyNews = 1 << 20

// read takes the lines that were written since it was called the last time. A file
// that cannot be read is one whose time has not come: nothing else could be done about
// it in the middle of a capture.
func (f *followed) read(log *unseal.Log) {
	file, err := os.Open(f.name)
	if err != nil {
		return
	}
	defer file.Close()
	st, err := file.Stat()
	if err != nil || !st.Mode().IsRegular() || st.Size() == f.at {
		return
	}
	if st.Size() < f.at {
		f.at = 0 // it was begun again
	}
	news, err := io.ReadAll(io.NewSectionReader(file, f.at, maxKeyNews))
	if err != nil {
		return
	}
	whole := bytes.LastIndexByte(news, '\n') + 1
	log.Add(news[:whole])
	if f.at += int64(whole); whole == 0 && len(news) > maxKeyLine {
		f.at = st.Size() // these are no lines
	}
}

// keyring finds the secrets of the connections of one capture: among those of the key
// logs, and those that the capture has itself. They should come before the packets
// that they open, and in many files they do not. So the first connection without any
// makes the rest of the file be read for secrets alone; where it cannot be read
// twice, connections wait for theirs a while.
type keyring struct {
	log   *unseal.Log
	ahead func() error // reads the secrets of the whole file; nil: it was done, or cannot be
	more  bool         // secrets may come behind what they open
}

// Find implements packet.Keys.
func (k *keyring) Find(random unseal.Random) (*unseal.Secrets, bool) {
	s := k.log.Find(random)
	if s == nil && k.ahead != nil {
		// What is wrong with the file is told when its packets are read.
		_ = k.ahead()
		k.ahead = nil
		s = k.log.Find(random)
	}
	return s, k.more
}

// keyring returns what finds the secrets for a capture, and makes it take those that
// the file has; nil where there can be none.
func (im *importer) keyring(file *pcap.Reader) packet.Keys {
	k := &keyring{log: im.keys}
	if !file.CarriesSecrets() {
		if im.keys.Len() == 0 {
			return nil
		}
		return k
	}
	file.Secrets = k.add
	if st, err := os.Stat(im.name); im.name != "-" && err == nil && st.Mode().IsRegular() {
		name := im.name
		k.ahead = func() error { return k.readAhead(name) }
	} else {
		k.more = true
	}
	return k
}

func (k *keyring) add(lines []byte) { k.log.Add(lines) }

// readAhead reads the secrets in a capture file and passes over its packets.
func (k *keyring) readAhead(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	inside, _, err := peel(f)
	if err != nil {
		return err
	}
	file, err := pcap.NewReader(inside)
	if err != nil {
		return err
	}
	file.Secrets = k.add
	for err == nil {
		_, err = file.Next()
	}
	return err
}
