package simulation

import (
	"errors"
	"net/netip"
	"time"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/wire/arp"
	"github.com/lessee/lessee/wire/udp4"
)

// What follows makes a machine the ports of a core.

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

// answer has an input told later.
func (m *machine) answer(d time.Duration, in func() core.Input) {
	life := m.life
	m.pending++
	m.s.world.After(d, func() {
		if m.life == life {
			m.pending--
			m.input(in())
		}
	})
}

// job has the kernel do something when it has done what it was told before.
func (m *machine) job(do func()) {
	m.jobs = append(m.jobs, do)
	if len(m.jobs) == 1 {
		m.work()
	}
}

// work begins with the first job.
func (m *machine) work() {
	var d time.Duration
	if m.slowly {
		d = dhcptest.Between(m.s.chance, 0, 3*time.Millisecond)
	}
	m.busy = m.s.world.After(d, func() {
		if m.asleep {
			m.busy = m.s.world.After(time.Second, m.work)
			return
		}
		m.jobs[0]()
		if m.jobs = m.jobs[1:]; len(m.jobs) > 0 {
			m.work()
		}
	})
}

// late is how long after the kernel did something the core is told.
func (m *machine) late() time.Duration {
	switch {
	case m.kernel.reports == delayed:
		return dhcptest.Between(m.s.chance, 0, 3*time.Second)
	case m.slowly:
		return dhcptest.Between(m.s.chance, 0, time.Millisecond)
	}
	return 0
}

// prompt: the kernel answers at once.
func (m *machine) prompt() bool {
	return !m.slowly && m.kernel.reports != delayed && len(m.jobs) == 0
}

// Prepare implements [core.Kernel].
func (m *machine) Prepare(a core.Adapter, how core.Prepare) {
	m.job(func() {
		in := core.Prepared{Of: a.Of, Turn: a.Turn, ID: a.ID, Link: m.kernel.Link}
		if a.ID != m.id() {
			in.Refusal.Code = errno.ERROR_GEN_FAILURE // it has gone
			m.answer(0, func() core.Input { return in })
			return
		}
		m.forgetUnsaved()
		m.advance()
		if how.SetUp == core.SetUpIfDown {
			m.setUp(true)
			in.Link = m.kernel.Link
		}
		m.answer(m.late(), func() core.Input {
			in.Record = m.disk.load()
			in.Configured = m.kernel.prefixes()
			m.last = a
			m.s.began()
			return in
		})
	})
}

// Leave implements [core.Kernel].
func (m *machine) Leave(core.Adapter) {
	m.s.ended()
	if m.kernel.partial {
		m.disown() // the kernel refused to remove something, and said so
	}
}

// Apply implements [core.Kernel].
func (m *machine) Apply(a core.Adapter, o tenancy.Apply) (tenancy.Applied, bool) {
	m.effect(o)
	m.s.wants(o)
	m.s.checkApply(o)
	if m.prompt() {
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
	m.s.looks()
	if m.prompt() {
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
		if m.life == life && m.solicit == host {
			m.input(core.Neighbour{ID: a.ID, Host: host, Link: m.neighbour(host)})
		}
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
func (m *machine) Open(core.Adapter) error { m.exchange = true; return nil }

// Close implements [core.Transport].
func (m *machine) Close(core.Adapter) { m.exchange = false }

var (
	errNoCarrier = errors.New("network is down")
	errNoAddress = errors.New("cannot assign requested address")
	errGone      = errors.New("no such device")
)

// Send implements [core.Transport].
func (m *machine) Send(_ core.Adapter, t dhcp4.Transmit) error {
	m.exchange = true
	return m.transmit(t)
}

// Post implements [core.Transport].
func (m *machine) Post(_ core.Adapter, t dhcp4.Transmit) error {
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
	d := udp4.Datagram{
		Source:      netip.AddrPortFrom(t.Source, 68),
		Destination: netip.AddrPortFrom(t.Destination, 67),
		Payload:     t.Message,
	}
	if len(t.Link) == len(dhcptest.LinkAddr{}) {
		return m.host.SendTo(dhcptest.LinkAddr(t.Link), d)
	}
	return m.host.Send(d)
}

var everybody = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// SendARP implements [core.Transport].
func (m *machine) SendARP(_ core.Adapter, packet, to []byte) error {
	m.effect(v4.TransmitARP{Packet: packet, To: to})
	if m.unsent != nil {
		return m.unsent
	}
	if !m.carrier {
		return netconf.ErrLinkDown
	}
	m.s.sentARP()
	p, err := arp.Parse(packet)
	if err != nil {
		m.s.fail("an ARP packet is malformed: %v", err)
		return nil
	}
	target := dhcptest.LinkBroadcast
	if to != nil {
		target = dhcptest.LinkAddr(to)
	}
	m.host.SendARP(p, target)
	return nil
}

// ListenARP implements [core.Transport].
func (m *machine) ListenARP(_ core.Adapter, addresses []netip.Addr) error {
	m.effect(v4.Listen{Addresses: addresses})
	m.listening = addresses
	return nil
}

// ListenForceRenew implements [core.Transport].
func (m *machine) ListenForceRenew(_ core.Adapter, address netip.Addr) error {
	m.receptive = address
	return nil
}

// Resolve implements [core.Resolver].
func (m *machine) Resolve(a core.Adapter, seq uint64, _ netconf.DNS) {
	if dhcptest.Chance(m.s.chance, 0.1) {
		// It hangs, and is not waited for for ever.
		life := m.life
		m.pending++
		m.s.world.After(time.Second+time.Millisecond, func() {
			if m.life == life {
				m.pending--
			}
		})
		return
	}
	m.answer(m.late(), func() core.Input { return core.Resolved{Of: a.Of, Turn: a.Turn, Seq: seq} })
}

// Save implements [core.Store].
func (m *machine) Save(_ core.Adapter, r v4.Record) error {
	m.effect(v4.Save{Record: r})
	err := m.disk.save(r)
	m.unsaved = err != nil
	return err
}

// Forget implements [core.Store].
func (m *machine) Forget(core.Adapter, string) {
	m.effect(tenancy.Forget{})
	m.disk.forget()
}

// Say implements [core.Hooks].
func (m *machine) Say(_ core.Adapter, s core.Said) {
	if s.Kind == event.Sent {
		m.s.says(s.Note) // of what the effect was
		return
	}
	m.effect(s.Note)
	m.s.says(s.Note)
}

// Unmanageable implements [core.Hooks].
func (m *machine) Unmanageable(_ core.Adapter, why core.Refusal) {
	m.s.fail("the adapter cannot be managed: %s", &why.Cause)
}

// Dropped implements [core.Hooks].
func (m *machine) Dropped(core.Adapter) {}

// Gone implements [core.Hooks].
func (m *machine) Gone(core.ID) { m.exchange = false }

// Answer implements [core.Hooks].
func (m *machine) Answer(call uint64, r tenancy.Result, _ error) {
	o := tenancy.Answer{ID: call, Result: r}
	m.effect(o)
	m.s.answered(o)
}

// Discovered implements [core.Hooks].
func (m *machine) Discovered(uint64, core.Discovery) {}
