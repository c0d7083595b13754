// Package poll lets one goroutine do the I/O of many sockets: a [Poller] waits until
// one of them can be read, an instant comes, or another goroutine wakes it.
package poll

// A Loop is the goroutine that does the I/O. Its methods, except Do, are called on
// that goroutine; ready and what is given to Do are called there as well.
type Loop interface {
	// Add makes the loop call ready while the descriptor can be read or has an error,
	// again and again, until Remove. The descriptor must not block.
	Add(fd int, ready func()) error
	// Remove ends that. It must be called before the descriptor is closed.
	Remove(fd int)
	// Aside runs f, which may take long, on another goroutine, beside and in any order
	// with what else is given to Aside. f reports its result by Do.
	Aside(f func())
	// Do runs f on the loop's goroutine, soon, after everything that was given to Do
	// before. It may be called from any goroutine.
	Do(f func())
}
