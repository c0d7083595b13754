package netconf

import (
	"net/netip"
	"slices"
	"strconv"
)

// An Object names an address or a route of an adapter, and stays the same when
// a lease is renewed. It can be compared, so it can be the key of a map.
type Object struct {
	Kind ObjectKind
	// Prefix is the address with its prefix length, or the route's destination.
	Prefix netip.Prefix
	// Metric and Table are the route's; 0 in an address.
	Metric, Table uint32
}

// An ObjectKind says what an [Object] is.
type ObjectKind uint8

// The kinds of objects.
const (
	ObjectAddress ObjectKind = iota
	ObjectRoute
)

// String returns what the object is, "address 10.0.0.5/24" or "route 0.0.0.0/0
// metric 100".
func (o Object) String() string {
	if o.Kind == ObjectAddress {
		return "address " + o.Prefix.String()
	}
	text := "route " + o.Prefix.String() + " metric " + strconv.FormatUint(uint64(o.Metric), 10)
	if o.Table != TableMain {
		text += " table " + strconv.FormatUint(uint64(o.Table), 10)
	}
	return text
}

// Object returns the route's name.
func (r Route) Object() Object {
	return Object{Kind: ObjectRoute, Prefix: r.Destination, Metric: r.Metric, Table: r.Table}
}

// ObjectOf returns the name of what an operation is about; the zero Object for a
// setting of the link.
func ObjectOf(op Op) Object {
	switch op := op.(type) {
	case AddAddress:
		return Object{Kind: ObjectAddress, Prefix: op.Address.Prefix}
	case ReplaceAddress:
		return Object{Kind: ObjectAddress, Prefix: op.Address.Prefix}
	case RemoveAddress:
		return Object{Kind: ObjectAddress, Prefix: op.Prefix}
	case AddRoute:
		return op.Route.Object()
	case AppendRoute:
		return op.Route.Object()
	case RemoveRoute:
		return op.Route.Object()
	case SetMTU, SetPromote:
	}
	return Object{}
}

// Missing returns the wanted addresses and routes that the kernel does not
// have. What another program set counts where it means the same. An address
// whose duplicate address detection failed is there.
//
// A route whose source address is missing is left out: the kernel removed it
// together with the address, and it comes back with it. So are routes of a link
// that is down, which the kernel does not keep. The MTU is part of the link, and
// the link's changes are reported anyway.
func Missing(have State, want Desired) []Object {
	want = want.normal(have.Link, have.At)
	var missing []Object
	var sources []netip.Addr
	for _, a := range want.Addresses {
		if _, there := have.address(a.Prefix); !there {
			missing = append(missing, Object{Kind: ObjectAddress, Prefix: a.Prefix})
			sources = append(sources, a.Prefix.Addr())
		}
	}
	for _, r := range want.Routes {
		if contains(have.Routes, r) || r.Type == Unicast && !have.Link.Up || slices.Contains(sources, r.Source) {
			continue
		}
		missing = append(missing, r.Object())
	}
	return missing
}

// Has reports whether an object is among those that d wants.
func (d Desired) Has(o Object) bool {
	if o.Kind == ObjectAddress {
		return slices.ContainsFunc(d.Addresses, func(a Address) bool { return a.Prefix == o.Prefix })
	}
	return slices.ContainsFunc(d.Routes, func(r Route) bool { return r.named(o) })
}

// named reports whether o is the name of a wanted route, whose table and metric
// may be left to the kernel.
func (r Route) named(o Object) bool {
	metric := r.Metric
	if metric == 0 && r.Destination.Addr().Is6() {
		metric = defaultMetric6
	}
	return o.Kind == ObjectRoute && o.Prefix == r.Destination.Masked() && o.Metric == metric && (r.Table == 0 || o.Table == r.Table)
}
