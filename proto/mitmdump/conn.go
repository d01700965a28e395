package mitmdump

import (
	"encoding/pem"
	"strings"

	flowpb "weir/proto"
	"weir/proto/mitmdump/tnetstring"
)

// connOf reads a connection of either side; nil: there was none.
func connOf(c state, side flowpb.Side) *flowpb.Conn {
	out := &flowpb.Conn{
		Side: side, Transport: flowpb.TransportTCP, Peer: address(c, "peername"), Local: address(c, "sockname"), Target: address(c, "address"),
		StartedNs: c.ns("timestamp_start"), ConnectedNs: c.ns("timestamp_tcp_setup"), TlsNs: c.ns("timestamp_tls_setup"), EndedNs: c.ns("timestamp_end"),
	}
	if side == flowpb.SideResponse && out.GetPeer() == nil && out.GetTarget() == nil {
		return nil
	}
	if c.text("transport_protocol") == "udp" {
		out.Transport = flowpb.TransportUDP
	}
	if side == flowpb.SideRequest {
		out.Mode = c.text("proxy_mode")
	}
	if via := c.list("via"); len(via) == 2 { // [scheme, [host, port]]
		out.Via = address(state{"via": via[1]}, "via")
	}
	if text := c.text("error"); text != "" {
		out.Error = &flowpb.Error{Message: text, AtNs: out.GetEndedNs(), Side: side}
	}
	if c.bool("tls") || c.ns("timestamp_tls_setup") > 0 {
		out.Tls = tlsOf(c)
	}
	return out
}

func address(c state, key string) *flowpb.Address {
	host, port, ok := c.address(key)
	if !ok || len(host) == 0 {
		return nil
	}
	return &flowpb.Address{Host: host, Port: port}
}

func tlsOf(c state) *flowpb.Tls {
	t := &flowpb.Tls{Version: c.text("tls_version"), Cipher: c.text("cipher"), Alpn: c.bytes("alpn"), Sni: c.bytes("sni")}
	for _, offer := range c.list("alpn_offers") {
		t.AlpnOffers = append(t.AlpnOffers, asBytes(offer))
	}
	for _, cert := range c.list("certificate_list") {
		if x := certificate(asBytes(cert)); x != nil {
			t.Certificates = append(t.Certificates, x)
		}
	}
	t.Presented = certificate(c.bytes("mitmcert"))
	return t
}

// certificate reads PEM; nil where there is none in it.
func certificate(p []byte) *flowpb.Certificate {
	block, _ := pem.Decode(p)
	if block == nil {
		return nil
	}
	return &flowpb.Certificate{Der: block.Bytes}
}

// connState is connOf the other way round.
func connState(c *flowpb.Conn, id string) tnetstring.Dict {
	t := c.GetTls()
	var certs, offers tnetstring.List
	for _, x := range t.GetCertificates() {
		if len(x.GetDer()) > 0 {
			certs = append(certs, pemOf(x))
		}
	}
	for _, o := range t.GetAlpnOffers() {
		offers = append(offers, o)
	}
	transport := "tcp"
	if c.GetTransport() == flowpb.TransportUDP {
		transport = "udp"
	}
	d := tnetstring.Dict{
		{Key: "id", Value: id},
		{Key: "transport_protocol", Value: transport},
		{Key: "error", Value: textOrNil(c.GetError().GetMessage())},
		{Key: "tls", Value: t != nil},
		{Key: "certificate_list", Value: certs},
		{Key: "alpn", Value: bytesOrNil(t.GetAlpn())},
		{Key: "alpn_offers", Value: offers},
		{Key: "cipher", Value: textOrNil(t.GetCipher())},
		{Key: "cipher_list", Value: tnetstring.List{}},
		{Key: "tls_version", Value: tlsVersion(t.GetVersion())},
		{Key: "sni", Value: textOrNil(textOf(t.GetSni()))},
		{Key: "timestamp_end", Value: seconds(c.GetEndedNs())},
		{Key: "timestamp_tls_setup", Value: seconds(c.GetTlsNs())},
		{Key: "sockname", Value: addressState(c.GetLocal())},
	}
	return d
}

// clientState is the client's connection; mitmproxy wants one, with an address and a
// beginning, for every flow.
func clientState(c *flowpb.Conn, id string, created int64) tnetstring.Dict {
	d := connState(c, id)
	peer, local := addressState(c.GetPeer()), addressState(c.GetLocal())
	if peer == nil {
		peer = tnetstring.List{"", int64(0)}
	}
	if local == nil {
		local = tnetstring.List{"", int64(0)}
	}
	mode := c.GetMode()
	if !knownMode(mode) {
		mode = "regular"
	}
	started := seconds(c.GetStartedNs())
	if started == nil {
		started = float(created)
	}
	return append(set(d, "sockname", local),
		tnetstring.Entry{Key: "peername", Value: peer}, tnetstring.Entry{Key: "timestamp_start", Value: started},
		tnetstring.Entry{Key: "mitmcert", Value: pemOrNil(c.GetTls().GetPresented())}, tnetstring.Entry{Key: "proxy_mode", Value: mode})
}

// serverState is the server's connection. Where there was none it says at least where
// the flow was going.
func serverState(c *flowpb.Conn, id string, going *flowpb.Address) tnetstring.Dict {
	target := c.GetTarget()
	if target == nil {
		target = c.GetPeer()
	}
	if target == nil {
		target = going
	}
	var via any
	if c.GetVia() != nil {
		via = tnetstring.List{"http", addressState(c.GetVia())}
	}
	return append(connState(c, id),
		tnetstring.Entry{Key: "address", Value: nilIfEmpty(addressState(target))}, tnetstring.Entry{Key: "peername", Value: nilIfEmpty(addressState(c.GetPeer()))},
		tnetstring.Entry{Key: "timestamp_start", Value: seconds(c.GetStartedNs())}, tnetstring.Entry{Key: "timestamp_tcp_setup", Value: seconds(c.GetConnectedNs())},
		tnetstring.Entry{Key: "via", Value: via})
}

func set(d tnetstring.Dict, key string, v any) tnetstring.Dict {
	for i := range d {
		if d[i].Key == key {
			d[i].Value = v
		}
	}
	return d
}

// knownMode reports whether mitmproxy understands a mode: it parses it when it reads.
func knownMode(mode string) bool {
	name, _, _ := strings.Cut(mode, "@")
	name, data, _ := strings.Cut(name, ":")
	switch name {
	case "regular", "transparent", "socks5", "dns", "wireguard", "local", "tun":
		return true
	case "reverse", "upstream":
		return data != ""
	}
	return false
}

// tlsVersion is a version as mitmproxy spells it; it refuses others.
func tlsVersion(v string) any {
	switch v {
	case "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3", "DTLSv0.9", "DTLSv1", "DTLSv1.2", "QUICv1":
		return v
	case "TLSv1.0":
		return "TLSv1"
	}
	return nil
}

func addressState(a *flowpb.Address) tnetstring.List {
	if a == nil {
		return nil
	}
	return tnetstring.List{textOf(a.GetHost()), int64(a.GetPort())}
}

func nilIfEmpty(l tnetstring.List) any {
	if l == nil {
		return nil
	}
	return l
}

func pemOf(x *flowpb.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: x.GetDer()})
}

func pemOrNil(x *flowpb.Certificate) any {
	if len(x.GetDer()) == 0 {
		return nil
	}
	return pemOf(x)
}

func textOrNil(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func bytesOrNil(p []byte) any {
	if p == nil {
		return nil
	}
	return p
}
