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
	ns     NS
	name   string
	phase  phase
	// byCall says that it came under management by a call to Up.
	byCall bool
	// verb is what last was to end its tenancy.
	verb tenancy.Verb

	// journal has what happened lately, events how often each kind of it did.
	journal event.Journal
	events  event.Tally
	// unreadable counts records that could not be used.
	unreadable uint64

	due      boottime.Instant
	position int // in the queue of deadlines
}

// A phase is how far an adapter has come, and has what belongs to that.
type phase interface{ phase() }

type (
	// absent: there is no such link, or it cannot be managed: why.
	absent struct{ why Refusal }

	// preparing: it is being found out whether it can be managed. waits are the
	// calls that are about that.
	preparing struct {
		index int
		waits []Input
		// fails says what becomes of the adapter if it cannot be managed.
		fails failure
	}

	// living: it has a tenancy.
	living struct {
		index   int
		tenancy *v4.Tenancy
		// receptive is where a FORCERENEW is listened for.
		receptive netip.Addr
		ear       ear
	}
)

func (absent) phase()    {}
func (preparing) phase() {}
func (*living) phase()   {}

// A failure says what becomes of an adapter that cannot be managed.
type failure uint8

const (
	dropped  failure = iota // it is forgotten: who wanted it managed hears why
	kept                    // it waits for the next change of its link
	reported                // so it does, and nobody but the log hears why
)

// An ear says whether an answer from the network is awaited.
type ear uint8

const (
	deaf      ear = iota
	listening     // an exchange is open, or about to be
)

// living returns what an adapter with a tenancy has, nil if it has none.
func (a *adapter) living() *living {
	l, _ := a.phase.(*living)
	return l
}

// index returns the index of the adapter's link, 0 if it has none.
func (a *adapter) index() int {
	switch p := a.phase.(type) {
	case preparing:
		return p.index
	case *living:
		return p.index
	}
	return 0
}

// about returns the adapter as outputs name it.
func (c *Core) about(a *adapter) Adapter {
	return Adapter{Of: a.number, Turn: a.turn, Name: a.name, Link: c.links.all[ID{a.ns, a.index()}]}
}

// add begins with an adapter.
func (c *Core) add(ns NS, name string, byCall bool) *adapter {
	a := &adapter{ns: ns, name: name, byCall: byCall, phase: absent{}, position: notQueued}
	c.adapters.add(a)
	return a
}

// drop ends with an adapter.
func (c *Core) drop(a *adapter) {
	c.due.remove(a)
	c.adapters.remove(a)
	c.emit(Dropped{Adapter{Of: a.number, Turn: a.turn, Name: a.name}})
}

// prepare begins to manage the adapter of a link.
func (c *Core) prepare(a *adapter, link netconf.Link, setUp bool, fails failure, waits ...Input) {
	a.turn++
	c.rename(a, link.Name)
	a.phase = preparing{index: link.Index, waits: waits, fails: fails}
	c.adapters.at[ID{a.ns, link.Index}] = a
	if !Acceptable(link) {
		c.cannot(a, Refusal{errno.ERROR_NOT_SUPPORTED, reason.Cause{Reason: reason.NoEthernet}})
		return
	}
	c.emit(Prepare{Adapter: c.about(a), SetUp: setUp})
}

// ethernet is the ARP hardware type of Ethernet.
const ethernet = 1

// Acceptable reports whether a link is one that can be managed.
func Acceptable(link netconf.Link) bool {
	return !link.Loopback && link.HardwareType == ethernet && len(link.HardwareAddr) == 6
}

// prepared begins the tenancy of an adapter, or says why there is none.
func (c *Core) prepared(in Prepared) {
	a := c.adapters.numbered(in.Of)
	if a == nil || a.turn != in.Turn {
		return // it went meanwhile
	}
	p, ok := a.phase.(preparing)
	if !ok {
		return
	}
	if in.Unreadable != nil {
		a.unreadable++
	}
	id := ID{a.ns, p.index}
	link := c.links.all[id]
	if in.Refusal.Code != errno.NO_ERROR {
		c.cannot(a, in.Refusal)
		return
	}
	link.Up, link.Carrier = in.Link.Up, in.Link.Carrier
	c.links.set(id, link)
	cfg := c.cfg.Tenancy(a.ns, link)
	a.byCall = a.byCall || in.Record.Up // what a call began outlives us: the record says so
	cfg.Up = a.byCall
	t, err := v4.New(cfg)
	if err != nil {
		c.cannot(a, Refusal{errno.ERROR_INVALID_PARAMETER, reason.Cause{Reason: reason.BadConfiguration, Fault: reason.FaultOf(err)}})
		return
	}
	a.phase = &living{index: p.index, tenancy: t}
	a.verb = tenancy.Renew
	c.say(a, v4.Note{Kind: event.Managed}, "")
	c.tell(a, v4.Begin{
		Record:     in.Record,
		Configured: in.Configured,
		Link:       tenancy.Link{Usable: link.Usable(), MTU: link.MTU},
	})
	for _, w := range p.waits {
		c.resumeWait(a, w)
	}
}

