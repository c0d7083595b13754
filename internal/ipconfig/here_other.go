//go:build !linux && !windows

package ipconfig

import (
	"runtime"

	"github.com/lessee/lessee/iphlpapi"
)

// SixVerb: nobody here manages IPv6 leases.
func (here) SixVerb() func(verb, pattern string) error { return nil }

func hostDetails() Host { return Host{System: runtime.GOOS} }

func extras(*iphlpapi.IpAdapterInfo) map[int]extra { return nil }

func isWireless(string) bool { return false }
