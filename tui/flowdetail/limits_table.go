package flowdetail

import "time"

// How much of a flow is held and worked on at once. Sizes are bytes of content.
const (
	// firstWindow is what a body shows at once; windowed views keep this size.
	firstWindow = 64 << 10
	// autoWindow is how far views that need a body from its start grow as one
	// scrolls, and fullWindow how far they do when asked.
	autoWindow = 1 << 20
	fullWindow = 2 << 20
	// maxHits is how many hits in what is shown are highlighted.
	maxHits = 10_000

	// maxHistory is how many searches are remembered.
	maxHistory = 100

	// maxCopy is the longest content that is copied.
	maxCopy = 8 << 20

	// messagePage is how many messages are read at a time, and previewSize how
	// much of each is kept for the list.
	messagePage = 64
	previewSize = 256

	// renderTime is how long a view may take for a window.
	renderTime = 2 * time.Second
	// quiet is how long a load may take before anything is said about it.
	quiet = 200 * time.Millisecond
)
