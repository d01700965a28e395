package main

import (
	"bufio"
	"fmt"
	"os"

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
