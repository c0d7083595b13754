package simulation

import (
	"cmp"
	"net/netip"
	"time"

	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/tenancy"
)

// story is what happens from outside.
type story struct {
	nextID uint64 // of the last call
}

// paces make events fall into one exchange, between two renewals or days apart.
var paces = []time.Duration{50 * time.Millisecond, time.Second, 10 * time.Second, 2 * time.Minute, time.Hour}

// tellStory lets things happen.
func (s *simulation) tellStory() {
	r := s.chance
	for range 5 + r.IntN(30) {
		if s.failure != nil || s.steps > maxSteps {
			return
		}
		pace := paces[r.IntN(len(paces))]
		s.pass(time.Duration(r.ExpFloat64() * float64(pace)))
		if s.failure == nil {
			incidents.draw(r.IntN(incidents.weight()))(s)
			s.check()
			if len(s.m.companions) > 0 && dhcptest.Chance(r, 0.4) {
				encounters.draw(r.IntN(encounters.weight()))(s)
				s.check()
			}
		}
	}
}

type incident struct {
	weight int
	name   string
	happen func(*simulation)
}

type table []incident

func (t table) weight() (sum int) {
	for _, i := range t {
		sum += i.weight
	}
	return sum
}

func (t table) draw(n int) func(*simulation) {
	for _, i := range t {
		if n < i.weight {
			return func(s *simulation) {
				s.trace("%s", i.name)
				s.tally[i.name]++
				i.happen(s)
			}
		}
		n -= i.weight
	}
	return func(*simulation) {}
}

// incidents are what happens, as often as it is fun.
var incidents table

