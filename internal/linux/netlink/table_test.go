//go:build linux

package netlink

import (
	"errors"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/linux/linuxtest"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// inTable lists c0's unicast routes of a table, protocol "dhcp" or not.
func (l *lab) inTable(table int) []netconf.Route {
	l.T.Helper()
	list, err := l.H.RouteListFiltered(netlink.FAMILY_V4, &netlink.Route{Table: table}, netlink.RT_FILTER_TABLE)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	l.Must(err)
	var out []netconf.Route
	for _, h := range list {
		if h.LinkIndex == l.Link("c0").Attrs().Index && h.Type == unix.RTN_UNICAST {
			out = append(out, routeOf(h))
		}
	}
	return out
}

func withTable(d netconf.Desired, table uint32) netconf.Desired {
	d.Routes = slices.Clone(d.Routes)
	for i := range d.Routes {
		d.Routes[i].Table = table
	}
	return d
}

func sameRoutes(a, b []netconf.Route) bool {
	return len(a) == len(b) && !slices.ContainsFunc(a, func(r netconf.Route) bool { return !slices.Contains(b, r) })
}

func TestRoutesInTable(t *testing.T) {
	t.Parallel()
	for _, table := range []uint32{7, 70_000} {
		l := newLab(t, Options{})
		main := desire(addrA, gw, 100, time.Hour)
		want := withTable(main, table)
		// With its last address an interface loses all of its routes.
		l.Must(l.H.AddrAdd(l.Link("c0"), &netlink.Addr{IPNet: linuxtest.IPNet(netip.MustParsePrefix("172.16.0.1/32"))}))
		ours := []netip.Prefix{addrA}
		l.Must(l.n.Apply(l.c0(), nil, want).Err())
		if got := l.inTable(int(table)); !sameRoutes(got, want.Routes) {
			t.Fatalf("table %d: %v, want %v", table, got, want.Routes)
		}
		if got := l.routes(); len(got) != 0 {
			t.Errorf("the main table has %v", got)
		}
		m := changesOfAll(l)
		l.Must(l.n.Apply(l.c0(), ours, want).Err())
		if got := m.changes(); len(got) != 0 {
			t.Errorf("applying the same again made the kernel report %v", got)
		}
		// A route of somebody else there is left alone, and so is one of
		// protocol "dhcp" in a table that is none of ours.
		others := []*netlink.Route{
			{LinkIndex: l.c0().Index, Dst: linuxtest.IPNet(netip.MustParsePrefix("10.88.0.0/16")), Table: int(table), Protocol: unix.RTPROT_STATIC, Scope: unix.RT_SCOPE_LINK},
			{LinkIndex: l.c0().Index, Dst: linuxtest.IPNet(netip.MustParsePrefix("10.88.0.0/16")), Table: 99, Protocol: unix.RTPROT_DHCP, Scope: unix.RT_SCOPE_LINK},
		}
		for _, r := range others {
			l.Must(l.H.RouteAdd(r))
		}
		// Another router: the new route comes before the old one goes.
		moved := withTable(desire(addrA, netip.MustParseAddr("10.77.0.2"), 100, time.Hour), table)
		l.Must(l.n.Apply(l.c0(), ours, moved).Err())
		if got := l.inTable(int(table)); len(got) != 3 || !slices.Contains(got, moved.Routes[1]) {
			t.Errorf("after a change of the router: %v", got)
		}
		// The same lease, to go to another table.
		l.Must(l.n.Apply(l.c0(), ours, main).Err())
		if got := l.inTable(int(table)); len(got) != 1 || len(l.routes()) != 2 {
			t.Errorf("after a change of the table: %v there, %v in the main table", got, l.routes())
		}
		l.Must(l.n.Apply(l.c0(), ours, want).Err())
		if got := l.inTable(int(table)); len(got) != 3 || len(l.routes()) != 0 {
			t.Errorf("after the change was undone: %v there, %v in the main table", got, l.routes())
		}
		// The end. Nobody says which table it was.
		l.Must(l.n.Apply(l.c0(), ours, netconf.Desired{}).Err())
		if got := l.inTable(int(table)); len(got) != 1 || len(l.addresses()) != 1 || len(l.inTable(99)) != 1 {
			t.Errorf("at the end: %v, table 99 has %v, addresses %v", got, l.inTable(99), l.addresses())
		}
	}
}

func TestTableInTheWay(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	want := withTable(desire(addrA, gw, 100, time.Hour), 7)
	l.Must(l.H.RouteAdd(&netlink.Route{
		LinkIndex: l.Link("p0").Attrs().Index, Dst: linuxtest.IPNet(netip.MustParsePrefix("0.0.0.0/0")), Table: 7,
		Priority: 100, Protocol: unix.RTPROT_STATIC, Scope: unix.RT_SCOPE_LINK,
	}))
	err := l.n.Apply(l.c0(), nil, want).Err()
	if !errors.Is(err, unix.EEXIST) || err.Error() != "c0: add route 0.0.0.0/0 via 10.77.0.1 src 10.77.0.100 metric 100 table 7: "+
		"p0 has one of the same metric, protocol static: file exists (give this adapter another metric)" {
		t.Errorf("error %v", err)
	}
}

// TestRoutesInVRF enslaves the adapter to a VRF where the kernel has such
// devices; else it says so itself, in what is to be applied.
func TestRoutesInVRF(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	vrf := &netlink.Vrf{LinkAttrs: netlink.LinkAttrs{Name: "blue"}, Table: 70}
	err := l.H.LinkAdd(vrf)
	here := !errors.Is(err, unix.EOPNOTSUPP)
	if here {
		l.Must(err)
		l.Must(l.H.LinkSetUp(l.Link("blue")))
		l.Must(l.H.LinkSetMaster(l.Link("c0"), l.Link("blue")))
		l.Await("c0 has a carrier", func() bool { return l.c0().Carrier })
		if got := l.c0().VRF; got != 70 {
			t.Fatalf("the kernel's VRF has table 70, we read %d", got)
		}
		if list, err := l.n.Links(); err != nil || !slices.ContainsFunc(list, func(k netconf.Link) bool { return k.VRF == 70 }) {
			t.Errorf("links %+v, %v", list, err)
		}
	}
	link := l.c0()
	link.VRF = 70
	want := desire(addrA, gw, 100, time.Hour)
	l.Must(l.n.Apply(link, nil, want).Err())
	if got := l.inTable(70); !sameRoutes(got, withTable(want, 70).Routes) || len(l.routes()) != 0 {
		t.Errorf("table 70 has %v, the main table %v", got, l.routes())
	}
	m := changesOfAll(l)
	l.Must(l.n.Apply(link, []netip.Prefix{addrA}, want).Err())
	if got := m.changes(); len(got) != 0 {
		t.Errorf("applying the same again made the kernel report %v", got)
	}
	// A table that is asked for is stronger.
	l.Must(l.n.Apply(link, []netip.Prefix{addrA}, withTable(want, 71)).Err())
	if len(l.inTable(70)) != 0 || len(l.inTable(71)) != 2 {
		t.Errorf("table 70 has %v, table 71 %v", l.inTable(70), l.inTable(71))
	}
	// Out of the VRF, in the main table.
	if here {
		l.Must(l.H.LinkSetNoMaster(l.Link("c0")))
		l.Await("c0 has a carrier", func() bool { return l.c0().Carrier })
		if got := l.c0().VRF; got != 0 {
			t.Errorf("without a VRF we read table %d", got)
		}
	}
	l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, want).Err())
	if len(l.inTable(71)) != 0 || len(l.routes()) != 2 {
		t.Errorf("out of the VRF: table 71 has %v, the main table %v", l.inTable(71), l.routes())
	}
}

