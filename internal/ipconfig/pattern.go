package ipconfig

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// match reports whether a name fits a pattern, in which "*" stands for any
// characters, or none, and "?" for one.
func match(pattern, name string) bool {
	// The last star, and what it has swallowed: enough to go back to, since an
	// earlier star never needs to swallow more.
	star, swallowed := -1, 0
	p, n := 0, 0
	for n < len(name) {
		_, size := utf8.DecodeRuneInString(name[n:])
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, swallowed = p, n
			p++
		case p < len(pattern) && pattern[p] == '?':
			p++
			n += size
		case p < len(pattern) && strings.HasPrefix(pattern[p:], name[n:n+size]):
			p += size
			n += size
		case star >= 0:
			_, size = utf8.DecodeRuneInString(name[swallowed:])
			swallowed += size
			p, n = star+1, swallowed
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// choose returns the adapters whose names fit the pattern: in this case of the
// letters, or, if none does, in any.
func choose(all []Adapter, pattern string) []Adapter {
	fit := func(fold func(string) string) []Adapter {
		return slices.DeleteFunc(slices.Clone(all), func(a Adapter) bool { return !match(fold(pattern), fold(a.Name)) })
	}
	if exact := fit(func(s string) string { return s }); len(exact) > 0 {
		return exact
	}
	return fit(strings.ToLower)
}