func init() { //nolint:gochecknoinits // a table of methods that refer to it
	incidents = table{
		{8, "flap", func(s *simulation) {
			was := s.here
			s.plug(nil)
			s.later(func() {
				if s.here == nil {
					s.plug(was)
				}
			})
		}},
		{4, "unplug", func(s *simulation) { s.plug(nil) }},
		{8, "plug", func(s *simulation) { s.plug(s.networks[s.chance.IntN(len(s.networks))]) }},
		{6, "faults", func(s *simulation) { s.some().link.SetFaults(faults(s.chance)) }},
		{6, "heal", func(s *simulation) {
			n := s.some()
			n.link.Heal()
			n.cut = nil
		}},
		{3, "partition", func(s *simulation) { s.some().partition(s.chance, s.m.host.Port()) }},
		{8, "behaviour", func(s *simulation) {
			for _, v := range s.some().servers {
				v.SetBehaviours(behaviours(s.chance)...)
			}
		}},
		{3, "forget", func(s *simulation) {
			for _, v := range s.some().servers {
				v.Forget()
			}
		}},
		{8, "FORCERENEW", func(s *simulation) {
			for _, v := range cmp.Or(s.here, s.some()).servers {
				v.ForceRenew(s.m.host.LinkAddr(), s.m.cfg.DHCP4.ClientID, dhcptest.Chance(s.chance, 0.4))
			}
		}},
		{3, "lease time", func(s *simulation) {
			for _, v := range s.some().servers {
				v.SetLease(leaseTimes[s.chance.IntN(len(leaseTimes))])
			}
		}},
		{3, "shorter lease", func(s *simulation) {
			for _, v := range s.some().servers {
				v.SetLease(leaseTimes[0])
			}
			if s.awake() {
				s.call(tenancy.Renew, 20*time.Second)
				s.m.crashAt = s.m.done + 1 + s.chance.IntN(6)
			}
		}},
		{6, "suspend", (*simulation).suspend},
		{14, "call", (*simulation).anyCall},
		{3, "cancel", func(s *simulation) {
			if s.awake() && s.nextID > 0 {
				s.m.input(core.Cancel{Call: 1 + s.chance.Uint64N(s.nextID)})
			}
		}},
		{6, "crash", func(s *simulation) {
			if s.awake() {
				s.crashNow()
			}
		}},
		{6, "crash between outputs", func(s *simulation) { s.m.crashAt = s.m.done + 1 + s.chance.IntN(8) }},
		{3, "power failure", func(s *simulation) {
			if s.m.asleep {
				s.m.wake()
			}
			if s.m.runs() {
				s.m.power()
				s.restartLater()
			}
		}},
		{4, "kernel", func(s *simulation) {
			s.m.kernel.set(refusal(s.chance.IntN(int(refusals)))) //nolint:gosec // a few
			s.later(func() { s.m.kernel.set(willing) })
		}},
		{3, "failing operation", func(s *simulation) { s.m.kernel.failAt = 1 + s.chance.IntN(6) }},
		{4, "notifications", func(s *simulation) {
			s.m.kernel.reports = reporting(s.chance.IntN(int(reporters))) //nolint:gosec // a few
		}},
		{6, "link notifications", func(s *simulation) {
			k := s.m.socket([]core.NS{core.Home, core.Home, away}[s.chance.IntN(3)])
			k.reports = reporting(s.chance.IntN(int(reporters))) //nolint:gosec // a few
		}},
		{2, "another client", func(s *simulation) {
			s.m.manager = "dhcpcd"
			s.later(func() { s.m.manager = "" })
		}},
		{14, "tampering", func(s *simulation) {
			for range 1 + s.chance.IntN(3) {
				s.tamper()
				s.pass(time.Duration(s.chance.Int64N(int64(2 * time.Second))))
			}
		}},
		{4, "tampering and a call", func(s *simulation) {
			s.tamper()
			s.pass(time.Duration(s.chance.Int64N(int64(2 * time.Second))))
			s.anyCall()
		}},
		{3, "tampering and a release", func(s *simulation) {
			s.tamper()
			s.pass(time.Duration(s.chance.Int64N(int64(time.Second))))
			if s.awake() {
				s.call(tenancy.Release, 20*time.Second)
			}
		}},
		{6, "slow kernel", func(s *simulation) {
			s.m.kernel.reports = delayed
			s.overtake()
			for range 1 + s.chance.IntN(3) {
				if s.awake() && dhcptest.Chance(s.chance, 0.3) {
					s.call(tenancy.Renew, 20*time.Second)
				} else {
					s.tamper()
				}
				s.pass(time.Duration(s.chance.Int64N(int64(3 * time.Second))))
			}
		}},
		{4, "refused move", func(s *simulation) {
			// From one network that is known to another: there the lease is in use
			// at once, in the place of the one before.
			home, away := s.some(), s.networks[s.chance.IntN(len(s.networks))]
			for _, n := range []*network{home, away} {
				s.plug(n)
				s.pass(time.Duration(s.chance.ExpFloat64() * float64(20*time.Second)))
			}
			s.m.kernel.set(refusesNew)
			s.plug(home)
			s.later(func() { s.m.kernel.set(willing) })
		}},
		{4, "link down", func(s *simulation) {
			if !s.m.asleep {
				s.m.setUp(false)
				s.later(func() { s.m.setUp(true) })
			}
		}},
		{3, "disk", func(s *simulation) {
			s.m.disk.full(errDisk)
			s.later(func() { s.m.disk.full(nil) })
		}},
		{3, "send failures", func(s *simulation) {
			s.m.unsent = errNoCarrier
			s.later(func() { s.m.unsent = nil })
		}},
		{3, "unknown neighbours", func(s *simulation) {
			s.m.forgetful = true
			if s.awake() {
				s.call(tenancy.Release, 20*time.Second)
			}
			s.later(func() { s.m.forgetful = false })
		}},
		{5, "squatter", (*simulation).squat},
		{2, "MTU", func(s *simulation) {
			s.m.kernel.Link.MTU = 1400 + s.chance.IntN(100)
			s.m.socket(core.Home).changed(&s.m.nic)
		}},
		{3, "removed", (*simulation).removed},
		{8, "calm", func(s *simulation) {
			for range 5 {
				s.pass(time.Duration(s.chance.ExpFloat64() * float64(time.Minute)))
			}
		}},
	}
}

// later has do called after a while, of any length.
func (s *simulation) later(do func()) {
	s.world.After(time.Duration(s.chance.ExpFloat64()*float64(paces[s.chance.IntN(len(paces))])), do)
}

// some returns a network, mostly the one where the machine is.
func (s *simulation) some() *network {
	if s.here != nil && dhcptest.Chance(s.chance, 0.8) {
		return s.here
	}
	return s.networks[s.chance.IntN(len(s.networks))]
}

// removed takes the adapter away and brings it back: it is managed again as before.
func (s *simulation) removed() {
	if !s.awake() {
		return
	}
	s.m.remove(s.m)
	s.later(s.m.appear)
}

