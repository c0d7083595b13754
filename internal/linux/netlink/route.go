//go:build linux

package netlink

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// setRoutes makes the interface's routes of protocol "dhcp" those of want.
func (n *Kernel) setRoutes(link netconf.Link, ours []netip.Prefix, want netconf.Desired) error {
	wanted := make([]netconf.Route, len(want.Routes))
	tables := []uint32{unix.RT_TABLE_MAIN}
	for i, r := range want.Routes {
		r.Table = tableOf(link, r)
		if !slices.Contains(tables, r.Table) {
			tables = append(tables, r.Table)
		}
		r.Destination = r.Destination.Masked()
		if !r.Router.IsValid() || r.Router.IsUnspecified() {
			r.Router, r.OnLink = netip.Addr{}, false
		} else {
			// The kernel takes a router that no address covers only when told so.
			r.OnLink = r.OnLink || !want.IPv4().Prefix.Contains(r.Router)
		}
		wanted[i] = r
	}
	have, err := n.ownRoutes(link, ours, tables)
	if err != nil {
		return syserr.Wrap(link.Name, "list routes", err)
	}

	var errs []error
	// In the order of want: routes on the link first, then those through its routers.
	for i, r := range wanted {
		if slices.Contains(wanted[:i], r) || slices.ContainsFunc(have, func(h netlink.Route) bool { return routeOf(h) == r }) {
			continue
		}
		// Where ours is to be changed, the new one comes beside it before the
		// old one goes, so that there is always one.
		beside := slices.ContainsFunc(have, func(h netlink.Route) bool { return sameKey(routeOf(h), r) })
		if err := n.addRoute(link, r, beside); err != nil {
			errs = append(errs, err)
		}
	}
	for _, h := range have {
		if slices.Contains(wanted, routeOf(h)) {
			continue
		}
		h.Flags = 0 // what the kernel reports there is state
		if err := n.link.RouteDel(&h); err != nil && !errors.Is(err, unix.ESRCH) && !errors.Is(err, unix.ENODEV) {
			errs = append(errs, syserr.Wrap(link.Name, "remove "+describe(routeOf(h)), err))
		}
	}
	return errors.Join(errs...)
}

// tableOf returns the table that a route is for.
func tableOf(link netconf.Link, r netconf.Route) uint32 {
	return cmp.Or(r.Table, link.VRF, unix.RT_TABLE_MAIN)
}

// sameKey reports whether the kernel sees two routes as alternatives of each other.
func sameKey(a, b netconf.Route) bool {
	return a.Destination == b.Destination && a.Metric == b.Metric && a.Table == b.Table
}

func (n *Kernel) addRoute(link netconf.Link, r netconf.Route, beside bool) error {
	nr := &netlink.Route{
		LinkIndex: link.Index,
		Dst:       ipNet(r.Destination),
		Protocol:  unix.RTPROT_DHCP,
		Priority:  int(r.Metric),
		Table:     int(r.Table),
		Scope:     unix.RT_SCOPE_LINK,
	}
	if r.Source.IsValid() {
		nr.Src = r.Source.AsSlice()
	}
	if r.Router.IsValid() {
		nr.Gw = r.Router.AsSlice()
		nr.Scope = unix.RT_SCOPE_UNIVERSE
	}
	if r.OnLink {
		nr.Flags = int(netlink.FLAG_ONLINK)
	}
	add := n.link.RouteAdd
	if beside {
		add = n.link.RouteAppend
	}
	err := add(nr)
	if err == nil {
		return nil
	}
	if errors.Is(err, unix.EEXIST) {
		other, ok := n.routeInTheWay(r)
		if ok && other.LinkIndex == link.Index && equivalent(other, r) {
			return nil // somebody else's does the same
		}
		e := &syserr.Error{Op: "add " + describe(r), Adapter: link.Name, Err: err, Hint: "give this adapter another metric"}
		if ok {
			e.Err = fmt.Errorf("%s has one of the same metric, protocol %v: %w", n.nameOf(other.LinkIndex), other.Protocol, err)
		}
		return e
	}
	return syserr.Wrap(link.Name, "add "+describe(r), err)
}

