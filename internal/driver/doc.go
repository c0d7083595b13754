// Package driver serves the API by a loop: it passes calls on to the core, has their
// callers wait for the answer, and gives what the core knows the forms of the API: the
// status of adapters, events, log lines, captures, and why something is as it is.
//
// It owns no socket and no state of an adapter: the loop and its core have those. A
// lease at rest has no goroutine here and no descriptor.
package driver
