package simulation

import (
	"iter"
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/netconf/netconftest"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/wire/arp"
)

// A machine has an adapter of which this is, perhaps some more, its companions, and
// a program that manages them: a core, of whose ports the machine is the other side.
type machine struct {
	nic

	cfg v4.Config

	core       *core.Core // nil: the program does not run
	life       int        // of the program
	seeds      uint64     // of clients so far
	companions []*companion
	sockets    map[core.NS]*socket
	owners     map[core.ID]side // whose each link is or was
	indices    map[core.NS]int  // the last link's
	callees    map[uint64]side  // whom a call is about
	exchanges  exchanges
	unchecked  bool // records were saved or removed
	asleep     bool
	unsent     error // what the next frames fail with

	done    int // effects carried out in this life of the program
	crashAt int // the effect before which the program crashes; 0: none
	within  int // effects of one input

	notices int        // notifications of the kernel's configuration that it has not been told yet
	overrun bool       // one of them says that some were lost
	manager string     // another program that manages the adapter
	missed  []func()   // what is to be told after the sleep
	solicit netip.Addr // whose link address is waited for
	// forgetful: the kernel does not know the link addresses of others.
	forgetful bool

	alarm *dhcptest.Event // the core's deadline
	woke  boottime.Instant
}

func newMachine(s *simulation, addr dhcptest.LinkAddr, l *dhcptest.Link) *machine {
	m := &machine{
		sockets: map[core.NS]*socket{}, owners: map[core.ID]side{}, indices: map[core.NS]int{}, callees: map[uint64]side{},
		exchanges: exchanges{s: s},
	}
	m.nic = nic{s: s, m: m, host: l.NewHost(addr), link: l, carrier: true, present: true, disk: newDisk(s)}
	m.touched, m.notify, m.linked = s.touched, m.disturbed, s.linked
	m.attach(m, addr, "eth0")
	m.host.Listen(68, m.hear)
	m.host.ListenARP(m.hearARP)
	return m
}

// card implements side.
func (m *machine) card() *nic { return &m.nic }

// sides yields all adapters.
func (m *machine) sides() iter.Seq[side] {
	return func(yield func(side) bool) {
		if !yield(m) {
			return
		}
		for _, x := range m.companions {
			if !yield(x) {
				return
			}
		}
	}
}

// start begins a life of the program.
func (m *machine) start() {
	m.life++
	m.done, m.notices, m.overrun, m.solicit = 0, 0, false, netip.Addr{}
	var wanted []core.Manage
	for x := range m.sides() {
		n := x.card()
		n.jobs, n.pending, n.exchange, n.listening, n.receptive, n.reads = nil, 0, false, nil, netip.Addr{}, ""
		if n.ns != core.Home || n == &m.nic {
			n.disk.open()
		}
		if n.disk.load(n.name()).Up || n.configured {
			wanted = append(wanted, core.Manage{NS: n.ns, Name: n.name()})
		}
	}
	m.core = core.New(core.Config{
		Ports:   core.Ports{Kernel: ports{m}, Transport: ports{m}, Resolver: ports{m}, Store: ports{m}, Hooks: ports{m}},
		Tenancy: m.config,
	})
	for _, ns := range []core.NS{core.Home, away} {
		m.socket(ns).list()
	}
	for _, in := range wanted {
		m.input(in)
	}
}

// config is how the adapter of a link is managed.
func (m *machine) config(ns core.NS, l netconf.Link) v4.Config {
	cfg := m.cfg
	if x, is := m.owners[core.ID{NS: ns, Index: l.Index}].(*companion); is {
		cfg = x.cfg
	}
	m.seeds++
	cfg.DHCP4.Seed = m.s.world.Seed() + m.seeds
	return cfg
}

// runs reports whether the program does.
func (m *machine) runs() bool { return m.core != nil }

// idle: nothing is under way.
func (m *machine) idle() bool { return m.nic.idle() && !m.solicit.IsValid() }

// crash ends the program between two effects. Kernel and disk stay as they are.
func (m *machine) crash() {
	m.s.trace("crash after %d effects", m.done)
	m.life++
	m.core, m.missed, m.crashAt = nil, nil, 0
	for x := range m.sides() {
		n := x.card()
		n.forgetUnsaved()
		n.jobs, n.pending = nil, 0
		n.busy.Stop()
		n.busy = nil
		x.crashed()
	}
	clear(m.callees)
	m.alarm.Stop()
	m.alarm = nil
}

// power fails: what was not flushed and all that the kernel has is lost.
func (m *machine) power() {
	m.crash()
	m.s.trace("power fails")
	for x := range m.sides() {
		n := x.card()
		if n.ns != core.Home || n == &m.nic {
			n.disk.powerFails()
		}
	}
	for x := range m.sides() {
		n := x.card()
		n.reset()
		n.relink()
		n.changed()
		n.saved = n.disk.file(n.name()).seen
		x.rebooted()
	}
}

