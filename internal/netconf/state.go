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

// A claim is what we have a right to for one adapter: what is on record, the wanted
// addresses, and the destinations of wanted unreachable routes.
type claim struct {
	owned []netip.Prefix
	want  Desired
}

// has reports whether one of them is as f wants it.
func (c claim) has(f func(netip.Prefix) bool) bool {
	return slices.ContainsFunc(c.owned, f) ||
		slices.ContainsFunc(c.want.Addresses, func(a Address) bool { return f(a.Prefix) }) ||
		slices.ContainsFunc(c.want.Routes, func(r Route) bool { return r.Type == Unreachable && f(r.Destination) })
}

// owns reports whether a route is ours.
func (c claim) owns(r Route) bool {
	switch {
	case r.Protocol != ProtocolDHCP:
		return false
	case r.Type == Unreachable:
		return c.has(func(p netip.Prefix) bool { return p.Masked() == r.Destination })
	case r.Type != Unicast || r.Index != 0:
		return false
	case r.Source.IsValid():
		return c.has(func(p netip.Prefix) bool { return p.Addr() == r.Source })
	}
	return r.Destination.Addr().Is6() && c.has(func(p netip.Prefix) bool { return p.Addr().Is6() })
}
