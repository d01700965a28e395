//go:build !unix

package bench

import (
	"time"
)

// cpuTime is what this process has used of its processors, -1 if that is unknown.
func cpuTime() time.Duration { return -1 }
