//go:build linux

package netlink

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/linux/linuxtest"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// spoil returns the operation made so that the kernel refuses it; false where
// there is no such way.
func spoil(op netconf.Op) (netconf.Op, bool) {
	nowhere := netip.MustParseAddr("203.0.113.9")
	switch op := op.(type) {
	case netconf.SetMTU:
		op.MTU = 70_000
		return op, true
	case netconf.AddAddress:
		op.Preferred = op.Valid + 1
		return op, true
	case netconf.ReplaceAddress:
		op.Preferred = op.Valid + 1
		return op, true
	case netconf.AddRoute:
		op.Route.Router, op.Route.OnLink = nowhere, false
		return op, true
	case netconf.AppendRoute:
		op.Route.Router, op.Route.OnLink = nowhere, false
		return op, true
	case netconf.RemoveRoute:
		op.Route.Destination = netip.PrefixFrom(nowhere, 8) // not masked
		return op, true
	case netconf.RemoveAddress, netconf.SetPromote:
	}
	return op, false
}

// spoiled is an adapter that has another operation in the place of one.
type spoiled struct {
	adapter
	at int // how many are carried out before it
	by netconf.Op
}

func (s *spoiled) Do(ops []netconf.Op) []netconf.Failure {
	if s.at >= 0 && s.at < len(ops) {
		ops[s.at] = s.by
	}
	s.at -= len(ops)
	return s.adapter.Do(ops)
}

// late is an adapter to which another program does something between the look
// and the first batch.
type late struct {
	adapter
	others func()
}

func (a *late) Do(ops []netconf.Op) []netconf.Failure {
	if a.others != nil {
		a.others()
		a.others = nil
	}
	return a.adapter.Do(ops)
}

// TestEachOperationFails lets the kernel refuse each operation of a change of
// address in turn. It carries out the rest; what others set stays, an
// address that works stays until another one does, and the next Apply finishes.
func TestEachOperationFails(t *testing.T) {
	t.Parallel()
	owned := []netip.Prefix{addrA, addrB}
	want := desire(addrB, netip.MustParseAddr("10.77.0.254"), 100, time.Hour)
	want.MTU = 1400
	admin := netip.MustParsePrefix("10.77.0.7/24")
	static := netip.MustParsePrefix("198.51.100.0/24")
	begin := func(t *testing.T) (*lab, netconf.Plan) {
		l := newLab(t, Options{})
		l.Must(l.n.Apply(l.c0(), nil, desire(addrA, gw, 100, time.Hour)).Err())
		l.Must(l.H.AddrAdd(l.Link("c0"), &netlink.Addr{IPNet: linuxtest.IPNet(admin)}))
		l.Must(l.H.RouteAdd(&netlink.Route{LinkIndex: l.c0().Index, Dst: linuxtest.IPNet(static), Gw: gw.AsSlice(), Protocol: unix.RTPROT_STATIC}))
		l.n.change.lock()
		defer l.n.change.unlock()
		l.Must(l.n.read(l.c0(), []uint8{unix.AF_INET}))
		return l, netconf.Diff(l.n.state, owned, want)
	}
	_, plan := begin(t)
	if len(plan.Add) != 5 || len(plan.Remove) != 4 {
		t.Fatalf("plan %v, %v", plan.Add, plan.Remove)
	}
	for k := range len(plan.Add) + len(plan.Remove) {
		l, plan := begin(t)
		batch, at := plan.Add, k
		if k >= len(plan.Add) {
			batch, at = plan.Remove, k-len(plan.Add)
		}
		op, ok := spoil(batch[at])
		if !ok {
			continue
		}
		name := fmt.Sprintf("operation %d, %v", k, batch[at])
		l.n.change.lock()
		o, _ := netconf.Apply(&spoiled{adapter: adapter{l.n, l.c0(), []uint8{unix.AF_INET}}, at: k, by: op}, owned, want)
		l.n.change.unlock()
		if len(o.Failed) != 1 || o.Failed[0].Op != op {
			t.Errorf("%s: failed %v", name, o.Failed)
		}
		_, address := op.(netconf.AddAddress)
		if o.AddressesSet() == address {
			t.Errorf("%s: addresses set: %v", name, o.AddressesSet())
		}
		if got := l.addresses(); !slices.Contains(got, admin) || slices.Contains(got, addrA) != address || slices.Contains(got, addrB) == address {
			t.Errorf("%s: addresses %v", name, got)
		}
		routes := l.routes()
		if address && len(routes) != 3 {
			t.Errorf("%s: the routes of the address that stays: %v", name, routes)
		}
		others := func(r netconf.Route) bool { return r.Destination == static || r.Source == admin.Addr() }
		if !slices.ContainsFunc(routes, others) || l.promotes() {
			t.Errorf("%s: promotes %v, routes %v", name, l.promotes(), routes)
		}
		// All others of the batch were carried out.
		if _, mtu := op.(netconf.SetMTU); l.c0().MTU == 1400 == mtu {
			t.Errorf("%s: MTU %d", name, l.c0().MTU)
		}

		l.Must(l.n.Apply(l.c0(), owned, want).Err())
		routes = slices.DeleteFunc(l.routes(), others)
		if got := l.addresses(); !sameElements(got, []netip.Prefix{admin, addrB}) || !sameRoutes(routes, want.Routes) || l.c0().MTU != 1400 {
			t.Errorf("%s: after the next: addresses %v, routes %v, MTU %d", name, got, routes, l.c0().MTU)
		}
	}
}

