package proxy

import (
	"context"

	"weir/proxy/dns"
)

// askInTurn has a question that this server does not answer asked of the next, where
// there is one.
func (q *pair) askInTurn(ctx context.Context, r *resolver) {
	next, ok := r.next(q.route)
	if !ok {
		return
	}
	q.dns.patience = r.patience
	q.dns.onFailure = func(query []byte) {
		select {
		case <-ctx.Done():
		case <-q.d.over:
		default:
			r.gaveUp(q.route)
			q.d.deliver(ctx, q.from, next, query, q.answer)
		}
	}
}

// giveUp answers the open questions with SERVFAIL.
func (q *pair) giveUp(ctx context.Context) {
	const servFail = 2
	for _, query := range q.dns.unansweredQueries() {
		if p := dns.Failure(query, servFail); p != nil {
			_ = q.answer(p) // the client may have left
			_ = q.dns.inject(ctx, p)
		}
	}
}