// awake: the program runs and can be called.
func (s *simulation) awake() bool { return s.m.runs() && !s.m.asleep }

func (s *simulation) suspend() {
	if s.m.asleep {
		s.m.wake()
		return
	}
	s.m.sleep()
	d := time.Duration(s.chance.ExpFloat64() * float64(paces[s.chance.IntN(len(paces))]))
	if dhcptest.Chance(s.chance, 0.3) {
		d += 24 * time.Hour
	}
	slept := s.now()
	s.world.After(d, func() {
		if s.m.asleep && s.m.woke == slept {
			s.m.wake()
		}
	})
}

// crashNow ends the program; somebody starts it again.
func (s *simulation) crashNow() {
	s.tally["crashed"]++
	s.m.crash()
	s.restartLater()
}

func (s *simulation) restartLater() {
	s.world.After(time.Duration(s.chance.ExpFloat64()*float64(paces[s.chance.IntN(3)])), s.restart)
}

func (s *simulation) restart() {
	if s.m.runs() {
		return
	}
	if s.m.asleep {
		s.m.wake()
	}
	s.trace("the program starts")
	s.m.start()
}

// anyCall has somebody want something.
func (s *simulation) anyCall() {
	if !s.awake() {
		return
	}
	verbs := []tenancy.Verb{
		tenancy.Renew, tenancy.Renew, tenancy.Renew, tenancy.Release, tenancy.Release, tenancy.Await, tenancy.End, tenancy.EndKeep,
	}
	if !s.m.managed() {
		s.up()
		return
	}
	patience := []time.Duration{0, time.Second, 5 * time.Second, 20 * time.Second, time.Minute}
	for range 1 + s.chance.IntN(2) {
		s.call(verbs[s.chance.IntN(len(verbs))], patience[s.chance.IntN(len(patience))])
	}
}

// call puts a request about the first adapter to the program.
func (s *simulation) call(v tenancy.Verb, patience time.Duration) uint64 {
	return s.callTo(s.m, v, patience)
}

// callTo puts a request about an adapter to the program: by its link, or by the name
// that the program knows.
func (s *simulation) callTo(x side, v tenancy.Verb, patience time.Duration) uint64 {
	n := x.card()
	s.nextID++
	deadline := s.now().Add(patience)
	s.trace("call %d: %v of %s within %v", s.nextID, v, n.name(), patience)
	if !s.awake() || !n.present {
		return s.nextID // there is nobody to call, or nothing to name
	}
	name := n.known()
	if whose := s.m.socket(n.ns).called(name); v != tenancy.Await && whose != nil {
		x = whose
	}
	s.m.callees[s.nextID] = x
	x.called(s.nextID, v, deadline)
	if v == tenancy.Await {
		s.m.socket(n.ns).seen(n)
		s.m.input(core.Up{Call: s.nextID, NS: n.ns, Link: n.kernel.Link, Deadline: deadline})
	} else {
		s.m.input(core.Call{Call: s.nextID, NS: n.ns, Name: name, Verb: v, Deadline: deadline})
	}
	return s.nextID
}

// up is `lessee up`: the adapter is managed, then its address awaited.
func (s *simulation) up() { s.call(tenancy.Await, 20*time.Second) }

// squat lets another host take an address: ours, mostly. It says so, as hosts do.
func (s *simulation) squat() {
	n := s.here
	if n == nil || len(n.squatters) == 0 {
		return
	}
	h := n.squatters[s.chance.IntN(len(n.squatters))]
	h.Mute = dhcptest.Chance(s.chance, 0.2)
	a := n.host(100 + s.chance.IntN(2*poolSize))
	if have := s.m.kernel.prefixes(); len(have) > 0 && n.prefix.Contains(have[0].Addr()) && dhcptest.Chance(s.chance, 0.7) {
		a = have[0].Addr()
	}
	h.Own(a)
	s.trigger()
	s.announce(h, a)
}

// announce has a host say twice that it uses an address (RFC 5227 section 2.3).
func (s *simulation) announce(h *dhcptest.Host, a netip.Addr) {
	for i := range 2 {
		s.world.After(time.Duration(i)*2*time.Second, func() {
			if h.Owns(a) {
				h.Announce(a)
			}
		})
	}
}
