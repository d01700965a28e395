// Package ca is weir's certificate authority: it makes or loads the
// certificate that users trust, and issues the leaf certificates that
// intercepted TLS connections are answered with.
//
// Load keeps an authority of its own in a directory and creates it on first
// run; LoadFile takes one that the user supplies, such as an existing RSA
// mitmproxy-ca.pem. Leaf then answers with a certificate for any set of names,
// and NamesFor says which names a connection should get.
//
// The package does not speak TLS, does not verify upstream servers and never
// changes a trust store: TrustHelp tells people how to do that themselves.
//
// # Files
//
//	weir-ca.pem       key and certificate, 0600, in a directory made 0700
//	weir-ca-cert.pem  the certificate alone, 0644, for handing out
//
// The second is derived from the first and rewritten whenever it differs. When
// several processes start in an empty directory at once, exactly one key wins
// and all of them use it.
//
// Whoever holds the key can impersonate every server to those who trust it, so
// a key that others could have read is refused, as ssh does, and never quietly
// repaired: narrowing the permissions would hide that it may have leaked. The
// key in weir's own directory must be closed to group and others; in a file
// that the user supplies, group access is allowed, because key groups and
// mounted secrets are made that way. Windows keeps access in ACLs that file
// modes do not show, so nothing is checked there.
//
// # Concurrency and limits
//
// An Authority is safe for concurrent use and starts no goroutine. Callers
// that ask for the same names at once wait for one signature. At most 1024
// leaves are cached, the least recently used goes first, and a leaf near its
// end is issued again. All leaves of an Authority share one P-256 key that
// lives in memory only: a new key for each host would cost more and protect
// nothing, since one process holds them all.
package ca
