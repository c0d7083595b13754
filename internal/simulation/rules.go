package simulation

import (
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// rules is what is known of the life so far, from what passed on the wire and
// between tenancy, kernel, disk and callers. It shares nothing with the code it
// judges.
type rules struct {
	s *simulation
	// grants are the addresses that servers granted, by what was delivered.
	grants map[offer]grant
	// granting is that of the ACK that is being told, before what was
	// known of it: an ACK that the tenancy rejects changes nothing.
	granting  offer
	before    grant
	hadBefore bool
	// contested and declined are addresses of the outputs of one input.
	contested, declined netip.Addr
	// asked is when a message that an ACK may answer left last, by transaction.
	asked map[uint32]question
	last  uint32 // the transaction of the message that the tenancy sent last
	// revoked is when a server took an address back.
	revoked map[offer]boottime.Instant
	open    map[uint64]call // without an answer
	// silent: the lease was released, and nobody wants another.
	silent bool
	// resend is about a RELEASE that the program that ended last may not have
	// sent. linkSince is when the link last came or went.
	resend    resend
	linkSince boottime.Instant
	// saw is when a tenancy began.
	saw boottime.Instant
	// stale: the program ended while the disk had not taken what it saved last.
	// What it comes back to may be a lease that was shortened or lost since.
	stale, wasStale bool // now, and before the ACK that is being told
	rates           rates
	arps            bucket
	lease           *dhcp4.Lease // that Status told last
	configuration
}

type resend uint8

const (
	resendNone     resend = iota
	resendDue             // the next program must send it
	resendUnderWay        // it tries to
)

type call struct {
	verb     tenancy.Verb
	deadline boottime.Instant
	// superseded: somebody wanted a lease after this release.
	superseded bool
}

func (r *rules) init(s *simulation) {
	*r = rules{
		s: s, grants: map[offer]grant{}, asked: map[uint32]question{}, revoked: map[offer]boottime.Instant{},
		open: map[uint64]call{},
	}
	r.rates.init()
	r.configuration.init()
	r.arps = bucket{size: 30, level: 30, every: time.Second}
}

// began: a tenancy begins.
func (r *rules) began() {
	r.configuration.init()
	r.lease, r.saw = nil, r.s.now()
	r.resend = resendNone
	if !r.s.m.remembered() {
		r.silent = false // the management was ended, and begins anew
	} else if r.s.m.saved.Release == v4.Releasing {
		r.resend = resendDue
	}
	r.unsaved()
	r.trigger()
}

// unsaved: where the disk did not take what was saved last, nobody can know
// what was released, or for how long a lease is.
func (r *rules) unsaved() {
	if r.s.m.unsaved {
		r.stale, r.silent = true, false
	}
}

// crashed: the callers went with the program.
func (r *rules) crashed() {
	r.unsaved()
	clear(r.open)
	r.lease = nil
	clear(r.revoked)
	r.unheard()
	r.trigger()
}

// rebooted: a release lasts until the next boot. An ACK that had not reached the
// disk when the power failed is as good as lost.
func (r *rules) rebooted() {
	r.silent = false
	r.unheard()
}

// ended: the tenancy is over.
func (r *rules) ended() {
	r.lease = nil
	r.trigger()
}

// waited: a message waited for a link address, and what came after it with it: what
// left meanwhile leaves late. A RELEASE may have waited in vain.
func (r *rules) waited() {
	r.rates.moved()
	if r.resend == resendDue {
		r.resend = resendNone
	}
}

// linked: the link went or came.
func (r *rules) linked() {
	r.linkSince = r.s.now()
	r.hinted = r.hinted || r.looking // what it finds is out of date
	r.trigger()
}

// trigger notes that something from outside gives a reason to send, or to
// change one's mind.
func (r *rules) trigger() {
	r.rates.trigger()
	r.arps.fill(8)
}

// called: a caller wants something.
func (r *rules) called(id uint64, verb tenancy.Verb, deadline boottime.Instant) {
	r.open[id] = call{verb: verb, deadline: deadline}
	r.s.tally["call "+verb.String()]++
	r.trigger()
	switch verb {
	case tenancy.Renew, tenancy.Await:
		r.wished()
		r.silent, r.resend = false, resendNone
		for id, o := range r.open {
			if o.verb == tenancy.Release {
				o.superseded = true
				r.open[id] = o
			}
		}
	case tenancy.Release, tenancy.End, tenancy.EndKeep:
	}
}

// applies: the tenancy is told what the kernel did.
func (r *rules) applies(in tenancy.Applied) {
	if in.Extent != tenancy.AppliedNothing {
		r.applied = max(r.applied, in.Seq)
	}
}

// wants: the tenancy wants the kernel to hold something.
func (r *rules) wants(o tenancy.Apply) {
	r.seq, r.want = o.Seq, o.Want
	r.checkWant(o.Want)
}

// looks: it wants it inspected.
func (r *rules) looks() { r.hinted, r.looking = false, true }

// says: the tenancy reports an event.
func (r *rules) says(o v4.Note) {
	if o.Lease != nil {
		r.checkLease(o.Lease)
	}
	switch o.Kind {
	case event.Sent:
		r.rates.sent(r.s, o)
	case event.State, event.IPv6Only:
		r.rates.moved()
		r.s.tally["state "+o.State.String()]++
	case event.Rejected:
		r.rejected()
	case event.LinkLocal:
		r.s.tally["link-local"]++
	case event.Recognised:
		r.s.tally["known network"]++
	case event.Bound, event.Resumed, event.Renewed:
		r.announced(o.Lease)
	case event.Released, event.Expired, event.NAK:
		r.announced(nil)
	case event.TakenAway:
		if !r.tampered {
			r.s.broke("honest notes", "%v was not taken away by another program", o.Cause.Objects)
		}
	case event.Conflict:
		r.announced(nil)
		if o.Lease != nil {
			r.contested = o.Lease.Address.Addr()
		}
	default:
	}
}

// sends: a message is to leave; another one is answered from now on.
func (r *rules) sends(t dhcp4.Transmit) {
	p, err := wire.Parse(t.Message)
	if err != nil {
		r.s.fail("a message is malformed: %v", err)
		return
	}
	r.last = p.XID()
	if t.Type == wire.Release && r.resend == resendDue {
		r.resend = resendUnderWay
	}
	if t.Type == wire.Decline {
		r.declined, _ = p.Addr(wire.OptionRequestedAddress)
	}
}

// drained: all outputs of an input were said. An address in conflict is
// declined where there is a link.
func (r *rules) drained() {
	if a := r.contested; a.IsValid() {
		r.s.tally["conflict"]++
		if r.declined != a && r.s.m.carrier && !r.s.m.untold() {
			r.s.broke("declined", "another host has %v, and no server is told", a)
		}
	}
	r.contested, r.declined = netip.Addr{}, netip.Addr{}
}

// answered: every call is answered exactly once, by its deadline; one whose
// deadline passed in a suspend, when that ends. Who is told that all is well may see
// for himself.
func (r *rules) answered(o tenancy.Answer) {
	c, ok := r.open[o.ID]
	if !ok {
		r.s.broke("answers", "call %d is answered, but nobody waits for that", o.ID)
		return
	}
	delete(r.open, o.ID)
	s := r.s
	if latest := max(c.deadline, s.m.woke); s.now().After(latest) {
		s.broke("answers", "%v was to be answered by %v", c.verb, c.deadline)
	}
	r.checkOrder(c, o)
	s.tally["answer "+c.verb.String()+" "+o.Result.Code.Name()]++
	if o.Result.Code != errno.NO_ERROR {
		return
	}
	switch c.verb {
	case tenancy.Renew, tenancy.Await:
		if l := o.Result.Held; l.Valid() && !s.m.kernel.has(l.Address.Addr()) && s.m.lasts(l.Ends, l.Ends != 0) && !s.news() {
			s.broke("honest answers", "%v says that %v is usable; the kernel has %v", c.verb, l.Address, s.m.kernel.prefixes())
		}
	case tenancy.Release, tenancy.End:
		if c.superseded {
			return
		}
		if have := prefixes(s.m.kernel.mine()); len(have) > 0 && !s.m.kernel.stuck {
			s.broke("honest answers", "%v is done; the kernel has %v", c.verb, have)
		}
		r.silent = c.verb == tenancy.Release
	case tenancy.EndKeep:
	}
}

// lasts reports whether the address of a lease with that end was to be there still.
func (m *machine) lasts(end boottime.Instant, ends bool) bool {
	return !ends || m.s.now().Before(end)
}

// checkLease: T1 <= T2 <= expiry.
func (r *rules) checkLease(l *dhcp4.Lease) {
	if l.Infinite {
		return
	}
	if l.T1 <= 0 || l.T1 > l.T2 || l.T2 > l.Duration {
		r.s.broke("T1 <= T2 <= expiry", "T1 %v, T2 %v, expiry %v", l.T1, l.T2, l.Duration)
	}
}

// sent: a DHCP message leaves.
func (r *rules) sent(t dhcp4.Transmit) {
	s := r.s
	p, err := wire.Parse(t.Message)
	if err != nil {
		s.fail("a message is malformed: %v", err)
		return
	}
	s.tally["sent "+t.Type.String()]++
	again := t.Type == wire.Release && r.resend == resendUnderWay
	if r.silent && !again {
		s.broke("released", "%v leaves after the release", t.Type)
	}
	if t.Type == wire.Release {
		r.resend = resendNone
		r.checkRelease(t, p)
	}
}

// checkRelease: a RELEASE has the leased address as its source while the
// kernel still has it, and is on record before it leaves.
func (r *rules) checkRelease(t dhcp4.Transmit, p wire.Packet) {
	s := r.s
	server, _ := p.Addr(wire.OptionServerID)
	_, granted := r.granted(t.Source)
	switch {
	case !granted:
		s.broke("RELEASE", "from %v, which no server granted", t.Source)
	case p.ClientAddr() != t.Source:
		s.broke("RELEASE", "from %v with ciaddr %v", t.Source, p.ClientAddr())
	case t.Destination != server:
		s.broke("RELEASE", "to %v with server %v", t.Destination, server)
	case s.m.record().Release == v4.NotReleased && !s.m.unsaved:
		s.broke("RELEASE", "it leaves before it is on record")
	}
}

func (r *rules) sentARP() {
	r.s.tally["sent ARP"]++
	if r.silent {
		r.s.broke("released", "ARP leaves after the release")
	}
	if !r.arps.take(r.s.now()) {
		r.s.broke("no storm", "ARP packets without end")
	}
}

func (r *rules) heardARP(arp.Packet) { r.s.tally["heard ARP"]++ }

// checkApply: no address is configured before its record is saved.
func (r *rules) checkApply(o tenancy.Apply) {
	s, a := r.s, o.Want.IPv4().Prefix
	if !a.IsValid() || a.Addr().IsLinkLocalUnicast() || s.m.unsaved {
		return
	}
	if rec := s.m.record(); !remembers(rec, a) {
		s.broke("saved first", "%v is configured, and %v is on record (release %d)", a, rec.Lease, rec.Release)
	}
}

// remembers reports whether a program that reads the record knows of the address.
func remembers(rec v4.Record, a netip.Prefix) bool {
	return rec.Lease != nil && rec.Release == v4.NotReleased && rec.Lease.Address == a ||
		slices.ContainsFunc(rec.Networks, func(n v4.Network) bool { return n.Lease.Address == a })
}

// check holds after every step.
func (s *simulation) check() {
	m := s.m
	if m.asleep {
		return
	}
	now := s.now()
	if m.runs() {
		for id, c := range s.open {
			if now.After(c.deadline) && now.After(m.woke) {
				s.broke("answers", "call %d, %v, was due at %v", id, c.verb, c.deadline)
			}
		}
	}
	for _, x := range m.companions {
		x.check(now)
	}
	s.checkAddresses(now)
	s.checkResend(now)
	if m.managed() && m.idle() && !m.kernel.stuck {
		s.checkAgreement()
		s.checkConfiguration(now)
	}
}

// checkResend: a RELEASE that may not have left before a crash is sent again as
// soon as there is a link.
func (s *simulation) checkResend(now boottime.Instant) {
	m := s.m
	if s.resend != resendDue || !m.managed() || !m.carrier || m.untold() || m.unsent != nil || s.stale || now.Sub(max(s.saw, s.linkSince, m.woke)) <= lag {
		return
	}
	if l := m.record().Lease; m.record().Release == v4.Releasing && l != nil && m.lasts(l.Expires()) {
		s.broke("released", "the RELEASE of %v may not have left, and is not sent again", l.Address)
	}
}

// lag is how long after a wake-up the tenancy may need to see that a lease
// ended meanwhile: kernel and disk take their time.
const lag = time.Second

// taking is how long the kernel may need to take an address away whose lease has
// just ended. Its own clock does that for it, unless it stood still in a suspend.
const taking = 50 * time.Millisecond

// checkAddresses: no address without a current lease or after its end; at most
// one; none after a release.
func (s *simulation) checkAddresses(now boottime.Instant) {
	m := s.m
	mine := m.kernel.mine()
	if len(mine) == 0 || m.kernel.stuck {
		return
	}
	if len(mine) > 1 {
		s.broke("one address", "the kernel has %v", prefixes(mine))
	}
	if s.silent {
		s.broke("released", "the kernel has %v after the release", prefixes(mine))
	}
	for _, h := range mine {
		a := h.Prefix.Addr()
		if a.IsLinkLocalUnicast() {
			if !m.cfg.LinkLocal {
				s.broke("no lease, no address", "%v is used, which nobody wants", a)
			}
			continue
		}
		if s.stale || s.wasStale && !m.idle() { // what is known of is about to go
			continue
		}
		if l := s.status().Lease; l != nil && l.Address == h.Prefix {
			if at, ok := s.revoked[offerOf(l)]; ok && now.Sub(max(at, m.woke)) > lag {
				s.broke("no lease, no address", "%v is used, and its server took it back at %v", a, at)
			}
		}
		g, ok := s.granted(a)
		// Where nobody lives to see it, the kernel ends it: checkWant has seen to that.
		if !ok || !g.forever && now.Sub(g.until) > taking && m.managed() && now.Sub(max(m.woke, s.saw)) > lag {
			s.broke("no lease, no address", "%v is used, granted until %v", a, g.until)
		}
	}
}

// checkAgreement: with nothing under way, the kernel has what the tenancy says.
func (s *simulation) checkAgreement() {
	m := s.m
	st := m.status()
	want := st.LinkLocal
	if st.Lease != nil {
		want = st.Lease.Address
		if st.Lease != s.rules.lease {
			s.rules.lease = st.Lease
			s.checkLease(st.Lease)
		}
		if end, ends := st.Lease.Expires(); ends && s.now().After(end) && s.now().Sub(m.woke) > lag {
			s.broke("no lease, no address", "the lease of %v ended at %v and is still said to be there", want, end)
		}
	}
	for _, h := range m.kernel.mine() {
		if h.Prefix != want {
			s.broke("no lease, no address", "the kernel has %v; the tenancy says %v", h.Prefix, want)
		}
	}
}
