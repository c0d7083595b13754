// Package core is all adapters that a process manages, of all network namespaces:
// which there are, whose tenancies they have, who called, what is due when, and
// what happened lately.
//
// It is pure. What happens comes in by [Core.Handle]; what is to be done is asked of
// the [Ports], in the order in which it has to be done, before Handle returns. A port
// answers at once, or later by an input of its own.
package core
