package contract

import (
	"encoding/hex"
	"fmt"
	"strings"

	flowpb "weir/proto"
)

// Conn is one connection.
type Conn struct {
	ID          uint64  `json:"id"`
	Peer        *string `json:"peer"`
	Local       *string `json:"local"`
	Target      *string `json:"target"`        // server side: what was asked for, by name
	Via         *string `json:"via,omitempty"` // server side: the upstream proxy in between
	Transport   string  `json:"transport"`
	Mode        *string `json:"mode"` // client side: the proxy mode it came in by
	StartedAt   *string `json:"started_at"`
	ConnectedAt *string `json:"connected_at"`
	EndedAt     *string `json:"ended_at"`
	TLS         *TLS    `json:"tls"`
	Error       *string `json:"error"`
}

// TLS is what a handshake agreed on.
type TLS struct {
	Version      string   `json:"version"`
	Cipher       string   `json:"cipher"`
	ALPN         *string  `json:"alpn"`
	ALPNOffers   []string `json:"alpn_offers"`
	SNI          *string  `json:"sni"`
	Verified     bool     `json:"verified"`
	VerifyError  *string  `json:"verify_error"`
	Certificates []string `json:"certificates"`        // SHA-256 of each, leaf first
	Presented    *string  `json:"presented,omitempty"` // SHA-256 of what weir showed
	*Hello                // client side: what it offered
}

// Hello is a ClientHello: IANA's numbers in the client's order.
type Hello struct {
	JA3                 string   `json:"ja3"`
	JA4                 string   `json:"ja4"`
	Versions            []uint32 `json:"offered_versions"`
	Ciphers             []uint32 `json:"offered_ciphers"`
	Extensions          []uint32 `json:"extensions"`
	Groups              []uint32 `json:"groups"`
	SignatureAlgorithms []uint32 `json:"signature_algorithms"`
}

// Timing is when each step ended; null: it did not happen, or not for this flow.
type Timing struct {
	Created       string  `json:"created"`
	Resolved      *string `json:"resolved"`
	Connected     *string `json:"connected"`
	TLS           *string `json:"tls"`
	RequestStart  *string `json:"request_start"`
	RequestEnd    *string `json:"request_end"`
	ResponseStart *string `json:"response_start"`
	ResponseEnd   *string `json:"response_end"`
}

func newConn(c *flowpb.Conn) *Conn {
	if c == nil {
		return nil
	}
	return &Conn{
		ID: c.GetId(), Peer: address(c.GetPeer()), Local: address(c.GetLocal()), Target: address(c.GetTarget()), Via: address(c.GetVia()),
		Transport: strings.ToLower(strings.TrimPrefix(c.GetTransport().String(), "TRANSPORT_")), Mode: Text(c.GetMode()),
		StartedAt: Moment(c.GetStartedNs()), ConnectedAt: Moment(c.GetConnectedNs()), EndedAt: Moment(c.GetEndedNs()),
		TLS: newTLS(c.GetTls()), Error: Text(c.GetError().GetMessage()),
	}
}

func newTLS(t *flowpb.Tls) *TLS {
	if t == nil {
		return nil
	}
	out := &TLS{
		Version: t.GetVersion(), Cipher: t.GetCipher(), ALPN: bytesText(t.GetAlpn()), SNI: bytesText(t.GetSni()),
		Verified: t.GetVerified(), VerifyError: Text(t.GetVerifyError()), ALPNOffers: []string{}, Certificates: []string{},
	}
	for _, p := range t.GetAlpnOffers() {
		out.ALPNOffers = append(out.ALPNOffers, String(string(p)))
	}
	for _, c := range t.GetCertificates() {
		out.Certificates = append(out.Certificates, hex.EncodeToString(c.GetSha256()))
	}
	if p := t.GetPresented(); p != nil {
		out.Presented = Text(hex.EncodeToString(p.GetSha256()))
	}
	if h := t.GetHello(); h != nil {
		out.Hello = &Hello{
			JA3: h.GetJa3(), JA4: h.GetJa4(), Versions: h.GetVersions(), Ciphers: h.GetCiphers(),
			Extensions: h.GetExtensions(), Groups: h.GetGroups(), SignatureAlgorithms: h.GetSignatureAlgorithms(),
		}
	}
	return out
}

// newTiming takes the times of the flow and of the connection it was sent on,
// which an earlier flow may have opened.
func newTiming(f *flowpb.Flow, server *flowpb.Conn) Timing {
	q, p := f.GetHttp().GetRequest(), f.GetHttp().GetResponse()
	return Timing{
		Created:  Timestamp(f.GetCreatedNs()),
		Resolved: Moment(server.GetResolvedNs()), Connected: Moment(server.GetConnectedNs()), TLS: Moment(server.GetTlsNs()),
		RequestStart: Moment(q.GetStartedNs()), RequestEnd: Moment(q.GetEndedNs()),
		ResponseStart: Moment(p.GetStartedNs()), ResponseEnd: Moment(p.GetEndedNs()),
	}
}

func address(a *flowpb.Address) *string {
	if a == nil {
		return nil
	}
	s := string(a.GetHost())
	if strings.Contains(s, ":") {
		s = "[" + s + "]"
	}
	if a.GetPort() != 0 {
		s = fmt.Sprintf("%s:%d", s, a.GetPort())
	}
	return Text(s)
}

// Moment is Timestamp, nil for 0.
func Moment(ns int64) *string {
	if ns == 0 {
		return nil
	}
	s := Timestamp(ns)
	return &s
}
