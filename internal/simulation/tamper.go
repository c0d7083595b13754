package simulation

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/netconf/netconftest"
)

// protocolBoot is RTPROT_BOOT of linux/rtnetlink.h: the routes of `ip route`.
const protocolBoot = 3

// tamper has another program change the kernel's configuration.
func (s *simulation) tamper() {
	r := s.chance
	if s.m.asleep {
		return
	}
	what := tamperings[r.IntN(len(tamperings))]
	s.trace("another program: %s", what.name)
	s.tally["another program: "+what.name]++
	s.m.byOthers(func(k *netconftest.Kernel) { what.do(s, k) })
}

var tamperings = []struct {
	name string
	do   func(*simulation, *netconftest.Kernel)
}{
	{"deletes our address", func(s *simulation, k *netconftest.Kernel) { s.deleteMine(k) }},
	{"deletes a route of ours", deleteRoute},
	{"replaces a route of ours", func(s *simulation, k *netconftest.Kernel) {
		if h, ok := s.myRoute(); ok {
			h.Protocol, h.Source = protocolBoot, netip.Addr{}
			if h.Router.IsValid() && dhcptest.Chance(s.chance, 0.5) {
				h.Router = h.Router.Prev()
			}
			_ = k.Replace(h)
		}
	}},
	{"sets an address", func(s *simulation, k *netconftest.Kernel) { s.setForeign(k, s.foreign()) }},
	{"sets the address of the lease", func(s *simulation, k *netconftest.Kernel) {
		if l := s.m.record().Lease; l != nil {
			s.setForeign(k, l.Address)
		}
	}},
	{"puts its own in the place of our address", func(s *simulation, k *netconftest.Kernel) {
		for _, p := range s.deleteMine(k) {
			s.setForeign(k, p)
		}
	}},
	{"deletes an address of others", func(s *simulation, k *netconftest.Kernel) {
		var list []netip.Prefix
		for _, h := range k.Addresses {
			if !isMine(h) {
				list = append(list, h.Prefix)
			}
		}
		if len(list) > 0 {
			_ = k.Others(netconf.RemoveAddress{Prefix: list[s.chance.IntN(len(list))]})
		}
	}},
	{"sets an address and deletes it", hintAtNothing},
	{"adds a route", func(s *simulation, k *netconftest.Kernel) {
		if n := s.here; n != nil {
			_ = k.Others(netconf.AddRoute{Route: netconf.Route{
				Destination: netip.MustParsePrefix("198.51.100.0/24"), Router: n.host(253), Table: netconf.TableMain, Protocol: protocolBoot,
			}})
		}
	}},
}

// deleteRoute deletes a route that the program set.
func deleteRoute(s *simulation, k *netconftest.Kernel) {
	if h, ok := s.myRoute(); ok {
		_ = k.Others(netconf.RemoveRoute{Route: h})
	}
}

// hintAtNothing has the kernel report that an address is gone, which is not ours.
func hintAtNothing(_ *simulation, k *netconftest.Kernel) {
	p := netip.MustParsePrefix("203.0.113.1/32")
	_ = k.Others(netconf.AddAddress{Address: netconf.Address{Prefix: p}, Valid: netconf.Forever, Preferred: netconf.Forever})
	_ = k.Others(netconf.RemoveAddress{Prefix: p})
}

// overtake has a notification arrive while the kernel is being inspected, mostly.
func (s *simulation) overtake() {
	s.m.byOthers(func(k *netconftest.Kernel) { hintAtNothing(s, k) })
	s.pass(time.Duration(s.chance.Int64N(int64(3 * time.Second))))
	s.m.byOthers(func(k *netconftest.Kernel) { deleteRoute(s, k) })
	s.pass(time.Duration(s.chance.Int64N(int64(3 * time.Second))))
}

// deleteMine deletes the addresses that the program set.
func (s *simulation) deleteMine(k *netconftest.Kernel) []netip.Prefix {
	mine := prefixes(s.m.kernel.mine())
	for _, p := range mine {
		_ = k.Others(netconf.RemoveAddress{Prefix: p})
	}
	return mine
}

// myRoute returns a route that the program set.
func (s *simulation) myRoute() (netconf.Route, bool) {
	var list []netconf.Route
	for _, h := range s.m.kernel.Routes {
		if isMyRoute(h) {
			list = append(list, h)
		}
	}
	if len(list) == 0 {
		return netconf.Route{}, false
	}
	return list[s.chance.IntN(len(list))], true
}

// foreign returns an address that an administrator may set: one of the network's
// pool, mostly.
func (s *simulation) foreign() netip.Prefix {
	n := s.some()
	if dhcptest.Chance(s.chance, 0.2) {
		return netip.PrefixFrom(n.host(200), 16)
	}
	return netip.PrefixFrom(n.host(100+s.chance.IntN(4)), n.prefix.Bits())
}

func (s *simulation) setForeign(k *netconftest.Kernel, p netip.Prefix) {
	valid := uint32(netconf.Forever)
	if dhcptest.Chance(s.chance, 0.1) {
		valid = 60
	}
	_ = k.Others(netconf.AddAddress{Address: netconf.Address{Prefix: p}, Valid: valid, Preferred: valid})
}
