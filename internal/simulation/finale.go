package simulation

import (
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/netconf/netconftest"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// patience bounds how long it takes to a lease once all is well: the longest
// pause between two attempts, a few addresses that are others', the questions
// about them.
const patience = 6 * time.Minute

// underway is how long a frame or an answer may be under way from before.
const underway = 40 * time.Second

// finale makes all well: then the machine has an address within a bounded
// time, keeps it, and gives it back.
func (s *simulation) finale() {
	s.trace("all is well")
	s.heal()
	s.wait(underway)
	healed := s.now()
	s.begins()
	limit := patience
	for _, g := range s.grants {
		// A server may not know its lease any more and stay silent (RFC 2131
		// section 4.3.2): then it lasts as long as it lasts.
		if left := g.until.Sub(healed); !g.forever && left+patience > limit {
			limit = left + patience
		}
	}
	for _, x := range s.m.companions {
		if !s.until(patience, x.settled) {
			st := x.status()
			s.broke("bound in time", "%s: %v, lease %v, kernel %v (%s)", x.name(), st.State, st.Lease, x.kernel.prefixes(), &st.Problem)
			return
		}
		s.tally["companion settled"]++
	}
	if !s.until(limit, func() bool { return s.settledSince(healed) }) {
		st := s.status()
		s.broke("bound in time", "%v, lease %v, kernel %v after %v (%s)", st.State, st.Lease, s.m.kernel.prefixes(), limit, &st.Problem)
		return
	}
	s.tally["settled"]++
	s.keeps()
	if s.failure == nil {
		s.givesBack()
	}
	for _, x := range s.m.companions {
		if s.failure == nil {
			x.givesBack()
		}
	}
}

func (s *simulation) status() v4.Status { return s.m.status() }

// heal takes all that hinders away.
func (s *simulation) heal() {
	m := s.m
	for _, n := range s.networks {
		n.heal()
		if m.cfg.Conflict == v4.ConflictProbe && m.cfg.DHCP4.Timing == dhcp4.StrictTiming {
			// To ask about an address by RFC 5227 takes longer than some leases last.
			for _, v := range n.servers {
				v.SetLease(time.Hour)
			}
		}
	}
	m.host.Flush()
	if m.asleep {
		m.wake()
	}
	m.kernel.set(willing)
	m.kernel.failAt, m.kernel.reports, m.manager = 0, promptly, ""
	m.disk.full(nil)
	m.unsent, m.crashAt, m.forgetful = nil, 0, false
	for _, k := range m.sockets {
		k.reports = promptly
	}
	for x := range m.sides() {
		n := x.card()
		n.appear()
		n.kernel.reports = promptly
	}
	m.setUp(true)
	m.relink()
	for _, x := range m.companions {
		x.host.Flush()
		x.setUp(true)
		x.setCarrier(x.network)
	}
	m.byOthers(func(k *netconftest.Kernel) {
		for _, h := range slices.Clone(k.Addresses) {
			if !isMine(h) && !h.Lifetime.Forever {
				_ = k.Others(netconf.RemoveAddress{Prefix: h.Prefix})
			}
		}
	})
	if s.here == nil || len(s.here.servers) == 0 {
		s.plug(s.networks[0])
	}
}

// wait lets a while pass.
func (s *simulation) wait(d time.Duration) { s.until(d, func() bool { return false }) }

// begins has the adapter managed, if it is not, and a lease asked for.
func (s *simulation) begins() {
	m := s.m
	for _, v := range s.here.servers {
		v.Host().Flush()
	}
	s.restart()
	s.until(time.Minute, s.idle)
	s.trigger()
	for x := range m.sides() {
		if x.card().managed() {
			s.callTo(x, tenancy.Renew, 20*time.Second)
		} else {
			s.callTo(x, tenancy.Await, 20*time.Second)
		}
	}
	for _, h := range s.here.squatters {
		for _, a := range h.Owned() {
			if m.cfg.Conflict == v4.ConflictOff {
				h.Disown(a) // nobody would find out
				continue
			}
			s.announce(h, a)
		}
	}
}

// settledSince reports whether the machine holds a lease that a server granted
// since then, and the kernel has it.
func (s *simulation) settledSince(then boottime.Instant) bool {
	st := s.status()
	if st.State != dhcp4.StateBound || st.Lease == nil || s.m.kernel.stuck {
		return false
	}
	a := st.Lease.Address.Addr()
	return s.m.kernel.has(a) && (st.Lease.Infinite || !s.grants[offerOf(st.Lease)].at.Before(then)) && !s.taken(a) && s.m.idle()
}

// taken reports whether another host of the network has the address, and the
// tenancy is to know.
func (s *simulation) taken(a netip.Addr) bool {
	if s.m.cfg.Conflict == v4.ConflictOff {
		return false
	}
	for _, h := range s.here.squatters {
		if h.Owns(a) {
			return true
		}
	}
	return false
}

// keeps: with a correct server an address stays in the kernel.
func (s *simulation) keeps() {
	l := s.status().Lease
	d := time.Hour
	if !l.Infinite {
		d = min(3*l.Duration, 36*time.Hour)
	}
	a := l.Address.Addr()
	from := s.steps
	s.until(d, func() bool {
		if !s.m.kernel.has(a) {
			s.broke("kept", "%v is lost: state %v, kernel %v", a, s.status().State, s.m.kernel.prefixes())
		}
		return s.failure != nil || s.steps-from > maxSteps/2
	})
}

// givesBack: a release takes the address away and is silent, an end ends it.
func (s *simulation) givesBack() {
	lease := s.status().Lease
	id := s.call(tenancy.Release, 20*time.Second)
	s.until(time.Minute, func() bool { _, waits := s.open[id]; return !waits && s.idle() })
	if s.failure != nil {
		return
	}
	if have := s.m.kernel.objects(); len(have) > 0 || s.status().State != dhcp4.StateReleased {
		s.broke("released", "%v, kernel %v", s.status().State, have)
	}
	s.wait(time.Second)
	for _, v := range s.here.servers {
		if a, ok := v.Leased(s.m.host.LinkAddr(), s.m.cfg.DHCP4.ClientID); ok && v.Address() == lease.Server && a == lease.Address.Addr() {
			s.broke("released", "the server has a lease of %v still", a)
		}
	}
	s.wait(time.Hour)
	s.call(tenancy.End, 20*time.Second)
	s.until(time.Minute, s.idle)
	if s.m.managed() {
		s.broke("ended", "the tenancy is still there")
	}
	if s.m.record().Lease != nil || s.m.record().Release != v4.NotReleased {
		s.broke("ended", "the record is still there")
	}
}

// idle: nothing is under way.
func (s *simulation) idle() bool {
	return s.m.idle()
}
