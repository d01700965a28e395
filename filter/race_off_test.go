//go:build !race

package filter

// raceDetector: see race_on_test.go.
const raceDetector = false
