package store

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"

	flowpb "weir/proto"
)

// cert is a certificate on its way into the file.
type cert struct {
	hash [sha256.Size]byte
	der  []byte
}

// takeCerts takes the certificates out of c and leaves their hashes in it.
func takeCerts(c *flowpb.Conn) (out []cert) {
	for _, x := range c.AllCertificates() {
		if len(x.GetDer()) == 0 {
			continue
		}
		taken := cert{hash: sha256.Sum256(x.Der), der: x.Der}
		x.Sha256, x.Der = taken.hash[:], nil
		out = append(out, taken)
	}
	return out
}

func certsCost(certs []cert) (n int64) {
	for _, c := range certs {
		n += int64(len(c.der))
	}
	return n
}

// unknown returns those of certs that this writer has not queued before; w.mu is
// held. What it forgets is written once more and ignored by the file.
func (w *Writer) unknown(certs []cert) (out []cert) {
	for _, c := range certs {
		if _, ok := w.known[c.hash]; ok {
			continue
		}
		if len(w.known) >= maxKnown {
			clear(w.known)
		}
		w.known[c.hash] = struct{}{}
		out = append(out, c)
	}
	return out
}

// Conn records the connection c as it is now, as Flow does flows. Certificates go
// into a table of their own, once each; c itself keeps them.
func (w *Writer) Conn(ctx context.Context, c *flowpb.Conn) error {
	stored := proto.CloneOf(c)
	certs := takeCerts(stored)
	e := &connEntry{id: c.GetId()}
	var err error
	if e.blob, err = flowpb.Encode(nil, stored); err != nil {
		return fmt.Errorf("record connection: %w", err)
	}
	if len(e.blob) > flowpb.MaxHead {
		return fmt.Errorf("record connection: %d bytes: %w", len(e.blob), ErrLimit)
	}
	e.size = entryCost + int64(len(e.blob)) + certsCost(certs)
	known := true
	_, err = w.queue.put(ctx, e, func() bool {
		w.mu.Lock()
		defer w.mu.Unlock()
		if e.id == 0 {
			w.lastConn++
			e.id = w.lastConn
		}
		e.certs = w.unknown(certs)
		known = e.id <= w.lastConn
		return known
	})
	switch {
	case err != nil:
		return fmt.Errorf("record connection: %w", err)
	case !known:
		return fmt.Errorf("record connection %d: %w", c.GetId(), ErrNotFound)
	}
	c.Id = e.id
	return nil
}

// Conn returns a connection with its certificates.
func (s *Session) Conn(ctx context.Context, id uint64) (*flowpb.Conn, error) {
	var blob []byte
	err := s.read.QueryRowContext(ctx, "SELECT blob FROM conn WHERE id = ?", int64(id)).Scan(&blob)
	if errors.Is(err, sql.ErrNoRows) {
		err = ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read connection %d: %w", id, classify(err))
	}
	c := &flowpb.Conn{}
	if err := flowpb.Decode(blob, c); err != nil {
		return nil, fmt.Errorf("read connection %d: %w", id, err)
	}
	c.Id = id
	for _, x := range c.AllCertificates() {
		err := s.read.QueryRowContext(ctx, "SELECT der FROM cert WHERE sha256 = ?", x.GetSha256()).Scan(&x.Der)
		if err != nil && !errors.Is(err, sql.ErrNoRows) {
			return nil, fmt.Errorf("read certificate of connection %d: %w", id, classify(err))
		}
	}
	return c, nil
}
