package simulation

import (
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/netconf/netconftest"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
)

// configuration is what the rules know of the kernel's configuration: what the
// program set, and what others took away.
type configuration struct {
	// inUse is the lease that was announced as usable, nil if none is.
	inUse *dhcp4.Lease
	// want is what the last Apply wanted, seq its number, applied that of the last one that succeeded.
	// want is what the last Apply is for.
	want         netconf.Desired
	seq, applied uint64
	// taken are the objects that others removed and that are still missing.
	taken map[netconf.Object]loss
	// restored is when the program last put an object back.
	restored map[netconf.Object]boottime.Instant
	// missed are the objects of which the tenancy was told that they are missing,
	// returned is when such an object was last set again, no matter who had it.
	missed   map[netconf.Object]bool
	returned map[netconf.Object]boottime.Instant
	// given are objects that may stay away: they were taken away again soon after
	// they were put back, or another program manages the adapter.
	given map[netconf.Object]bool
	// unsettled is when others, or a notification, last changed something;
	// tampered is whether others have since the tenancy began.
	unsettled boottime.Instant
	blind     boottime.Instant // when the kernel could last not be inspected
	tampered  bool
	// hinted: something may have changed since the kernel was last looked at.
	hinted bool
	// looking: it is being looked at.
	looking bool
}

type loss struct {
	at boottime.Instant
	// known: the tenancy has been told that the object is missing.
	known bool
}

func (c *configuration) init() {
	*c = configuration{
		taken: map[netconf.Object]loss{}, restored: map[netconf.Object]boottime.Instant{},
		missed: map[netconf.Object]bool{}, returned: map[netconf.Object]boottime.Instant{}, given: map[netconf.Object]bool{},
	}
}

// once is how often at most an object is put back.
const once = 10 * time.Minute

// settling is how long it may take from a change by others, or from the news of
// it, until what they took away is put back.
const settling = 5 * time.Second

// touched: others changed the kernel's configuration. What the program set was
// before, and is after.
func (r *rules) touched(before, after map[netconf.Object]bool) {
	now := r.s.now()
	r.unsettled, r.tampered = now, true
	for o := range before {
		if after[o] {
			continue
		}
		r.taken[o] = loss{at: now}
		if at, ok := r.returned[o]; ok && now.Sub(at) < once {
			r.given[o] = true
		}
	}
	r.s.tally["taken away"] += len(before) - len(after)
}

// noticed: the tenancy is about to hear that something may be missing.
func (r *rules) noticed(o netconf.Object) {
	r.unsettled = r.s.now()
	r.hinted = r.hinted || o == (netconf.Object{}) || r.want.Has(o)
}

// inspected: the tenancy is told what is missing.
func (r *rules) inspected(in tenancy.Inspected) {
	r.looking = false
	r.unsettled = r.s.now()
	if in.Err != nil {
		r.blind = r.s.now() // it is tried again
	}
	if r.hinted || in.Seq != r.seq {
		return // it is out of date
	}
	for _, o := range in.Missing {
		r.missed[o] = true
		if at, ok := r.returned[o]; ok && r.s.now().Sub(at) < once {
			r.given[o] = true
		}
		if k, ok := r.taken[o]; ok {
			k.known = true
			r.taken[o] = k
		}
		if in.Manager != "" {
			r.given[o] = true
		}
	}
}

// dropped: the kernel dropped the routes of a link that went down.
func (r *rules) dropped() {
	maps.DeleteFunc(r.taken, func(o netconf.Object, _ loss) bool { return o.Kind == netconf.ObjectRoute })
	// Who has not been told of that takes it for another program's doing.
	r.tampered = r.tampered || r.s.m.untold()
}

// wished: a caller or a new lease wants everything back.
func (r *rules) wished() {
	clear(r.restored)
	clear(r.taken)
}

// announced: a lease may be used.
func (r *rules) announced(l *dhcp4.Lease) {
	if r.inUse == nil || l == nil || l.Address != r.inUse.Address || l.Server != r.inUse.Server {
		clear(r.given)
		r.wished()
	}
	r.inUse = l
}

