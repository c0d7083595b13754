package simulation

import (
	"bytes"
	"net/netip"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A side is one adapter, as the core's ports and the story see it.
type side interface {
	core.Kernel
	core.Transport
	core.Resolver
	core.Store
	core.Hooks

	card() *nic
	// called: a caller wants something.
	called(id uint64, v tenancy.Verb, deadline boottime.Instant)
	// heardOfLink: the program is told what became of the link.
	heardOfLink()
	// crashed: the program ended; rebooted: so did the machine.
	crashed()
	rebooted()
}

// ports are those of the core. What is asked for a link is done by the adapter that it
// is, or was, and what is true of all adapters is checked.
type ports struct{ m *machine }

// of returns whose a link is.
func (p ports) of(id core.ID) side {
	if x := p.m.owners[id]; x != nil {
		return x
	}
	for _, x := range p.m.companions {
		if x.ns == id.NS && id.NS != core.Home {
			return x // it has no link at present
		}
	}
	return p.m
}

// Prepare implements [core.Kernel].
func (p ports) Prepare(a core.Adapter, how core.Prepare) { p.of(a.ID).Prepare(a, how) }

// Leave implements [core.Kernel].
func (p ports) Leave(a core.Adapter) { p.of(a.ID).Leave(a) }

// Apply implements [core.Kernel].
func (p ports) Apply(a core.Adapter, o tenancy.Apply) (tenancy.Applied, bool) {
	return p.of(a.ID).Apply(a, o)
}

// Inspect implements [core.Kernel].
func (p ports) Inspect(a core.Adapter, o tenancy.Inspect) (tenancy.Inspected, bool) {
	return p.of(a.ID).Inspect(a, o)
}

// Solicit implements [core.Kernel].
func (p ports) Solicit(a core.Adapter, host netip.Addr) error { return p.of(a.ID).Solicit(a, host) }

// Desist implements [core.Kernel].
func (p ports) Desist(a core.Adapter) { p.of(a.ID).Desist(a) }

// Open implements [core.Transport].
func (p ports) Open(a core.Adapter) error { return p.of(a.ID).Open(a) }

// Close implements [core.Transport].
func (p ports) Close(a core.Adapter) { p.of(a.ID).Close(a) }

// Send implements [core.Transport].
func (p ports) Send(a core.Adapter, t dhcp4.Transmit) error {
	x := p.of(a.ID)
	p.m.exchanges.sends(x.card(), t)
	return x.Send(a, t)
}

// Post implements [core.Transport].
func (p ports) Post(a core.Adapter, t dhcp4.Transmit) error {
	x := p.of(a.ID)
	p.m.exchanges.sends(x.card(), t)
	return x.Post(a, t)
}

// SendARP implements [core.Transport].
func (p ports) SendARP(a core.Adapter, packet, to []byte) error {
	x := p.of(a.ID)
	if q, err := arp.Parse(packet); err != nil || !bytes.Equal(q.SenderHardware[:], x.card().kernel.Link.HardwareAddr) {
		p.m.s.broke("own link", "ARP of %v leaves on the link of %s: %v", q.SenderHardware, x.card().name(), err)
	}
	return x.SendARP(a, packet, to)
}

// ListenARP implements [core.Transport].
func (p ports) ListenARP(a core.Adapter, addresses []netip.Addr) error {
	return p.of(a.ID).ListenARP(a, addresses)
}

// ListenForceRenew implements [core.Transport].
func (p ports) ListenForceRenew(a core.Adapter, address netip.Addr) error {
	return p.of(a.ID).ListenForceRenew(a, address)
}

// Resolve implements [core.Resolver].
func (p ports) Resolve(a core.Adapter, seq uint64, d netconf.DNS) { p.of(a.ID).Resolve(a, seq, d) }

// Save implements [core.Store].
func (p ports) Save(a core.Adapter, r v4.Record) error {
	x := p.of(a.ID)
	p.m.checkName(a)
	return x.Save(a, r)
}

// Forget implements [core.Store].
func (p ports) Forget(a core.Adapter, name string) {
	if name == a.Name {
		p.m.checkName(a)
	} else {
		p.m.checkForgotten(a, name)
	}
	p.of(a.ID).Forget(a, name)
}

// Say implements [core.Hooks].
func (p ports) Say(a core.Adapter, s core.Said) { p.of(a.ID).Say(a, s) }

// Unmanageable implements [core.Hooks].
func (p ports) Unmanageable(a core.Adapter, why core.Refusal) { p.of(a.ID).Unmanageable(a, why) }

// Dropped implements [core.Hooks].
func (p ports) Dropped(a core.Adapter) { p.of(a.ID).Dropped(a) }

// Gone implements [core.Hooks].
func (p ports) Gone(id core.ID) { p.of(id).Gone(id) }

// Answer implements [core.Hooks].
func (p ports) Answer(call uint64, r tenancy.Result, err error) {
	x := p.m.callees[call]
	if x == nil {
		p.m.s.broke("answers", "call %d is answered, and was not made", call)
		return
	}
	delete(p.m.callees, call)
	x.Answer(call, r, err)
}

// Discovered implements [core.Hooks].
func (p ports) Discovered(uint64, core.Discovery) {}

// exchanges are the transactions of all adapters: each has its own.
type exchanges struct {
	s   *simulation
	own map[uint32]*nic
}

// maxExchanges bounds how many transactions are remembered.
const maxExchanges = 256

// sends: what leaves on an adapter's link has its hardware address, and is of a
// transaction of its own.
func (e *exchanges) sends(n *nic, t dhcp4.Transmit) {
	p, err := wire.Parse(t.Message)
	if err != nil {
		e.s.fail("a message is malformed: %v", err)
		return
	}
	if !bytes.Equal(p.HardwareAddr(), n.kernel.Link.HardwareAddr) {
		e.s.broke("own link", "%v of %x leaves on the link of %s", t.Type, p.HardwareAddr(), n.name())
	}
	if len(e.own) >= maxExchanges || e.own == nil {
		e.own = map[uint32]*nic{}
	}
	if whose, used := e.own[p.XID()]; used && whose != n {
		e.s.broke("own link", "%v of %s has a transaction of %s", t.Type, n.name(), whose.name())
	}
	e.own[p.XID()] = n
}

// checkName: an adapter's record is kept under the name by which the program knows it,
// as soon as nobody has to read another one there.
func (m *machine) checkName(a core.Adapter) {
	m.unchecked = true
	k, told := m.socket(a.NS).told[a.Index]
	if !told || k.link.Name == a.Name {
		return
	}
	if !m.read(a.NS, k.link.Name) {
		m.s.broke("record", "what %s has on record is kept under %s", k.link.Name, a.Name)
	}
}

// read reports whether the record of that name has yet to be read for somebody.
func (m *machine) read(ns core.NS, name string) bool {
	for x := range m.sides() {
		if n := x.card(); n.ns == ns && n.reads == name {
			return true
		}
	}
	return false
}

// checkForgotten: nobody removes another adapter's record.
func (m *machine) checkForgotten(a core.Adapter, name string) {
	m.unchecked = true
	if x := m.socket(a.NS).called(name); x != nil && x.card().managed() && x.card().id() != a.ID {
		m.s.broke("record", "the record of %s is removed for %s", name, a.Name)
	}
}

// checkRecords: each adapter has on record what was saved for it last, under the name by
// which the program knows it.
func (m *machine) checkRecords() {
	if !m.unchecked || m.core == nil {
		return
	}
	m.unchecked = false
	for x := range m.sides() {
		n := x.card()
		if n.unsaved || !n.managed() || m.socket(n.ns).called(n.known()) != x {
			continue
		}
		if n.filed != n.known() && !m.read(n.ns, n.known()) {
			m.s.broke("record", "what %s has on record is under %s still", n.known(), n.filed)
		}
		if n.entry == n.disk.file(n.filed).entry {
			continue
		}
		if have, saved := recordText(n.record()), recordText(n.saved); have != saved {
			m.s.broke("record", "%s has on record %s, and what was saved last is %s", n.known(), have, saved)
		}
	}
}
