package proxy

import (
	"strings"

	flowpb "weir/proto"
	"weir/proxy/h2"
)

// oddHost says what is odd about the hosts that a request of HTTP/2 names, "" where
// nothing is: a Host beside :authority that is another one, or several (RFC 9113
// §8.3.1). One reader believes the one, another one the other.
func oddHost(ev *h2.Event) string {
	authority := ev.Head.Authority
	hosts := 0
	for i := range ev.Fields {
		f := &ev.Fields[i]
		if f.Name != "host" {
			continue
		}
		if hosts++; hosts > 1 {
			return "host more than once"
		}
		if authority != "" && !strings.EqualFold(bare(f.Value, ev.Head.Scheme), bare(authority, ev.Head.Scheme)) {
			return "host and :authority differ"
		}
	}
	return ""
}

// bare is an authority without the port that its scheme has anyway.
func bare(authority, scheme string) string {
	switch scheme {
	case "https":
		return strings.TrimSuffix(authority, ":443")
	case "http":
		return strings.TrimSuffix(authority, ":80")
	}
	return authority
}

// refuseOddHost returns why a request that is odd in that way is refused, which it is
// not leniently.
func (s *Server) refuseOddHost(odd string) *flowError {
	if odd == "" || s.opts.Limits.Lenient {
		return nil
	}
	return &flowError{code: flowpb.CodeProtocol, side: flowpb.SideRequest, status: 400, message: odd, hint: smuggled}
}
