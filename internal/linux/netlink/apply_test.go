//go:build linux

package netlink

import (
	"errors"
	"net"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/linux/clock"
	"github.com/lessee/lessee/internal/linux/linuxtest"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

func TestApplyTwiceChangesNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	want := desire(addrA, gw, 100, time.Hour)
	want.MTU = 1400
	l.Must(l.n.Apply(l.c0(), nil, want).Err())
	if got := l.addresses(); !slices.Equal(got, []netip.Prefix{addrA}) {
		t.Fatalf("addresses %v", got)
	}
	if got := l.routes(); len(got) != 2 || !slices.Contains(got, want.Routes[0]) || !slices.Contains(got, want.Routes[1]) {
		t.Fatalf("routes %v, want %v", got, want.Routes)
	}
	if got := l.c0().MTU; got != 1400 {
		t.Errorf("MTU %d", got)
	}
	m := changesOfAll(l)
	for range 3 {
		l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, want).Err())
	}
	if got := m.changes(); len(got) != 0 {
		t.Errorf("applying the same again made the kernel report %v", got)
	}
}

func TestRenewChangesLifetimesInPlace(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	l.Must(l.n.Apply(l.c0(), nil, desire(addrA, gw, 100, time.Minute)).Err())
	m := changesOfAll(l)
	l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, desire(addrA, gw, 100, time.Hour)).Err())
	if got := m.changes(); !slices.Equal(got, []uint16{unix.RTM_NEWADDR}) {
		t.Errorf("a renewal made the kernel report %v, want one RTM_NEWADDR", got)
	}
	list, err := l.n.Addresses(l.c0().Index)
	l.Must(err)
	if d := left(list[0].Lifetime); d < time.Hour-3*time.Second || d > time.Hour {
		t.Errorf("%v left, want an hour", d)
	}

	forever := desire(addrA, gw, 100, 0)
	forever.Addresses[0].Lifetime = netconf.Lifetime{Forever: true}
	l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, forever).Err())
	if list, err = l.n.Addresses(l.c0().Index); err != nil || !list[0].Lifetime.Forever {
		t.Errorf("lifetime %+v, %v, want one without end", list, err)
	}
	m = changesOfAll(l)
	l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, forever).Err())
	if got := m.changes(); len(got) != 0 {
		t.Errorf("applying the same again made the kernel report %v", got)
	}

	// A deprecated address stays usable for what is open.
	old := desire(addrA, gw, 100, time.Hour)
	old.Addresses[0].Lifetime.PreferredUntil = clock.Now()
	l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, old).Err())
	if got := l.addresses(); !slices.Equal(got, []netip.Prefix{addrA}) {
		t.Errorf("addresses %v", got)
	}
}

func TestRenewKeepsConnections(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	l.Must(l.n.Apply(l.c0(), nil, desire(addrA, gw, 100, time.Minute)).Err())
	var server, client net.Conn
	var listener net.Listener
	var err error
	l.Do(func() { listener, err = net.Listen("tcp4", addrA.Addr().String()+":0") })
	l.Must(err)
	defer listener.Close()
	l.Do(func() { client, err = net.Dial("tcp4", listener.Addr().String()) })
	l.Must(err)
	defer client.Close()
	server, err = listener.Accept()
	l.Must(err)
	defer server.Close()
	buf := make([]byte, 1)
	for i := range 100 {
		l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, desire(addrA, gw, 100, time.Duration(60+10*i)*time.Second)).Err())
		if _, err := client.Write([]byte{byte(i)}); err != nil {
			t.Fatal(err)
		}
		if _, err := server.Read(buf); err != nil || buf[0] != byte(i) {
			t.Fatal(buf, err)
		}
	}
}

func TestRemove(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	want := desire(addrA, gw, 100, time.Hour)
	l.Must(l.n.Apply(l.c0(), nil, want).Err())
	l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, netconf.Desired{}).Err())
	if a, r := l.addresses(), l.routes(); len(a)+len(r) != 0 {
		t.Errorf("left: %v %v", a, r)
	}
	m := changesOfAll(l)
	l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, netconf.Desired{}).Err())
	if got := m.changes(); len(got) != 0 {
		t.Errorf("removing again made the kernel report %v", got)
	}
	// What has expired is not wanted.
	l.Must(l.n.Apply(l.c0(), nil, want).Err())
	want.Addresses[0].Lifetime.ValidUntil = clock.Now()
	l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, want).Err())
	if a, r := l.addresses(), l.routes(); len(a)+len(r) != 0 {
		t.Errorf("left after the expiry: %v %v", a, r)
	}
}

