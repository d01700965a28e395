package main

import (
	"crypto/tls"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"weir/proxy"
)

// tlsFlags are how TLS is spoken.
type tlsFlags struct {
	min, max             string
	serverMin, serverMax string
	ciphers              []string
	serverCiphers        []string
	clientCerts          []string
	askClients           bool
	certs                []string
}

func (f *tlsFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	for _, v := range []struct {
		to   *string
		name string
		help string
	}{
		{&f.min, "tls-min", "oldest TLS VERSION spoken with clients (default 1.2)"},
		{&f.max, "tls-max", "newest TLS VERSION spoken with clients (default 1.3)"},
		{&f.serverMin, "upstream-tls-min", "oldest TLS VERSION spoken with servers (default 1.2)"},
		{&f.serverMax, "upstream-tls-max", "newest TLS VERSION spoken with servers (default 1.3)"},
	} {
		flags.StringVar(v.to, v.name, "", v.help)
		complete(cmd, v.name, "1.0", "1.1", "1.2", "1.3")
	}
	flags.StringSliceVar(&f.ciphers, "ciphers", nil, "cipher suites NAME,… for clients up to TLS 1.2")
	flags.StringSliceVar(&f.serverCiphers, "upstream-ciphers", nil, "cipher suites NAME,… for servers up to TLS 1.2")
	flags.StringArrayVar(&f.clientCerts, "client-cert", nil, "certificate and key for servers that ask for one, [HOST=]FILE (PEM), or a directory of HOST.pem")
	flags.BoolVar(&f.askClients, "request-client-cert", false, "ask clients for a certificate; any is accepted and recorded")
	flags.StringArrayVar(&f.certs, "cert", nil, "show clients this certificate instead of one of the CA, [HOST=]FILE (PEM with the key); *.HOST for all below it")
}

// options reads what the flags name. SSLKEYLOGFILE in the environment names a
// file for the secrets of both sides, which is opened for the life of the program.
func (f *tlsFlags) options() (o proxy.TLSOptions, err error) {
	for _, v := range []struct {
		to   *uint16
		flag string
		text string
	}{
		{&o.Min, "tls-min", f.min},
		{&o.Max, "tls-max", f.max},
		{&o.ServerMin, "upstream-tls-min", f.serverMin},
		{&o.ServerMax, "upstream-tls-max", f.serverMax},
	} {
		if *v.to, err = tlsVersion(v.text); err != nil {
			return o, usagef("--%s %q: %w", v.flag, v.text, err)
		}
	}
	for _, v := range []struct {
		min, max       uint16
		prefix, suites string
		some           bool
	}{
		{o.Min, o.Max, "", "ciphers", len(f.ciphers) > 0},
		{o.ServerMin, o.ServerMax, "upstream-", "upstream-ciphers", len(f.serverCiphers) > 0},
	} {
		oldest := v.min
		if oldest == 0 {
			oldest = tls.VersionTLS12
		}
		switch {
		case v.max > 0 && v.max < oldest:
			return o, usagef("--%stls-max: %s is older than the oldest that is spoken, %s", v.prefix, tls.VersionName(v.max), tls.VersionName(oldest)).
				withHint("--" + v.prefix + "tls-min VERSION is the oldest")
		case v.some && v.min == tls.VersionTLS13:
			return o, usagef("--%s has no effect with --%stls-min 1.3", v.suites, v.prefix).withHint("the suites of TLS 1.3 cannot be chosen")
		}
	}
	if o.Ciphers, err = cipherSuites(f.ciphers); err != nil {
		return o, usagef("--ciphers: %w", err)
	}
	if o.ServerCiphers, err = cipherSuites(f.serverCiphers); err != nil {
		return o, usagef("--upstream-ciphers: %w", err)
	}
	o.AskClients = f.askClients
	if o.ClientCertificates, err = hostCertificates("client-cert", f.clientCerts); err != nil {
		return o, err
	}
	if o.Certificates, err = hostCertificates("cert", f.certs); err != nil {
		return o, err
	}
	if path := os.Getenv("SSLKEYLOGFILE"); path != "" {
		file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
		if err != nil {
			return o, hinted(fmt.Errorf("SSLKEYLOGFILE: %w", err), "unset it, or name a file that can be written")
		}
		o.KeyLog = file
	}
	return o, nil
}

// tlsVersion reads "1.2"; "" is the default.
func tlsVersion(text string) (uint16, error) {
	switch strings.TrimPrefix(strings.ToLower(text), "tls") {
	case "":
		return 0, nil
	case "1.0", "1":
		return tls.VersionTLS10, nil
	case "1.1":
		return tls.VersionTLS11, nil
	case "1.2":
		return tls.VersionTLS12, nil
	case "1.3":
		return tls.VersionTLS13, nil
	}
	return 0, fmt.Errorf("a version is 1.0, 1.1, 1.2 or 1.3")
}

// cipherSuites looks suites up by their IANA names.
func cipherSuites(names []string) ([]uint16, error) {
	var out []uint16
	for _, name := range names {
		id, ok := cipherSuite(strings.TrimSpace(name))
		if !ok {
			return nil, fmt.Errorf("%q is no cipher suite that can be chosen", name)
		}
		out = append(out, id)
	}
	return out, nil
}

func cipherSuite(name string) (uint16, bool) {
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		if strings.EqualFold(s.Name, name) && s.SupportedVersions[0] < tls.VersionTLS13 {
			return s.ID, true
		}
	}
	return 0, false
}

// hostCertificates reads [HOST=]FILE specs. A directory stands for the files in it
// that are named after their host.
func hostCertificates(flag string, specs []string) ([]proxy.HostCertificate, error) {
	var out []proxy.HostCertificate
	for _, spec := range specs {
		host, path, ok := strings.Cut(spec, "=")
		if !ok {
			host, path = "", spec
		}
		files := map[string]string{host: path}
		if info, err := os.Stat(path); err == nil && info.IsDir() && !ok {
			if files, err = pemFiles(path); err != nil {
				return nil, fmt.Errorf("--%s: %w", flag, err)
			}
		}
		for host, path := range files {
			cert, err := tls.LoadX509KeyPair(path, path)
			if err != nil {
				return nil, hinted(fmt.Errorf("--%s %q: %w", flag, path, err), "it has to hold the certificate and its private key, both in PEM")
			}
			out = append(out, proxy.HostCertificate{Host: host, Certificate: cert})
		}
	}
	return out, nil
}

// pemFiles lists dir's NAME.pem by name.
func pemFiles(dir string) (map[string]string, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.pem"))
	if err != nil {
		return nil, err
	}
	out := make(map[string]string)
	for _, p := range paths {
		out[strings.TrimSuffix(filepath.Base(p), ".pem")] = p
	}
	return out, nil
}
