package netconf

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"
)

// A Route is one entry of the kernel's routing table. It can be compared.
type Route struct {
	Destination netip.Prefix
	// Router is the next hop; not valid for a destination on the link.
	Router netip.Addr
	// Source is the preferred source address.
	Source netip.Addr
	// Metric orders routes to one destination: the lowest wins. IPv6 has no 0:
	// the kernel makes it 1024.
	Metric uint32
	// Table is the routing table; 0 is the main one, or that of the adapter's VRF.
	Table uint32
	// Index is the interface that packets leave by; 0 is the adapter itself.
	// The kernel has unreachable routes of IPv6 on the loopback interface.
	Index int
	// OnLink says that Router is reachable though no subnet covers it.
	OnLink bool
	Type   RouteType
	// Protocol is who made the route: [ProtocolDHCP] in all that are wanted,
	// whatever they say.
	Protocol uint8
}

// A RouteType says what happens to packets.
type RouteType uint8

// The types of routes.
const (
	// Unicast routes lead out of the adapter.
	Unicast RouteType = iota
	// Unreachable ones answer with an ICMP message. A delegated prefix has one,
	// against loops (RFC 9096 section 3.4, RFC 8415 section 6.3).
	Unreachable
	// OtherType is any other; only routes that are not ours have it.
	OtherType
)

const (
	// TableMain is RT_TABLE_MAIN of linux/rtnetlink.h.
	TableMain = 254
	// defaultMetric6 is IP6_RT_PRIO_USER of linux/ipv6_route.h.
	defaultMetric6 = 1024
)

// String returns the route as `ip route` writes it.
func (r Route) String() string {
	var b strings.Builder
	switch r.Type {
	case Unicast:
	case Unreachable:
		b.WriteString("unreachable ")
	case OtherType:
		b.WriteString("special ")
	}
	b.WriteString(r.Destination.String())
	if r.Router.IsValid() {
		b.WriteString(" via " + r.Router.String())
	}
	if r.Source.IsValid() {
		b.WriteString(" src " + r.Source.String())
	}
	b.WriteString(" metric " + strconv.FormatUint(uint64(r.Metric), 10))
	if r.Table != 0 && r.Table != TableMain {
		b.WriteString(" table " + strconv.FormatUint(uint64(r.Table), 10))
	}
	if r.OnLink {
		b.WriteString(" onlink")
	}
	return b.String()
}

// normal returns r as the kernel will report it.
func (r Route) normal(link Link, addresses []Address) Route {
	r.Table = cmp.Or(r.Table, link.VRF, TableMain)
	r.Destination = r.Destination.Masked()
	r.Protocol = ProtocolDHCP
	r.Index = 0
	if r.Metric == 0 && r.Destination.Addr().Is6() {
		r.Metric = defaultMetric6
	}
	if r.Type != Unicast || !r.Router.IsValid() || r.Router.IsUnspecified() {
		r.Router, r.OnLink = netip.Addr{}, false
		return r
	}
	// The kernel takes a router that no address covers only when told so.
	covered := r.Router.Is6() && r.Router.IsLinkLocalUnicast()
	for _, a := range addresses {
		covered = covered || a.Prefix.Contains(r.Router)
	}
	r.OnLink = r.OnLink || !covered
	return r
}

// sameMeaning reports whether two routes lead the same packets the same way,
// no matter who made them. What the kernel had to be told to take the router does not
// matter.
func (r Route) sameMeaning(o Route) bool {
	o.Protocol, o.OnLink = r.Protocol, r.OnLink
	if r.Type == Unreachable && o.Type == Unreachable {
		o.Index = r.Index
	}
	return r == o
}

// sameKey reports whether the kernel takes two routes for alternatives of each
// other: it adds the second one only when told to.
func (r Route) sameKey(o Route) bool {
	return r.Destination == o.Destination && r.Metric == o.Metric && r.Table == o.Table
}
