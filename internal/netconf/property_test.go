package netconf_test

import (
	"errors"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/netconf/netconftest"
)

// TestPlansReachWhatIsWanted: whatever the kernel has, whatever is on record
// and whatever is wanted, a plan leads to what is wanted, and what is not ours
// stays as it was. A second plan is empty.
func TestPlansReachWhatIsWanted(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20_000) {
		g := &generator{rand.New(rand.NewPCG(seed, 1))}
		before := g.kernel()
		owned, want := g.owned(), g.want()
		plan := netconf.Diff(before.State, owned, want)
		after := before.Clone()
		o := after.Apply(owned, want)
		fail := func(what string, about any) {
			t.Helper()
			t.Fatalf("seed %d: %s: %v\nbefore:\n%sowned %v\nplan:\n%safter:\n%s", seed, what, about, stateText(before.State), owned, planText(plan), stateText(after.State))
		}
		if refused(o) {
			fail("an operation failed", o.Failed)
		}
		settled := after.Clone()
		free(settled, plan, owned, want)
		again := netconf.Diff(settled.State, owned, want)
		if len(again.Add)+len(again.Remove) > 0 {
			fail("the second plan is not empty", planText(again))
		}
		if missing := netconf.Missing(settled.State, want); len(missing) != len(again.Blocked) {
			fail("missing", missing)
		}
		g.checkForeign(before, after, owned, want, fail)
		if after.PromoteSecondaries != before.PromoteSecondaries {
			fail("promote_secondaries was left", after.PromoteSecondaries)
		}
	}
}

// free carries out another plan where another's route had the place of a wanted
// one and went with an address of ours that was its source: the place is free
// from then on.
func free(k *netconftest.Kernel, p netconf.Plan, owned []netip.Prefix, want netconf.Desired) {
	if slices.ContainsFunc(p.Blocked, func(b netconf.Blocked) bool { return !slices.Contains(k.Routes, b.By) }) {
		k.Apply(owned, want)
	}
}

// refused reports whether something failed besides the routes whose place is
// taken.
func refused(o netconf.Outcome) bool {
	return slices.ContainsFunc(o.Failed, func(f netconf.Failure) bool {
		var blocked *netconf.BlockedError
		return !errors.As(f.Err, &blocked)
	})
}

// TestRefusedPlansTouchNothingForeign: whatever the kernel refuses.
func TestRefusedPlansTouchNothingForeign(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20_000) {
		g := &generator{rand.New(rand.NewPCG(seed, 2))}
		before := g.kernel()
		owned, want := g.owned(), g.want()
		plan := netconf.Diff(before.State, owned, want)
		after := before.Clone()
		after.Refuse = func(netconf.Op) error {
			if g.IntN(3) == 0 {
				return netconftest.ErrRefused
			}
			return nil
		}
		o := after.Apply(owned, want)
		after.Refuse = nil
		fail := func(what string, about any) {
			t.Helper()
			t.Fatalf("seed %d: %s: %v\nbefore:\n%sowned %v\nplan:\n%safter:\n%s", seed, what, about, stateText(before.State), owned, planText(plan), stateText(after.State))
		}
		g.checkForeign(before, after, owned, want, fail)
		// What was refused is done by the next plan.
		second := netconf.Diff(after.State, owned, want)
		after.Apply(owned, want)
		free(after, second, owned, want)
		if missing := netconf.Missing(after.State, want); len(missing) != len(netconf.Diff(after.State, owned, want).Blocked) {
			fail("missing after the second plan", missing)
		}
		if o.AddressesSet() && !refused(o) && after.PromoteSecondaries != before.PromoteSecondaries {
			fail("promote_secondaries was left", after.PromoteSecondaries)
		}
	}
}

// A generator makes kernels, records and wishes of a few values, so that they
// often meet.
type generator struct{ *rand.Rand }

func (g *generator) one(list ...string) string { return list[g.IntN(len(list))] }

func (g *generator) prefix() netip.Prefix {
	return netip.MustParsePrefix(g.one("10.0.0.1/24", "10.0.0.2/24", "10.0.0.3/24", "10.0.1.1/24", "10.0.0.1/16",
		"2001:db8::1/128", "2001:db8::2/128", "2001:db8::2/64"))
}

