package proxy

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	flowpb "weir/proto"
)

// isPublic reports whether anybody on the Internet may have the address. Those
// behind a provider's translation (RFC 6598) are not public.
func isPublic(ip netip.Addr) bool {
	ip = ip.Unmap()
	shared := netip.PrefixFrom(netip.AddrFrom4([4]byte{100, 64, 0, 0}), 10)
	return ip.IsGlobalUnicast() && !ip.IsPrivate() && !shared.Contains(ip)
}

// refuseAddress says why a client at a may not use the proxy, nil where it may.
// A proxy that is open to the Internet is found within hours, and used.
func (s *Server) refuseAddress(a net.Addr) *flowError {
	ap, err := netip.ParseAddrPort(a.String())
	if s.opts.AllowPublic || err != nil || !isPublic(ap.Addr()) {
		return nil
	}
	if skipped, tell := s.refused.tell(time.Now()); tell {
		text := fmt.Sprintf("refused a client from the public address %s", ap.Addr())
		if skipped > 0 {
			text += fmt.Sprintf(" (and %d more)", skipped)
		}
		s.opts.Notify(Notice{Text: text, Hint: "--allow-public takes clients from anywhere; ask for a password with --proxy-auth then"})
	}
	return &flowError{code: flowpb.CodeRefused, side: flowpb.SideRequest, message: "clients from public addresses are refused"}
}

// throttle lets one notice a minute pass, so that a scan does not drown the rest.
type throttle struct {
	mu      sync.Mutex
	last    time.Time
	skipped int
}

// tell reports whether to tell of something that happens now, and how much was
// not told since the last time.
func (t *throttle) tell(now time.Time) (skipped int, tell bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.last.IsZero() && now.Sub(t.last) < time.Minute {
		t.skipped++
		return 0, false
	}
	skipped, t.skipped, t.last = t.skipped, 0, now
	return skipped, true
}