func TestOthersAddressesStay(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	// An administrator's addresses in the lease's subnet come second to it: the
	// kernel would take them with it.
	l.Must(l.n.Apply(l.c0(), nil, desire(addrA, gw, 100, time.Hour)).Err())
	admin := []netip.Prefix{netip.MustParsePrefix("10.77.0.7/24"), netip.MustParsePrefix("10.77.0.8/24"), netip.MustParsePrefix("192.0.2.1/24")}
	for _, p := range admin {
		l.Must(l.H.AddrAdd(l.Link("c0"), &netlink.Addr{IPNet: linuxtest.IPNet(p)}))
	}
	mine := &netlink.Route{LinkIndex: l.c0().Index, Dst: linuxtest.IPNet(netip.MustParsePrefix("198.51.100.0/24")), Gw: net.IP{192, 0, 2, 2}}
	l.Must(l.H.RouteAdd(mine))

	l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, desire(addrB, gw, 100, time.Hour)).Err())
	if got := l.addresses(); !sameElements(got, append(slices.Clone(admin), addrB)) {
		t.Errorf("after another lease: %v", got)
	}
	l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA, addrB}, netconf.Desired{}).Err())
	if got := l.addresses(); !sameElements(got, admin) {
		t.Errorf("after the lease: %v, want %v", got, admin)
	}
	if !slices.ContainsFunc(l.routes(), func(r netconf.Route) bool { return r.Destination.String() == "198.51.100.0/24" }) {
		t.Errorf("the administrator's route is gone: %v", l.routes())
	}
	// The setting that kept them is as it was.
	if l.promotes() {
		t.Error("promote_secondaries was left on")
	}
}

func sameElements(a, b []netip.Prefix) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.SortFunc(a, netip.Prefix.Compare)
	slices.SortFunc(b, netip.Prefix.Compare)
	return slices.Equal(a, b)
}

func TestAnotherMaskKeepsConnections(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	l.Must(l.n.Apply(l.c0(), nil, desire(addrA, gw, 100, time.Hour)).Err())
	wide := netip.PrefixFrom(addrA.Addr(), 16)
	m := l.monitor(unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV4_IFADDR)
	l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, desire(wide, gw, 100, time.Hour)).Err())
	if got := m.changes(); len(got) == 0 {
		t.Error("nothing changed")
	}
	if got := l.addresses(); !slices.Equal(got, []netip.Prefix{wide}) {
		t.Errorf("addresses %v", got)
	}
	want := desire(wide, gw, 100, time.Hour).Routes
	if got := l.routes(); len(got) != 2 || !slices.Contains(got, want[0]) || !slices.Contains(got, want[1]) {
		t.Errorf("routes %v, want %v", got, want)
	}
}

