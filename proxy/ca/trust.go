package ca

import "strings"

// trustSteps is one line a system; {cert} stands for the certificate's path.
const trustSteps = `
Debian, Ubuntu     sudo cp {cert} /usr/local/share/ca-certificates/weir.crt && sudo update-ca-certificates
Fedora, Arch       sudo trust anchor --store {cert}
macOS              sudo security add-trusted-cert -d -r trustRoot -k /Library/Keychains/System.keychain {cert}
Windows            certutil -addstore -f Root {cert}            (as administrator)
Firefox            Settings > Privacy & Security > View Certificates > Authorities > Import… {cert}
Chromium on Linux  certutil -d sql:$HOME/.pki/nssdb -A -t C,, -n weir -i {cert}
curl               curl --cacert {cert} …                       or CURL_CA_BUNDLE={cert}
Go                 SSL_CERT_FILE={cert}                         (Linux; instead of the system's roots)
Node               NODE_EXTRA_CA_CERTS={cert}
Python             REQUESTS_CA_BUNDLE={cert}                    (requests) or SSL_CERT_FILE={cert}
Java               keytool -importcert -cacerts -storepass changeit -noprompt -alias weir -file {cert}
`

// TrustHelp returns how to make clients trust the authority, as plain text of
// about 20 lines with one system or program a line.
func (a *Authority) TrustHelp() string {
	var b strings.Builder
	b.WriteString("Certificate  " + a.cert.Subject.String() + "\n")
	b.WriteString("SHA-256      " + a.Fingerprint() + "\n")
	path := a.certFile
	if path == "" {
		path = certFile
		b.WriteString("First write it to a file: weir ca export > " + path + "\n")
	}
	b.WriteString(TrustSteps(path))
	b.WriteString("\nWhoever can read the private key can read what such clients send: remove the trust when done.\n")
	return b.String()
}

// TrustSteps returns one line a system or program, for the certificate at path.
func TrustSteps(path string) string {
	return strings.ReplaceAll(trustSteps, "{cert}", shellQuote(path))
}

// shellQuote makes a path safe to paste into a shell where it needs quoting.
func shellQuote(path string) string {
	plain := func(r rune) bool {
		return r == '/' || r == '.' || r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
	}
	if strings.TrimFunc(path, plain) == "" {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
