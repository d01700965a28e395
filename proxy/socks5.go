package proxy

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"syscall"

	flowpb "weir/proto"
	"weir/proxy/socks"
)

// serveSOCKS answers a SOCKS5 client, then carries what the connection holds.
// The server is connected before the reply, whose code says how that went.
func (c *client) serveSOCKS(ctx context.Context) error {
	_ = c.raw.SetReadDeadline(deadline(c.s.opts.Timeouts.Head))
	err := c.greetSOCKS(ctx)
	var req socks.Request
	if err == nil {
		err = c.takeSOCKS(func(p []byte) (n int, err error) {
			req, n, err = socks.ParseRequest(p)
			return n, err
		})
	}
	resume(c.raw)
	if err != nil {
		return c.badSOCKS(ctx, err)
	}
	c.tunnel = route{scheme: "https", host: req.Host, port: req.Port}
	switch req.Command {
	case socks.Connect:
		return c.connectSOCKS(ctx)
	case socks.Associate:
		return c.associateSOCKS(ctx)
	default:
		return c.badSOCKS(ctx, errSOCKSCommand)
	}
}

// errSOCKSCommand is a request for anything but a connection.
var errSOCKSCommand = errors.New("the client asks for a SOCKS command other than CONNECT and UDP ASSOCIATE")

// connectSOCKS opens the connection that the client asked for.
func (c *client) connectSOCKS(ctx context.Context) error {
	if isHome(c.tunnel.host) && c.s.opts.Authority != nil {
		if err := c.replySOCKS(socks.Succeeded, nil); err != nil {
			return clientFailure(err)
		}
		return c.throughTunnel(ctx, nil)
	}
	up, err := c.openStream(ctx)
	if err != nil {
		_ = c.replySOCKS(codeOf(err), nil)
		return err
	}
	if err := c.replySOCKS(socks.Succeeded, up.raw.LocalAddr()); err != nil {
		up.close(ctx, nil)
		return clientFailure(err)
	}
	return c.throughTunnel(ctx, up)
}

// greetSOCKS settles on a method and takes the login where one is asked for.
func (c *client) greetSOCKS(ctx context.Context) error {
	var methods []byte
	err := c.takeSOCKS(func(p []byte) (n int, err error) {
		methods, n, err = socks.ParseGreeting(p)
		return n, err
	})
	if err != nil {
		return err
	}
	method := socks.NoLogin
	if c.s.opts.Auth != nil {
		method = socks.LoginMethod
	}
	if !bytes.Contains(methods, []byte{method}) {
		_, _ = c.conn.Write(socks.AppendMethod(nil, socks.NoMethod))
		return &flowError{
			code: flowpb.CodeRefused, side: flowpb.SideRequest,
			message: "the client offers no way of logging in that this proxy takes", hint: "set a user name and a password for the proxy, or none",
		}
	}
	if _, err := c.conn.Write(socks.AppendMethod(nil, method)); err != nil || method == socks.NoLogin {
		return err
	}
	return c.loginSOCKS()
}

func (c *client) loginSOCKS() error {
	var user, password string
	err := c.takeSOCKS(func(p []byte) (n int, err error) {
		user, password, n, err = socks.ParseLogin(p)
		return n, err
	})
	if err != nil {
		return err
	}
	c.trusted, c.user = c.s.opts.Auth.Verify(user, password), user
	if _, err := c.conn.Write(socks.AppendLoginReply(nil, c.trusted)); err != nil {
		return err
	}
	if !c.trusted {
		return &flowError{
			code: flowpb.CodeRefused, side: flowpb.SideRequest,
			message: "the user name or the password for the proxy is wrong",
		}
	}
	return nil
}

// takeSOCKS reads until parse has a whole message, and takes that.
func (c *client) takeSOCKS(parse func([]byte) (int, error)) error {
	for {
		n, err := parse(c.in.unread())
		c.in.advance(n)
		if n > 0 || err != nil {
			return err
		}
		if _, err := c.in.fill(c.conn); err != nil {
			return err
		}
	}
}

func (c *client) replySOCKS(code socks.Code, bound net.Addr) error {
	var a socks.Address
	if bound != nil {
		addr := addressOf(bound)
		a = socks.Address{Host: string(addr.Host), Port: int(addr.Port)}
	}
	_, err := c.conn.Write(socks.AppendReply(nil, code, a))
	return err
}

// badSOCKS ends a connection whose request cannot be served, with a flow that
// says why, and in words that the client understands. One that says nothing at
// all was no request.
func (c *client) badSOCKS(ctx context.Context, err error) error {
	if errors.Is(err, io.EOF) && len(c.in.unread()) == 0 {
		return nil
	}
	f := asFailure(clientFailure(err))
	_, unknown := errors.AsType[*socks.AddressError](err)
	switch p := c.in.unread(); {
	case unknown:
		f.code, f.message = flowpb.CodeProtocol, err.Error()
		_ = c.replySOCKS(socks.AddressNotSupported, nil)
	case errors.Is(err, errSOCKSCommand):
		f.code, f.message = flowpb.CodeProtocol, err.Error()
		_ = c.replySOCKS(socks.CommandNotSupported, nil)
	case errors.Is(err, socks.ErrVersion4):
		f.code, f.message, f.hint = flowpb.CodeProtocol, err.Error(), "set the proxy as socks5:// or socks5h://"
		_, _ = c.conn.Write(socks.AppendVersion4Refusal(nil))
	case len(p) > 0 && mayBecomeHTTP(p):
		f.code, f.status, f.message = flowpb.CodeProtocol, 400, "this is a SOCKS proxy, and the client speaks HTTP"
		f.hint = "set the proxy as socks5h://, or listen with --mode regular"
		c.answer(f, nil, false)
	case isTLS(p):
		f.code, f.message, f.hint = flowpb.CodeProtocol, "this is a SOCKS proxy, and the client speaks TLS", "set the proxy as socks5h://"
	case f.code == flowpb.CodeClientGone && !isGone(err):
		f.code, f.message = flowpb.CodeProtocol, err.Error()
	}
	return c.recordStreamFailure(ctx, f)
}

// codeOf is how a failure to connect is told to a SOCKS client.
func codeOf(err error) socks.Code {
	switch f := asFailure(err); {
	case f.code == flowpb.CodeOwnAddress:
		return socks.NotAllowed
	case errors.Is(err, syscall.ECONNREFUSED):
		return socks.ConnectionRefused
	case errors.Is(err, syscall.ENETUNREACH):
		return socks.NetworkUnreachable
	case f.code == flowpb.CodeDNS, f.code == flowpb.CodeTimeout, f.code == flowpb.CodeConnect:
		return socks.HostUnreachable
	}
	return socks.GeneralFailure
}
