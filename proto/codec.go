package flowpb

import (
	"errors"
	"fmt"

	"google.golang.org/protobuf/proto"
)

// Version is the first byte of every blob written. It changes only when the
// bytes after it are no longer a plain protobuf message of this schema; new
// fields do not need it.
const Version = 1

// MaxHead bounds what [Decode] accepts, in bytes. A head holds header fields
// and references, never a body, so nothing honest comes near it.
const MaxHead = 64 << 20

var (
	// ErrVersion means that a blob was written by a newer weir.
	ErrVersion = errors.New("unknown blob version")
	// ErrBlob means that bytes are not a blob at all, or are damaged.
	ErrBlob = errors.New("damaged blob")
)

// blob is what may be written down: the messages that are rows of their own.
type blob interface {
	*Flow | *Conn
	proto.Message
}

// Encode appends the blob of m, a head or a connection, to dst: one version byte,
// then the protobuf message. It fails only on a string field that is not UTF-8,
// which no field from the wire is.
func Encode[M blob](dst []byte, m M) ([]byte, error) {
	out, err := proto.MarshalOptions{}.MarshalAppend(append(dst, Version), m)
	if err != nil {
		return dst, fmt.Errorf("encode %s: %w", m.ProtoReflect().Descriptor().Name(), err)
	}
	return out, nil
}

// Decode reads the blob p into m, which is reset first. The result shares no
// memory with p. Errors wrap [ErrVersion] or [ErrBlob].
func Decode[M blob](p []byte, m M) error {
	name := m.ProtoReflect().Descriptor().Name()
	switch {
	case len(p) == 0:
		return fmt.Errorf("decode %s: empty: %w", name, ErrBlob)
	case p[0] != Version:
		return fmt.Errorf("decode %s: version %d, this weir reads %d: %w", name, p[0], Version, ErrVersion)
	case len(p) > MaxHead:
		return fmt.Errorf("decode %s: %d bytes, the limit is %d: %w", name, len(p), MaxHead, ErrBlob)
	}
	if err := proto.Unmarshal(p[1:], m); err != nil {
		return fmt.Errorf("decode %s: %w: %w", name, err, ErrBlob)
	}
	return nil
}

// DecodeFlow reads the blob of a flow, which does not have the flow's id in it.
func DecodeFlow(id uint64, p []byte) (*Flow, error) {
	f := &Flow{}
	if err := Decode(p, f); err != nil {
		return nil, fmt.Errorf("read flow %d: %w", id, err)
	}
	f.Id = id
	return f, nil
}
