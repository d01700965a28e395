package proxy

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"syscall"

	flowpb "weir/proto"
	"weir/proxy/h1"
)

// flowError is why a flow ended early: what the flow records, what the client is
// told, and the error underneath.
type flowError struct {
	code      flowpb.ErrorCode
	side      flowpb.Side // the half that failed
	status    int         // of the page that the client gets; 0 for 502
	message   string      // one plain sentence without a full stop
	hint      string
	header    string // a field line of that page, with its CRLF
	untrusted bool   // the client refused our certificate
	conn      uint64 // the server connection that failed, 0 where there is none
	cause     error
}

func (f *flowError) Error() string { return f.message }
func (f *flowError) Unwrap() error { return f.cause }

// errOwnAddress is what a dial that would reach our own listener ends with.
var errOwnAddress = errors.New("the target is this proxy itself")

// asFailure returns err as a failure. What was not classified where it happened
// is a plain protocol failure; nil stays nil.
func asFailure(err error) *flowError {
	if err == nil {
		return nil
	}
	if f, ok := errors.AsType[*flowError](err); ok {
		return f
	}
	return &flowError{code: flowpb.CodeProtocol, message: err.Error(), cause: err}
}

func recordingFailure(err error) *flowError {
	return &flowError{
		code: flowpb.CodeRecording, message: "the flow could not be recorded, so it was not passed on: " + err.Error(),
		hint: "is the disk full?", cause: err,
	}
}

func ownAddressFailure(r route) *flowError {
	return &flowError{
		code: flowpb.CodeOwnAddress, side: flowpb.SideRequest,
		message: fmt.Sprintf("%s is the address of this proxy itself", r.hostPort()),
		hint:    "set this address as the proxy of your client and ask for another server", cause: errOwnAddress,
	}
}

// dialFailure explains why no connection to r came up.
func dialFailure(r route, err error) *flowError {
	f := &flowError{code: flowpb.CodeConnect, side: flowpb.SideResponse, cause: err}
	dns, isDNS := errors.AsType[*net.DNSError](err)
	switch {
	case errors.Is(err, errOwnAddress):
		return ownAddressFailure(r)
	case isDNS && dns.IsNotFound:
		f.code, f.message, f.hint = flowpb.CodeDNS, fmt.Sprintf("%s does not resolve: no such host", r.host), "check the name"
	case isDNS:
		f.code, f.message = flowpb.CodeDNS, fmt.Sprintf("%s does not resolve: %s", r.host, dns.Err)
	case isFull(err):
		f.message, f.hint = "no file is left to open for a connection to "+r.hostPort(), fullHint
	case isTimeout(err), isVanished(err):
		f.code, f.message = flowpb.CodeTimeout, fmt.Sprintf("connecting to %s timed out", r.hostPort())
	case errors.Is(err, syscall.ECONNREFUSED):
		f.message, f.hint = fmt.Sprintf("%s refused the connection", r.hostPort()), "is the server running, and on this port?"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		f.message = fmt.Sprintf("%s is unreachable from here", r.hostPort())
	default:
		f.message = fmt.Sprintf("connecting to %s: %v", r.hostPort(), err)
	}
	return f
}

// noClientCertificate is the hint where a server asked for one and then refused us.
const noClientCertificate = "the server wants a client certificate: --client-cert [HOST=]FILE presents one"

