// Package core is all adapters that a process manages, of all network namespaces:
// which there are, whose tenancies they have, who called, what is due when, and
// what happened lately.
//
// It is pure: what happens comes in by [Core.Handle], what is to be done goes out
// by [Core.Poll], in the order in which it has to be carried out. Each effect may be
// answered at once or later.
package core
