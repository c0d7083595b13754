package core

import (
	"bytes"
	"cmp"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
)

// An adapter is one that is managed or is to be, present or not.
type adapter struct {
	number Number
	turn   Turn
	id     ID // an Index of 0: it has no link
	name   string
	// wanted says who wants it managed.
	wanted wanted
	phase  phase

	// journal has what happened lately, events how often each kind of it did.
	journal event.Journal
	events  event.Tally
	// former are names that it had, under which it may be on record still.
	former []string
	// unreadable counts records that could not be used.
	unreadable uint64

	due slot
}

// wanted says who wants an adapter managed.
type wanted uint8

const (
	byConfig wanted = iota
	byCall          // a call to Up began it
)

// A phase is how far an adapter has come, and has what belongs to that.
type phase interface{ phase() }

type (
	// absent: there is no such link, or it cannot be managed: why.
	absent struct{ why Refusal }

	// preparing: it is being found out whether it can be managed.
	preparing struct {
		how Prepare
		// news counts what the kernel has said of the link since that began.
		news int
		// waits are the calls that are about that.
		waits []Input
		fails failure
	}

	// living: it has a tenancy.
	living struct {
		tenancy *v4.Tenancy
		// receptive is where a FORCERENEW is listened for.
		receptive netip.Addr
		ear       ear
		told      troubles
		names     names
		hold      *hold // nil: nothing waits
	}

	// leaving: its tenancy is about to end, as a call with that verb wants. waits
	// are the calls that come after that.
	leaving struct {
		*living

		verb  tenancy.Verb
		waits []Input
	}
)

func (absent) phase()     {}
func (*preparing) phase() {}
func (*living) phase()    {}
func (*leaving) phase()   {}

// A failure says what becomes of an adapter that cannot be managed.
type failure uint8

const (
	dropped  failure = iota // it is forgotten: who wanted it managed hears why
	kept                    // it waits for the next change of its link
	reported                // so it does, and nobody but the log hears why
)

// An ear says whether answers from the network are received.
type ear uint8

const (
	deaf ear = iota
	open
)

// troubles are those of ARP and FORCERENEW that were told: each is told once, until
// all is well again.
type troubles uint8

const (
	unsaid    troubles = 1 << iota // an ARP packet could not be sent
	deafToARP                      // none can be listened for
	deafToServer
)

func (a *adapter) slot() *slot { return &a.due }

// living returns what an adapter with a tenancy has, nil if it has none.
func (a *adapter) living() *living {
	switch p := a.phase.(type) {
	case *living:
		return p
	case *leaving:
		return p.living
	}
	return nil
}

// waits returns the calls that wait for an adapter, nil if none may.
func (a *adapter) waits() *[]Input {
	switch p := a.phase.(type) {
	case *preparing:
		return &p.waits
	case *leaving:
		return &p.waits
	}
	return nil
}

// about returns the adapter as the ports are told of it.
func (c *Core) about(a *adapter) Adapter {
	return Adapter{ID: a.id, Of: a.number, Turn: a.turn, Name: a.name, Link: c.links.at(a.id)}
}

// drop ends with an adapter.
func (c *Core) drop(a *adapter) {
	about := c.about(a)
	a.phase = absent{}
	c.due.remove(a)
	c.adapters.remove(a)
	c.cfg.Hooks.Dropped(about)
}

// await has an adapter wait for a link of its name. Where another one does so already,
// that one goes.
func (c *Core) await(a *adapter, why Refusal) {
	a.turn++
	a.phase = absent{why}
	c.due.remove(a)
	if before := c.adapters.wait(a); before != nil && before != a {
		if before.wanted == byConfig {
			a.wanted = byConfig
		}
		c.drop(before)
	}
}

// ethernet is the ARP hardware type of Ethernet.
const ethernet = 1

// Acceptable reports whether a link is one that can be managed.
func Acceptable(link netconf.Link) bool {
	return !link.Loopback && link.HardwareType == ethernet && len(link.HardwareAddr) == 6
}

