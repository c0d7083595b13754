package netconf

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/boottime"
)

// A State is what the kernel has for one adapter.
type State struct {
	// At is when it was read: what is left of a lifetime counts from there.
	At   boottime.Instant
	Link Link
	// PromoteSecondaries is net.ipv4.conf.ADAPTER.promote_secondaries: the
	// kernel keeps the other addresses of a subnet when the first one goes.
	PromoteSecondaries bool
	// Addresses are all of the adapter, in the kernel's order.
	Addresses []Address
	// Routes are those of protocol dhcp that leave by the adapter, in all
	// tables, and the unreachable ones of that protocol. Routes of others may be
	// among them: those with the key of a wanted one count.
	Routes []Route
}

// address returns the one that the kernel takes for p.
func (s State) address(p netip.Prefix) (Address, bool) {
	for _, a := range s.Addresses {
		if a.is(p) {
			return a, true
		}
	}
	return Address{}, false
}

// owns reports whether the record and the kernel's marks say that an address is
// ours.
func owns(owned []netip.Prefix, a Address) bool {
	return a.marked() && slices.ContainsFunc(owned, a.is)
}

// A claim is what we have a right to for one adapter, as the record and the
// lease have it.
type claim struct {
	sources  []netip.Addr
	prefixes []netip.Prefix
	ipv6     bool
}

func newClaim(owned []netip.Prefix, want Desired) claim {
	n := len(owned) + len(want.Addresses) + len(want.Routes)
	c := claim{sources: make([]netip.Addr, 0, n), prefixes: make([]netip.Prefix, 0, n)}
	take := func(p netip.Prefix) {
		c.sources = append(c.sources, p.Addr())
		c.prefixes = append(c.prefixes, p.Masked())
		c.ipv6 = c.ipv6 || p.Addr().Is6()
	}
	for _, p := range owned {
		take(p)
	}
	for _, a := range want.Addresses {
		take(a.Prefix)
	}
	for _, r := range want.Routes {
		if r.Type == Unreachable {
			take(r.Destination)
		}
	}
	return c
}

// owns reports whether a route is ours.
func (c claim) owns(r Route) bool {
	switch {
	case r.Protocol != ProtocolDHCP:
		return false
	case r.Type == Unreachable:
		return slices.Contains(c.prefixes, r.Destination)
	case r.Type != Unicast || r.Index != 0:
		return false
	case r.Source.IsValid():
		return slices.Contains(c.sources, r.Source)
	}
	return c.ipv6 && r.Destination.Addr().Is6()
}
