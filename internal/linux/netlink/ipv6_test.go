//go:build linux

package netlink

import (
	"net/netip"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/linux/clock"
	"github.com/lessee/lessee/internal/linux/linuxtest"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

var (
	addr6     = netip.MustParsePrefix("2001:db8:77::100/128")
	delegated = netip.MustParsePrefix("2001:db8:100::/56")
)

// desire6 is what a DHCPv6 lease of an address and a prefix leads to.
func desire6(valid time.Duration) netconf.Desired {
	now := clock.Now()
	return netconf.Desired{
		Addresses: []netconf.Address{{
			Prefix:   addr6,
			Lifetime: netconf.Lifetime{ValidUntil: now.Add(valid), PreferredUntil: now.Add(valid / 2)},
			Flags:    netconf.Optimistic,
		}},
		Routes: []netconf.Route{{Destination: delegated, Type: netconf.Unreachable}},
	}
}

// sysctl sets a setting of IPv6 in the lab.
func (l *lab) sysctl(name, value string) {
	l.T.Helper()
	var err error
	l.Do(func() { err = os.WriteFile("/proc/sys/net/ipv6/conf/"+name, []byte(value), 0o644) })
	l.Must(err)
}

// all6 returns c0's addresses of IPv6 except those of the link, and all
// routes of protocol "dhcp".
func (l *lab) all6() ([]netconf.Address, []netconf.Route) {
	l.T.Helper()
	l.n.change.lock()
	defer l.n.change.unlock()
	l.Must(l.n.read(netconf.Link{Index: l.Link("c0").Attrs().Index}, []uint8{unix.AF_INET6}))
	addresses := slices.DeleteFunc(slices.Clone(l.n.state.Addresses), func(a netconf.Address) bool { return a.Prefix.Addr().IsLinkLocalUnicast() })
	return addresses, slices.Clone(l.n.state.Routes)
}

func TestIPv6(t *testing.T) { //nolint:tparallel // each step builds on the one before
	t.Parallel()
	l := newLab(t, Options{})
	l.sysctl("c0/optimistic_dad", "1")
	l.sysctl("c0/use_optimistic", "1")
	owned := []netip.Prefix{addr6, delegated}
	t.Run("lease", func(t *testing.T) {
		l.Must(l.n.Apply(l.c0(), owned, desire6(time.Hour)).Err())
		addresses, routes := l.all6()
		if len(addresses) != 1 || addresses[0].Prefix != addr6 || addresses[0].Protocol != netconf.ProtocolDHCP && addresses[0].Protocol != 0 {
			t.Fatalf("addresses %+v", addresses)
		}
		if f := addresses[0].Flags; f&(netconf.NoPrefixRoute|netconf.Optimistic) != netconf.NoPrefixRoute|netconf.Optimistic {
			t.Errorf("flags %v", f)
		}
		if len(routes) != 1 || routes[0].Type != netconf.Unreachable || routes[0].Destination != delegated || routes[0].Metric != 1024 || routes[0].Index != l.Link("lo").Attrs().Index {
			t.Errorf("routes %+v", routes)
		}
		// The kernel made none of its own for the address.
		list, err := l.H.RouteListFiltered(netlink.FAMILY_V6, &netlink.Route{Dst: linuxtest.IPNet(addr6)}, netlink.RT_FILTER_DST)
		l.Must(err)
		if len(list) != 0 {
			t.Errorf("the kernel's routes: %v", list)
		}
		if missing, err := l.n.Inspect(l.c0(), desire6(time.Hour)); err != nil || len(missing) != 0 {
			t.Errorf("missing %v, %v", missing, err)
		}
	})
	// The kernel notes the end of duplicate address detection as a change: of the
	// address, and of the link-local ones at both ends of the cable.
	l.Await("all addresses are certain", func() bool {
		certain := 0
		for _, name := range []string{"c0", "p0"} {
			list, err := l.H.AddrList(l.Link(name), netlink.FAMILY_V6)
			l.Must(err)
			for _, a := range list {
				if a.Flags&(unix.IFA_F_TENTATIVE|unix.IFA_F_OPTIMISTIC) == 0 {
					certain++
				}
			}
		}
		return certain == 3
	})
	// It reports that under the lock that this waits for.
	l.Must(l.H.LinkSetUp(l.Link("c0")))
	t.Run("again", func(t *testing.T) {
		m := l.monitor(unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_IFADDR)
		l.Must(l.n.Apply(l.c0(), owned, desire6(time.Hour)).Err())
		if got := m.changes(); len(got) != 0 {
			t.Errorf("changes %v", got)
		}
	})
	t.Run("renewal", func(t *testing.T) {
		m := l.monitor(unix.RTNLGRP_IPV6_IFADDR, unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_IFADDR)
		l.Must(l.n.Apply(l.c0(), owned, desire6(2*time.Hour)).Err())
		if got := m.changes(); !slices.Equal(got, []uint16{unix.RTM_NEWADDR}) {
			t.Errorf("changes %v, want one RTM_NEWADDR", got)
		}
		if a, _ := l.all6(); left(a[0].Lifetime) < 2*time.Hour-10*time.Second {
			t.Errorf("%v left", left(a[0].Lifetime))
		}
	})
	t.Run("routers", func(t *testing.T) {
		want := desire6(2 * time.Hour)
		to := netip.MustParsePrefix("2001:db8:200::/48")
		want.Routes = append(want.Routes, netconf.Route{Destination: to, Router: netip.MustParseAddr("fe80::8"), Metric: 100})
		l.Must(l.n.Apply(l.c0(), owned, want).Err())
		want.Routes[1].Router = netip.MustParseAddr("fe80::9")
		m := l.monitor(unix.RTNLGRP_IPV6_ROUTE, unix.RTNLGRP_IPV4_IFADDR)
		l.Must(l.n.Apply(l.c0(), owned, want).Err())
		if got := m.changes(); !slices.Equal(got, []uint16{unix.RTM_NEWROUTE, unix.RTM_DELROUTE}) {
			t.Errorf("changes %v, want the new route before the old one goes", got)
		}
		if _, routes := l.all6(); len(routes) != 2 || !slices.ContainsFunc(routes, func(r netconf.Route) bool { return r.Destination == to && r.Router == want.Routes[1].Router }) {
			t.Errorf("routes %v", routes)
		}
		// A router that no address covers.
		want.Routes[1].Router = netip.MustParseAddr("2001:db8:9::1")
		l.Must(l.n.Apply(l.c0(), owned, want).Err())
		if missing, err := l.n.Inspect(l.c0(), want); err != nil || len(missing) != 0 {
			t.Errorf("missing %v, %v", missing, err)
		}
	})
	t.Run("taken away", func(t *testing.T) {
		want := desire6(2 * time.Hour)
		l.Must(l.n.Apply(l.c0(), owned, want).Err())
		l.Must(l.H.RouteDel(&netlink.Route{Dst: linuxtest.IPNet(delegated), Type: unix.RTN_UNREACHABLE, Priority: 1024}))
		l.Must(l.H.AddrDel(l.Link("c0"), &netlink.Addr{IPNet: linuxtest.IPNet(addr6)}))
		missing, err := l.n.Inspect(l.c0(), want)
		l.Must(err)
		if !slices.Equal(missing, []netconf.Object{
			{Kind: netconf.ObjectAddress, Prefix: addr6},
			{Kind: netconf.ObjectRoute, Prefix: delegated, Metric: 1024, Table: netconf.TableMain},
		}) {
			t.Errorf("missing %v", missing)
		}
		l.Must(l.n.Apply(l.c0(), owned, want).Err())
	})
	t.Run("released", func(t *testing.T) {
		l.Must(l.n.Apply(l.c0(), owned, netconf.Desired{}).Err())
		if a, r := l.all6(); len(a)+len(r) != 0 {
			t.Errorf("left: %v, %v", a, r)
		}
	})
	t.Run("set by hand", func(t *testing.T) {
		// To the kernel the same address, whatever the prefix.
		hand := netip.PrefixFrom(addr6.Addr(), 64)
		l.Must(l.H.AddrAdd(l.Link("c0"), &netlink.Addr{IPNet: linuxtest.IPNet(hand)}))
		o := l.n.Apply(l.c0(), owned, desire6(time.Hour))
		l.Must(o.Err())
		if !slices.Equal(o.Foreign, []netip.Prefix{addr6}) {
			t.Errorf("%+v", o)
		}
		l.Must(l.n.Apply(l.c0(), owned, netconf.Desired{}).Err())
		if a, r := l.all6(); len(a) != 1 || a[0].Prefix != hand || !a[0].Lifetime.Forever || len(r) != 0 {
			t.Errorf("addresses %v, routes %v", a, r)
		}
	})
}

// TestBothFamilies: one lease of each, applied at once.
func TestBothFamilies(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	want := desire(addrA, gw, 100, time.Hour)
	six := desire6(time.Hour)
	want.Addresses = append(want.Addresses, six.Addresses...)
	want.Routes = append(want.Routes, six.Routes...)
	owned := []netip.Prefix{addrA, addr6, delegated}
	l.Must(l.n.Apply(l.c0(), owned, want).Err())
	if missing, err := l.n.Inspect(l.c0(), want); err != nil || len(missing) != 0 {
		t.Errorf("missing %v, %v", missing, err)
	}
	// One family ends, the other stays.
	l.Must(l.n.Apply(l.c0(), owned, desire(addrA, gw, 100, time.Hour)).Err())
	if a, r := l.all6(); len(a)+len(r) != 0 {
		t.Errorf("left of IPv6: %v, %v", a, r)
	}
	if got := l.addresses(); !slices.Equal(got, []netip.Prefix{addrA}) || len(l.routes()) != 2 {
		t.Errorf("addresses %v, routes %v", got, l.routes())
	}
}