// cannot says why an adapter is not managed.
func (c *Core) cannot(a *adapter, why Refusal) {
	p, _ := a.phase.(preparing)
	about := c.about(a)
	delete(c.adapters.at, ID{a.ns, p.index})
	a.phase = absent{why}
	a.turn++
	switch p.fails {
	case dropped:
		c.drop(a)
	case reported:
		c.emit(Unmanageable{about, why})
	case kept:
		a.phase = absent{}
	}
	for _, w := range p.waits {
		switch w := w.(type) {
		case Manage:
			c.answer(w.Call, why)
		case Up:
			c.answer(w.Call, why)
		case Call:
			c.callTo(c.adapters.numbered(a.number), true, w)
		}
	}
}

// linkChanged takes what the kernel says of a link.
func (c *Core) linkChanged(in LinkChanged) {
	id := ID{in.NS, in.Link.Index}
	a := c.adapters.at[id]
	if in.Gone {
		c.goneLink(a, id)
		return
	}
	was, known := c.links.set(id, in.Link)
	switch {
	case a == nil:
		if a := c.awaiting(in.NS, in.Link); a != nil {
			c.prepare(a, in.Link, true, reported)
		}
	case known && !bytes.Equal(was.HardwareAddr, in.Link.HardwareAddr):
		// Another hardware address is another client to every server. Who
		// changed it may have set the adapter down for it, and sets it up again.
		fails := reported
		if p, is := a.phase.(preparing); is {
			fails = p.fails
		}
		waits := c.vacate(a)
		c.renamed(a, in.Link)
		c.prepare(a, in.Link, false, fails, waits...)
	default:
		c.renamed(a, in.Link)
		if !known || was.MTU != in.Link.MTU || was.Usable() != in.Link.Usable() {
			c.tell(a, tenancy.Link{Usable: in.Link.Usable(), MTU: in.Link.MTU})
		}
	}
}

func (c *Core) goneLink(a *adapter, id ID) {
	if a == nil {
		c.links.remove(id)
		return
	}
	lived := a.living() != nil
	p, _ := a.phase.(preparing)
	waits := c.vacate(a)
	c.links.remove(id)
	if lived {
		c.emit(Say{Adapter: Adapter{Of: a.number, Turn: a.turn, Name: a.name, Link: netconf.Link{Index: id.Index, Name: a.name}}, Note: v4.Note{Kind: event.Removed}})
		c.remember(a, v4.Note{Kind: event.Removed})
	}
	if a.byCall && p.fails == dropped && !lived {
		c.drop(a) // the call has failed
	}
	for _, w := range waits {
		c.unwait(a, w)
	}
}

// vacate ends the tenancy of an adapter, or what prepares it, and returns the calls
// that wait for that.
func (c *Core) vacate(a *adapter) []Input {
	var waits []Input
	switch p := a.phase.(type) {
	case preparing:
		waits = p.waits
	case *living:
		c.tell(a, tenancy.Gone{})
	}
	delete(c.adapters.at, ID{a.ns, a.index()})
	a.phase = absent{}
	a.turn++
	return waits
}

// awaiting returns the adapter that waits for a link of that name.
func (c *Core) awaiting(ns NS, l netconf.Link) *adapter {
	for name := range namesOf(l) {
		if a := c.adapters.named[place{ns, name}]; a != nil {
			if _, yes := a.phase.(absent); yes {
				return a
			}
		}
	}
	return nil
}

