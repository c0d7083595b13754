// Package event remembers what happened to an adapter lately and tells the
// story: what was tried, who answered, and what comes next.
//
// A [Journal] is small, since every idle lease has one: entries are bytes in one
// buffer, repetitions are counted, and what is oldest goes first. A [Story] is
// data, codes with arguments; whoever shows it to a person chooses the words.
//
// The package is pure: no I/O, no clock, no goroutine.
package event
