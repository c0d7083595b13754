//go:build !linux && !windows

package ipconfig

import "runtime"

// SixVerb: nobody here manages IPv6 leases.
func (here) SixVerb() func(verb, pattern string) error { return nil }

func hostDetails() Host { return Host{System: runtime.GOOS} }

func suffixes() map[int]string { return nil }

func isWireless(string) bool { return false }