func TestRoutes(t *testing.T) { //nolint:tparallel // each step builds on the one before
	t.Parallel()
	l := newLab(t, Options{})
	want := desire(addrA, gw, 100, time.Hour)
	l.Must(l.n.Apply(l.c0(), nil, want).Err())

	t.Run("another router", func(t *testing.T) {
		want.Routes[1].Router = netip.MustParseAddr("10.77.0.254")
		m := l.monitor(unix.RTNLGRP_IPV4_ROUTE, unix.RTNLGRP_IPV4_IFADDR)
		l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, want).Err())
		if got := m.changes(); !slices.Equal(got, []uint16{unix.RTM_NEWROUTE, unix.RTM_DELROUTE}) {
			t.Errorf("changes %v, want the new route before the old one goes", got)
		}
		if got := l.routes(); len(got) != 2 || !slices.Contains(got, want.Routes[1]) {
			t.Errorf("routes %v", got)
		}
	})
	t.Run("router outside the subnet", func(t *testing.T) {
		want.Routes = append(want.Routes[:1:1], netconf.Route{
			Destination: netip.MustParsePrefix("0.0.0.0/0"), Router: netip.MustParseAddr("192.0.2.1"), Source: addrA.Addr(), Metric: 100, OnLink: true,
		})
		l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, want).Err())
		if got := l.routes(); len(got) != 2 || !slices.Contains(got, want.Routes[1]) {
			t.Errorf("routes %v", got)
		}
		m := changesOfAll(l)
		want.Routes[1].OnLink = false // the kernel needs it all the same
		l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, want).Err())
		if got := m.changes(); len(got) != 0 {
			t.Errorf("changes %v", got)
		}
	})
	t.Run("lost route comes back", func(t *testing.T) {
		l.Must(l.H.RouteDel(&netlink.Route{LinkIndex: l.c0().Index, Dst: linuxtest.IPNet(netip.MustParsePrefix("0.0.0.0/0")), Priority: 100}))
		l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, want).Err())
		if got := l.routes(); len(got) != 2 {
			t.Errorf("routes %v", got)
		}
	})
	t.Run("leftover goes", func(t *testing.T) {
		l.Must(l.H.RouteAdd(&netlink.Route{
			LinkIndex: l.c0().Index, Dst: linuxtest.IPNet(netip.MustParsePrefix("10.99.0.0/16")), Gw: gw.AsSlice(),
			Src: addrA.Addr().AsSlice(), Protocol: unix.RTPROT_DHCP,
		}))
		// Another client's: neither its source nor its protocol are ours.
		theirs := &netlink.Route{LinkIndex: l.c0().Index, Dst: linuxtest.IPNet(netip.MustParsePrefix("10.98.0.0/16")), Gw: gw.AsSlice(), Protocol: unix.RTPROT_DHCP}
		l.Must(l.H.RouteAdd(theirs))
		l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, want).Err())
		if got := l.routes(); len(got) != 3 {
			t.Errorf("routes %v", got)
		}
		l.Must(l.H.RouteDel(theirs))
	})
	t.Run("no address, no opinion", func(t *testing.T) {
		m := changesOfAll(l)
		l.Must(l.n.Apply(l.c0(), nil, netconf.Desired{}).Err())
		if got := m.changes(); len(got) != 0 {
			t.Errorf("changes %v", got)
		}
	})
}

func TestForeignRouteInTheWay(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	l.Must(l.H.AddrAdd(l.Link("p0"), &netlink.Addr{IPNet: linuxtest.IPNet(netip.MustParsePrefix("192.0.2.1/24"))}))
	l.Must(l.H.RouteAdd(&netlink.Route{
		LinkIndex: l.Link("p0").Attrs().Index, Dst: linuxtest.IPNet(netip.MustParsePrefix("0.0.0.0/0")), Gw: net.IP{192, 0, 2, 2},
		Priority: 100, Protocol: unix.RTPROT_STATIC,
	}))
	want := desire(addrA, gw, 100, time.Hour)
	want.MTU = 70_000 // is refused as well
	o := l.n.Apply(l.c0(), nil, want)
	if len(o.Failed) != 2 || !o.AddressesSet() {
		t.Errorf("failed %v, want the MTU and the route", o.Failed)
	}
	blocked, ok := errors.AsType[*netconf.BlockedError](o.Err())
	if !ok || blocked.Route.Destination.Bits() != 0 || blocked.By.Protocol != unix.RTPROT_STATIC {
		t.Errorf("blocked %+v", blocked)
	}
	err := o.Err()
	if !errors.Is(err, unix.EEXIST) {
		t.Fatalf("error %v, want EEXIST", err)
	}
	for _, s := range []string{"c0: ", "0.0.0.0/0", "p0", "static", "metric"} {
		if !strings.Contains(err.Error(), s) {
			t.Errorf("%q does not say %q", err, s)
		}
	}
	// The rest is done, the other's route is there.
	if got := l.addresses(); !slices.Equal(got, []netip.Prefix{addrA}) {
		t.Errorf("addresses %v", got)
	}
	list, err := l.H.RouteList(l.Link("p0"), netlink.FAMILY_V4)
	l.Must(err)
	if !slices.ContainsFunc(list, func(r netlink.Route) bool { return r.Protocol == unix.RTPROT_STATIC }) {
		t.Errorf("the other's route is gone: %v", list)
	}
}

