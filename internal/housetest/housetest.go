// Package housetest holds the rules of the house that a linter cannot hold: it
// reads the source tree and has tests only.
package housetest
