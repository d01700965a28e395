package main

import (
	"bufio"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"weir/proxy/packet/pcap"
)

// keptPackets is the packets of a capture as they came, in pcapng files beside the
// session: bug.weir has bug.0001.pcapng, bug.0002.pcapng and so on. Each takes a
// quarter of what may be kept; the oldest is removed when there is need of a fifth.
// The numbers go on when a session is continued.
type keptPackets struct {
	base   string // of the paths, without number
	limit  int64  // bytes of one file
	number int
	file   *os.File
	to     *bufio.Writer
	writer *pcap.Writer
	size   int64 // written to the file
}

const (
	packetFiles  = 4
	packetSuffix = ".pcapng"
)

// keepPackets begins to keep the newest limit bytes of packets, beside a session.
func keepPackets(session string, limit int64) (*keptPackets, error) {
	k := &keptPackets{base: strings.TrimSuffix(session, sessionSuffix), limit: max(limit/packetFiles, 1<<20)}
	if numbers := k.numbers(); len(numbers) > 0 {
		k.number = numbers[len(numbers)-1]
	}
	return k, k.next()
}

func (k *keptPackets) path(number int) string {
	return fmt.Sprintf("%s.%04d%s", k.base, number, packetSuffix)
}

// numbers is those of the files there are, in order.
func (k *keptPackets) numbers() []int {
	dir, prefix := filepath.Dir(k.base), filepath.Base(k.base)+"."
	entries, _ := os.ReadDir(dir) // what cannot be listed cannot be written to either, which will say so
	var numbers []int
	for _, e := range entries {
		text, found := strings.CutPrefix(strings.TrimSuffix(e.Name(), packetSuffix), prefix)
		n, err := strconv.Atoi(text)
		if found && err == nil && filepath.Base(k.path(n)) == e.Name() {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers
}

// next begins another file, and removes what is too old.
func (k *keptPackets) next() error {
	if err := k.close(); err != nil {
		return fmt.Errorf("keep packets: %w", err)
	}
	k.number++
	var err error
	if k.file, err = os.OpenFile(k.path(k.number), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return fmt.Errorf("keep packets: %w", err)
	}
	k.to, k.size = bufio.NewWriterSize(k.file, 256<<10), headSize
	if k.writer, err = pcap.NewWriter(k.to, firstLink, "weir "+version()); err != nil {
		return fmt.Errorf("keep packets: %w", err)
	}
	for _, n := range k.numbers() {
		if n <= k.number-packetFiles {
			err = errors.Join(err, os.Remove(k.path(n)))
		}
	}
	return err
}

// firstLink is the link type that a file says first: Ethernet.
const firstLink = 1

// What a file takes beside the bytes of packets: each of them with the filling behind
// it, and at its beginning, at most.
const (
	blockOverhead = 36
	headSize      = 256
)

// add keeps one more packet.
func (k *keptPackets) add(p pcap.Packet) error {
	n := int64(len(p.Data)) + blockOverhead
	if k.size+n > k.limit && k.size > headSize {
		if err := k.next(); err != nil {
			return err
		}
	}
	k.size += n
	return k.writer.Captured(p)
}

// flush writes what waits, so that others can read it.
func (k *keptPackets) flush() error { return k.to.Flush() }

func (k *keptPackets) close() error {
	if k.file == nil {
		return nil
	}
	err := errors.Join(k.to.Flush(), k.file.Close())
	k.file = nil
	return err
}
