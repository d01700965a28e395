package packet

import (
	"bytes"
	"testing"

	flowpb "weir/proto"
	"weir/proxy/packet/traffic"
)

// TestSynthetic sees that a capture which was made up has in it what is said of it, and
// that none of it is lost in segments that change places or come twice.
func TestSynthetic(t *testing.T) {
	var file, again bytes.Buffer
	made, err := traffic.Capture{Size: 4 << 20, Connections: 8}.Write(&file)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := (traffic.Capture{Size: 4 << 20, Connections: 8}).Write(&again); err != nil || !bytes.Equal(file.Bytes(), again.Bytes()) {
		t.Errorf("the second file is another one (%v)", err)
	}
	if n := int64(file.Len()); n != made.Bytes || n < 4<<20 || n > 8<<20 {
		t.Errorf("got %d bytes, said to be %d, wanted about %d", n, made.Bytes, 4<<20)
	}
	sink, stats := assemble(t, &file, Options{})
	if stats.Gaps+stats.Conflicts+stats.Unknown != 0 || stats.Packets != uint64(made.Packets) || stats.Conns != uint64(made.Connections) {
		t.Errorf("got %+v, want what was made: %+v", stats, made)
	}
	needles := 0
	for _, f := range sink.flows {
		if f.GetState() != flowpb.StateComplete {
			t.Errorf("flow %d is %s", f.GetId(), f.GetState().Label())
		}
		if bytes.Contains(sink.bodies[[2]uint64{f.GetId(), uint64(flowpb.SideResponse)}], []byte(traffic.Needle)) {
			needles++
		}
	}
	if len(sink.flows) != made.Requests || needles != made.Needles || needles == 0 {
		t.Errorf("got %d flows, %d with a needle; want %d, %d", len(sink.flows), needles, made.Requests, made.Needles)
	}
}
