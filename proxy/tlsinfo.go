package proxy

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"net/netip"
	"strings"

	flowpb "weir/proto"
	"weir/proxy/record"
)

// verifier checks a server's certificate the way a browser would and remembers
// the outcome, so that it is recorded whether or not it is enforced.
type verifier struct {
	name     string // the name or address that the certificate must be for
	extra    *x509.CertPool
	insecure bool
	opts     *TLSOptions
	verdicts *verdicts

	seen   []*x509.Certificate
	err    error
	asked  bool
	wanted bool // the server asked for a client certificate, and was given none
	shown  *tls.Certificate
}

// verifier returns what checks the certificate of a server of that name.
func (s *Server) verifier(name string) *verifier {
	return &verifier{name: name, extra: s.opts.UpstreamCAs, insecure: s.opts.Insecure, opts: &s.opts.TLS, verdicts: &s.handshakes.verdicts}
}

// config returns the configuration of one handshake. crypto/tls would not show
// the certificates of a server that it refused, hence its own check is off and
// VerifyConnection does the same.
func (v *verifier) config(sni string, protocols []string) *tls.Config {
	cfg := &tls.Config{
		NextProtos:         protocols,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection verifies, and also records
		VerifyConnection:   v.verify,
		GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
			if v.shown = certificateFor(v.opts.ClientCertificates, v.name); v.shown != nil {
				return v.shown, nil
			}
			v.wanted = true
			return &tls.Certificate{}, nil // none, which the server may accept
		},
	}
	if sni != "" {
		cfg.ServerName = sni
	} else if _, err := netip.ParseAddr(v.name); err != nil {
		cfg.ServerName = v.name
	}
	return v.opts.towardsServer(cfg)
}

func (v *verifier) verify(cs tls.ConnectionState) error {
	v.seen, v.asked = cs.PeerCertificates, true
	v.err = v.verdicts.of(v.name, cs.PeerCertificates, func() error { return v.check(cs.PeerCertificates) })
	if v.err == nil || v.insecure {
		return nil
	}
	return &tls.CertificateVerificationError{UnverifiedCertificates: cs.PeerCertificates, Err: v.err}
}

// check looks for a chain to the system's roots, then to the extra ones.
func (v *verifier) check(chain []*x509.Certificate) error {
	if len(chain) == 0 {
		return x509.UnknownAuthorityError{}
	}
	opts := x509.VerifyOptions{DNSName: v.name, Intermediates: x509.NewCertPool()}
	for _, c := range chain[1:] {
		opts.Intermediates.AddCert(c)
	}
	_, err := chain[0].Verify(opts)
	if err == nil || v.extra == nil {
		return err
	}
	opts.Roots = v.extra
	_, err = chain[0].Verify(opts)
	return err
}

// fill writes the outcome into t.
func (v *verifier) fill(t *flowpb.Tls) {
	t.Certificates = certificates(v.seen)
	if v.shown != nil {
		t.Presented = certificate(v.shown.Certificate[0])
	}
	t.Verified = v.asked && v.err == nil
	if v.err != nil {
		t.VerifyError = record.Printable(v.err.Error())
	}
}

// tlsRecord describes a connection; fields of a handshake that failed are empty.
func tlsRecord(cs tls.ConnectionState, sni string, offers []string) *flowpb.Tls {
	t := &flowpb.Tls{Sni: []byte(sni), Alpn: []byte(cs.NegotiatedProtocol), Resumed: cs.DidResume}
	if cs.Version != 0 {
		t.Version = strings.Replace(tls.VersionName(cs.Version), "TLS ", "TLSv", 1)
		t.Cipher = tls.CipherSuiteName(cs.CipherSuite)
	}
	for _, o := range offers {
		t.AlpnOffers = append(t.AlpnOffers, []byte(o))
	}
	return t
}

func certificates(chain []*x509.Certificate) []*flowpb.Certificate {
	out := make([]*flowpb.Certificate, 0, len(chain))
	for _, c := range chain {
		out = append(out, certificate(c.Raw))
	}
	return out
}

func certificate(der []byte) *flowpb.Certificate {
	sum := sha256.Sum256(der)
	return &flowpb.Certificate{Sha256: sum[:], Der: der}
}