// equivalent reports whether another's route leads packets the same way.
func equivalent(other netlink.Route, r netconf.Route) bool {
	o := routeOf(other)
	o.OnLink = r.OnLink
	return o == r
}

// routeInTheWay finds the route that has r's place in its table.
func (n *Kernel) routeInTheWay(r netconf.Route) (netlink.Route, bool) {
	f := &netlink.Route{Table: int(r.Table)}
	list, err := dump(func() ([]netlink.Route, error) {
		return n.link.RouteListFiltered(netlink.FAMILY_V4, f, netlink.RT_FILTER_TABLE)
	})
	if err != nil {
		return netlink.Route{}, false
	}
	for _, h := range list {
		if h.Tos == 0 && sameKey(routeOf(h), r) {
			return h, true
		}
	}
	return netlink.Route{}, false
}

// ownRoutes lists the interface's unicast routes of protocol "dhcp": all in the
// tables, and elsewhere those whose source is one of ours, which we put there
// when another table was wanted. The kernel filters, so a large table costs little.
func (n *Kernel) ownRoutes(link netconf.Link, ours []netip.Prefix, tables []uint32) ([]netlink.Route, error) {
	list, err := n.dhcpRoutes(link)
	return slices.DeleteFunc(list, func(h netlink.Route) bool {
		r := routeOf(h)
		return !slices.Contains(tables, r.Table) &&
			!slices.ContainsFunc(ours, func(p netip.Prefix) bool { return p.Addr() == r.Source })
	}), err
}

// dhcpRoutes lists the interface's unicast routes of protocol "dhcp" in all tables.
func (n *Kernel) dhcpRoutes(link netconf.Link) ([]netlink.Route, error) {
	f := &netlink.Route{LinkIndex: link.Index, Protocol: unix.RTPROT_DHCP, Table: unix.RT_TABLE_UNSPEC, Type: unix.RTN_UNICAST}
	list, err := dump(func() ([]netlink.Route, error) {
		return n.link.RouteListFiltered(netlink.FAMILY_V4, f,
			netlink.RT_FILTER_OIF|netlink.RT_FILTER_PROTOCOL|netlink.RT_FILTER_TABLE|netlink.RT_FILTER_TYPE)
	})
	if errors.Is(err, unix.ENOENT) {
		return nil, nil // the namespace has no table yet
	}
	own := list[:0]
	for _, h := range list {
		// The library's filter checks one criterion only.
		if h.LinkIndex == link.Index && h.Protocol == unix.RTPROT_DHCP && h.Type == unix.RTN_UNICAST {
			own = append(own, h)
		}
	}
	return own, err
}

func routeOf(h netlink.Route) netconf.Route {
	r := netconf.Route{
		Destination: netip.PrefixFrom(netip.IPv4Unspecified(), 0),
		Metric:      uint32(h.Priority),
		Table:       uint32(h.Table),
		OnLink:      h.Flags&int(netlink.FLAG_ONLINK) != 0,
	}
	if h.Dst != nil {
		if a, ok := netip.AddrFromSlice(h.Dst.IP); ok {
			bits, _ := h.Dst.Mask.Size()
			r.Destination = netip.PrefixFrom(a.Unmap(), bits)
		}
	}
	if a, ok := netip.AddrFromSlice(h.Gw); ok {
		r.Router = a.Unmap()
	}
	if a, ok := netip.AddrFromSlice(h.Src); ok {
		r.Source = a.Unmap()
	}
	return r
}

func describe(r netconf.Route) string {
	via, table := "", ""
	if r.Router.IsValid() {
		via = fmt.Sprintf(" via %v", r.Router)
	}
	if r.Table != unix.RT_TABLE_MAIN {
		table = fmt.Sprintf(" table %d", r.Table)
	}
	return fmt.Sprintf("route %v%s metric %d%s", r.Destination, via, r.Metric, table)
}
