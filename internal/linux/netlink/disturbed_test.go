//go:build linux

package netlink

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/linux/linuxtest"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// A listener collects the hints of a watch.
type listener struct {
	l    *lab
	c    chan netconf.Disturbed
	mark netip.Prefix
}

func (l *lab) listen() *listener {
	l.T.Helper()
	h := &listener{l, make(chan netconf.Disturbed, 4096), netip.MustParsePrefix("127.9.9.9/32")}
	l.watch(l.n, func(n netconf.Notice) {
		if d, ok := n.(netconf.Disturbed); ok {
			h.c <- d
		}
	})
	return h
}

// hints returns those since the last call. It marks their end with two of its own.
func (h *listener) hints() (list []netconf.Disturbed) {
	h.l.T.Helper()
	mark := &netlink.Addr{IPNet: linuxtest.IPNet(h.mark)}
	h.l.Must(h.l.H.AddrAdd(h.l.Link("lo"), mark))
	h.l.Must(h.l.H.AddrDel(h.l.Link("lo"), mark))
	for marks := 0; marks < 2; {
		select {
		case d := <-h.c:
			if d.Object.Prefix == h.mark {
				marks++
				continue
			}
			list = append(list, d)
		case <-time.After(10 * time.Second):
			h.l.T.Fatal("the marks were not reported")
		}
	}
	return list
}

// TestDisturbed: what others do to addresses and routes is hinted at, what we do
// and what is none of ours is not.
func TestDisturbed(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	h := l.listen()
	c0 := l.c0()
	want := desire(addrA, gw, 100, time.Hour)
	owned := []netip.Prefix{addrA}
	l.Must(l.n.Apply(c0, nil, want).Err())
	theDefault := netconf.Object{Kind: netconf.ObjectRoute, Prefix: netip.MustParsePrefix("0.0.0.0/0"), Metric: 100, Table: netconf.TableMain}
	is := func(what string, want ...netconf.Disturbed) {
		t.Helper()
		if got := h.hints(); !slices.Equal(got, want) {
			t.Errorf("%s: hints %v, want %v", what, got, want)
		}
	}
	missing := func(what string, objects ...netconf.Object) {
		t.Helper()
		if got, err := l.n.Inspect(l.c0(), want); err != nil || !slices.Equal(got, objects) {
			t.Errorf("%s: missing %v, %v; want %v", what, got, err, objects)
		}
	}
	is("our own change")
	missing("all is there")

	l.Must(l.H.RouteDel(&netlink.Route{LinkIndex: c0.Index, Dst: linuxtest.IPNet(theDefault.Prefix), Priority: 100}))
	is("the default route was removed", netconf.Disturbed{Index: c0.Index, Object: theDefault})
	missing("the default route", theDefault)
	l.Must(l.n.Apply(c0, owned, want).Err())
	is("put back")
	again := &netlink.Route{
		LinkIndex: c0.Index, Dst: linuxtest.IPNet(theDefault.Prefix), Gw: gw.AsSlice(), Src: addrA.Addr().AsSlice(),
		Priority: 100, Protocol: unix.RTPROT_DHCP,
	}
	l.Must(l.H.RouteDel(again))
	l.Must(l.H.RouteAdd(again))
	is("removed and restored", netconf.Disturbed{Index: c0.Index, Object: theDefault}, netconf.Disturbed{Object: theDefault})
	missing("nothing")

	// As `ip route replace default via 10.77.0.9 dev c0 metric 100` does.
	other := &netlink.Route{
		LinkIndex: c0.Index, Dst: linuxtest.IPNet(theDefault.Prefix), Gw: netip.MustParseAddr("10.77.0.9").AsSlice(),
		Priority: 100, Protocol: unix.RTPROT_BOOT,
	}
	l.Must(l.H.RouteReplace(other))
	is("the default route was replaced", netconf.Disturbed{Object: theDefault})
	missing("the default route", theDefault)
	if o := l.n.Apply(c0, owned, want); len(o.Failed) != 1 || !o.AddressesSet() {
		t.Errorf("over another's route: %+v", o)
	}
	is("not fought over")
	l.Must(l.H.RouteDel(other))
	is("another's route was removed")
	// One that does the same counts.
	other.Gw, other.Src = gw.AsSlice(), addrA.Addr().AsSlice()
	l.Must(l.H.RouteAdd(other))
	is("another's route was added")
	missing("another's route does the same")
	l.Must(l.H.RouteDel(other))
	l.Must(l.n.Apply(c0, owned, want).Err())
	is("ours again")

	l.Must(l.H.AddrDel(l.Link("c0"), &netlink.Addr{IPNet: linuxtest.IPNet(addrA)}))
	address := netconf.Object{Kind: netconf.ObjectAddress, Prefix: addrA}
	// Newer kernels report the routes that went with their source, too.
	if got := h.hints(); len(got) == 0 || got[0] != (netconf.Disturbed{Index: c0.Index, Object: address}) {
		t.Errorf("the address was removed: hints %v", got)
	}
	missing("the address; its routes come back with it", address)
	l.Must(l.H.AddrAdd(l.Link("c0"), &netlink.Addr{IPNet: linuxtest.IPNet(addrA), Flags: unix.IFA_F_NOPREFIXROUTE}))
	is("the address was restored", netconf.Disturbed{Index: c0.Index, Object: address})
	l.Must(l.n.Apply(c0, owned, want).Err())
	missing("put back")
	is("put back")
	l.Must(l.n.Apply(c0, owned, netconf.Desired{}).Err())
	is("our own release")
}

// TestForeignRoutesAreDropped: a routing daemon's routes cause no hint, whether
// it adds, removes or replaces them.
func TestForeignRoutesAreDropped(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	l.Must(l.n.Apply(l.c0(), nil, desire(addrA, gw, 100, time.Hour)).Err())
	h := l.listen()
	const bgp = 186 // RTPROT_BGP
	for i := range 500 {
		r := &netlink.Route{
			LinkIndex: l.c0().Index, Dst: linuxtest.IPNet(netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(i >> 8), byte(i)}), 32)),
			Gw: gw.AsSlice(), Priority: 20, Protocol: bgp,
		}
		l.Must(l.H.RouteAdd(r))
		l.Must(l.H.RouteReplace(r))
		l.Must(l.H.RouteDel(r))
	}
	if got := h.hints(); len(got) != 0 {
		t.Errorf("hints %v", got)
	}
}

// TestDisturbedAfterOverrun: where notifications were lost, everything may be
// disturbed.
func TestDisturbedAfterOverrun(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	held, release := make(chan struct{}), make(chan struct{})
	seen := make(chan netconf.Disturbed, 4096)
	first := true
	_, w := l.watch(l.n, func(n netconf.Notice) {
		d, ok := n.(netconf.Disturbed)
		if !ok {
			return
		}
		if first {
			first = false
			close(held)
			<-release
		}
		seen <- d
	})
	l.Must(unix.SetsockoptInt(w.others.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 2048))
	touch := func() {
		a := &netlink.Addr{IPNet: linuxtest.IPNet(netip.MustParsePrefix("192.0.2.1/32"))}
		l.Must(l.H.AddrAdd(l.Link("p0"), a))
		l.Must(l.H.AddrDel(l.Link("p0"), a))
	}
	touch()
	<-held
	for range 100 {
		touch()
	}
	close(release)
	for {
		select {
		case d := <-seen:
			if d == (netconf.Disturbed{}) {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the overrun was not reported")
		}
	}
}
