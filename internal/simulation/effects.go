package simulation

import (
	"errors"
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/wire/arp"
	"github.com/lessee/lessee/wire/udp4"
)

// What follows makes a machine the ports of a core, for its first adapter.

// maxEffects bounds the effects of one input.
const maxEffects = 1000

// effect notes that something is carried out.
func (m *machine) effect(o tenancy.Output) {
	if m.crashAt > 0 && m.done >= m.crashAt {
		panic(crashing{})
	}
	m.done++
	if m.within++; m.within > maxEffects {
		m.s.fail("effects without end, the last of them %T", o)
		panic(crashing{})
	}
	if m.s.world.Trace != nil {
		m.s.trace("%s", describe(o))
	}
}

// Prepare implements [core.Kernel].
func (m *machine) Prepare(a core.Adapter, how core.Prepare) {
	m.prepare(a, how, func() { m.setUp(true) }, m.s.began)
}

// setUp has another program set the link up or down.
func (m *machine) setUp(up bool) {
	if m.nic.setUp(up) {
		m.s.dropped()
	}
}

// Leave implements [core.Kernel].
func (m *machine) Leave(a core.Adapter) {
	m.s.ended()
	if m.kernel.partial && a.ID == m.id() {
		m.disown() // the kernel refused to remove something, and said so
	}
}

// Apply implements [core.Kernel].
func (m *machine) Apply(a core.Adapter, o tenancy.Apply) (tenancy.Applied, bool) {
	m.effect(o)
	if a.ID == m.id() {
		m.s.wants(o)
		m.s.checkApply(o)
	}
	if m.prompt() && a.ID == m.id() {
		in := m.apply(o)
		m.s.applies(in)
		return in, true
	}
	m.job(func() {
		in := tenancy.Report(o.Seq, netconf.Outcome{Unread: errGone})
		if a.ID == m.id() {
			in = m.apply(o)
		}
		m.answer(m.late(), func() core.Input {
			if m.lives(a) {
				m.s.applies(in)
			}
			return core.Applied{Of: a.Of, Turn: a.Turn, What: in}
		})
	})
	return tenancy.Applied{}, false
}

// apply has the kernel hold what is wanted.
func (m *machine) apply(o tenancy.Apply) tenancy.Applied {
	m.advance()
	before := m.kernel.Clone()
	outcome := m.kernel.apply(o)
	m.changed()
	if m.s.world.Trace != nil {
		m.s.trace("the kernel has %v, %v, error %v", m.kernel.Addresses, m.kernel.Routes, outcome.Err())
	}
	m.s.carriedOut(before, o, outcome)
	return tenancy.Report(o.Seq, outcome)
}

// Inspect implements [core.Kernel].
func (m *machine) Inspect(a core.Adapter, o tenancy.Inspect) (tenancy.Inspected, bool) {
	m.effect(o)
	if a.ID == m.id() {
		m.s.looks()
	}
	if m.prompt() && a.ID == m.id() {
		in := m.inspect(o)
		m.s.inspected(in)
		return in, true
	}
	m.job(func() {
		in := tenancy.Inspected{Seq: o.Seq, Cause: o.Cause, Err: errGone}
		if a.ID == m.id() {
			in = m.inspect(o)
		}
		m.answer(m.late(), func() core.Input {
			if m.lives(a) {
				m.s.inspected(in)
			}
			return core.Inspected{Of: a.Of, Turn: a.Turn, What: in}
		})
	})
	return tenancy.Inspected{}, false
}

// inspect looks what of the wanted the kernel lacks.
func (m *machine) inspect(o tenancy.Inspect) tenancy.Inspected {
	in := tenancy.Inspected{Seq: o.Seq, Cause: o.Cause}
	m.advance()
	in.Missing, in.Err = netconf.Inspect(&m.kernel.Kernel, o.Want)
	if o.Cause == tenancy.PutBackDue && len(in.Missing) > 0 {
		in.Manager = m.manager
	}
	return in
}

// Solicit implements [core.Kernel].
func (m *machine) Solicit(a core.Adapter, host netip.Addr) error {
	m.solicit = host
	life := m.life
	m.s.world.After(dhcptest.Between(m.s.chance, 0, time.Second), func() {
		if m.life != life || m.solicit != host {
			return
		}
		if dhcptest.Chance(m.s.chance, 0.3) {
			m.input(core.Neighbour{ID: core.ID{NS: a.NS}}) // the answer was lost: anyone may be known
			return
		}
		m.input(core.Neighbour{ID: a.ID, Host: host, Link: m.neighbour(host)})
	})
	return nil
}

