package proxy

import (
	"sync"
	"time"
)

// due is a deadline of a connection.
type due struct {
	at    time.Time
	timer *time.Timer
}

// set makes whoever waits for change look at the time when it is t.
func (d *due) set(t time.Time, change *sync.Cond) {
	d.stop()
	d.at = t
	if t.IsZero() {
		return
	}
	if left := time.Until(t); left > 0 {
		d.timer = time.AfterFunc(left, func() {
			change.L.Lock()
			defer change.L.Unlock()
			change.Broadcast()
		})
		return
	}
	change.Broadcast()
}

func (d *due) stop() {
	if d.timer != nil {
		d.timer.Stop()
		d.timer = nil
	}
}

func (d *due) passed() bool { return !d.at.IsZero() && !time.Now().Before(d.at) }