// TestForeignAddressIsUsed: an address that an administrator set, with the
// kernel's own route of the subnet, is used as it is and stays after the lease.
func TestForeignAddressIsUsed(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	l.Must(l.H.AddrAdd(l.Link("c0"), &netlink.Addr{IPNet: linuxtest.IPNet(addrA)}))
	m := l.monitor(unix.RTNLGRP_IPV4_IFADDR)
	owned := []netip.Prefix{addrA}
	want := desire(addrA, gw, 0, time.Hour)
	o := l.n.Apply(l.c0(), owned, want)
	l.Must(o.Err())
	if got := m.changes(); len(got) != 0 || !slices.Equal(o.Foreign, owned) || !o.AddressesSet() {
		t.Errorf("changes %v, outcome %+v", got, o)
	}
	if missing, err := l.n.Inspect(l.c0(), want); err != nil || len(missing) != 0 {
		t.Errorf("missing %v, %v", missing, err)
	}
	if got := l.routes(); len(got) != 2 {
		t.Errorf("routes %v, want the kernel's and the default route", got)
	}
	l.Must(l.n.Apply(l.c0(), owned, netconf.Desired{}).Err())
	if got := l.addresses(); !slices.Equal(got, owned) {
		t.Errorf("after the lease: %v", got)
	}
	if got := l.routes(); len(got) != 1 {
		t.Errorf("routes after the lease: %v, want the kernel's", got)
	}
}

func TestApplyOnInterfaceThatIsDown(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	l.Must(l.H.LinkSetDown(l.Link("c0")))
	want := desire(addrA, gw, 100, time.Hour)
	err := l.n.Apply(l.c0(), nil, want).Err()
	if !errors.Is(err, netconf.ErrLinkDown) {
		t.Fatalf("error %v, want ErrLinkDown", err)
	}
	if got := l.addresses(); !slices.Equal(got, []netip.Prefix{addrA}) {
		t.Errorf("addresses %v", got)
	}
	l.Must(l.n.SetUp(l.c0().Index))
	l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, want).Err())
	if got := l.routes(); len(got) != 2 {
		t.Errorf("routes %v", got)
	}
}

func TestApplyErrors(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	link := l.c0()
	want := desire(addrA, gw, 100, time.Hour)
	want.MTU = 65000000
	err := l.n.Apply(link, nil, want).Err()
	if !errors.Is(err, unix.EINVAL) || !strings.Contains(err.Error(), "c0: set mtu 65000000: ") {
		t.Errorf("error %v", err)
	}
	if got := l.addresses(); len(got) != 1 {
		t.Errorf("an MTU that is refused hindered the address: %v", got)
	}
	l.Must(l.H.LinkDel(l.Link("c0")))
	want.MTU = 0
	if err := l.n.Apply(link, nil, want).Err(); !errors.Is(err, netconf.ErrNoLink) || !errors.Is(err, unix.ENODEV) {
		t.Errorf("error %v, want ErrNoLink and ENODEV", err)
	}
	if err := l.n.Apply(link, []netip.Prefix{addrA}, netconf.Desired{}).Err(); err != nil {
		t.Errorf("taking away from an interface that is gone: %v", err)
	}
}

// TestApplyPartly: an MTU and a route that the kernel does not take do not cost
// the address, nor the other routes.
func TestApplyPartly(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	want := desire(addrA, gw, 100, time.Hour)
	want.MTU = 70_000
	want.Routes = append(want.Routes, netconf.Route{
		Destination: netip.MustParsePrefix("10.99.0.0/16"), Router: netip.MustParseAddr("10.77.0.255"),
		Source: addrA.Addr(), Metric: 100,
	})
	o := l.n.Apply(l.c0(), nil, want)
	if err := o.Err(); !o.AddressesSet() || len(o.Failed) != 2 || !strings.Contains(err.Error(), "mtu 70000") || !strings.Contains(err.Error(), "10.99.0.0/16") {
		t.Errorf("got %v, want failures of the MTU and the route alone", err)
	}
	got, err := l.n.Addresses(l.c0().Index)
	l.Must(err)
	if len(got) != 1 || got[0].Prefix != addrA {
		t.Errorf("addresses %v, want %v", got, addrA)
	}
	if routes := l.routes(); len(routes) != 2 {
		t.Errorf("routes %v, want the two that can be", routes)
	}
}