func (g *generator) lifetime() netconf.Lifetime {
	if g.IntN(3) == 0 {
		return netconf.Lifetime{Forever: true}
	}
	end := start.Add(time.Duration(g.IntN(2000)) * time.Second)
	return netconf.Lifetime{ValidUntil: end, PreferredUntil: end}
}

func (g *generator) route(sources []netip.Prefix) netconf.Route {
	var r netconf.Route
	if g.IntN(4) == 0 || len(sources) == 0 {
		r.Destination = netip.MustParsePrefix(g.one("2001:db8:100::/56", "2001:db8:200::/56"))
		if r.Type = netconf.Unreachable; g.IntN(2) == 0 {
			r.Type, r.Router = netconf.Unicast, netip.MustParseAddr(g.one("fe80::1", "fe80::2"))
		}
	} else {
		source := sources[g.IntN(len(sources))]
		r.Source = source.Addr()
		if r.Destination = source.Masked(); g.IntN(2) == 0 {
			r.Destination = netip.PrefixFrom(netip.IPv6Unspecified(), 0)
			r.Router = netip.MustParseAddr(g.one("fe80::1", "fe80::2"))
			if source.Addr().Is4() {
				r.Destination = netip.PrefixFrom(netip.IPv4Unspecified(), 0)
				r.Router = netip.MustParseAddr(g.one("10.0.0.8", "10.0.0.9"))
			}
		}
	}
	r.Metric = []uint32{0, 100, 200}[g.IntN(3)]
	r.Table = []uint32{0, netconf.TableMain, 7}[g.IntN(3)]
	return r
}

func (g *generator) kernel() *netconftest.Kernel {
	k := &netconftest.Kernel{State: netconf.State{At: start, Link: netconf.Link{Index: 2, Name: "eth0", MTU: 1500, Up: true}, PromoteSecondaries: g.IntN(3) == 0}}
	for range g.IntN(5) {
		a := netconf.Address{Prefix: g.prefix(), Protocol: []uint8{0, netconf.ProtocolDHCP, 4}[g.IntN(3)]}
		if g.IntN(3) > 0 {
			a.Flags = netconf.NoPrefixRoute
		}
		valid, preferred := g.lifetime().Seconds(start)
		_ = k.Others(netconf.AddAddress{Address: a, Valid: valid, Preferred: preferred})
	}
	var sources []netip.Prefix
	for _, a := range k.Addresses {
		sources = append(sources, a.Prefix)
	}
	for range g.IntN(6) {
		r := g.route(sources).Normal(k.Link, k.Addresses)
		r.Protocol = []uint8{netconf.ProtocolDHCP, netconf.ProtocolDHCP, 4}[g.IntN(3)]
		_ = k.Others(netconf.AppendRoute{Route: r})
	}
	return k
}

func (g *generator) owned() (list []netip.Prefix) {
	for range g.IntN(4) {
		list = append(list, g.prefix())
	}
	if g.IntN(4) == 0 {
		list = append(list, netip.MustParsePrefix("2001:db8:100::/56"))
	}
	return list
}

func (g *generator) want() netconf.Desired {
	var d netconf.Desired
	var sources []netip.Prefix
	for range g.IntN(3) {
		p := g.prefix()
		if slices.ContainsFunc(d.Addresses, func(a netconf.Address) bool { return a.Prefix.Addr() == p.Addr() }) {
			continue
		}
		d.Addresses = append(d.Addresses, netconf.Address{Prefix: p, Lifetime: g.lifetime()})
		sources = append(sources, p)
	}
	for range g.IntN(4) {
		r := g.route(sources)
		if !slices.ContainsFunc(d.Routes, func(o netconf.Route) bool {
			return o.Normal(netconf.Link{}, nil).Object() == r.Normal(netconf.Link{}, nil).Object()
		}) {
			d.Routes = append(d.Routes, r)
		}
	}
	d.MTU = []int{0, 1500, 1400}[g.IntN(3)]
	return d
}

