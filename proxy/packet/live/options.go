package live

import (
	"errors"

	"weir/proxy/packet/pcapfilter"
)

// Any is the name that stands for all interfaces, those that come later as well.
const Any = "any"

// Options says what to capture. The zero value of each field but Interfaces is its default.
type Options struct {
	Interfaces  []string           // by name, or Any; at least one
	Filter      *pcapfilter.Filter // which packets; nil: all
	Promiscuous bool               // those that are for other machines, too
	Snap        int                // bytes that are kept of a packet; 262144
	Buffer      int                // bytes of the ring of each interface; 64 MB
	Notify      func(Notice)       // is told, by Read, what a person should know; nil: nobody is
}

// Notice is something a person should know.
type Notice struct{ Text, Hint string }

// Stats is what the kernel counted since the beginning.
type Stats struct {
	Packets uint64 // that the filter let pass, those that were dropped included
	Dropped uint64 // because the ring was full
}

// Why a capture cannot begin.
var (
	ErrPermission  = errors.New("packets are for root and programs with the capability CAP_NET_RAW")
	ErrUnsupported = errors.New("capturing from interfaces works on Linux only")
)

func (o *Options) defaults() {
	if o.Snap <= 0 {
		o.Snap = 256 << 10
	}
	if o.Buffer <= 0 {
		o.Buffer = 64 << 20
	}
	if o.Notify == nil {
		o.Notify = func(Notice) {}
	}
}
