// Package event has the table of events, remembers what happened to an adapter
// lately and tells the story: what was tried, who answered, and what comes next.
//
// Each [Kind] of event has one [Row] of the table. The log, the API's stream, the
// journal and the counters go by it: none of them has a list of its own.
//
// A [Journal] is small, since every idle lease has one: entries are bytes in one
// buffer, repetitions are counted, and what is oldest goes first. A [Story] is
// data, codes with arguments; whoever shows it to a person chooses the words.
//
// The package is pure: no I/O, no clock, no goroutine.
package event
