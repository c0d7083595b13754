package netconf

import (
	"net/netip"

	"github.com/lessee/lessee/boottime"
)

// What the tests of the package's outside need of its inside.
var (
	AddressLine = addressLine
	FlagNames   = flagNames
)

// Remaining returns the seconds that a lifetime still has at now.
func (l Lifetime) Remaining(now boottime.Instant) (valid, preferred uint32) { return l.remaining(now) }

// Normal returns a wanted route as the kernel of an adapter has it.
func (r Route) Normal(link Link, addresses []Address) Route { return r.normal(link, addresses) }

// Ours reports whether a route is ours.
func Ours(have State, owned []netip.Prefix, want Desired, r Route) bool {
	return claim{owned, want.normal(have.Link, have.At)}.owns(r)
}