// checkForeign reports what was not ours and is not as it was. Our address may
// take along the routes that have it as their source, and promote another.
func (g *generator) checkForeign(before, after *netconftest.Kernel, owned []netip.Prefix, want netconf.Desired, fail func(string, any)) {
	for _, a := range before.Addresses {
		// Said here once more, in another way.
		onRecord := slices.ContainsFunc(owned, func(p netip.Prefix) bool {
			return p == a.Prefix || p.Addr() == a.Prefix.Addr() && p.Addr().Is6()
		})
		if onRecord && a.Flags&netconf.NoPrefixRoute != 0 && a.Protocol != 4 {
			continue
		}
		i := slices.IndexFunc(after.Addresses, func(b netconf.Address) bool { return b.Prefix == a.Prefix })
		if i < 0 {
			fail("another's address is gone", a.Prefix)
			return
		}
		b := after.Addresses[i]
		b.Flags |= a.Flags & netconf.Secondary
		if a != b {
			fail("another's address was changed", b)
		}
	}
	for _, r := range before.Routes {
		there := !r.Source.IsValid() || slices.ContainsFunc(after.Addresses, func(a netconf.Address) bool { return a.Prefix.Addr() == r.Source })
		if there && (!netconf.Ours(before.State, owned, want, r) || r.Protocol != netconf.ProtocolDHCP) && !slices.Contains(after.Routes, r) {
			fail("another's route is gone", r)
		}
	}
}

// TestLeave: what is to be left out is not added, and what is there stays.
func TestLeave(t *testing.T) {
	t.Parallel()
	left := 0
	for seed := range uint64(5_000) {
		g := &generator{rand.New(rand.NewPCG(seed, 2))}
		before := g.kernel()
		owned, want := g.owned(), g.want()
		missing := netconf.Missing(before.State, want)
		want.Leave = missing
		after := before.Clone()
		after.Apply(owned, want)
		for _, o := range missing {
			left++
			if !slices.Contains(netconf.Missing(after.State, want), o) && o.Kind == netconf.ObjectAddress {
				t.Fatalf("seed %d: %v was added\nbefore:\n%safter:\n%s", seed, o, stateText(before.State), stateText(after.State))
			}
		}
		// Where it is there, it stays as if nothing were to be left out.
		rest := want
		rest.Leave = nil
		settled := before.Clone()
		settled.Apply(owned, rest)
		there := settled.Clone()
		settled.Apply(owned, rest)
		rest.Leave = slices.DeleteFunc(missing, func(o netconf.Object) bool { return slices.Contains(netconf.Missing(there.State, want), o) })
		there.Apply(owned, rest)
		if a, b := stateText(settled.State), stateText(there.State); a != b {
			t.Fatalf("seed %d: leaving out %v changes what is there\nbefore:\n%safter:\n%s", seed, rest.Leave, a, b)
		}
	}
	if left < 1000 {
		t.Errorf("only %d objects were left out", left)
	}
}

// TestRefusedSuccessor: where the kernel refuses a new route, the one that it was
// to replace stays.
func TestRefusedSuccessor(t *testing.T) {
	t.Parallel()
	address := netip.MustParsePrefix("10.77.0.100/24")
	through := func(router string) netconf.Route {
		return netconf.Route{
			Destination: netip.MustParsePrefix("0.0.0.0/0"), Router: netip.MustParseAddr(router), Source: address.Addr(),
			Metric: 100, Table: netconf.TableMain, Protocol: netconf.ProtocolDHCP,
		}
	}
	ours := netconf.Address{Prefix: address, Flags: netconf.NoPrefixRoute, Protocol: netconf.ProtocolDHCP, Lifetime: netconf.Lifetime{Forever: true}}
	have := netconf.State{Link: netconf.Link{Index: 3, Up: true, Carrier: true}, Addresses: []netconf.Address{ours}, Routes: []netconf.Route{through("10.77.0.1")}}
	plan := netconf.Diff(have, []netip.Prefix{address}, netconf.Desired{Addresses: []netconf.Address{ours}, Routes: []netconf.Route{through("10.77.0.2")}})
	if len(plan.Add) != 1 || len(plan.Remove) != 1 {
		t.Fatalf("plan %v, %v", plan.Add, plan.Remove)
	}
	if remove, _ := plan.Cleanup([]netconf.Failure{{plan.Add[0], errors.New("refused")}}); len(remove) != 0 {
		t.Errorf("there is no default route left: %v", remove)
	}
}