// linkChanged takes what the kernel says of a link.
func (c *Core) linkChanged(in LinkChanged) {
	id := ID{in.NS, in.Link.Index}
	if in.Gone {
		c.goneLink(id)
		return
	}
	was, known := c.links.set(id, in.Link)
	a := c.adapters.at[id]
	another := known && !bytes.Equal(was.HardwareAddr, in.Link.HardwareAddr)
	if s := c.scans[id]; s != nil && another { // what receives for it does so for the old address
		c.endScan(s, refuse(errno.ERROR_NO_NETWORK, reason.NoLink))
	}
	switch {
	case a == nil:
		c.seek(id)
	case another:
		c.rehome(a)
	default:
		if p, is := a.phase.(*preparing); is {
			p.news++
		}
		c.renamed(a, in.Link)
		if !known || was.MTU != in.Link.MTU || was.Usable() != in.Link.Usable() {
			c.tell(a, tenancy.Link{Usable: in.Link.Usable(), MTU: in.Link.MTU})
		}
	}
	if s := c.scans[id]; s != nil && !in.Link.Usable() {
		c.endScan(s, refuse(errno.ERROR_NO_NETWORK, reason.NoLink))
	}
}

// seek has an adapter that waits for a link managed there.
func (c *Core) seek(id ID) {
	if a := c.waiting(id.NS, c.links.at(id)); a != nil {
		c.prepare(a, id, Prepare{SetUpIfDown, c.links.at(id).Name}, reported)
	}
}

// rehome begins anew with an adapter that has another hardware address: it is another
// client to every server. Who changed that may have set the link down for it, and
// sets it up again.
func (c *Core) rehome(a *adapter) {
	id, number := a.id, a.number
	how, fails := Prepare{SetUp: AsItIs}, reported
	from := a.name
	how.Record = from // what is there is not in memory
	if p, is := a.phase.(*preparing); is {
		how, fails = p.how, p.fails
	}
	waits := c.vacate(a, from)
	if c.adapters.numbered(number) == nil {
		return // it was about to end
	}
	c.prepare(a, id, how, fails, waits...)
	if a.name != from {
		c.say(a, Said{Note: v4.Note{Kind: event.Renamed}, From: from})
	}
}

func (c *Core) goneLink(id ID) {
	defer c.cfg.Hooks.Gone(id)
	a := c.adapters.at[id]
	if s := c.scans[id]; s != nil {
		c.endScan(s, refuse(errno.ERROR_FILE_NOT_FOUND, reason.AdapterRemoved))
	}
	if a == nil {
		c.links.remove(id)
		return
	}
	p, _ := a.phase.(*preparing)
	waits := c.vacate(a, c.links.at(id).Name) // which it may not have followed yet
	c.links.remove(id)
	if c.adapters.numbered(a.number) != nil {
		if p == nil {
			c.remember(a, v4.Note{Kind: event.Removed})
			c.cfg.Hooks.Say(Adapter{ID: id, Of: a.number, Turn: a.turn, Name: a.name, Link: netconf.Link{Index: id.Index, Name: a.name}},
				Said{Note: v4.Note{Kind: event.Removed}})
		} else if p.fails == dropped && a.wanted == byCall {
			c.drop(a) // the call has failed
		}
	}
	c.endWaits(waits, Refusal{}, refuse(errno.ERROR_FILE_NOT_FOUND, reason.AdapterRemoved))
	if _, waits := a.phase.(absent); waits && c.adapters.numbered(a.number) != nil {
		// Its name may be another link's by now.
		if now, _, there := c.links.find(id.NS, a.name); there && c.adapters.at[now] == nil {
			c.seek(now)
		}
	}
}

// left ends with all that was in a namespace.
func (c *Core) left(in Left) {
	var gone []ID
	for index := range c.links.of[in.NS] {
		gone = append(gone, ID{in.NS, index})
	}
	slices.SortFunc(gone, func(a, b ID) int { return cmp.Compare(a.Index, b.Index) })
	for _, id := range gone {
		c.goneLink(id)
	}
	for _, a := range c.adapters.inOrder() {
		if a.id.NS == in.NS {
			c.drop(a)
		}
	}
}

// vacate ends the tenancy of an adapter, or what prepares it, because of its link, and
// has it wait under a name. It returns the calls that wait for that. One that was about
// to end is dropped.
func (c *Core) vacate(a *adapter, name string) (waits []Input) {
	about := c.about(a)
	switch p := a.phase.(type) {
	case *preparing:
		waits = p.waits
	case *living:
		c.giveUp(a)
		c.tell(a, tenancy.Gone{})
		c.unname(about, p)
	case *leaving:
		c.giveUp(a)
		c.tell(a, tenancy.Gone{})
		c.unname(about, p.living)
		return nil
	}
	c.cfg.Kernel.Leave(about)
	a.name = name
	c.await(a, Refusal{})
	return waits
}

