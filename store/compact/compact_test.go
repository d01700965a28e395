package compact

import (
	"testing"
	"time"
)

// A compactor writes less at a time when that held the lock for long, and more again.
func TestCompactorHoldsTheLockShortly(t *testing.T) {
	for _, tt := range []struct {
		budget int64
		held   time.Duration
		want   int64
	}{
		{256 << 10, maxHold + 1, 128 << 10},
		{256 << 10, maxHold, 256 << 10},
		{256 << 10, maxHold / 8, 512 << 10},
		{leastBudget, time.Second, leastBudget},
		{mostBudget, 0, mostBudget},
	} {
		if got := nextBudget(tt.budget, tt.held); got != tt.want {
			t.Errorf("after %d bytes in %v: got %d, want %d", tt.budget, tt.held, got, tt.want)
		}
	}
}
