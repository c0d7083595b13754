package core

import (
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
)

// prepare begins to manage the adapter of a link.
func (c *Core) prepare(a *adapter, id ID, how Prepare, fails failure, waits ...Input) {
	link := c.links.at(id)
	a.turn++
	c.adapters.put(a, id)
	a.name = link.Name
	a.phase = &preparing{how: how, waits: waits, fails: fails}
	if at := (place{id.NS, how.Record}); c.adapters.numbered(c.adapters.records[at]) == nil {
		c.adapters.records[at] = a.number
	}
	for _, w := range waits {
		if call := callOf(w); call != 0 {
			c.calls[call] = a.number
		}
	}
	if !Acceptable(link) {
		c.cannot(a, refuse(errno.ERROR_NOT_SUPPORTED, reason.NoEthernet))
		return
	}
	c.arm(a)
	c.cfg.Kernel.Prepare(c.about(a), how)
}

// prepared begins the tenancy of an adapter, or says why there is none.
func (c *Core) prepared(in Prepared) {
	a := c.adapters.numbered(in.Of)
	if a == nil || a.turn != in.Turn {
		// It went meanwhile, or changed. Nobody leaves who has come after it.
		if c.adapters.at[in.ID] == nil {
			c.cfg.Kernel.Leave(Adapter{ID: in.ID, Link: in.Link})
		}
		return
	}
	p, ok := a.phase.(*preparing)
	if !ok {
		return
	}
	if in.Unreadable != nil {
		a.unreadable++
		c.say(a, Said{Note: problem(reason.RecordUnreadable, in.Unreadable)})
	}
	if in.Refusal.Code != errno.NO_ERROR {
		c.cfg.Kernel.Leave(c.about(a)) // an attempt that was overtaken may have a claim
		c.cannot(a, in.Refusal)
		return
	}
	link := c.links.at(a.id)
	if in.Link.Index == a.id.Index && p.news == 0 {
		link.Up, link.Carrier = in.Link.Up, in.Link.Carrier
		c.links.set(a.id, link)
	}
	cfg := c.cfg.Tenancy(a.id.NS, link)
	if in.Record.Up {
		a.wanted = byCall // what a call began outlives us: the record says so
	}
	cfg.Up = a.wanted == byCall
	t, err := v4.New(cfg)
	if err != nil {
		c.cfg.Kernel.Leave(c.about(a))
		c.cannot(a, Refusal{errno.ERROR_INVALID_PARAMETER, reason.Cause{Reason: reason.BadConfiguration, Fault: reason.FaultOf(err)}, err})
		return
	}
	l := &living{tenancy: t}
	if !cfg.Policy.DNS {
		l.names.told = new(netconf.DNS) // whatever there is, others have set it
	}
	a.phase = l
	if c.reads(a.id.NS, a.name) != nil {
		a.name = p.how.Record // it follows when that one has read
	}
	c.say(a, Said{Note: v4.Note{Kind: event.Managed}})
	c.tell(a, v4.Begin{
		Record:     in.Record,
		Configured: in.Configured,
		Link:       tenancy.Link{Usable: link.Usable(), MTU: link.MTU},
	})
	if p.how.Record != a.name {
		c.moveRecord(a, p.how.Record)
	}
	c.renamed(a, link)
	for _, w := range p.waits {
		c.then(w)
	}
}

// cannot says why an adapter that was prepared is not managed.
func (c *Core) cannot(a *adapter, why Refusal) {
	p, _ := a.phase.(*preparing)
	about := c.about(a)
	c.await(a, why)
	switch p.fails {
	case dropped:
		c.drop(a)
	case reported:
		c.cfg.Hooks.Unmanageable(about, why)
	case kept:
	}
	c.endWaits(p.waits, why, why)
}
