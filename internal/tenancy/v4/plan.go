package v4

import (
	"net/netip"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/netconf"
)

// minMTU is the smallest MTU that is taken from a server, in bytes: what every
// IPv4 host must be able to receive (RFC 791 section 3.1). A smaller one would
// cripple the link; RFC 2132 section 5.1 allows down to 68.
const minMTU = 576

// A Policy says what of a lease is applied.
type Policy struct {
	// Metric is the metric of the adapter's routes.
	Metric uint32
	// Table is the routing table they go to; 0 is the main one, or that of the
	// VRF to which the adapter belongs.
	Table uint32
	// Routes says which routes are applied.
	Routes RoutePolicy
	// MTU, DNS: apply option 26, name servers.
	MTU, DNS bool
}

// A RoutePolicy says which of a lease's routes are applied. The subnet's own
// route always is.
type RoutePolicy uint8

// The route policies.
const (
	// RoutesAll: classless routes, or where the server sends none, its router
	// as the default route (RFC 3442).
	RoutesAll RoutePolicy = iota
	// RoutesNoClassless: the router as the default route, classless routes are
	// ignored: no server can pull single destinations out of a tunnel.
	RoutesNoClassless
	// RoutesGateway: the default route, whichever option it comes from, and no other.
	RoutesGateway
	// RoutesNone: no route through a router.
	RoutesNone
)

// plan returns what the kernel is to hold for a lease. The MTU is left alone
// here, for what it returns to depends on the adapter's past.
func plan(l *dhcp4.Lease, p Policy) netconf.Desired {
	a := netconf.Address{Prefix: l.Address, Broadcast: l.Broadcast}
	if end, ok := l.Expires(); ok {
		a.Lifetime = netconf.Lifetime{ValidUntil: end, PreferredUntil: end}
	} else {
		a.Lifetime = netconf.Lifetime{Forever: true}
	}
	d := netconf.Desired{Addresses: []netconf.Address{a}, Routes: planRoutes(l, p)}
	if p.MTU && l.MTU >= minMTU {
		d.MTU = l.MTU
	}
	if p.DNS {
		d.DNS = netconf.DNS{Servers: l.DNS, Domain: l.Domain, Search: l.Search}
	}
	return d
}

// planInformed returns what the kernel is to hold of the parameters for an
// address that others set: neither the address nor routes.
func planInformed(l *dhcp4.Lease, p Policy) netconf.Desired {
	d := plan(l, p)
	return netconf.Desired{MTU: d.MTU, DNS: d.DNS}
}

// planLocal returns what the kernel is to hold without a lease: a link-local
// address, if there is one. Only its own subnet is reached from there (RFC 3927
// section 2.6.2).
func planLocal(local netip.Prefix, p Policy) netconf.Desired {
	if !local.IsValid() {
		return netconf.Desired{}
	}
	return netconf.Desired{
		Addresses: []netconf.Address{{Prefix: local, Lifetime: netconf.Lifetime{Forever: true}}},
		Routes:    []netconf.Route{{Destination: local.Masked(), Source: local.Addr(), Metric: p.Metric, Table: p.Table}},
	}
}

// planRoutes returns the subnet's own route and those through routers.
//
// RFC 3442, "DHCP Client Behavior": with a Classless Static Routes option the
// Router option is ignored; a router of 0.0.0.0 means that the destination is
// on the link.
//
// Deviation: "Link-local destinations" in docs/deviations.md: there is no route
// to 169.254.0.0/16 beside a lease's.
func planRoutes(l *dhcp4.Lease, p Policy) []netconf.Route {
	subnet := l.Address.Masked()
	source := l.Address.Addr()
	routes := make([]netconf.Route, 0, 2+len(l.Routes))
	add := func(dst netip.Prefix, router netip.Addr) {
		for _, r := range routes {
			if r.Destination == dst {
				return
			}
		}
		r := netconf.Route{Destination: dst, Source: source, Metric: p.Metric, Table: p.Table}
		if router.IsValid() && !router.IsUnspecified() {
			r.Router = router
			r.OnLink = !subnet.Contains(router)
		}
		routes = append(routes, r)
	}
	if subnet.Bits() < 32 {
		add(subnet, netip.Addr{})
	}
	var through []dhcp4.Route
	switch p.Routes {
	case RoutesAll:
		if through = l.Routes; len(through) == 0 {
			through = defaultRoute(l.Routers, source)
		}
	case RoutesNoClassless:
		through = defaultRoute(l.Routers, source)
	case RoutesGateway:
		for _, r := range l.Routes {
			if r.Destination.Bits() == 0 && !r.Router.IsUnspecified() {
				through = append(through, r)
			}
		}
		if len(l.Routes) == 0 {
			through = defaultRoute(l.Routers, source)
		}
	case RoutesNone:
	}
	for _, r := range through {
		if usableDestination(r.Destination) && r.Router != source {
			add(r.Destination, r.Router)
		}
	}
	return routes
}

// defaultRoute is the one through the first router that is not ourselves: the
// server lists them in order of preference.
func defaultRoute(routers []netip.Addr, self netip.Addr) []dhcp4.Route {
	for _, router := range routers {
		if router != self {
			return []dhcp4.Route{{Destination: netip.PrefixFrom(netip.IPv4Unspecified(), 0), Router: router}}
		}
	}
	return nil
}

// usableDestination refuses what no server may redirect: loopback, multicast
// and the addresses above.
func usableDestination(p netip.Prefix) bool {
	a := p.Addr()
	return !a.IsLoopback() && (p.Bits() == 0 || a.As4()[0] < 224)
}
