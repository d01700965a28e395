package proxy

import (
	"bytes"
	"context"
	"encoding/base64"
	"sync"

	flowpb "weir/proto"
	"weir/proxy/h1"
	"weir/proxy/record"
)

// Authenticator knows who may use the proxy.
type Authenticator interface {
	// Verify reports whether password is the user's. It is called once for each
	// connection that presents these two, from many goroutines, and may take its
	// time, as slow hashes do.
	Verify(user, password string) bool
}

// login is how clients are asked for a password over HTTP (RFC 9110 §11). One
// that does not know that there is a proxy is asked as by the server.
type login struct {
	status             int
	request, challenge string // the names of the two fields
}

// login returns how clients of this server are asked.
func (s *Server) login() login {
	if k := s.opts.Mode.Kind; k == Reverse || k == Transparent {
		return login{status: 401, request: "Authorization", challenge: "WWW-Authenticate"}
	}
	return login{status: 407, request: "Proxy-Authorization", challenge: "Proxy-Authenticate"}
}

// mustLogin reports whether the request has to bring a password and does not
// bring a good one. In a tunnel that a login opened no request has to.
func (c *client) mustLogin(head *h1.Head) bool {
	if c.s.opts.Auth == nil || c.trusted {
		return false
	}
	sent, _ := head.Get(c.s.login().request)
	return !c.loggedIn(sent)
}

// loggedIn reports whether the value of a login field is a good one.
func (c *client) loggedIn(sent []byte) bool {
	if user, ok := c.logins.user(sent); ok {
		c.user = user
		return true
	}
	user, password, ok := basicCredentials(sent)
	if !ok || !c.s.opts.Auth.Verify(user, password) {
		return false
	}
	c.user = user
	c.logins.add(sent, user)
	return true
}

// logins is the login that was good for the last request of a connection, so that
// the next one with the same need not be verified. The streams of a connection
// share it.
type logins struct {
	mu    sync.Mutex
	field []byte // the value that was good
	name  string
}

// user returns whose login the value of a field is, and whether it is known to be good.
func (l *logins) user(field []byte) (name string, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.name, len(field) > 0 && bytes.Equal(field, l.field)
}

func (l *logins) add(field []byte, name string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.field, l.name = bytes.Clone(field), name
}

// askLogin answers a request that mustLogin.
func (c *client) askLogin(ctx context.Context, head *h1.Head, startedNs int64) error {
	_, sent := head.Get(c.s.login().request)
	return newExchange(c, head, startedNs).fail(ctx, c.loginFailure(sent))
}

// loginFailure is why a request that came with a login, or with none, is refused.
func (c *client) loginFailure(sent bool) *flowError {
	l := c.s.login()
	f := &flowError{
		code: flowpb.CodeRefused, side: flowpb.SideRequest, status: l.status,
		message: "the proxy asks for a user name and a password", hint: "set them in your client's proxy settings",
		header: l.challenge + ": Basic realm=\"weir\", charset=\"UTF-8\"\r\n",
	}
	if sent {
		f.message, f.hint = "the user name or the password for the proxy is wrong", ""
	}
	return f
}

// hideLogin keeps the password for this proxy out of the flow, and says who it was.
func (c *client) hideLogin(r *httpRecord) {
	if c.s.opts.Auth == nil {
		return
	}
	r.setHeader(c.s.login().request, []byte("[a login to weir, not recorded]"))
	if c.user != "" {
		r.flow.Meta = append(r.flow.Meta, &flowpb.Meta{Key: "proxy user", Value: record.Printable(c.user)})
	}
}

// basicCredentials reads the value of an Authorization field of scheme Basic (RFC 7617).
func basicCredentials(value []byte) (user, password string, ok bool) {
	scheme, token, _ := bytes.Cut(value, []byte{' '})
	if !bytes.EqualFold(scheme, []byte("Basic")) {
		return "", "", false
	}
	text, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(token)))
	if err != nil {
		return "", "", false
	}
	u, p, ok := bytes.Cut(text, []byte{':'})
	return string(u), string(p), ok
}

// basicField is the whole field line that presents a login.
func basicField(name, user, password string) []byte {
	token := base64.StdEncoding.EncodeToString([]byte(user + ":" + password))
	return []byte(name + ": Basic " + token + "\r\n")
}
