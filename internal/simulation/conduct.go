package simulation

import (
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// conduct is what is known of a companion's life, and the rules that it must keep. It
// is all correct around it, so they are simple ones.
type conduct struct {
	x *companion
	// grants are the addresses that its server granted it.
	grants map[netip.Addr]grant
	asked  map[uint32]boottime.Instant // when a message of a transaction left last
	open   map[uint64]call             // without an answer
	silent bool                        // the lease was released, and nobody wants another
	// dropped: the kernel dropped its routes, because the link was set down.
	dropped bool
	// since is when something last changed: its link, its configuration, the program.
	since boottime.Instant
}

// moved: the link came or went.
func (c *conduct) moved() { c.since = c.x.s.now() }

// heardOfLink implements side.
func (c *conduct) heardOfLink() { c.moved() }

// began: a tenancy begins.
func (c *conduct) began() {
	c.moved()
	c.dropped = false
	if !c.x.remembered() {
		c.silent = false
	}
	c.forgotten()
}

// forgotten: where what was saved last is not on record, nobody can know what was
// released.
func (c *conduct) forgotten() { c.silent = c.silent && !c.x.unsaved }

// crashed implements side.
func (c *conduct) crashed() {
	c.forgotten()
	clear(c.open)
}

// rebooted implements side.
func (c *conduct) rebooted() { c.silent = false }

// called implements side.
func (c *conduct) called(id uint64, v tenancy.Verb, deadline boottime.Instant) {
	c.open[id] = call{verb: v, deadline: deadline}
	c.x.s.tally["companion: call "+v.String()]++
	switch v {
	case tenancy.Renew, tenancy.Await:
		c.silent = false
		for id, o := range c.open {
			o.superseded = o.superseded || o.verb == tenancy.Release
			c.open[id] = o
		}
	case tenancy.Release, tenancy.End, tenancy.EndKeep:
	}
}

// heard: a datagram is delivered.
func (c *conduct) heard(d dhcptest.Datagram) {
	p, err := wire.Parse(d.Payload)
	if err != nil || p.MessageType() != wire.ACK {
		return
	}
	secs, _ := p.Uint32(wire.OptionLeaseTime)
	at, asked := c.asked[p.XID()]
	if !asked {
		return
	}
	g := grant{until: at.Add(time.Duration(secs) * time.Second), forever: secs == 0xffffffff, at: c.x.s.now()}
	g.until = max(g.until, c.grants[p.YourAddr()].until)
	c.grants[p.YourAddr()] = g
}

// sends: a message leaves.
func (c *conduct) sends(t dhcp4.Transmit) {
	x := c.x
	p, err := wire.Parse(t.Message)
	if err != nil {
		return // it was said
	}
	if len(c.asked) > maxExchanges {
		clear(c.asked)
	}
	c.asked[p.XID()] = x.s.now()
	x.s.tally["companion: sent "+t.Type.String()]++
	switch t.Type {
	case wire.Release:
		if _, ok := c.grants[t.Source]; !ok {
			x.s.broke("RELEASE", "%s: from %v, which its server did not grant", x.name(), t.Source)
		}
	case wire.Decline:
		x.s.broke("declined", "%s: nobody else is there", x.name())
	default:
		c.quiet(t.Type.String())
	}
}

// quiet: after a release nothing is sent.
func (c *conduct) quiet(what string) {
	if c.silent {
		c.x.s.broke("released", "%s: %s leaves after the release", c.x.name(), what)
	}
}

// wants: the kernel is told to hold something, which its server granted.
func (c *conduct) wants(o tenancy.Apply) {
	want := o.Want.IPv4()
	if !want.Prefix.IsValid() {
		return
	}
	g, ok := c.grants[want.Prefix.Addr()]
	if !ok || !g.forever && (want.Lifetime.Forever || want.Lifetime.ValidUntil.After(g.until)) {
		c.x.s.broke("no lease, no address", "%s: %v is wanted until %v, and its server granted it until %v",
			c.x.name(), want.Prefix, want.Lifetime.ValidUntil, g.until)
	}
}

// answered: every call is answered once, in time, and as it is.
func (c *conduct) answered(o tenancy.Answer) {
	x := c.x
	asked, ok := c.open[o.ID]
	if !ok {
		x.s.broke("answers", "call %d is answered, but nobody waits for that", o.ID)
		return
	}
	delete(c.open, o.ID)
	x.s.tally["companion: answer "+asked.verb.String()+" "+o.Result.Code.Name()]++
	if latest := max(asked.deadline, x.m.woke); x.s.now().After(latest) {
		x.s.broke("answers", "%s: %v was to be answered by %v", x.name(), asked.verb, asked.deadline)
	}
	if o.Result.Code != errno.NO_ERROR {
		return
	}
	switch asked.verb {
	case tenancy.Renew, tenancy.Await:
		held := o.Result.Held
		if _, granted := c.grants[held.Address.Addr()]; held.Valid() && !granted {
			x.s.broke("honest answers", "%s: %v says that %v is usable, which is not its own", x.name(), asked.verb, held.Address)
		}
		if held.Valid() && !x.kernel.has(held.Address.Addr()) && x.m.lasts(held.Ends, held.Ends != 0) && !c.unsettled() {
			x.s.broke("honest answers", "%s: %v says that %v is usable; the kernel has %v", x.name(), asked.verb, held.Address, x.kernel.prefixes())
		}
	case tenancy.Release, tenancy.End:
		if asked.superseded {
			return
		}
		if have := x.kernel.mine(); len(have) > 0 {
			x.s.broke("honest answers", "%s: %v is done; the kernel has %v", x.name(), asked.verb, prefixes(have))
		}
		c.silent = asked.verb == tenancy.Release
	case tenancy.EndKeep:
	}
}

// unsettled reports whether something has just changed of which the program may not
// know.
func (c *conduct) unsettled() bool {
	x := c.x
	return x.untold() || x.s.now().Sub(max(c.since, x.m.woke)) <= settling
}

// check holds after every step.
func (c *conduct) check(now boottime.Instant) {
	x := c.x
	for id, o := range c.open {
		if x.m.runs() && now.After(o.deadline) && now.After(x.m.woke) {
			x.s.broke("answers", "%s: call %d, %v, was due at %v", x.name(), id, o.verb, o.deadline)
		}
	}
	mine := x.kernel.mine()
	if len(mine) > 1 {
		x.s.broke("one address", "%s: the kernel has %v", x.name(), prefixes(mine))
	}
	for _, h := range mine {
		g, ok := c.grants[h.Prefix.Addr()]
		switch {
		case c.silent:
			x.s.broke("released", "%s: the kernel has %v after the release", x.name(), h.Prefix)
		case !ok || !g.forever && now.Sub(g.until) > taking && x.managed() && now.Sub(max(x.m.woke, c.since)) > lag:
			x.s.broke("no lease, no address", "%s: %v is used, granted until %v", x.name(), h.Prefix, g.until)
		}
	}
	if c.unsettled() || !x.idle() || !x.managed() {
		return
	}
	l := x.status().Lease
	if have := leaseAddress(l); l != nil && !x.m.lapses(l) && !x.kernel.has(have.Addr()) {
		x.s.broke("agreement", "%s: %v is shown; the kernel has %v", x.name(), have, x.kernel.prefixes())
	}
	if slices.ContainsFunc(prefixes(mine), func(p netip.Prefix) bool { return p != leaseAddress(l) }) {
		x.s.broke("agreement", "%s: the kernel has %v; %v is shown", x.name(), prefixes(mine), leaseAddress(l))
	}
}

// settled reports whether the companion holds its own address and no other.
func (c *conduct) settled() bool {
	x := c.x
	st := x.status()
	if st.State != dhcp4.StateBound || st.Lease == nil || !x.idle() {
		return false
	}
	a := st.Lease.Address
	have := x.kernel.prefixes()
	return len(have) == 1 && have[0] == a && x.prefix.Contains(a.Addr())
}

// givesBack: a release takes the address away and tells the server, an end ends it.
func (c *conduct) givesBack() {
	x, s := c.x, c.x.s
	id := s.callTo(x, tenancy.Release, 20*time.Second)
	s.until(time.Minute, func() bool { _, waits := c.open[id]; return !waits && x.idle() })
	s.wait(time.Second)
	if a, ok := x.server.Leased(x.host.LinkAddr(), x.cfg.DHCP4.ClientID); ok {
		s.broke("released", "%s: the server has a lease of %v still", x.name(), a)
	}
	if have := x.kernel.objects(); len(have) > 0 || x.status().State != dhcp4.StateReleased {
		s.broke("released", "%s: %v, kernel %v", x.name(), x.status().State, have)
	}
	s.callTo(x, tenancy.End, 20*time.Second)
	s.until(time.Minute, x.idle)
	if x.managed() {
		s.broke("ended", "%s: the tenancy is still there", x.name())
	}
	if r := x.record(); r.Lease != nil || r.Release != v4.NotReleased {
		s.broke("ended", "%s: the record is still there", x.name())
	}
}
