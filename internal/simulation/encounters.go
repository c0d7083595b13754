package simulation

import (
	"slices"
	"time"

	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/tenancy"
)

// encounters are what happens where there is more than one adapter.
var encounters table

func init() { //nolint:gochecknoinits // a table of methods that refer to it
	encounters = table{
		{10, "companion: call", func(s *simulation) {
			verbs := []tenancy.Verb{tenancy.Renew, tenancy.Renew, tenancy.Release, tenancy.Await, tenancy.End, tenancy.EndKeep}
			patience := []time.Duration{0, time.Second, 20 * time.Second}
			x := s.companion()
			if !x.managed() {
				s.callTo(x, tenancy.Await, patience[s.chance.IntN(len(patience))])
				return
			}
			for range 1 + s.chance.IntN(2) {
				s.callTo(x, verbs[s.chance.IntN(len(verbs))], patience[s.chance.IntN(len(patience))])
			}
		}},
		{6, "companion: flap", func(s *simulation) {
			x := s.companion()
			x.setCarrier(nil)
			s.later(func() { x.setCarrier(x.network) })
		}},
		{3, "companion: link down", func(s *simulation) {
			if x := s.companion(); !s.m.asleep {
				x.setUp(false)
				x.dropped = true
				s.later(func() { x.setUp(true) })
			}
		}},
		{5, "companion: removed", func(s *simulation) {
			if x := s.companion(); s.awake() {
				x.remove(x)
				s.later(x.appear)
			}
		}},
		{4, "companion: crash", func(s *simulation) {
			x := s.companion()
			if s.awake() && x.managed() {
				s.callTo(x, tenancy.Renew, 20*time.Second)
				s.m.crashAt = s.m.done + 1 + s.chance.IntN(6)
			}
		}},
		{4, "renamed", (*simulation).renamed},
		{5, "names exchanged", func(s *simulation) { s.exchange((*simulation).inTurns) }},
		{4, "names exchanged, nobody told", func(s *simulation) { s.exchange((*simulation).unseen) }},
	}
}

// companion returns one of them.
func (s *simulation) companion() *companion {
	return s.m.companions[s.chance.IntN(len(s.m.companions))]
}

// renamed gives an adapter another name.
func (s *simulation) renamed() {
	if !s.awake() {
		return
	}
	sides := slices.Collect(s.m.sides())
	n := sides[s.chance.IntN(len(sides))].card()
	names := []string{"eth0", "eth1", "lan0"}
	name := names[s.chance.IntN(len(names))]
	if n.present && !slices.ContainsFunc(sides, func(x side) bool { return x.card().ns == n.ns && x.card().name() == name }) {
		n.rename(name)
		s.tally["adapter renamed"]++
	}
}

// exchange has the two adapters of the program's own namespace exchange their names.
func (s *simulation) exchange(how func(s *simulation, a, b *nic)) {
	i := slices.IndexFunc(s.m.companions, func(x *companion) bool { return x.ns == core.Home })
	if i < 0 || !s.awake() {
		return
	}
	a, b := &s.m.nic, &s.m.companions[i].nic
	if !a.present || !b.present {
		return
	}
	if dhcptest.Chance(s.chance, 0.5) {
		a, b = b, a
	}
	s.tally["exchanged"]++
	how(s, a, b)
}

// inTurns exchanges names by one that is told, too.
func (s *simulation) inTurns(a, b *nic) {
	first, second := a.name(), b.name()
	for i, step := range []func(){func() { a.rename("tmp0") }, func() { b.rename(first) }, func() { a.rename(second) }} {
		if i > 0 && dhcptest.Chance(s.chance, 0.3) {
			s.pass(time.Duration(s.chance.Int64N(int64(time.Second))))
		}
		step()
	}
}

// unseen exchanges names at once: the notifications are lost.
func (s *simulation) unseen(a, b *nic) {
	k := s.m.socket(core.Home)
	k.overrun()
	s.inTurns(a, b)
}