// carriedOut: the kernel did what it was told, as far as it did.
func (r *rules) carriedOut(before *netconftest.Kernel, o tenancy.Apply, outcome netconf.Outcome) {
	r.unsettled = r.s.now()
	r.tampered = r.tampered || len(outcome.Foreign) > 0 || len(before.Addresses) > len(r.s.m.kernel.mine()) // they may end by themselves
	r.checkForeign(before)
	r.checkReplaced(before, o, outcome)
	if r.inUse == nil || o.Want.IPv4().Prefix != r.inUse.Address && !r.given[addressOf(r.inUse)] {
		r.wished()
		if r.s.m.cfg.Conflict == v4.ConflictProbe {
			r.inUse = nil // it was granted anew, and the link is asked first
		}
	}
	together := false // routes come back with their source
	for _, p := range outcome.Foreign {
		if x := (netconf.Object{Kind: netconf.ObjectAddress, Prefix: p}); r.missed[x] {
			r.returned[x] = r.s.now() // others were quicker
			together = true
		}
	}
	for _, x := range outcome.Refused() {
		delete(r.taken, x) // it is tried again, as often as it takes
	}
	was, is := (&kernel{Kernel: *before}).objects(), r.s.m.kernel.objects()
	maps.DeleteFunc(is, func(x netconf.Object, _ bool) bool { return was[x] })
	for x := range is {
		together = together || x.Kind == netconf.ObjectAddress
	}
	for x := range is {
		if together && x.Kind == netconf.ObjectRoute {
			delete(r.taken, x)
		}
		r.putBack(x)
	}
}

// putBack: at most once per object in ten minutes, unless a caller or a new lease
// wants it.
func (r *rules) putBack(o netconf.Object) {
	now := r.s.now()
	if r.missed[o] {
		r.returned[o] = now
		delete(r.missed, o)
	}
	k, ok := r.taken[o]
	delete(r.taken, o)
	delete(r.given, o)
	if !ok || !k.known || r.inUse != nil && r.s.m.lapses(r.inUse) {
		return
	}
	r.s.tally["put back"]++
	if at, ok := r.restored[o]; ok && now.Sub(at) < once {
		r.s.broke("put back once", "%v is put back, and was %v ago", o, now.Sub(at))
	}
	r.restored[o] = now
}

// checkForeign: what others set is never changed and never removed. Routes go
// with their source, and with the last address.
func (r *rules) checkForeign(before *netconftest.Kernel) {
	k := &r.s.m.kernel
	for _, h := range before.Addresses {
		if isMine(h) {
			continue
		}
		i := slices.IndexFunc(k.Addresses, func(a netconf.Address) bool { return a.Prefix == h.Prefix })
		if i < 0 {
			r.s.broke("foreign", "the address %v of others is gone", h.Prefix)
			return
		}
		now := k.Addresses[i]
		now.Flags |= h.Flags & netconf.Secondary // it may be promoted
		if now != h {
			r.s.broke("foreign", "the address %v of others is %+v, and was %+v", h.Prefix, now, h)
		}
	}
	for _, h := range before.Routes {
		gone := len(k.Addresses) == 0 || h.Source.IsValid() && !k.has(h.Source)
		if !isMyRoute(h) && !gone && !slices.Contains(k.Routes, h) {
			r.s.broke("foreign", "the route %v of others is gone", h)
		}
	}
	if before.PromoteSecondaries != k.PromoteSecondaries && k.refusing == willing && !k.partial {
		r.s.broke("foreign", "promote_secondaries is %v, and was %v", k.PromoteSecondaries, before.PromoteSecondaries)
	}
}

// checkReplaced: where the kernel refuses a new address, the one before it stays.
func (r *rules) checkReplaced(before *netconftest.Kernel, o tenancy.Apply, outcome netconf.Outcome) {
	refused := slices.ContainsFunc(outcome.Failed, func(f netconf.Failure) bool {
		_, ok := f.Op.(netconf.AddAddress)
		return ok
	})
	if !refused {
		return
	}
	for _, h := range before.Addresses {
		if !r.s.m.kernel.has(h.Prefix.Addr()) {
			r.s.broke("kept until replaced", "%v was removed, and %v refused", h.Prefix, o.Want.IPv4().Prefix)
		}
	}
}

