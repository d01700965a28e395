package proxy

import (
	"fmt"
	"net/netip"
	"os"
	"strings"
	"sync"
	"time"
)

// resolver is what the mode dns resolves with where it is given no server: the
// system's hosts file, then its name servers, of which the next is asked where one
// does not answer. It is safe for concurrent use.
type resolver struct {
	hosts    hosts
	servers  []route       // at least one
	patience time.Duration // after which the next server is asked

	mu sync.Mutex
	at int // the server that is asked first
}

// Files of the system that a resolver goes by (resolv.conf(5), hosts(5)).
const (
	resolvConf = "/etc/resolv.conf"
	hostsConf  = "/etc/hosts"
)

// newResolver returns one that goes by these two files.
func newResolver(resolvConf, hostsConf string) (*resolver, error) {
	servers, err := nameServers(resolvConf)
	if err != nil {
		return nil, err
	}
	return &resolver{hosts: hosts{file: hostsConf}, servers: servers, patience: 3 * time.Second}, nil
}

// nameServers are those that file names, as many as other resolvers take of them.
func nameServers(file string) ([]route, error) {
	const most = 3
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("find the system's resolver: %w", err)
	}
	var servers []route
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) < 2 || fields[0] != "nameserver" || len(servers) == most {
			continue
		}
		if ip, err := netip.ParseAddr(fields[1]); err == nil {
			servers = append(servers, route{scheme: "dns", host: ip.String(), port: dnsPort})
		}
	}
	if len(servers) == 0 {
		return nil, fmt.Errorf("find the system's resolver: %s names none", file)
	}
	return servers, nil
}

// server is the one to ask.
func (r *resolver) server() route {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.servers[r.at]
}

// next is the server behind one in the list. It reports false for the last, so that
// a question that nobody answers does not go round.
func (r *resolver) next(to route) (route, bool) {
	for i, s := range r.servers[:len(r.servers)-1] {
		if s == to {
			return r.servers[i+1], true
		}
	}
	return route{}, false
}

// gaveUp has another server asked first from now on, if it was this one.
func (r *resolver) gaveUp(on route) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.servers[r.at] == on {
		r.at = (r.at + 1) % len(r.servers)
	}
}
