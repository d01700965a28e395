// Package htpasswd checks user names and passwords against the files that
// Apache's htpasswd makes: one "user:hash" a line, where the hash is bcrypt
// ($2y$, also $2a$ and $2b$), Apache's MD5 ($apr1$) or SHA-1 ({SHA}). Hashes of
// crypt(3) and passwords in clear are refused when the file is read, with the
// line, rather than never matching.
//
// bcrypt takes its time, on purpose; so what was verified once is remembered as
// a keyed hash, for a bounded number of logins, and costs nothing after that.
// A wrong password always costs what its hash costs.
//
// Everything is safe for concurrent use; no goroutine is started. A file is read
// once.
package htpasswd