// TestManyRoutes needs more than one batch of operations.
func TestManyRoutes(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	want := desire(addrA, gw, 100, time.Hour)
	for i := range 5 * batchSize {
		want.Routes = append(want.Routes, netconf.Route{
			Destination: netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(i >> 8), byte(i)}), 32),
			Router:      gw, Source: addrA.Addr(), Metric: 100,
		})
	}
	l.Must(l.n.Apply(l.c0(), nil, want).Err())
	if got := l.routes(); !sameRoutes(got, want.Routes) {
		t.Errorf("%d routes, want %d", len(got), len(want.Routes))
	}
	l.Must(l.n.Apply(l.c0(), []netip.Prefix{addrA}, netconf.Desired{}).Err())
	if got := l.routes(); len(got) != 0 {
		t.Errorf("%d routes are left", len(got))
	}
}

// TestAddressThatComesMeanwhile: between the look and the batch another program
// sets the address.
func TestAddressThatComesMeanwhile(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	want := desire(addrA, gw, 100, time.Hour)
	k := &late{adapter: adapter{l.n, l.c0(), []uint8{unix.AF_INET}}}
	k.others = func() { l.Must(l.H.AddrAdd(l.Link("c0"), &netlink.Addr{IPNet: linuxtest.IPNet(addrA)})) }
	l.n.change.lock()
	defer l.n.change.unlock()
	o, _ := netconf.Apply(k, nil, want)
	l.Must(o.Err())
	if !slices.Equal(o.Foreign, []netip.Prefix{addrA}) {
		t.Errorf("%+v", o)
	}
}

// TestUnknownAttributeIsIgnored: a kernel that does not know the protocol of an
// address (IFA_PROTO, Linux 5.18) ignores it, as this one ignores an attribute
// that it does not know.
func TestUnknownAttributeIsIgnored(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	const unknown = 200
	for _, p := range []netip.Prefix{addrA, addr6} {
		l.n.change.lock()
		m, seq := l.n.change.begin(unix.RTM_NEWADDR, unix.NLM_F_ACK|unix.NLM_F_CREATE|unix.NLM_F_EXCL)
		setAddress(m, l.Link("c0").Attrs().Index, netconf.Address{Prefix: p, Flags: netconf.NoPrefixRoute}, 3600, 3600)
		m.uint8(unknown, netconf.ProtocolDHCP)
		m.end()
		errs, err := l.n.change.acknowledged(seq, nil)
		l.n.change.unlock()
		if err != nil || errs[0] != nil {
			t.Errorf("%v: %v, %v", p, errs, err)
		}
	}
}