// neighbour returns a host's link address, everybody's if it is not there.
func (m *machine) neighbour(host netip.Addr) []byte {
	if m.s.here != nil {
		for _, v := range m.s.here.servers {
			if v.Address() == host {
				a := v.Host().LinkAddr()
				return a[:]
			}
		}
	}
	a := dhcptest.LinkBroadcast
	return a[:]
}

// Desist implements [core.Kernel].
func (m *machine) Desist(core.Adapter) {
	m.solicit = netip.Addr{}
	m.s.waited()
}

// Open implements [core.Transport].
func (m *machine) Open(a core.Adapter) error { return m.open(a.ID) }

// Close implements [core.Transport].
func (m *machine) Close(a core.Adapter) { m.shut(a.ID) }

var (
	errNoCarrier = errors.New("network is down")
	errNoAddress = errors.New("cannot assign requested address")
	errGone      = errors.New("no such device")
)

// Send implements [core.Transport].
func (m *machine) Send(a core.Adapter, t dhcp4.Transmit) error {
	if err := m.open(a.ID); err != nil {
		m.effect(v4.Transmit(t))
		return err
	}
	return m.transmit(t)
}

// Post implements [core.Transport].
func (m *machine) Post(a core.Adapter, t dhcp4.Transmit) error {
	if a.ID != m.id() {
		m.effect(v4.Transmit(t))
		return errGone
	}
	if t.Destination != everybody && t.Link == nil && m.forgetful && !m.solicit.IsValid() {
		m.s.tally["link address unknown"]++
		return &netconf.UnresolvedError{Hop: t.Destination}
	}
	return m.transmit(t)
}

func (m *machine) transmit(t dhcp4.Transmit) error {
	m.effect(v4.Transmit(t))
	m.s.sends(t)
	m.s.asks(t)
	switch {
	case m.unsent != nil:
		return m.unsent
	case !m.carrier:
		return errNoCarrier
	case t.Link == nil && !t.Source.IsUnspecified() && t.Destination != everybody && !m.kernel.has(t.Source):
		return errNoAddress
	}
	m.s.sent(t)
	return m.transport(t)
}

// transport sends a message.
func (n *nic) transport(t dhcp4.Transmit) error {
	d := udp4.Datagram{
		Source:      netip.AddrPortFrom(t.Source, 68),
		Destination: netip.AddrPortFrom(t.Destination, 67),
		Payload:     t.Message,
	}
	if len(t.Link) == len(dhcptest.LinkAddr{}) {
		return n.host.SendTo(dhcptest.LinkAddr(t.Link), d)
	}
	return n.host.Send(d)
}

var everybody = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// SendARP implements [core.Transport].
func (m *machine) SendARP(a core.Adapter, packet, to []byte) error {
	m.effect(v4.TransmitARP{Packet: packet, To: to})
	if a.ID != m.id() {
		return errGone
	}
	if m.unsent != nil {
		return m.unsent
	}
	if !m.carrier {
		return netconf.ErrLinkDown
	}
	m.s.sentARP()
	m.transportARP(packet, to)
	return nil
}

// transportARP sends an ARP packet.
func (n *nic) transportARP(packet, to []byte) {
	p, err := arp.Parse(packet)
	if err != nil {
		n.s.fail("an ARP packet is malformed: %v", err)
		return
	}
	target := dhcptest.LinkBroadcast
	if to != nil {
		target = dhcptest.LinkAddr(to)
	}
	n.host.SendARP(p, target)
}

// Say implements [core.Hooks].
func (m *machine) Say(a core.Adapter, s core.Said) {
	if s.Kind != event.Sent { // of what the effect was
		m.effect(s.Note)
	}
	if a.ID == m.id() {
		m.s.says(s.Note)
	}
}

// Unmanageable implements [core.Hooks].
func (m *machine) Unmanageable(_ core.Adapter, why core.Refusal) {
	m.s.fail("the adapter cannot be managed: %s", &why.Cause)
}

// Dropped implements [core.Hooks].
func (m *machine) Dropped(core.Adapter) {}

// Gone implements [core.Hooks].
func (m *machine) Gone(id core.ID) { m.shut(id) }

// Answer implements [core.Hooks].
func (m *machine) Answer(call uint64, r tenancy.Result, _ error) {
	o := tenancy.Answer{ID: call, Result: r}
	m.effect(o)
	m.s.answered(o)
}

// Discovered implements [core.Hooks].
func (m *machine) Discovered(uint64, core.Discovery) {}

// called implements side.
func (m *machine) called(id uint64, v tenancy.Verb, deadline boottime.Instant) {
	m.s.called(id, v, deadline)
}

// heardOfLink implements side.
func (m *machine) heardOfLink() { m.s.linked() }

// crashed implements side.
func (m *machine) crashed() { m.s.crashed() }

// rebooted implements side.
func (m *machine) rebooted() { m.s.rebooted() }