// serverTLSFailure explains why the handshake with a server failed. wanted is
// whether it had asked for a client certificate.
func serverTLSFailure(r route, err error, wanted bool) *flowError {
	if f, ok := errors.AsType[*flowError](err); ok {
		return f
	}
	f := &flowError{code: flowpb.CodeTLS, side: flowpb.SideResponse, cause: err}
	_, notTLS := errors.AsType[tls.RecordHeaderError](err)
	verify, unverified := errors.AsType[*tls.CertificateVerificationError](err)
	switch {
	case unverified:
		f.message = fmt.Sprintf("the certificate of %s does not verify: %s", r.hostPort(), verifyReason(verify.Err))
		f.hint = "--upstream-ca FILE trusts another authority, --insecure accepts any certificate"
	case notTLS:
		f.message, f.hint = fmt.Sprintf("%s does not speak TLS", r.hostPort()), "is this an http:// address?"
	case isTimeout(err):
		f.code, f.message = flowpb.CodeTimeout, fmt.Sprintf("the TLS handshake with %s timed out", r.hostPort())
	case isGone(err):
		f.message = fmt.Sprintf("%s closed the connection during the TLS handshake", r.hostPort())
	default:
		f.message = fmt.Sprintf("TLS handshake with %s: %s", r.hostPort(), plainTLS(err))
	}
	if wanted && (isRemoteAlert(err) || isGone(err)) {
		f.hint = noClientCertificate
	}
	return f
}

// clientTLSFailure explains why the handshake with the client failed; name is
// what the certificate was made for.
func clientTLSFailure(name string, err error) *flowError {
	if f, ok := errors.AsType[*flowError](err); ok {
		return f
	}
	f := &flowError{code: flowpb.CodeTLS, side: flowpb.SideRequest, cause: err}
	reason := plainTLS(err)
	switch {
	case isRemoteAlert(err) && strings.Contains(reason, "certificate"):
		f.untrusted = true
		f.message = fmt.Sprintf("the client does not trust weir's certificate for %s (%s)", name, reason)
		f.hint = "`weir ca trust-help` tells how to install the CA; an app that pins its certificates refuses it even then"
	case isTimeout(err):
		f.code, f.message = flowpb.CodeTimeout, "the TLS handshake with the client timed out"
	case isGone(err):
		f.message = fmt.Sprintf("the client left during the TLS handshake for %s", name)
		f.hint = "it may not trust weir's certificate: `weir ca trust-help`"
	case strings.Contains(reason, "unsupported application protocols"):
		f.message = fmt.Sprintf("the client offers no application protocol that weir intercepts (%s)", reason)
	case strings.Contains(reason, "unsupported versions"):
		f.message = fmt.Sprintf("the client speaks only TLS versions that weir does not (%s)", reason)
		f.hint = "--tls-min 1.0 speaks old versions, too"
	case strings.Contains(reason, "no cipher suite supported"):
		f.message = fmt.Sprintf("client and weir have no cipher suite in common (%s)", reason)
		f.hint = "--ciphers NAME,… offers others up to TLS 1.2; what the client offers is in its connection"
	case strings.Contains(reason, "does not look like a TLS handshake"):
		f.message, f.hint = "what the client sends is no TLS handshake", "--ignore passes such connections through"
	default:
		f.message = "TLS handshake with the client: " + reason
	}
	return f
}

// serverFailure explains an error while reading from or writing to a server.
func serverFailure(r route, err error) error {
	if _, ok := errors.AsType[*flowError](err); ok {
		return err
	}
	f := &flowError{code: flowpb.CodeServerGone, side: flowpb.SideResponse, cause: err}
	parse, isParse := errors.AsType[*h1.Error](err)
	switch {
	case isParse && parse.Code == h1.Truncated:
		f.message = fmt.Sprintf("%s %s the connection too early: %s", r.hostPort(), closedOrReset(err), parse.Reason)
	case isParse && parse.Code != h1.Malformed:
		f.code, f.message = flowpb.CodeLimit, parse.Error()
	case isParse:
		f.code, f.message, f.hint = flowpb.CodeProtocol, parse.Error(), lenientHint(parse)
	case isVanished(err):
		f.code, f.message = flowpb.CodeTimeout, r.hostPort()+" "+vanished
	case isTimeout(err):
		f.code, f.message = flowpb.CodeTimeout, fmt.Sprintf("%s was silent for too long", r.hostPort())
	case isGone(err):
		f.message = fmt.Sprintf("%s %s the connection without a response", r.hostPort(), closedOrReset(err))
	case isRemoteAlert(err):
		f.code, f.message = flowpb.CodeTLS, fmt.Sprintf("%s ended TLS: %s", r.hostPort(), plainTLS(err))
	default:
		f.message = fmt.Sprintf("connection to %s: %v", r.hostPort(), err)
	}
	return f
}

