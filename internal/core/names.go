package core

import (
	"time"

	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/reason"
)

// names are an adapter's name servers. Who is told that a lease may be used can
// resolve names by it: what the kernel did is reported when the resolver has answered,
// too, but it is not waited for for long.
type names struct {
	told *netconf.DNS // what the resolver was told last; nil: it is not known what it has
	seq  uint64       // of that
	// until is how long its answer is waited for, applied what waits for it; a Seq of
	// 0: nothing does.
	until   tenancy.Alarm
	applied tenancy.Applied
}

// resolverPatience is how long at most the resolver is waited for.
const resolverPatience = time.Second

// name has an adapter's name servers used, if they are not the same as before.
func (c *Core) name(a *adapter, l *living, seq uint64, d netconf.DNS) {
	n := &l.names
	if n.told != nil && n.told.Equal(d) {
		return
	}
	if n.told != nil || !d.Empty() { // what an earlier life left is taken back while nobody waits
		n.until.Set(c.now.Add(resolverPatience))
	}
	told := d
	n.told, n.seq = &told, seq
	c.cfg.Resolver.Resolve(c.about(a), seq, told)
}

// unname takes back the name servers of an adapter that has lost its link.
func (c *Core) unname(a Adapter, l *living) {
	if l.names.told == nil || !l.names.told.Empty() {
		c.cfg.Resolver.Resolve(a, 0, netconf.DNS{})
	}
}

// applied tells what the kernel did, when the name servers are in place as well.
func (c *Core) applied(a *adapter, l *living, in tenancy.Applied) {
	if l.names.until.IsSet() {
		if in.Seq > l.names.applied.Seq { // answers may overtake each other
			l.names.applied = in
		}
		return
	}
	c.tell(a, in)
}

// inPlace goes on: the resolver has answered, or is not waited for any more.
func (c *Core) inPlace(a *adapter, l *living) {
	in := l.names.applied
	l.names.until.Stop()
	l.names.applied = tenancy.Applied{}
	if in.Seq != 0 {
		c.tell(a, in)
		return
	}
	c.arm(a)
}

// resolved takes the resolver's answer. What it did not take it is told again with
// the next change of the kernel's configuration.
func (c *Core) resolved(in Resolved) {
	a := c.adapters.numbered(in.Of)
	if a == nil || a.turn != in.Turn {
		return
	}
	l := a.living()
	if l == nil || l.names.seq != in.Seq {
		return
	}
	if in.Err != nil {
		l.names.told = nil
		c.say(a, Said{Note: problem(reason.ResolverFailed, in.Err)})
	}
	if l.names.until.IsSet() {
		c.inPlace(a, l)
	}
}
