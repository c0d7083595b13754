// Package poll has one goroutine do the I/O of many sockets: a [Poller] waits until
// one of them can be read, an instant comes, or somebody wakes it.
package poll

// A Loop is the goroutine that does the I/O. All its methods but those of Aside are
// called from that goroutine, and so is ready.
type Loop interface {
	// Add has ready called whenever the descriptor, which does not block, can be read
	// (or has an error), as long as that is so, until Remove.
	Add(fd int, ready func()) error
	// Remove ends that. It comes before the descriptor is closed.
	Remove(fd int)
	// Aside runs f, which may take long, on another goroutine, after what was given
	// to Aside before. What it has to tell is told by Do.
	Aside(f func())
	// Do has f run on the loop's goroutine, soon; from any goroutine. It reports
	// false if the loop has ended: f is not run then.
	Do(f func()) bool
}
