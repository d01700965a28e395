package main

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"weir/store"
	"weir/tui"
	"weir/tui/widget"
)

// retentionFlags say what a capture keeps of its past. They take the place of
// rotating files.
type retentionFlags struct {
	age    ageValue
	flows  uint64
	size   sizeValue
	marked bool
}

func (f *retentionFlags) register(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.Var(&f.age, "keep-for", "drop flows that began longer than DUR ago, as 24h or 7d (default: keep them)")
	flags.Uint64Var(&f.flows, "keep-flows", 0, "keep the newest N flows and drop older ones (0: keep all)")
	flags.Var(&f.size, "keep-size", "drop the oldest flows while the session takes more than SIZE, as 500M or 10G (default: no limit)")
	flags.BoolVar(&f.marked, "keep-marked", true, "never drop flows with a mark, tags, a comment or a highlight")
}

func (f *retentionFlags) limits() store.Retention {
	return store.Retention{Age: time.Duration(f.age), Flows: f.flows, Bytes: int64(f.size), Noted: !f.marked}
}

// ageValue is a flag for a time span: what Go takes, and days and weeks.
type ageValue time.Duration

func (v *ageValue) Type() string { return "DUR" }

func (v *ageValue) String() string {
	if *v == 0 {
		return ""
	}
	return ageText(time.Duration(*v))
}

func (v *ageValue) Set(text string) error {
	d, err := parseAge(text)
	*v = ageValue(d)
	return err
}

const day = 24 * time.Hour

func parseAge(text string) (time.Duration, error) {
	wrong := fmt.Errorf("%q is no time span above zero, such as 90m, 24h or 7d", text)
	for suffix, unit := range map[string]time.Duration{"d": day, "w": 7 * day} {
		number, ok := strings.CutSuffix(text, suffix)
		if !ok {
			continue
		}
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil || n < 1 || n > int64(math.MaxInt64/unit) {
			return 0, wrong
		}
		return time.Duration(n) * unit, nil
	}
	d, err := time.ParseDuration(text)
	if err != nil || d <= 0 {
		return 0, wrong
	}
	return d, nil
}

// ageText is a time span as one would type it: "7d", "24h", "1h30m".
func ageText(d time.Duration) string {
	if d > day && d%day == 0 {
		return strconv.Itoa(int(d/day)) + "d"
	}
	text := d.String()
	for _, zero := range []string{"m0s", "h0m"} {
		if strings.HasSuffix(text, zero) {
			text = text[:len(text)-2]
		}
	}
	return text
}

// sizeValue is a flag for a number of bytes, in steps of 1024 as sizes are shown.
type sizeValue int64

func (v *sizeValue) Type() string { return "SIZE" }

func (v *sizeValue) String() string {
	if *v == 0 {
		return ""
	}
	return widget.Size(int64(*v))
}

func (v *sizeValue) Set(text string) error {
	n, err := parseSize(text)
	*v = sizeValue(n)
	return err
}

func parseSize(text string) (int64, error) {
	number, shift := text, 0
	if n := len(text); n > 0 {
		if i := strings.IndexByte("kmgt", text[n-1]|0x20); i >= 0 {
			number, shift = text[:n-1], 10*(i+1)
		}
	}
	n, err := strconv.ParseFloat(number, 64)
	if n *= float64(int64(1) << shift); err != nil || strings.Trim(number, "0123456789.") != "" || n < 1 || n > math.MaxInt64/2 {
		return 0, fmt.Errorf("%q is no size above zero, such as 500M or 10G", text)
	}
	return int64(n), nil
}

// retention keeps a capture's session within its limits, and tells what it drops.
type retention struct {
	limits  store.Retention
	writer  *store.Writer
	notices *notices
	dropped atomic.Uint64 // flows so far

	pending store.Retained // not told of yet
	since   time.Time      // when the first of that was dropped
	told    time.Time
}

// retentionNews is how often a person is told at most.
const retentionNews = time.Minute

// follow drops until ctx ends.
func (r *retention) follow(ctx context.Context) error {
	if r.limits.Age == 0 && r.limits.Flows == 0 && r.limits.Bytes == 0 {
		return nil
	}
	err := r.writer.Retain(ctx, r.limits, r.note)
	r.announce(time.Now())
	return err
}

// note takes what a round did. It is told when nothing more is dropped; while that
// goes on, and soon after other news, not before a minute has passed.
func (r *retention) note(done store.Retained) {
	now := time.Now()
	if r.pending == (store.Retained{}) {
		r.since = now
	}
	r.dropped.Add(done.Dropped())
	r.pending.TooOld += done.TooOld
	r.pending.TooMany += done.TooMany
	r.pending.TooBig += done.TooBig
	r.pending.Removed += done.Removed
	if done.Stuck {
		r.notices.warn("what is kept is over the limit, and nothing that is left may be dropped",
			"marked flows, those with tags or comments, and open ones stay; --keep-marked=false drops the first")
	}
	if done.Err != nil {
		r.notices.warn(done.Err.Error(), "it will be tried again")
	}
	quiet := done.Dropped()+done.Removed == 0 && now.Sub(r.told) >= retentionNews
	if quiet || now.Sub(r.since) >= retentionNews {
		r.announce(now)
	}
}

// announce tells of what was not told of yet.
func (r *retention) announce(now time.Time) {
	p := r.pending
	if p == (store.Retained{}) {
		return
	}
	r.pending, r.told = store.Retained{}, now
	var parts []string
	add := func(n uint64, format string, limit string) {
		if n > 0 {
			parts = append(parts, fmt.Sprintf(format, limit, widget.Group(n)))
		}
	}
	add(p.TooOld, "kept the flows of the last %s; %s older ones dropped", ageText(r.limits.Age))
	add(p.TooMany, "kept the newest %s flows; %s older ones dropped", widget.Group(r.limits.Flows))
	add(p.TooBig, "kept the session within %s; %s of the oldest flows dropped", widget.Size(r.limits.Bytes))
	add(p.Removed, "%s that could be brought back dropped: %s", "deleted flows")
	r.notices.tell(tui.Info, strings.Join(parts, "; "), "")
}
