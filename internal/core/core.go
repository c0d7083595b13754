package core

import (
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// A Config says how adapters are managed.
type Config struct {
	// Tenancy returns how the adapter of a link is managed.
	Tenancy func(NS, netconf.Link) v4.Config
}

// Core is all adapters. It is not safe for concurrent use.
type Core struct {
	cfg Config
	now boottime.Instant
	out []Output

	links    links
	adapters roster
	calls    map[uint64]Number // not answered yet: whom each is about
	due      deadlines
	// resolver is the resolver's file while another program's text is in it, else "".
	resolver string
}

// New returns a core that knows of no link.
func New(cfg Config) *Core {
	return &Core{cfg: cfg, links: newLinks(), adapters: newRoster(), calls: make(map[uint64]Number)}
}

// Handle tells the core what happened at the instant now.
func (c *Core) Handle(now boottime.Instant, in Input) {
	c.now = now
	switch in := in.(type) {
	case LinkChanged:
		c.linkChanged(in)
	case Disturbed:
		c.disturbed(in)
	case Manage:
		c.manage(in)
	case Up:
		c.up(in)
	case Call:
		c.call(in)
	case Cancel:
		c.cancel(in)
	case Prepared:
		c.prepared(in)
	case Happened:
		if a := c.adapters.numbered(in.Of); a != nil && a.turn == in.Turn {
			c.tell(a, in.What)
		}
	case Persisted:
		c.persisted(in)
	case Noticed:
		if a := c.adapters.numbered(in.Of); a != nil {
			c.remember(a, in.Note)
		}
	case ResolverChanged:
		c.resolverChanged(in)
	case Timeout:
		c.timeout()
	}
}

// Poll returns the next thing to do, false if there is none.
func (c *Core) Poll() (Output, bool) {
	if len(c.out) == 0 {
		c.out = nil
		return nil, false
	}
	o := c.out[0]
	c.out[0] = nil
	c.out = c.out[1:]
	return o, true
}

func (c *Core) emit(o Output) { c.out = append(c.out, o) }

// Deadline returns when Timeout is due next.
func (c *Core) Deadline() (boottime.Instant, bool) { return c.due.first() }

// timeout tells every tenancy whose deadline has come.
func (c *Core) timeout() {
	for {
		a, ok := c.due.due(c.now)
		if !ok {
			return
		}
		c.tell(a, timedOut)
		if at, ok := c.due.of(a); ok && !at.After(c.now) {
			// A deadline that its Timeout does not move would spin here.
			c.due.set(a, c.now.Add(time.Millisecond))
		}
	}
}
