package proxy

import (
	"crypto/tls"
	"io"
	"strings"
)

// TLSOptions say how TLS is spoken on both sides. The zero value takes what
// crypto/tls takes: versions 1.2 and 1.3.
type TLSOptions struct {
	// Min and Max bound the version spoken with clients, ServerMin and ServerMax
	// with servers, as crypto/tls numbers them.
	Min, Max, ServerMin, ServerMax uint16
	// Ciphers and ServerCiphers are the suites to choose from up to TLS 1.2.
	Ciphers, ServerCiphers []uint16
	// KeyLog is given the secrets of every connection, in the format of
	// SSLKEYLOGFILE. Writes are made one at a time.
	KeyLog io.Writer
	// AskClients requests a certificate of every client, of which anything is accepted.
	AskClients bool
	// ClientCertificates are presented to servers that ask for one; the first whose
	// host fits is.
	ClientCertificates []HostCertificate
	// Certificates are shown to clients instead of leaves of the authority; the
	// first whose host fits is.
	Certificates []HostCertificate
}

// HostCertificate is a certificate for some hosts.
type HostCertificate struct {
	Host string // a name or address, "*.example.com" for all below it, "" or "*" for every one
	tls.Certificate
}

// certificateFor returns the first certificate that fits host.
func certificateFor(list []HostCertificate, host string) *tls.Certificate {
	for i := range list {
		if hostFits(list[i].Host, host) {
			return &list[i].Certificate
		}
	}
	return nil
}

func hostFits(pattern, host string) bool {
	host = strings.TrimSuffix(host, ".")
	if suffix, ok := strings.CutPrefix(pattern, "*."); ok {
		at := len(host) - len(suffix)
		return at > 1 && host[at-1] == '.' && strings.EqualFold(host[at:], suffix)
	}
	return pattern == "" || pattern == "*" || strings.EqualFold(pattern, host)
}

// towardsServer applies o to a handshake with a server.
func (o *TLSOptions) towardsServer(cfg *tls.Config) *tls.Config {
	cfg.MinVersion, cfg.MaxVersion, cfg.CipherSuites, cfg.KeyLogWriter = o.ServerMin, o.ServerMax, o.ServerCiphers, o.KeyLog
	return cfg
}

// towardsClient applies o to a handshake with a client.
func (o *TLSOptions) towardsClient(cfg *tls.Config) *tls.Config {
	cfg.MinVersion, cfg.MaxVersion, cfg.CipherSuites, cfg.KeyLogWriter = o.Min, o.Max, o.Ciphers, o.KeyLog
	cfg.SessionTicketsDisabled = true
	if o.AskClients {
		cfg.ClientAuth = tls.RequestClientCert
	}
	return cfg
}
