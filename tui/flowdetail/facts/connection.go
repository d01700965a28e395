package facts

import (
	"fmt"
	"strings"
	"time"

	flowpb "weir/proto"
	"weir/tui/content"
)

// Connection is what is known of the flow's two connections and their certificates.
func Connection(f *flowpb.Flow, client, server *flowpb.Conn, zone *time.Location) *content.Document {
	t := newTable(zone)
	if x := f.GetTls(); x != nil {
		t.handshake(f, x)
	}
	t.heading("Client connection")
	if client == nil {
		t.row("from", string(f.GetClient()))
		t.b.Say(content.Comment, "  nothing more is known of it")
		t.b.Newline()
	} else {
		t.client(client)
	}
	t.heading("Server connection")
	if server == nil {
		t.row("to", string(f.GetServer()))
		t.b.Say(content.Comment, "  there was none")
		t.b.Newline()
	} else {
		t.server(server)
	}
	return t.b.Document()
}

// handshake writes a flow that is a TLS handshake that failed.
func (t *table) handshake(f *flowpb.Flow, x *flowpb.TlsFailure) {
	with := "with the client"
	if x.GetSide() == flowpb.SideResponse {
		with = "with the server"
	}
	t.heading("TLS handshake that failed, " + with)
	t.row("server name", string(x.GetSni()))
	t.row("for", address(&flowpb.Address{Host: x.GetHost(), Port: x.GetPort()}))
	t.failure(f.GetError())
}

func (t *table) client(c *flowpb.Conn) {
	t.row("from", address(c.GetPeer()))
	t.row("to", address(c.GetLocal()))
	t.row("mode", c.GetMode())
	t.common(c)
}

func (t *table) server(c *flowpb.Conn) {
	t.row("to", address(c.GetTarget()))
	t.row("address", address(c.GetPeer()))
	t.row("from", address(c.GetLocal()))
	t.row("through", address(c.GetVia()))
	t.common(c)
}

func (t *table) common(c *flowpb.Conn) {
	if c.GetTransport() == flowpb.TransportUDP {
		t.row("transport", "UDP")
	}
	t.time("opened", c.GetStartedNs())
	t.time("closed", c.GetEndedNs())
	t.failure(c.GetError())
	if x := c.GetTls(); x != nil {
		t.tls(c.GetSide(), x)
	}
}

func (t *table) tls(side flowpb.Side, x *flowpb.Tls) {
	t.row("TLS", x.GetVersion())
	t.row("cipher", x.GetCipher())
	t.row("ALPN", string(x.GetAlpn()))
	var offers []string
	for _, o := range x.GetAlpnOffers() {
		offers = append(offers, string(o))
	}
	t.row("ALPN offered", strings.Join(offers, ", "))
	t.row("server name", string(x.GetSni()))
	if x.GetResumed() {
		t.row("resumed", "yes")
	}
	if side == flowpb.SideResponse {
		t.verdict(x)
	}
	t.hello(x.GetHello())
	t.chain("certificate", x.GetCertificates())
	if p := x.GetPresented(); p != nil {
		t.chain("shown by weir", []*flowpb.Certificate{p})
	}
}

func (t *table) verdict(x *flowpb.Tls) {
	switch {
	case x.GetVerified():
		t.kind(content.String, "verified", "yes: a trusted root, and the name fits")
	case x.GetVerifyError() != "":
		t.kind(content.Fault, "verified", "no: "+x.GetVerifyError())
	case len(x.GetCertificates()) > 0:
		t.kind(content.Fault, "verified", "no")
	}
}

// maxChain bounds the certificates of a chain that are shown.
const maxChain = 16

func (t *table) chain(name string, chain []*flowpb.Certificate) {
	for i, c := range chain[:min(len(chain), maxChain)] {
		title := name
		if len(chain) > 1 {
			title = fmt.Sprintf("%s %d of %d", name, i+1, len(chain))
		}
		t.b.Say(content.Tag, "  "+title)
		t.b.Newline()
		t.certificate(c)
	}
	if len(chain) > maxChain {
		t.b.Say(content.Comment, fmt.Sprintf("  and %d more", len(chain)-maxChain))
		t.b.Newline()
	}
}