// checkOrder: an answer that says that something is done comes after the report
// that the kernel is so.
func (r *rules) checkOrder(c call, o tenancy.Answer) {
	switch c.verb {
	case tenancy.Renew, tenancy.Await, tenancy.Release:
		if o.Result.Code == errno.NO_ERROR && r.seq != r.applied {
			r.s.broke("honest answers", "%v is answered before the kernel has reported: %d of %d", c.verb, r.applied, r.seq)
		}
	case tenancy.End, tenancy.EndKeep:
	}
}

// news reports whether others have just changed something of which the tenancy may
// not know.
func (s *simulation) news() bool {
	since := s.now().Sub(max(s.m.woke, s.unsettled))
	return s.m.notices > 0 || s.m.untold() || since <= taking || (s.hinted || s.looking) && since <= settling
}

// lapses reports whether a lease is in its last seconds, in which the kernel may
// end the address: it counts whole seconds.
func (m *machine) lapses(l *dhcp4.Lease) bool {
	end, ends := l.Expires()
	return ends && end.Sub(m.s.now()) < settling
}

func addressOf(l *dhcp4.Lease) netconf.Object {
	return netconf.Object{Kind: netconf.ObjectAddress, Prefix: l.Address}
}

// expected returns what the kernel must hold for a lease.
func expected(l *dhcp4.Lease) []netconf.Object {
	list := []netconf.Object{addressOf(l)}
	route := func(p netip.Prefix) {
		list = append(list, netconf.Object{Kind: netconf.ObjectRoute, Prefix: p, Metric: metric, Table: netconf.TableMain})
	}
	route(l.Address.Masked())
	for _, to := range l.Routes {
		route(to.Destination)
	}
	if len(l.Routes) == 0 && len(l.Routers) > 0 && l.Routers[0] != l.Address.Addr() {
		route(netip.PrefixFrom(netip.IPv4Unspecified(), 0))
	}
	return list
}

// hasObject reports whether the kernel has an object, no matter who set it.
func (k *kernel) hasObject(o netconf.Object) bool {
	if o.Kind == netconf.ObjectAddress {
		return slices.ContainsFunc(k.Addresses, func(h netconf.Address) bool { return h.Prefix == o.Prefix })
	}
	return slices.ContainsFunc(k.Routes, func(h netconf.Route) bool { return h.Object() == o })
}

// checkConfiguration: with nothing under way the kernel has the address and the
// routes of the lease in use, no status shows an address that is not there, and
// what others took away once is back.
func (s *simulation) checkConfiguration(now boottime.Instant) {
	m := s.m
	if s.news() {
		return
	}
	st := m.status()
	for _, p := range []netip.Prefix{st.LinkLocal, leaseAddress(st.Lease)} {
		if p.IsValid() && !m.kernel.has(p.Addr()) && now.Sub(s.blind) > settling {
			s.broke("honest status", "%v is shown; the kernel has %v", p, m.kernel.prefixes())
		}
	}
	if s.inUse == nil || !m.carrier || m.kernel.partial || m.kernel.refusing != willing || s.stale ||
		now.Sub(max(s.unsettled, s.linkSince, m.woke, s.saw)) <= settling || m.lapses(s.inUse) {
		return
	}
	for _, o := range expected(s.inUse) {
		switch {
		case m.kernel.hasObject(o):
		case s.given[o] || o.Kind == netconf.ObjectRoute && s.given[addressOf(s.inUse)]:
			if st.Problem.Reason != reason.TakenAway {
				s.broke("honest status", "%v is missing, and the problem is %v", o, st.Problem.Reason)
			}
		default:
			s.broke("agreement", "the kernel lacks %v of %v", o, s.inUse.Address)
		}
	}
}

func leaseAddress(l *dhcp4.Lease) netip.Prefix {
	if l == nil {
		return netip.Prefix{}
	}
	return l.Address
}
