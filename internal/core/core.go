package core

import (
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// A Config says how adapters are managed.
type Config struct {
	Ports

	// Tenancy returns how the adapter of a link is managed.
	Tenancy func(NS, netconf.Link) v4.Config

	// Heard, where set, is told each input before it is handled.
	Heard func(boottime.Instant, Input)
}

// Core is all adapters. It is not safe for concurrent use.
type Core struct {
	cfg Config
	now boottime.Instant
	// reports are what the ports answered at once, and calls that go on: they are
	// handled when all is done that was asked for before.
	reports []report

	links    links
	adapters roster
	scans    map[ID]*scan
	asked    map[uint64]*scan  // by the call that wants it
	calls    map[uint64]Number // of adapters, not answered yet: whom each is about
	due      deadlines
	// resolver is the resolver's file while another program's text is in it, else "".
	resolver string
}

// A report is an input that follows from another one: of an adapter's tenancy, or
// where of is nil one of the core's.
type report struct {
	of   *adapter
	turn Turn
	what tenancy.Input
	in   Input
}

// New returns a core that knows of no link.
func New(cfg Config) *Core {
	return &Core{cfg: cfg, links: newLinks(), adapters: newRoster(), scans: make(map[ID]*scan), asked: make(map[uint64]*scan), calls: make(map[uint64]Number)}
}

// Handle tells the core what happened at the instant now, and does what follows from
// it.
func (c *Core) Handle(now boottime.Instant, in Input) {
	c.now = now
	if c.cfg.Heard != nil {
		c.cfg.Heard(now, in)
	}
	c.handle(in)
	for i := 0; i < len(c.reports); i++ { // they may become more meanwhile
		r := c.reports[i]
		c.reports[i] = report{}
		switch {
		case r.of == nil:
			c.handle(r.in)
		case r.of.turn == r.turn:
			c.tellAnswer(r.of, r.what)
		}
	}
	c.reports = c.reports[:0]
}

func (c *Core) handle(in Input) {
	switch in := in.(type) {
	case Datagram:
		c.datagram(in)
	case ARP:
		c.arp(in)
	case Timeout:
		c.timeout()
	case LinkChanged:
		c.linkChanged(in)
	case Left:
		c.left(in)
	case Disturbed:
		c.disturbed(in)
	case Neighbour:
		c.neighbour(in)
	case Manage:
		c.manage(in)
	case Up:
		c.up(in)
	case Call:
		c.call(in)
	case Discover:
		c.discover(in)
	case Cancel:
		c.cancel(in)
	case Prepared:
		c.prepared(in)
	case Applied:
		c.answered(in.Of, in.Turn, in.What)
	case Inspected:
		c.answered(in.Of, in.Turn, in.What)
	case Persisted:
		c.persisted(in)
	case Resolved:
		c.resolved(in)
	case ResolverChanged:
		c.resolverChanged(in)
	case rename:
		c.rename(in)
	}
}

// then has an input handled when all is done that was asked for before.
func (c *Core) then(in Input) { c.reports = append(c.reports, report{in: in}) }

// report has an answer of a port told to an adapter's tenancy.
func (c *Core) report(a *adapter, what tenancy.Input) {
	c.reports = append(c.reports, report{of: a, turn: a.turn, what: what})
}

// answered takes an answer of a port that came later.
func (c *Core) answered(of Number, turn Turn, what tenancy.Input) {
	if a := c.adapters.numbered(of); a != nil && a.turn == turn {
		c.tellAnswer(a, what)
	}
}

// tellAnswer passes an answer of a port on to an adapter's tenancy.
func (c *Core) tellAnswer(a *adapter, what tenancy.Input) {
	if in, is := what.(tenancy.Applied); is {
		if l := a.living(); l != nil {
			c.applied(a, l, in)
		}
		return
	}
	c.tell(a, what)
}

// Deadline returns when Timeout is due next.
func (c *Core) Deadline() (boottime.Instant, bool) { return c.due.first() }

// timeoutsPerTurn bounds how many deadlines one Timeout is for: what is still due
// comes with the next one, and packets in between.
const timeoutsPerTurn = 64

// spin is how soon a deadline is due again that its Timeout does not move.
const spin = time.Millisecond

// timeout tells those whose deadline has come.
func (c *Core) timeout() {
	for range timeoutsPerTurn {
		at, ok := c.due.first()
		if !ok || at.After(c.now) {
			return
		}
		t := c.due.soonest()
		t.timeout(c)
		if s := t.slot(); s.position != 0 && !s.at.After(c.now) {
			c.due.set(t, c.now.Add(spin))
		}
	}
}