// TestParseVRF reads what the kernel says of a port of a VRF, drivers/net/vrf.c
// vrf_fillinfo and vrf_fill_slave_info, and of ports of other kinds.
func TestParseVRF(t *testing.T) {
	t.Parallel()
	message := func(kind string, data []byte) []byte {
		info := nl.NewRtAttr(unix.IFLA_LINKINFO, nil)
		info.AddRtAttr(unix.IFLA_INFO_KIND, nl.NonZeroTerminated("veth"))
		info.AddRtAttr(unix.IFLA_INFO_SLAVE_KIND, nl.ZeroTerminated(kind))
		info.AddRtAttr(unix.IFLA_INFO_SLAVE_DATA, data)
		return slices.Concat(linkMessage(9).Serialize(),
			nl.NewRtAttr(unix.IFLA_IFNAME, nl.ZeroTerminated("c0")).Serialize(), info.Serialize())
	}
	table := nl.NewRtAttr(vrfPortTable, nl.Uint32Attr(1010)).Serialize()
	short := nl.NewRtAttr(vrfPortTable, []byte{1, 2}).Serialize()
	for _, c := range []struct {
		kind string
		data []byte
		want uint32
	}{{"vrf", table, 1010}, {"bridge", table, 0}, {"vrf", short, 0}, {"vrf", nil, 0}, {"", table, 0}} {
		l, ok := parseLink(message(c.kind, c.data))
		if !ok || l.Name != "c0" || l.VRF != c.want {
			t.Errorf("%s %x: %+v", c.kind, c.data, l)
		}
	}
}

// TestRenewByTable renews with a relayed server where no rule leads to the
