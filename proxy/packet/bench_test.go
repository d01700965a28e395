package packet

import (
	"bytes"
	"context"
	"errors"
	"io"
	"testing"

	flowpb "weir/proto"
	"weir/proxy/packet/pcap"
	"weir/proxy/packet/traffic"
)

// numbers is a sink that gives ids and keeps nothing.
type numbers struct{ flows, conns uint64 }

func (n *numbers) Conn(_ context.Context, c *flowpb.Conn) error {
	if c.Id == 0 {
		n.conns++
		c.Id = n.conns
	}
	return nil
}

func (n *numbers) Flow(_ context.Context, f *flowpb.Flow) error {
	if f.Id == 0 {
		n.flows++
		f.Id = n.flows
	}
	return nil
}

func (n *numbers) Body(context.Context, uint64, flowpb.Side, []byte) error { return nil }

func (n *numbers) Message(context.Context, *flowpb.Message) error { return nil }

// BenchmarkImport is all that becomes of a capture but its storage.
func BenchmarkImport(b *testing.B) {
	var file bytes.Buffer
	made, err := traffic.Capture{Size: 32 << 20}.Write(&file)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(file.Len()))
	b.ReportAllocs()
	for b.Loop() {
		r, err := pcap.NewReader(bytes.NewReader(file.Bytes()))
		if err != nil {
			b.Fatal(err)
		}
		sink := &numbers{}
		a := NewAssembler(sink, Options{})
		for {
			p, err := r.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err := errors.Join(err, a.Packet(b.Context(), p)); err != nil {
				b.Fatal(err)
			}
		}
		if err := a.Close(b.Context()); err != nil {
			b.Fatal(err)
		}
		if sink.flows != uint64(made.Requests) {
			b.Fatalf("got %d flows, want %d", sink.flows, made.Requests)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(made.Packets), "ns/packet")
}