// over ends with an adapter whose tenancy has ended as a caller wanted, and goes on
// with the calls that waited for that.
func (c *Core) over(a *adapter, p *leaving) {
	c.say(a, Said{Note: v4.Note{Kind: event.Unmanaged}, Verb: p.verb})
	c.cfg.Kernel.Leave(c.about(a))
	c.drop(a)
	for _, w := range p.waits {
		c.then(w)
	}
}

// waiting returns the adapter that waits for a link of that name.
func (c *Core) waiting(ns NS, l netconf.Link) *adapter {
	for name := range namesOf(l) {
		if a := c.adapters.waits[place{ns, name}]; a != nil {
			return a
		}
	}
	return nil
}

// disturbed passes on that the kernel may lack something of an adapter.
func (c *Core) disturbed(in Disturbed) {
	what := tenancy.Disturbed{Object: in.Notice.Object}
	if in.Notice.Index != 0 {
		if a := c.adapters.at[ID{in.NS, in.Notice.Index}]; a != nil {
			c.tell(a, what)
		}
		return
	}
	for _, a := range c.adapters.inOrder() {
		if a.id.NS == in.NS {
			c.tell(a, what)
		}
	}
}

func (c *Core) persisted(in Persisted) {
	if a, _, _ := c.find(in.NS, in.Name); a != nil {
		c.tell(a, tenancy.PersistFailed{Err: in.Err})
	}
}

// resolverChanged has the adapters whose leases have name servers show it.
func (c *Core) resolverChanged(in ResolverChanged) {
	c.resolver = in.File
	if in.File == "" {
		return
	}
	for _, a := range c.adapters.inOrder() {
		if l := a.living(); l != nil && resolves(l.tenancy.Status()) {
			c.say(a, Said{Note: v4.Note{Kind: event.Problem, Cause: c.resolverCause()}})
		}
	}
}

func (c *Core) resolverCause() reason.Cause {
	return reason.Cause{Reason: reason.ResolverChanged, Path: c.resolver}
}

// resolves reports whether the adapter has name servers from its lease.
func resolves(s v4.Status) bool { return s.Lease != nil && len(s.Lease.DNS) > 0 }

// problem is the event that the system refused something.
func problem(r reason.Reason, err error) v4.Note {
	return v4.Note{Kind: event.Problem, Cause: reason.Cause{Reason: r, Fault: reason.FaultOf(err)}}
}

// arm sets the adapter's deadline: its tenancy's, that of what is held up, or that of
// a call that waits.
func (c *Core) arm(a *adapter) {
	s := tenancy.NewSoonest()
	if l := a.living(); l != nil {
		s.Add(l.tenancy.Deadline())
		if l.hold != nil {
			s.Add(l.hold.until, true)
		}
		s.Add(boottime.Instant(l.names.until), l.names.until.IsSet())
	}
	if waits := a.waits(); waits != nil {
		for _, w := range *waits {
			s.Add(deadlineOf(w))
		}
	}
	if at, ok := s.Earliest(); ok {
		c.due.set(a, at)
	} else {
		c.due.remove(a)
	}
}

var timedOut tenancy.Input = tenancy.Timeout{} // made once: it is told often

// timeout implements timed.
func (a *adapter) timeout(c *Core) {
	c.expireWaits(a)
	if l := a.living(); l != nil {
		if l.hold != nil && !c.now.Before(l.hold.until) {
			c.unresolved(a, l)
		}
		if l.names.until.Rang(c.now) {
			c.inPlace(a, l)
		}
		if at, ok := l.tenancy.Deadline(); ok && !at.After(c.now) {
			c.tell(a, timedOut)
		}
	}
	c.arm(a)
}

// say reports and remembers what no tenancy said.
func (c *Core) say(a *adapter, s Said) {
	c.remember(a, s.Note)
	c.cfg.Hooks.Say(c.about(a), s)
}

// remember counts an event and enters it into the adapter's journal.
func (c *Core) remember(a *adapter, n v4.Note) {
	a.events.Count(n.Kind)
	a.journal.Add(c.now, EntryOf(n))
}
