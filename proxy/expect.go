package proxy

import "sync/atomic"

// expectation is whether the body of a request comes. It is plain but for
// Expect: 100-continue (RFC 9110 §10.1.1): a client that waits, and is given a
// final response instead of 100, may send the body all the same or leave it
// out, and nobody can tell a body from a next request. So what comes before the
// end of such a response is the body, and nothing that comes later is taken.
//
// The pump takes the body while the response is passed on, so the first of the
// two to settle it decides.
type expectation struct{ state atomic.Int32 }

const (
	withBody int32 = iota // the body comes
	waits                 // for 100, the first byte of the body, or a final response
	declined              // the final response was there first
)

// begin notes that the client will wait before it sends the body.
func (e *expectation) begin() { e.state.Store(waits) }

// bodyComes notes that the body was asked for or has begun. It reports false
// where it is too late for that.
func (e *expectation) bodyComes() bool {
	e.state.CompareAndSwap(waits, withBody)
	return !e.isDeclined()
}

// answer notes that the client is about to have a whole final response.
func (e *expectation) answer() { e.state.CompareAndSwap(waits, declined) }

func (e *expectation) isDeclined() bool { return e.state.Load() == declined }