// renamed follows an adapter to its new name, with its record.
func (c *Core) renamed(a *adapter, link netconf.Link) {
	old := a.name
	if old == link.Name {
		return
	}
	c.rename(a, link.Name)
	c.emit(Rename{Adapter: c.about(a), From: old})
	c.say(a, v4.Note{Kind: event.Renamed}, old)
}

func (c *Core) rename(a *adapter, name string) { c.adapters.rename(a, name) }

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
		if a.ns == in.NS {
			c.tell(a, what)
		}
	}
}

func (c *Core) persisted(in Persisted) {
	if a := c.adapters.named[place{Home, in.Name}]; a != nil {
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
			c.say(a, v4.Note{Kind: event.Problem, Cause: c.resolverCause()}, "")
		}
	}
}

func (c *Core) resolverCause() reason.Cause {
	return reason.Cause{Reason: reason.ResolverChanged, Path: c.resolver}
}

// resolves reports whether the adapter has name servers from its lease.
func resolves(s v4.Status) bool { return s.Lease != nil && len(s.Lease.DNS) > 0 }

var timedOut tenancy.Input = tenancy.Timeout{} // built once: it is told often

// tell passes an input to an adapter's tenancy and says what follows.
func (c *Core) tell(a *adapter, in tenancy.Input) {
	l := a.living()
	if l == nil {
		return
	}
	about := c.about(a)
	_, gone := in.(tenancy.Gone)
	l.tenancy.Handle(c.now, in)
	over, first := false, len(c.out)
	for {
		o, ok := l.tenancy.Poll()
		if !ok {
			break
		}
		switch o := o.(type) {
		case tenancy.Ended:
			over = true
			continue
		case v4.Note:
			c.remember(a, o)
		case tenancy.Answer:
			delete(c.calls, o.ID)
		}
		c.emit(Do{about, o})
	}
	awaits := l.tenancy.Awaiting()
	if l.ear == listening && !awaits {
		l.ear = deaf
		c.emit(Close{about})
	} else if awaits {
		l.ear = listening
	}
	if to := l.tenancy.Receptive(); to != l.receptive {
		l.receptive = to
		c.emit(Receive{about, to})
	}
	switch at, ok := l.tenancy.Deadline(); {
	case over:
		c.due.remove(a)
		defer c.answersLast(first) // who ended it is answered when that is done
		c.emit(Leave{about})
		if !gone {
			c.emit(Say{Adapter: about, Note: v4.Note{Kind: event.Unmanaged}, Verb: a.verb})
			c.drop(a)
			a.phase = absent{}
		}
	case ok:
		c.due.set(a, at)
	default:
		c.due.remove(a)
	}
}

// answersLast has the answers among the outputs since the first of them come after
// all but Dropped.
func (c *Core) answersLast(first int) {
	rank := func(o Output) int {
		switch o := o.(type) {
		case Dropped:
			return 2
		case Do:
			if _, is := o.What.(tenancy.Answer); is {
				return 1
			}
		}
		return 0
	}
	slices.SortStableFunc(c.out[first:], func(a, b Output) int { return cmp.Compare(rank(a), rank(b)) })
}

// say reports and remembers what no tenancy said.
func (c *Core) say(a *adapter, n v4.Note, from string) {
	c.remember(a, n)
	c.emit(Say{Adapter: c.about(a), Note: n, From: from})
}

// remember counts an event and enters it into the adapter's journal.
func (c *Core) remember(a *adapter, n v4.Note) {
	a.events.Count(n.Kind)
	a.journal.Add(c.now, EntryOf(n))
}

// EntryOf returns what the journal keeps of an event.
func EntryOf(n v4.Note) event.Entry {
	e := event.Entry{
		Kind: n.Kind, State: n.State, Message: n.Message, Why: n.Why, Server: n.Server,
		Address: n.Address, Link: n.Link, XID: n.XID, Detail: n.Text,
	}
	if n.Cause.Reason != reason.None {
		e.Detail = n.Cause.Pack()
	}
	if n.Lease != nil {
		switch n.Kind.Row().Subject {
		case event.OfNothing:
		case event.OfLease:
			if !e.Server.IsValid() {
				e.Server = n.Lease.Server
			}
			fallthrough
		case event.OfAddress:
			if !e.Address.IsValid() {
				e.Address = n.Lease.Address.Addr()
			}
		}
	}
	if e.Address.IsUnspecified() {
		e.Address = netip.Addr{}
	}
	return e
}
