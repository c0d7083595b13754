package netconf

import (
	"net/netip"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/names"
)

// Desired is all that the kernel is to hold for one adapter on our behalf. It
// is applied as a whole and idempotently: what is there already stays
// untouched, what was ours and is not wanted any more goes. The zero Desired
// wants nothing: no address, no routes, the MTU as it was before us.
type Desired struct {
	// Address is the leased address; not valid where none is wanted.
	Address netip.Prefix
	// Broadcast is the address's broadcast address; not valid: the usual one.
	Broadcast netip.Addr
	// Lifetime bounds the address in the kernel, so that it ends on time even
	// if we do not live to see it.
	Lifetime Lifetime
	// Routes are the on-link route of the subnet, then those through routers.
	// Each has the leased address as its source, so the kernel drops them
	// together with it.
	Routes []Route
	// MTU is the link's MTU in bytes; 0: as it was before us.
	MTU int
	// DNS is the resolver's part.
	DNS DNS
}

// A Lifetime says how long an address may be used.
type Lifetime struct {
	// ValidUntil ends the use of the address. PreferredUntil, never later, ends
	// its use as a source of new connections. Forever: both mean nothing.
	ValidUntil, PreferredUntil boottime.Instant
	Forever                    bool
}

// A Route is one entry of the kernel's routing table, protocol "dhcp".
type Route struct {
	Destination netip.Prefix
	// Router is the next hop; not valid for a destination on the link.
	Router netip.Addr
	// Source is the preferred source address.
	Source netip.Addr
	// Metric orders routes to one destination: the lowest wins.
	Metric uint32
	// Table is the routing table; 0 is the main one, or that of the adapter's VRF.
	Table uint32
	// OnLink says that Router is reachable though no subnet covers it.
	OnLink bool
}

// DNS is what a lease says about name resolution.
type DNS struct {
	Servers []netip.Addr
	Domain  names.Domain
	Search  []names.Domain
}

// Empty reports whether there is nothing to resolve with.
func (d DNS) Empty() bool { return len(d.Servers) == 0 && d.Domain.IsZero() && len(d.Search) == 0 }
