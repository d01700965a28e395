package proxy

import (
	"crypto/tls"
	"io"
	"net/http"
	"testing"
)

// The example of the specification, and that of JA3's: both hashes are theirs.
func TestFingerprints(t *testing.T) {
	chrome := &tls.ClientHelloInfo{
		CipherSuites: []uint16{0x0a0a, 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f, 0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013, 0xc014, 0x009c, 0x009d, 0x002f, 0x0035},
		Extensions: []uint16{
			0x1a1a, 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017, 0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b, 0xff01, 0x000b, 0x000a, 0x0015,
		},
		SignatureSchemes:  []tls.SignatureScheme{0x0403, 0x0804, 0x0401, 0x0503, 0x0805, 0x0501, 0x0806, 0x0601},
		SupportedVersions: []uint16{0x2a2a, 0x0304, 0x0303},
		SupportedProtos:   []string{"h2", "http/1.1"},
		ServerName:        "example.com",
	}
	if got, want := helloRecord(chrome).GetJa4(), "t13d1516h2_8daaf6152771_e5627efa2ab1"; got != want {
		t.Errorf("JA4: got %s, want %s", got, want)
	}
	old := &tls.ClientHelloInfo{
		CipherSuites:      []uint16{47, 53, 5, 10, 49161, 49162, 49171, 49172, 50, 56, 19, 4},
		Extensions:        []uint16{0, 10, 11},
		SupportedCurves:   []tls.CurveID{23, 24, 25},
		SupportedPoints:   []uint8{0},
		SupportedVersions: []uint16{0x0301},
	}
	if got, want := helloRecord(old).GetJa3(), "ada70206e40642a3e4461f35503241d5"; got != want {
		t.Errorf("JA3: got %s, want %s", got, want)
	}
	bare := &tls.ClientHelloInfo{SupportedVersions: []uint16{0x0303, 0x0302}, SupportedProtos: []string{"\xabx"}}
	if got, want := helloRecord(bare).GetJa4(), "t12i0000a8_000000000000_000000000000"; got != want {
		t.Errorf("JA4 of nothing: got %s, want %s", got, want)
	}
	if got := helloRecord(&tls.ClientHelloInfo{}).GetJa4(); got != "t00i000000_000000000000_000000000000" {
		t.Errorf("JA4 of less: got %s", got)
	}
}

// What the client offered is recorded, whether the handshake works or not.
func TestClientHelloIsRecorded(t *testing.T) {
	addr, pool := secureOrigin(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "x") })
	a, trust := authority(t)
	for _, cfg := range []*tls.Config{
		{ServerName: "example.com", RootCAs: trust},
		{ServerName: "example.com"},
		{ServerName: "example.com", MaxVersion: tls.VersionTLS11, MinVersion: tls.VersionTLS10},
	} {
		s, sink := start(t, Options{Authority: a, UpstreamCAs: pool})
		conn := tls.Client(tunnel(t, s, addr).Conn, cfg)
		_ = conn.Handshake()
		_, _ = io.WriteString(conn, "GET / HTTP/1.1\r\nHost: x\r\n\r\n")
		h := sink.conn(sink.finished(t, 1).ClientConn).Tls.GetHello()
		if len(h.GetCiphers()) == 0 || len(h.Versions) == 0 || len(h.Groups) == 0 || len(h.Ja3) != 32 || len(h.Ja4) != 36 {
			t.Errorf("got %v", h)
		}
	}
}
