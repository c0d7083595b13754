// Package cli is the command line: it reads arguments, asks the daemon through
// package lessee, and writes tables, lines and JSON.
//
// What a person reads is worded in text.go and in the commands' own help; JSON
// is the API's, and is never worded here. Output to a terminal may be coloured
// and live; everywhere else it is plain, one line per fact.
package cli
