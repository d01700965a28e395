package proxy

import (
	"bytes"
	"slices"

	"weir/proxy/h1"
)

// declineH2C takes the offer to go on in HTTP/2 out of a request (Upgrade: h2c,
// RFC 7540 §3.2), as any server may ignore it: RFC 9113 §3.1 withdrew it, nobody but
// curl makes it, and passed on it would turn a conversation that can be read
// into bytes. It reports whether there was one. The flow keeps the request as
// it came.
func declineH2C(head *h1.Head, rw *h1.Rewrite) bool {
	upgrade, ok := head.Get("Upgrade")
	if !ok || !bytes.EqualFold(upgrade, []byte("h2c")) {
		return false
	}
	rw.Drop = append(slices.Clone(rw.Drop), "Upgrade", "HTTP2-Settings")
	if connection, _ := head.Get("Connection"); onlyUpgrades(connection) {
		rw.Drop = append(rw.Drop, "Connection")
	}
	return true
}

// onlyUpgrades reports whether the options of a connection are about the upgrade alone.
func onlyUpgrades(options []byte) bool {
	for option := range bytes.SplitSeq(options, []byte{','}) {
		option = bytes.TrimSpace(option)
		if !bytes.EqualFold(option, []byte("Upgrade")) && !bytes.EqualFold(option, []byte("HTTP2-Settings")) {
			return false
		}
	}
	return true
}
