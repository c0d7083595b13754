package netconf

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/names"
)

// Desired is all that the kernel must hold for one adapter on our behalf. It
// is applied as a whole and idempotently: what is there already stays
// untouched, what was ours and is not wanted any more goes. The zero Desired
// wants nothing: no address, no routes, the MTU as it was before us.
type Desired struct {
	// Addresses are those that servers gave, or that we chose ourselves. Of
	// their flags only Optimistic is read; the rest of the marks is added.
	Addresses []Address
	// Routes are the on-link route of each subnet, then those through routers.
	// An IPv4 route has a wanted address as its source, so the kernel drops it
	// together with the address.
	Routes []Route
	// Leave are wanted objects, as [Missing] names them, that are not added where
	// the kernel does not have them, nor routes whose source is an address among
	// them. Where the kernel has them, they stay.
	Leave []Object
	// MTU is the link's MTU in bytes; 0: as it was before us.
	MTU int
	// DNS is the resolver's part.
	DNS DNS
}

// IPv4 returns the IPv4 address, the zero Address if none is wanted. There is at
// most one.
func (d Desired) IPv4() Address {
	for _, a := range d.Addresses {
		if a.Prefix.Addr().Is4() {
			return a
		}
	}
	return Address{}
}

// DNS is what a lease says about name resolution.
type DNS struct {
	Servers []netip.Addr
	Domain  names.Domain
	Search  []names.Domain
}

// Empty reports whether there is nothing to resolve with.
func (d DNS) Empty() bool { return len(d.Servers) == 0 && d.Domain.IsZero() && len(d.Search) == 0 }

// Equal reports whether names are resolved the same way.
func (d DNS) Equal(o DNS) bool {
	return d.Domain == o.Domain && slices.Equal(d.Servers, o.Servers) && slices.Equal(d.Search, o.Search)
}

// normal returns d as the kernel will report it, without what has ended at now.
func (d Desired) normal(link Link, now boottime.Instant) Desired {
	out := Desired{
		Addresses: make([]Address, 0, len(d.Addresses)),
		Routes:    make([]Route, 0, len(d.Routes)),
		Leave:     d.Leave,
		MTU:       d.MTU,
		DNS:       d.DNS,
	}
	var ended []netip.Addr
	for _, a := range d.Addresses {
		if a.Lifetime.ended(now) {
			ended = append(ended, a.Prefix.Addr())
			continue
		}
		a.Flags = a.Flags&Optimistic | NoPrefixRoute
		a.Protocol = ProtocolDHCP
		out.Addresses = append(out.Addresses, a)
	}
	for _, r := range d.Routes {
		if slices.Contains(ended, r.Source) {
			continue
		}
		if r = r.normal(link, out.Addresses); !contains(out.Routes, r) {
			out.Routes = append(out.Routes, r)
		}
	}
	return out
}

// contains reports whether one of the routes means the same as r.
func contains(routes []Route, r Route) bool {
	for _, o := range routes {
		if o.sameMeaning(r) {
			return true
		}
	}
	return false
}
