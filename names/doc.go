// Package names has types for the strings that a DHCP server can send: host
// names, domains, URLs, time zones, identifiers and text for people.
//
// A server is whoever answers first, and what it says ends in files, terminals
// and the environment of scripts. So a string from the network is parsed once,
// where it enters, and is a value of one of these types from then on: whoever
// takes a [Host] need not ask again what is in it.
//
// The zero value of each type means "none". Every other value comes from the
// type's Parse function, or from UnmarshalText, which calls it: a file that was
// written by someone else is no way round the rules. Values can be compared
// with ==.
//
// No value has a control character, a space (but [Text]), a byte that is not
// ASCII, a backquote, a dollar sign, a backslash or a double quote; a type's own
// documentation says what else it has not, and how long it can be.
package names
