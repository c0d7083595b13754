package simulation

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A machine has one adapter, and a program that manages it as the driver does:
// outputs are carried out one after the other while inputs come in.
type machine struct {
	s      *simulation
	host   *dhcptest.Host
	kernel kernel
	disk   *disk
	cfg    v4.Config

	tenancy *v4.Tenancy    // nil: the adapter is not managed, or the program does not run
	running bool           // the program runs
	byCall  bool           // it manages the adapter since a call
	link    *dhcptest.Link // nil: it is unplugged
	carrier bool           // frames can pass: it is plugged and up
	asleep  bool
	unsent  error // what the next frames fail with

	queue     []effect
	busy      *dhcptest.Event // an effect takes its time
	pumping   bool
	done      int // effects carried out in this life of the program
	crashAt   int // the effect before which the program crashes; 0: none
	awaiting  bool
	exchange  bool // the socket is open
	failed    bool // the last frame could not be sent
	unsaved   bool
	listening []netip.Addr
	receptive netip.Addr // where a FORCERENEW is heard though the socket is closed

	reports int      // results that the tenancy has not been told yet
	notices int      // notifications of the kernel that it has not been told yet
	overrun bool     // one of them says that some were lost
	manager string   // another program that manages the adapter
	missed  []func() // what is to be told after the sleep
	owned   []netip.Addr

	alarm  *dhcptest.Event // the tenancy's deadline
	lapse  *dhcptest.Event // the kernel's
	woke   boottime.Instant
	lives  int
	slowly bool // effects take time
}

func newMachine(s *simulation, addr dhcptest.LinkAddr, l *dhcptest.Link) *machine {
	m := &machine{s: s, host: l.NewHost(addr), link: l, carrier: true, disk: newDisk(s)}
	m.reset()
	m.host.Listen(68, m.hear)
	m.host.ListenARP(m.hearARP)
	return m
}

// start begins a life of the program.
func (m *machine) start() {
	m.running, m.queue, m.done, m.failed, m.unsaved, m.reports = true, nil, 0, false, false, 0
	m.awaiting, m.exchange, m.listening = false, false, nil
	m.disk.open()
	if r := m.disk.load(); m.s.managed || r.Up {
		m.manage(r.Up)
	}
}

// manage gives the adapter a tenancy.
func (m *machine) manage(byCall bool) {
	m.lives++
	m.forgetUnsaved()
	cfg := m.cfg
	cfg.DHCP4.Seed = m.s.world.Seed() + uint64(m.lives)
	cfg.Up = byCall
	t, err := v4.New(cfg)
	if err != nil {
		m.s.fail("a tenancy cannot be made: %v", err)
		return
	}
	m.tenancy, m.byCall, m.reports, m.notices, m.overrun = t, byCall, 0, 0, false
	m.advance()
	record := m.disk.load()
	m.s.began()
	m.tell(v4.Begin{
		Record:     record,
		Configured: m.kernel.prefixes(),
		Link:       tenancy.Link{Usable: m.carrier, MTU: m.kernel.Link.MTU},
	})
}

// crash ends the program between two effects. Kernel and disk stay as they are.
func (m *machine) crash() {
	m.s.trace("crash after %d effects", m.done)
	m.forgetUnsaved()
	m.running, m.tenancy, m.queue, m.missed, m.crashAt, m.reports = false, nil, nil, nil, 0, 0
	m.alarm.Stop()
	m.busy.Stop()
	m.alarm, m.busy = nil, nil
	m.s.crashed()
}

// remove takes the adapter away; the kernel's addresses go with it.
func (m *machine) remove() {
	m.tell(tenancy.Gone{})
	m.reset()
	m.relink()
	m.changed()
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
	m.pump()
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

// relink tells the tenancy whether frames can pass now.
func (m *machine) relink() {
	up := m.link != nil && m.kernel.Link.Up
	if up {
		m.host.Plug(m.link)
	} else {
		m.host.Unplug()
	}
	if m.carrier == up {
		return
	}
	m.carrier = up
	m.s.linked()
	m.tell(tenancy.Link{Usable: up, MTU: m.kernel.Link.MTU})
}

// tell hands an input to the tenancy and carries out what follows.
func (m *machine) tell(in tenancy.Input) {
	t := m.tenancy
	if t == nil || m.s.failure != nil {
		return
	}
	if m.asleep {
		m.missed = append(m.missed, func() {
			if m.tenancy == t {
				m.tell(in)
			}
		})
		return
	}
	m.s.told(in)
	if m.s.world.Trace != nil {
		m.s.trace("> %s", describeInput(in))
	}
	t.Handle(m.s.now(), in)
	outputs, ended := 0, false
	for {
		o, ok := t.Poll()
		if !ok {
			break
		}
		if outputs++; outputs > 1000 {
			m.s.fail("outputs without end after %T", in)
			return
		}
		if ended {
			m.s.broke("ended", "%T comes after the end", o)
		}
		m.s.said(o)
		if _, ended = o.(tenancy.Ended); ended {
			continue
		}
		m.queue = append(m.queue, effect{tenancy: t, output: o})
	}
	m.s.drained()
	if m.awaiting && !t.Awaiting() {
		m.queue = append(m.queue, effect{tenancy: t, close: true})
	}
	m.awaiting = t.Awaiting()
	m.receptive = t.Receptive()
	if ended {
		m.tenancy, m.byCall, m.listening, m.reports = nil, false, nil, 0
		m.s.ended()
		if m.kernel.partial {
			m.disown() // the kernel refused to remove something, and said so
		}
	}
	m.rearm()
	m.pump()
}

// rearm awaits the tenancy's deadline.
func (m *machine) rearm() {
	m.alarm.Stop()
	m.alarm = nil
	if m.tenancy == nil || m.asleep {
		return
	}
	if at, ok := m.tenancy.Deadline(); ok {
		m.alarm = m.s.world.At(at, func() { m.tell(tenancy.Timeout{}) })
	}
}

// hear is the packet socket: it delivers while it is open.
func (m *machine) hear(d dhcptest.Datagram) {
	if m.asleep || m.tenancy == nil || !m.exchange && !m.forces(d) {
		return
	}
	m.s.heard(d)
	m.tell(v4.Datagram{Message: d.Payload, From: d.Source.Addr(), Link: d.Link[:]})
}

// forces reports whether a datagram is a FORCERENEW to the address where one is
// listened for.
func (m *machine) forces(d dhcptest.Datagram) bool {
	p, err := wire.Parse(d.Payload)
	return err == nil && p.MessageType() == wire.ForceRenew && m.receptive.IsValid() && d.Destination.Addr() == m.receptive
}

// hearARP delivers what the tenancy listens for.
func (m *machine) hearARP(p arp.Packet, f dhcptest.Frame) {
	if m.asleep || m.tenancy == nil {
		return
	}
	for _, a := range m.listening {
		if p.Sender == a || p.IsProbe() && p.Target == a {
			m.s.heardARP(p)
			m.tell(v4.ARP{Packet: arp.Append(nil, p), From: f.From[:], Unicast: f.To == m.host.LinkAddr(), Ours: p.SenderHardware == arp.HardwareAddr(m.host.LinkAddr())})
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
