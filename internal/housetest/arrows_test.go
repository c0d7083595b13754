package housetest

import (
	"slices"
	"strings"
	"testing"
)

// matches reports whether a package of the module is one of the list; "..." means
// those below, too.
func matches(dir string, list []string) bool {
	return slices.ContainsFunc(list, func(p string) bool {
		above, tree := strings.CutSuffix(p, "/...")
		return dir == above || tree && strings.HasPrefix(dir, above+"/")
	})
}

// Arrows go down only: what asks the kernel knows what it is asked for, and
// nothing of who asks.
func TestArrowsGoDown(t *testing.T) {
	t.Parallel()
	for _, rule := range []struct {
		packages string
		knows    []string // all of the module that the packages may need
	}{
		{"./internal/linux/...", []string{"internal/linux/...", "internal/netconf", "internal/option", "wire/...", "boottime", "names"}},
		{"./internal/netconf", []string{"internal/netconf", "boottime", "names"}},
	} {
		for _, p := range list(t, rule.packages) {
			if dir, ours := strings.CutPrefix(p.ImportPath, module+"/"); ours && !matches(dir, rule.knows) {
				t.Errorf("%s needs %s, which is above it", rule.packages, dir)
			}
		}
	}
	for _, rule := range []struct {
		packages string
		never    []string
	}{
		// Records are kept for others, who are not known there.
		{"./internal/leases", []string{"internal/core", "internal/loop", "internal/engine", "internal/driver", "internal/linux/...", "internal/control", "internal/daemon", "internal/cli"}},
		// What is pure and what runs it know nothing of who calls.
		{"./internal/core", []string{"internal/loop", "internal/driver", "internal/linux/...", "internal/leases"}},
		{"./internal/loop", []string{"internal/driver", "internal/control", "internal/daemon", "internal/cli", "internal/leases"}},
		// A recording is of a core and nothing else, and it is not simulated.
		{"./internal/recording", []string{"internal/loop", "internal/driver", "internal/linux/...", "internal/leases", "internal/simulation", "internal/netconf/netconftest", "internal/control", "internal/daemon", "internal/cli"}},
		{"./cmd/lessee", []string{"internal/simulation", "internal/netconf/netconftest", "internal/leases/leasestest"}},
		// The contract in Go and C asks the daemon and the kernel: it is no DHCP client.
		{"./iphlpapi", engine},
		{"./capi", engine},
	} {
		packages := list(t, rule.packages)
		if len(packages) == 0 {
			t.Errorf("%s: no such package", rule.packages)
		}
		for _, p := range packages {
			if dir, ours := strings.CutPrefix(p.ImportPath, module+"/"); ours && matches(dir, rule.never) {
				t.Errorf("%s needs %s", rule.packages, dir)
			}
		}
	}
}

// TestTenancyKnowsNoProtocol: package tenancy imports no package of a protocol. The
// table of events, which it imports, may.
func TestTenancyKnowsNoProtocol(t *testing.T) {
	t.Parallel()
	protocols := []string{"dhcp4", "dhcp6", "acd", "dna", "ipv4ll", "wire/...", "internal/tenancy/..."}
	p, there := list(t, "./internal/tenancy")[module+"/internal/tenancy"]
	if !there {
		t.Fatal("there is no internal/tenancy")
	}
	for _, i := range p.Imports {
		if dir, ours := strings.CutPrefix(i, module+"/"); ours && matches(dir, protocols) {
			t.Errorf("internal/tenancy names %s", dir)
		}
	}
}

// engine is what a DHCP client is made of.
var engine = []string{
	"dhcp4", "dhcp6", "acd", "dna", "ipv4ll", "wire/...", "internal/tenancy/...", "internal/core", "internal/loop", "internal/engine", "internal/driver",
	"internal/simulation", "internal/recording", "internal/daemon", "internal/control", "internal/leases", "internal/linux/netlink", "internal/linux/packet", "internal/linux/resolver",
}
