//go:build race

package filter

// raceDetector says that sync.Pool forgets at random, as it does under the race
// detector; package regexp keeps its machines in one.
const raceDetector = true