// closedOrReset is what a peer did that is gone.
func closedOrReset(err error) string {
	if errors.Is(err, syscall.ECONNRESET) {
		return "reset"
	}
	return "closed"
}

// clientFailure explains an error while reading from or writing to the client.
func clientFailure(err error) error {
	if _, ok := errors.AsType[*flowError](err); ok {
		return err
	}
	f := &flowError{code: flowpb.CodeClientGone, side: flowpb.SideRequest, cause: err}
	parse, isParse := errors.AsType[*h1.Error](err)
	switch {
	case isParse && parse.Code == h1.Truncated:
		f.message = "the client left before its request was whole"
	case isParse && parse.Code == h1.LineTooLong:
		f.code, f.status, f.message = flowpb.CodeLimit, 414, parse.Error()
	case isParse && parse.Code == h1.HeadTooLarge:
		f.code, f.status, f.message = flowpb.CodeLimit, 431, parse.Error()
	case isParse:
		f.code, f.status, f.message = flowpb.CodeProtocol, 400, parse.Error()
		f.hint = lenientHint(parse)
	case isVanished(err):
		f.code, f.message = flowpb.CodeTimeout, "the client "+vanished
	case isTimeout(err):
		f.code, f.status, f.message = flowpb.CodeTimeout, 408, "the client was silent for too long"
	default:
		f.message = "the client left before the exchange was over"
	}
	return f
}

// lenientHint is what to do about a message that is refused because two readers
// could understand it differently.
func lenientHint(err *h1.Error) string {
	if !err.Odd {
		return ""
	}
	return smuggled
}

const smuggled = "another reader may understand it differently, which is how requests are smuggled; --lenient passes it on as it is"

// stopFailure replaces what a closed socket looked like where we closed it.
func stopFailure(ctx context.Context, err error) error {
	if err == nil || ctx.Err() == nil {
		return err
	}
	return &flowError{code: flowpb.CodeStopped, message: "weir was stopped while this was open", cause: err}
}

// vanished is what is said of a peer that answers no probes, see probes.
const vanished = "does not answer any more: its machine is off, or the network between is broken"

// isVanished reports whether the system gave up a connection whose peer answers nothing.
func isVanished(err error) bool { return errors.Is(err, syscall.ETIMEDOUT) }

// isTimeout reports whether a deadline of ours has passed.
func isTimeout(err error) bool {
	if isVanished(err) {
		return false
	}
	ne, ok := errors.AsType[net.Error](err)
	return ok && ne.Timeout() || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded)
}

func isGone(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.ErrClosedPipe) ||
		errors.Is(err, net.ErrClosed) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// isRemoteAlert reports whether err is a TLS alert that the other end sent.
// crypto/tls does not export the type of an alert, only this wrapping.
func isRemoteAlert(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && op.Op == "remote error"
}

// noProtocolShared reports whether a handshake failed because the server speaks no
// protocol that it was offered (RFC 7301 §3.2).
func noProtocolShared(err error) bool {
	const noApplicationProtocol = 120
	alert, ok := errors.AsType[tls.AlertError](err)
	return isRemoteAlert(err) && (ok && alert == noApplicationProtocol || strings.Contains(err.Error(), "no application protocol"))
}

// remoteAlert wraps an alert as crypto/tls does.
func remoteAlert(alert tls.AlertError) error {
	return &net.OpError{Op: "remote error", Err: alert}
}

// plainTLS is the text of a TLS error without the prefixes of its packages.
func plainTLS(err error) string {
	s := strings.TrimPrefix(err.Error(), "remote error: ")
	return strings.TrimPrefix(strings.TrimPrefix(s, "tls: "), "x509: ")
}

func verifyReason(err error) string {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return "it is signed by an unknown authority"
	}
	return plainTLS(err)
}
