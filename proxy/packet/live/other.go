//go:build !linux

package live

import (
	"context"

	"weir/proxy/packet/pcap"
)

// Source captures nothing on this system.
type Source struct{}

// Open returns ErrUnsupported.
func Open(Options) (*Source, error) { return nil, ErrUnsupported }

// Read returns ErrUnsupported.
func (*Source) Read(context.Context, func(pcap.Packet) error) error { return ErrUnsupported }

// Stats is all zero.
func (*Source) Stats() Stats { return Stats{} }

// Close does nothing.
func (*Source) Close() error { return nil }
