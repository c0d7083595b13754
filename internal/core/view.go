package core

import (
	"iter"

	"github.com/lessee/lessee/boottime"

	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
)

// Links yields all links.
func (c *Core) Links() iter.Seq2[ID, netconf.Link] {
	return func(yield func(ID, netconf.Link) bool) {
		for id, l := range c.links.all {
			if !yield(id, *l) {
				return
			}
		}
	}
}

// LinksOf yields the links of a namespace.
func (c *Core) LinksOf(ns NS) iter.Seq2[ID, netconf.Link] {
	return func(yield func(ID, netconf.Link) bool) {
		for index := range c.links.of[ns] {
			id := ID{ns, index}
			if !yield(id, c.links.at(id)) {
				return
			}
		}
	}
}

// Link returns the link of a name or alternative name; false if there is none.
func (c *Core) Link(ns NS, name string) (ID, netconf.Link, bool) { return c.links.find(ns, name) }

// Has reports whether a link exists.
func (c *Core) Has(id ID) bool {
	return c.links.all[id] != nil
}

// Living yields the adapters that have a tenancy.
func (c *Core) Living() iter.Seq[Adapter] {
	return func(yield func(Adapter) bool) {
		for _, a := range c.adapters.inOrder() {
			if a.living() != nil && !yield(c.about(a)) {
				return
			}
		}
	}
}

// A View is what is known of a link at one moment.
type View struct {
	Link netconf.Link
	// Of is the adapter that is managed there, 0 if none is.
	Of Number
	// Status is the managed adapter's.
	Status v4.Status
	// Refused is why an adapter that is to be managed is not.
	Refused    reason.Cause
	Events     event.Tally
	Unreadable uint64
}

// View returns what is known of a link.
func (c *Core) View(id ID) View {
	v := View{Link: c.links.at(id)}
	a := c.adapters.at[id]
	if a == nil {
		a = c.waiting(id.NS, v.Link)
	}
	if a == nil {
		return v
	}
	if p, is := a.phase.(absent); is {
		v.Refused = p.why.Cause
	}
	if l := a.living(); l != nil {
		v.Of, v.Status, v.Events, v.Unreadable = a.number, l.tenancy.Status(), a.events, a.unreadable
		if v.Status.Problem.Reason == reason.None && c.resolver != "" && resolves(v.Status) {
			v.Status.Problem = c.resolverCause()
		}
	}
	return v
}

// Present returns what explains the state of an adapter: what it is now, and what
// happened to it until now. The link is the zero Link if there is none.
func (c *Core) Present(now boottime.Instant, ns NS, name string) (p event.Present, j event.Journal, link netconf.Link) {
	a, link, exists := c.find(ns, name)
	if link.Loopback {
		a, link, exists = nil, netconf.Link{}, false
	}
	p.Now, p.Exists, p.Up, p.Carrier = now, exists, link.Up, link.Carrier
	if a == nil {
		return p, j, link
	}
	p.Expected = true
	j = a.journal.Clone()
	if absent, is := a.phase.(absent); is && absent.why.Cause.Reason != reason.None {
		p.Hindrance = absent.why.Cause.Pack()
	}
	if l := a.living(); l != nil {
		s := l.tenancy.Status()
		p.Managed, p.State, p.Lease, p.LinkLocal, p.Problem = true, s.State, s.Lease, s.LinkLocal.Addr(), s.Problem.Pack()
		p.TakenAway = s.Missing.IsValid()
		if s.Next != nil {
			p.Next = &event.Next{At: s.Next.At, Timer: s.Next.Timer}
		}
	}
	return p, j, link
}
