//go:build linux

package netlink

import (
	"encoding/binary"
	"errors"
	"net/netip"

	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// A routeFilter says which routes are dumped; 0 means all.
type routeFilter struct {
	family, protocol, typ uint8
	index                 int
	table                 uint32
}

// routes hands the routes that pass the filter to take, as they are for the
// adapter of that index. The kernel filters, so a large table costs little.
func (s *conn) routes(f routeFilter, adapter int, take func(netconf.Route)) error {
	m, seq := s.begin(unix.RTM_GETROUTE, unix.NLM_F_DUMP)
	b := m.zeros(unix.SizeofRtMsg)
	// struct rtmsg: family, destination length, source length, TOS, table,
	// protocol, scope, type, flags.
	b[0], b[5], b[7] = f.family, f.protocol, f.typ
	if f.index != 0 {
		m.uint32(unix.RTA_OIF, uint32(f.index)) //nolint:gosec // an interface index is positive and 31 bits
	}
	if f.table != 0 {
		m.uint32(unix.RTA_TABLE, f.table)
	}
	m.end()
	err := s.ask(seq, unix.RTM_NEWROUTE, func(body []byte) {
		// An old kernel does not filter.
		if len(body) >= unix.SizeofRtMsg && (f.protocol == 0 || body[5] == f.protocol) && (f.typ == 0 || body[7] == f.typ) {
			parseRoute(body, adapter, func(r netconf.Route) {
				if (f.table == 0 || f.table == r.Table) && (f.index == 0 || r.Index == 0) {
					take(r)
				}
			})
		}
	})
	if errors.Is(err, unix.ENOENT) {
		return nil // the namespace has no such table yet
	}
	return err
}

// parseRoute reads the body of an RTM_NEWROUTE or RTM_DELROUTE message, and
// hands out a route for each of its next hops. A route for packets of a certain
// type of service, or from certain addresses, is not ours, and has another place.
func parseRoute(m []byte, adapter int, take func(netconf.Route)) {
	if len(m) < unix.SizeofRtMsg || m[0] != unix.AF_INET && m[0] != unix.AF_INET6 || m[2] != 0 || m[3] != 0 {
		return
	}
	r := netconf.Route{Table: uint32(m[4]), Protocol: m[5], Type: netconf.OtherType}
	switch m[7] {
	case unix.RTN_UNICAST:
		r.Type = netconf.Unicast
	case unix.RTN_UNREACHABLE:
		r.Type = netconf.Unreachable
	}
	h := hop{flags: binary.NativeEndian.Uint32(m[8:])}
	dst := netip.IPv6Unspecified()
	if m[0] == unix.AF_INET {
		dst = netip.IPv4Unspecified()
	}
	var several []byte
	for typ, value := range attributes(m[unix.SizeofRtMsg:]) {
		switch typ {
		case unix.RTA_DST:
			dst, _ = netip.AddrFromSlice(value)
		case unix.RTA_PREFSRC:
			r.Source, _ = netip.AddrFromSlice(value)
		case unix.RTA_PRIORITY:
			r.Metric = number(value)
		case unix.RTA_TABLE:
			r.Table = number(value)
		case unix.RTA_OIF:
			h.index = int(number(value))
		case unix.RTA_GATEWAY:
			h.router, _ = netip.AddrFromSlice(value)
		case unix.RTA_MULTIPATH:
			several = value
		}
	}
	if r.Destination = netip.PrefixFrom(dst, int(m[1])); !r.Destination.IsValid() {
		return
	}
	if several == nil {
		take(h.of(r, adapter))
		return
	}
	// struct rtnexthop: length, flags, hops, interface; attributes.
	for len(several) >= unix.SizeofRtNexthop {
		size := int(binary.NativeEndian.Uint16(several))
		if size < unix.SizeofRtNexthop || size > len(several) {
			return
		}
		next := hop{flags: uint32(several[2]), index: int(binary.NativeEndian.Uint32(several[4:]))}
		next.router, _ = netip.AddrFromSlice(find(several[unix.SizeofRtNexthop:size], unix.RTA_GATEWAY))
		take(next.of(r, adapter))
		several = several[min((size+unix.NLA_ALIGNTO-1)&^(unix.NLA_ALIGNTO-1), len(several)):]
	}
}

// A hop is one way of a route.
type hop struct {
	index  int
	router netip.Addr
	flags  uint32
}

// of returns the route r by this way.
func (h hop) of(r netconf.Route, adapter int) netconf.Route {
	r.Router, r.OnLink = h.router, h.flags&unix.RTNH_F_ONLINK != 0
	if h.index != adapter {
		r.Index = h.index
	}
	return r
}

// setRoute appends a route that is added or removed by its adapter.
func setRoute(m *builder, adapter int, r netconf.Route, scope uint8) {
	b := m.zeros(unix.SizeofRtMsg)
	// struct rtmsg: family, destination length, source length, TOS, table,
	// protocol, scope, type, flags.
	b[0], b[1] = family(r.Destination.Addr()), uint8(r.Destination.Bits()) //nolint:gosec // up to 128
	b[5], b[6], b[7] = r.Protocol, scope, unix.RTN_UNICAST
	if r.Type == netconf.Unreachable {
		b[7] = unix.RTN_UNREACHABLE
	}
	if r.OnLink {
		binary.NativeEndian.PutUint32(b[8:], unix.RTNH_F_ONLINK)
	}
	m.uint32(unix.RTA_TABLE, r.Table)
	m.address(unix.RTA_DST, r.Destination.Addr())
	m.address(unix.RTA_PREFSRC, r.Source)
	m.address(unix.RTA_GATEWAY, r.Router)
	m.uint32(unix.RTA_PRIORITY, r.Metric)
	if r.Type == netconf.Unicast {
		m.uint32(unix.RTA_OIF, uint32(adapter)) //nolint:gosec // an interface index is positive and 31 bits
	}
}

// addScope returns the scope of a route that is added.
func addScope(r netconf.Route) uint8 {
	if r.Destination.Addr().Is4() && !r.Router.IsValid() && r.Type == netconf.Unicast {
		return unix.RT_SCOPE_LINK
	}
	return unix.RT_SCOPE_UNIVERSE
}