func (m *machine) sleep() {
	m.s.trace("suspended")
	m.asleep = true
	m.woke = m.s.now()
	m.alarm.Stop()
	for x := range m.sides() {
		n := x.card()
		n.host.Mute = true
		n.lapse.Stop()
	}
}

// wake ends a suspend; for the kernel no time has passed.
func (m *machine) wake() {
	d := m.s.now().Sub(m.woke)
	m.s.trace("awake after %v", d)
	m.asleep, m.woke = false, m.s.now()
	for x := range m.sides() {
		n := x.card()
		n.host.Mute = false
		n.kernel.Suspended(d)
		n.changed()
	}
	missed := m.missed
	m.missed = nil
	for _, tell := range missed {
		tell()
	}
	m.rearm()
}

// awake does something that the program notices: when it runs again after a suspend, if
// it has not ended then.
func (m *machine) awake(do func()) {
	if !m.asleep {
		do()
		return
	}
	life := m.life
	m.missed = append(m.missed, func() {
		if m.life == life {
			do()
		}
	})
}

// A crashing is what the effect panics with before which the program crashes.
type crashing struct{}

// input hands an input to the core, which carries out what follows.
func (m *machine) input(in core.Input) {
	if m.core == nil || m.s.failure != nil {
		return
	}
	if m.asleep {
		m.awake(func() { m.input(in) })
		return
	}
	if m.s.world.Trace != nil {
		m.s.trace("> %s", describeInput(in))
	}
	m.within = 0
	if m.handle(in) {
		m.s.crashNow()
		return
	}
	m.s.drained()
	m.checkRecords()
	m.rearm()
}

// handle reports whether the program crashed on the way.
func (m *machine) handle(in core.Input) (crashed bool) {
	defer func() {
		if p := recover(); p != nil {
			if _, crashed = p.(crashing); !crashed {
				panic(p)
			}
		}
	}()
	m.core.Handle(m.s.now(), in)
	return false
}

// rearm awaits the core's deadline.
func (m *machine) rearm() {
	m.alarm.Stop()
	m.alarm = nil
	if m.core == nil || m.asleep {
		return
	}
	if at, ok := m.core.Deadline(); ok {
		m.alarm = m.s.world.At(max(at, m.s.now()), func() { m.input(core.Timeout{}) })
	}
}

// hear is the packet socket: it delivers while it is open.
func (m *machine) hear(d dhcptest.Datagram) {
	if !m.hears(d) {
		return
	}
	m.s.heard(d)
	m.input(core.Datagram{ID: m.id(), What: dhcp4.Datagram{Message: d.Payload, From: d.Source.Addr(), Link: d.Link[:]}})
}

// hearARP delivers what the adapter listens for.
func (m *machine) hearARP(p arp.Packet, f dhcptest.Frame) {
	if m.listens(p) {
		m.s.heardARP(p)
		m.input(core.ARP{ID: m.id(), Packet: arp.Append(nil, p), From: f.From[:], Unicast: f.To == m.host.LinkAddr()})
	}
}

// byOthers has another program change the kernel's configuration.
func (m *machine) byOthers(do func(k *netconftest.Kernel)) {
	if m.asleep {
		return
	}
	m.advance()
	before := m.kernel.objects()
	do(&m.kernel.Kernel)
	m.s.touched(before, m.kernel.objects())
	m.changed()
	m.s.trace("the kernel has %v, %v", m.kernel.Addresses, m.kernel.Routes)
}

// disturbed brings a notification to the program.
func (m *machine) disturbed(n netconf.Disturbed) {
	if m.core == nil {
		return
	}
	r := m.s.chance
	in := core.Disturbed{Notice: n}
	if n.Object.Kind == netconf.ObjectAddress {
		in.Notice.Index = m.id().Index // of a route it is not said: it may have left by another adapter
	}
	var d time.Duration
	switch m.kernel.reports {
	case delayed:
		d = dhcptest.Between(r, 0, 3*time.Second)
	case lost:
		if m.overrun {
			return
		}
		m.overrun = true
		in.Notice = netconf.Disturbed{} // anything may have changed
		d = dhcptest.Between(r, 0, 3*time.Second)
	case promptly, reporters:
		d = dhcptest.Between(r, 0, time.Millisecond)
	}
	life := m.life
	m.notices++
	m.s.world.After(d, func() {
		if m.life != life {
			return
		}
		m.notices--
		m.overrun = false
		m.s.noticed(in.Notice.Object)
		m.input(in)
	})
}
