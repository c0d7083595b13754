package simulation

import (
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/netconf/netconftest"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A machine has one adapter, and a program that manages it: a core, of whose ports the
// machine is the other side.
type machine struct {
	s      *simulation
	host   *dhcptest.Host
	kernel kernel
	disk   *disk
	cfg    v4.Config

	core    *core.Core     // nil: the program does not run
	life    int            // of the program
	last    core.Adapter   // that has or had a tenancy
	seeds   uint64         // of clients so far
	link    *dhcptest.Link // nil: it is unplugged
	carrier bool           // frames can pass: it is plugged and up
	asleep  bool
	unsent  error // what the next frames fail with

	done      int  // effects carried out in this life of the program
	crashAt   int  // the effect before which the program crashes; 0: none
	within    int  // effects of one input
	exchange  bool // the socket is open
	unsaved   bool
	listening []netip.Addr
	receptive netip.Addr // where a FORCERENEW is heard though the socket is closed

	jobs    []func()        // what the kernel has not done yet
	busy    *dhcptest.Event // it is at the first of them
	pending int             // answers that the core has not been told yet
	notices int             // notifications of the kernel that it has not been told yet
	overrun bool            // one of them says that some were lost
	manager string          // another program that manages the adapter
	missed  []func()        // what is to be told after the sleep
	owned   []netip.Addr
	solicit netip.Addr // whose link address is waited for
	// forgetful: the kernel does not know the link addresses of others.
	forgetful bool

	alarm  *dhcptest.Event // the core's deadline
	lapse  *dhcptest.Event // the kernel's
	woke   boottime.Instant
	slowly bool // effects take time
}

func newMachine(s *simulation, addr dhcptest.LinkAddr, l *dhcptest.Link) *machine {
	m := &machine{s: s, host: l.NewHost(addr), link: l, carrier: true, disk: newDisk(s)}
	m.reset()
	m.kernel.Link.HardwareAddr, m.kernel.Link.Carrier = addr[:], true
	m.host.Listen(68, m.hear)
	m.host.ListenARP(m.hearARP)
	return m
}

// id is the adapter's link.
func (m *machine) id() core.ID { return core.ID{Index: m.kernel.Link.Index} }

// start begins a life of the program.
func (m *machine) start() {
	m.life++
	m.done, m.jobs, m.pending, m.notices, m.overrun = 0, nil, 0, 0, false
	m.exchange, m.listening, m.receptive, m.solicit = false, nil, netip.Addr{}, netip.Addr{}
	m.disk.open()
	wanted := m.disk.load().Up || m.s.managed
	m.core = core.New(core.Config{
		Ports:   core.Ports{Kernel: m, Transport: m, Resolver: m, Store: m, Hooks: m},
		Tenancy: m.config,
	})
	m.input(core.LinkChanged{Link: m.kernel.Link})
	if wanted {
		m.input(core.Manage{Name: adapter})
	}
}

// config is how the adapter is managed.
func (m *machine) config(core.NS, netconf.Link) v4.Config {
	cfg := m.cfg
	m.seeds++
	cfg.DHCP4.Seed = m.s.world.Seed() + m.seeds
	return cfg
}

// runs reports whether the program does.
func (m *machine) runs() bool { return m.core != nil }

// managed reports whether the adapter has a tenancy.
func (m *machine) managed() bool { return m.core != nil && m.core.View(m.id()).Of != 0 }

// status is the tenancy's, the zero Status if there is none.
func (m *machine) status() v4.Status {
	if m.core == nil {
		return v4.Status{}
	}
	return m.core.View(m.id()).Status
}

// lives reports whether a report is one of the last tenancy.
func (m *machine) lives(a core.Adapter) bool { return a.Of == m.last.Of && a.Turn == m.last.Turn }

// idle: nothing is under way.
func (m *machine) idle() bool {
	if m.core != nil {
		if at, set := m.core.Deadline(); set && !at.After(m.s.now()) {
			return false
		}
	}
	return len(m.jobs) == 0 && m.pending == 0 && !m.solicit.IsValid()
}

// crash ends the program between two effects. Kernel and disk stay as they are.
func (m *machine) crash() {
	m.s.trace("crash after %d effects", m.done)
	m.forgetUnsaved()
	m.life++
	m.core, m.jobs, m.missed, m.crashAt, m.pending = nil, nil, nil, 0, 0
	m.alarm.Stop()
	m.busy.Stop()
	m.alarm, m.busy = nil, nil
	m.s.crashed()
}

// remove takes the adapter away; the kernel's addresses go with it. It will be another
// one to the kernel.
func (m *machine) remove() {
	gone := m.kernel.Link
	m.reset()
	m.kernel.Link.Index = gone.Index + 1
	m.changed()
	m.input(core.LinkChanged{Link: gone, Gone: true})
}

// appear brings it back.
func (m *machine) appear() {
	m.relink()
	m.input(core.LinkChanged{Link: m.kernel.Link})
}

// forgetUnsaved takes what the kernel has of ours away where the disk did not take
// what was saved last: who comes next cannot know whose they are.
func (m *machine) forgetUnsaved() {
	if m.unsaved {
		m.disown()
	}
}

// disown takes what the kernel has of ours away.
func (m *machine) disown() {
	m.advance()
	for _, h := range slices.DeleteFunc(slices.Clone(m.kernel.Routes), func(r netconf.Route) bool { return !isMyRoute(r) }) {
		_ = m.kernel.Others(netconf.RemoveRoute{Route: h})
	}
	for _, h := range m.kernel.mine() {
		_ = m.kernel.Others(netconf.RemoveAddress{Prefix: h.Prefix})
	}
	m.changed()
}

// power fails: what was not flushed and all that the kernel has is lost.
func (m *machine) power() {
	m.crash()
	m.s.trace("power fails")
	m.disk.powerFails()
	m.reset()
	m.relink()
	m.changed()
	m.s.rebooted()
}

func (m *machine) sleep() {
	m.s.trace("suspended")
	m.asleep, m.host.Mute = true, true
	m.woke = m.s.now()
	m.alarm.Stop()
	m.lapse.Stop()
}

// wake ends a suspend; for the kernel no time has passed.
func (m *machine) wake() {
	d := m.s.now().Sub(m.woke)
	m.s.trace("awake after %v", d)
	m.asleep, m.host.Mute, m.woke = false, false, m.s.now()
	m.kernel.Suspended(d)
	m.changed()
	missed := m.missed
	m.missed = nil
	for _, tell := range missed {
		tell()
	}
	m.rearm()
}

// setCarrier plugs the adapter into a link, or out of all for nil.
func (m *machine) setCarrier(l *dhcptest.Link) {
	m.link = l
	m.relink()
}

// setUp has another program set the link up or down.
func (m *machine) setUp(up bool) {
	if m.kernel.Link.Up == up {
		return
	}
	m.kernel.SetUp(up)
	m.s.dropped()
	m.relink()
}

// relink reports whether frames can pass now.
func (m *machine) relink() {
	up := m.link != nil && m.kernel.Link.Up
	if up {
		m.host.Plug(m.link)
	} else {
		m.host.Unplug()
	}
	m.kernel.Link.Carrier = up
	if m.carrier == up {
		return
	}
	m.carrier = up
	m.s.linked()
	m.input(core.LinkChanged{Link: m.kernel.Link})
}

// A crashing is what the effect panics with before which the program crashes.
type crashing struct{}

// input hands an input to the core, which carries out what follows.
func (m *machine) input(in core.Input) {
	if m.core == nil || m.s.failure != nil {
		return
	}
	if m.asleep {
		life := m.life
		m.missed = append(m.missed, func() {
			if m.life == life {
				m.input(in)
			}
		})
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
	if m.asleep || m.core == nil || !m.exchange && !m.forces(d) {
		return
	}
	m.s.heard(d)
	m.input(core.Datagram{ID: m.id(), What: dhcp4.Datagram{Message: d.Payload, From: d.Source.Addr(), Link: d.Link[:]}})
}

// forces reports whether a datagram is a FORCERENEW to the address where one is
// listened for.
func (m *machine) forces(d dhcptest.Datagram) bool {
	p, err := wire.Parse(d.Payload)
	return err == nil && p.MessageType() == wire.ForceRenew && m.receptive.IsValid() && d.Destination.Addr() == m.receptive
}

// hearARP delivers what the adapter listens for.
func (m *machine) hearARP(p arp.Packet, f dhcptest.Frame) {
	if m.asleep || m.core == nil {
		return
	}
	for _, a := range m.listening {
		if p.Sender == a || p.IsProbe() && p.Target == a {
			m.s.heardARP(p)
			m.input(core.ARP{ID: m.id(), Packet: arp.Append(nil, p), From: f.From[:], Unicast: f.To == m.host.LinkAddr()})
			return
		}
	}
}

// changed has the host answer ARP for what the kernel has now, and the kernel
// keep its time.
func (m *machine) changed() {
	m.advance()
	for _, a := range m.owned {
		m.host.Disown(a)
	}
	m.owned = m.owned[:0]
	for _, h := range m.kernel.Addresses {
		m.owned = append(m.owned, h.Prefix.Addr())
	}
	m.host.Own(m.owned...)
	m.lapse.Stop()
	m.lapse = nil
	if at, ok := m.kernel.Next(); ok && !m.asleep {
		m.lapse = m.s.world.At(at, m.changed)
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

// advance lets the kernel's time pass. Where an address of others ends, others
// took away what goes with it.
func (m *machine) advance() {
	k, now := &m.kernel, m.s.now()
	end, ok := k.Next()
	if !ok || now.Before(end) {
		k.Advance(now)
		return
	}
	before, mine := k.objects(), k.mine()
	k.Advance(now)
	if !slices.ContainsFunc(mine, func(h netconf.Address) bool { return !h.Lifetime.Forever && !now.Before(h.Lifetime.ValidUntil) }) {
		m.s.touched(before, k.objects())
	}
}

// disturbed brings a notification to the program.
func (m *machine) disturbed(n netconf.Disturbed) {
	if m.core == nil {
		return
	}
	r := m.s.chance
	in := core.Disturbed{Notice: n}
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
