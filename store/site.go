package store

import (
	flowpb "weir/proto"
)

// site is where a flow went: what URLs are made of before their paths.
type site struct {
	port                    int64
	scheme, host, authority string
}

// url is the URL of a path. It asks package proto, so that there is one idea of
// what a URL is.
func (s site) url(kind flowpb.Kind, path string) string {
	summary := flowpb.Summary{
		Kind: kind, Port: uint32(s.port), Scheme: s.scheme, Host: s.host, Authority: s.authority, Path: path,
	}
	return summary.URL()
}

// head is what each URL of the site begins with. It is open if the path follows;
// else it is all there is.
func (s site) head(kind flowpb.Kind) (head string, open bool) {
	head = s.url(kind, "")
	return head, s.url(kind, "/") == head+"/"
}

// textBytes is the memory of the site's texts.
func (s site) textBytes() int { return len(s.scheme) + len(s.host) + len(s.authority) }
