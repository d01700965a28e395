package store

import (
	"database/sql/driver"
	"strings"

	flowpb "weir/proto"
)

// site is what URLs are made of before their paths. Sessions have few of them.
type site struct {
	kind, port              int64
	scheme, host, authority string
}

// siteColumns is how many columns [filter.URLColumns] names.
const siteColumns = 6

// siteOf reads the columns [filter.URLColumns]. The texts are valid as long as row.
func siteOf(row []driver.Value) (s site, path string) {
	s.kind, _ = row[0].(int64)
	s.scheme, _ = row[1].(string)
	s.host, _ = row[2].(string)
	s.port, _ = row[3].(int64)
	s.authority, _ = row[4].(string)
	path, _ = row[5].(string)
	return s, path
}

// url is the URL of a path. It asks package proto, so that there is one idea of
// what a URL is.
func (s site) url(path string) string {
	summary := flowpb.Summary{
		Kind: flowpb.Kind(s.kind), Port: uint32(s.port),
		Scheme: s.scheme, Host: s.host, Authority: s.authority, Path: path,
	}
	return summary.URL()
}

// head is what each URL of the site begins with. It is open if the path follows;
// else it is all there is.
func (s site) head() (head string, open bool) {
	head = s.url("")
	return head, s.url("/") == head+"/"
}

// textBytes is the memory of the site's texts.
func (s site) textBytes() int { return len(s.scheme) + len(s.host) + len(s.authority) }

// clone is a copy that outlives the row it was read from.
func (s site) clone() site {
	s.scheme, s.host, s.authority = strings.Clone(s.scheme), strings.Clone(s.host), strings.Clone(s.authority)
	return s
}
