package simulation

import (
	"errors"
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
	"github.com/lessee/lessee/wire/udp4"
)

// A machine has one adapter, and a program that manages it as the driver does:
// outputs are carried out one after the other while inputs come in.
type machine struct {
	s      *simulation
	host   *dhcptest.Host
	kernel kernel
	disk   disk
	cfg    tenancy.Config

	tenancy *tenancy.Tenancy // nil: the adapter is not managed, or the program does not run
	running bool             // the program runs
	byCall  bool             // it manages the adapter since a call
	carrier bool
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
	missed  []func() // what is to be told after the sleep
	owned   []netip.Addr

	alarm  *dhcptest.Event // the tenancy's deadline
	lapse  *dhcptest.Event // the kernel's
	woke   boottime.Instant
	lives  int
	slowly bool // effects take time
}

// An effect is an output and whose it is; close ends the exchange.
type effect struct {
	tenancy *tenancy.Tenancy
	output  tenancy.Output
	close   bool
}

func newMachine(s *simulation, addr dhcptest.LinkAddr, l *dhcptest.Link) *machine {
	m := &machine{s: s, host: l.NewHost(addr), carrier: true, kernel: kernel{mtu: 1500}}
	m.host.Listen(68, m.hear)
	m.host.ListenARP(m.hearARP)
	return m
}

// start begins a life of the program.
func (m *machine) start() {
	m.running, m.queue, m.done, m.failed, m.unsaved, m.reports = true, nil, 0, false, false, 0
	m.awaiting, m.exchange, m.listening = false, false, nil
	if m.s.managed || m.disk.seen.Up {
		m.manage(m.disk.seen.Up)
	}
}

// manage gives the adapter a tenancy.
func (m *machine) manage(byCall bool) {
	m.lives++
	m.forgetUnsaved()
	cfg := m.cfg
	cfg.DHCP4.Seed = m.s.world.Seed() + uint64(m.lives)
	cfg.Up = byCall
	t, err := tenancy.New(cfg)
	if err != nil {
		m.s.fail("a tenancy cannot be made: %v", err)
		return
	}
	m.tenancy, m.byCall, m.reports = t, byCall, 0
	m.s.began()
	m.tell(tenancy.Begin{
		Record:     m.disk.seen,
		Configured: m.kernel.prefixes(),
		Link:       tenancy.Link{Usable: m.carrier, MTU: m.kernel.mtu},
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
	m.kernel.addresses, m.kernel.stuck = nil, false
	m.changed()
}

// forgetUnsaved takes the kernel's addresses away where the disk did not take
// what was saved last: who comes next cannot know whose they are.
func (m *machine) forgetUnsaved() {
	if m.unsaved {
		m.kernel.addresses = nil
		m.changed()
	}
}

// power fails: what was not flushed and all that the kernel has is lost.
func (m *machine) power() {
	m.crash()
	m.s.trace("power fails")
	m.disk.reboot()
	m.kernel.addresses, m.kernel.mtu, m.kernel.stuck = nil, 1500, false
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
	for i := range m.kernel.addresses {
		m.kernel.addresses[i].until = m.kernel.addresses[i].until.Add(d)
	}
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
	up := l != nil
	if up {
		m.host.Plug(l)
	} else {
		m.host.Unplug()
	}
	if m.carrier == up {
		return
	}
	m.carrier = up
	m.s.linked()
	m.tell(tenancy.Link{Usable: up, MTU: m.kernel.mtu})
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

// pump carries out effects until one takes its time.
func (m *machine) pump() {
	if m.pumping || m.busy != nil || m.asleep {
		return
	}
	m.pumping = true
	defer func() { m.pumping = false }()
	for len(m.queue) > 0 && m.busy == nil && m.s.failure == nil {
		if m.crashAt > 0 && m.done >= m.crashAt {
			m.s.crashNow()
			return
		}
		e := m.queue[0]
		m.queue = m.queue[1:]
		d := m.duration(e)
		if d == 0 {
			m.carryOut(e)
			continue
		}
		m.busy = m.s.world.After(d, func() { m.finish(e) })
	}
}

// finish ends an effect that took its time, later if the machine sleeps.
func (m *machine) finish(e effect) {
	if m.asleep {
		m.busy = m.s.world.After(time.Second, func() { m.finish(e) })
		return
	}
	m.busy = nil
	m.carryOut(e)
	m.pump()
}

// duration is what the kernel takes.
func (m *machine) duration(e effect) time.Duration {
	if !m.slowly || e.close {
		return 0
	}
	r := m.s.chance
	if _, ok := e.output.(tenancy.Apply); ok {
		return dhcptest.Between(r, 0, 3*time.Millisecond)
	}
	return 0
}

func (m *machine) carryOut(e effect) {
	m.done++
	if e.close {
		m.exchange = false
		return
	}
	life := m.lives
	report := func(in tenancy.Input) {
		if m.tenancy != e.tenancy {
			return
		}
		told := func() {
			if m.tenancy == e.tenancy && m.lives == life {
				m.reports--
				m.tell(in)
			}
		}
		m.reports++
		if m.slowly {
			m.s.world.After(dhcptest.Between(m.s.chance, 0, time.Millisecond), told)
			return
		}
		told()
	}
	if m.s.world.Trace != nil {
		m.s.trace("%s", describe(e.output))
	}
	switch o := e.output.(type) {
	case tenancy.Transmit:
		err := m.transmit(dhcp4.Transmit(o))
		if err != nil || m.failed {
			m.failed = err != nil
			report(tenancy.SendFailed{Type: o.Type, Err: err})
		}
	case tenancy.TransmitARP:
		m.transmitARP(o)
	case tenancy.Listen:
		if m.tenancy == e.tenancy {
			m.listening = o.Addresses
		}
	case tenancy.Save:
		err := m.save(o)
		if err != nil || m.unsaved {
			m.unsaved = err != nil
			report(tenancy.SaveFailed{Err: err})
		}
	case tenancy.Forget:
		m.disk.seen = tenancy.Record{}
		m.disk.version++
		m.persist()
	case tenancy.Apply:
		m.s.checkApply(o)
		err, partly := m.kernel.apply(o.Ours, o.Want)
		m.changed()
		m.s.trace("the kernel has %v, error %v", m.kernel.prefixes(), err)
		report(tenancy.Applied{Seq: o.Seq, Err: err, Partly: partly})
	case tenancy.Answer:
		m.s.answered(o)
	case tenancy.Note:
	case tenancy.Ended:
	}
}

func (m *machine) save(o tenancy.Save) error {
	if err := m.disk.save(o.Record); err != nil {
		return err
	}
	m.persist()
	return nil
}

// persist has the second copy follow the first one: the latest wins, and nothing
// waits for it.
func (m *machine) persist() {
	version := m.disk.version
	m.s.world.After(dhcptest.Between(m.s.chance, 0, time.Second), func() {
		if m.disk.version == version {
			m.disk.kept = m.disk.seen
		}
	})
}

var (
	errNoCarrier = errors.New("network is down")
	errNoAddress = errors.New("cannot assign requested address")
)

func (m *machine) transmit(t dhcp4.Transmit) error {
	if t.Type != wire.Release && t.Type != wire.Decline {
		m.exchange = true
	}
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

func (m *machine) transmitARP(o tenancy.TransmitARP) {
	if m.unsent != nil || !m.carrier {
		return
	}
	m.s.sentARP(o)
	p, err := arp.Parse(o.Packet)
	if err != nil {
		m.s.fail("an ARP packet is malformed: %v", err)
		return
	}
	to := dhcptest.LinkBroadcast
	if o.To != nil {
		to = dhcptest.LinkAddr(o.To)
	}
	m.host.SendARP(p, to)
}

// hear is the packet socket: it delivers while it is open.
func (m *machine) hear(d dhcptest.Datagram) {
	if m.asleep || m.tenancy == nil || !m.exchange && !m.forces(d) {
		return
	}
	m.s.heard(d)
	m.tell(tenancy.Datagram{Message: d.Payload, From: d.Source.Addr(), Link: d.Link[:]})
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
			m.tell(tenancy.ARP{Packet: arp.Append(nil, p), From: f.From[:], Unicast: f.To == m.host.LinkAddr(), Ours: p.SenderHardware == arp.HardwareAddr(m.host.LinkAddr())})
			return
		}
	}
}

// changed has the host answer ARP for what the kernel has now, and the kernel
// keep its time.
func (m *machine) changed() {
	m.kernel.expire(m.s.now())
	for _, a := range m.owned {
		m.host.Disown(a)
	}
	m.owned = m.owned[:0]
	for _, c := range m.kernel.addresses {
		m.owned = append(m.owned, c.prefix.Addr())
	}
	m.host.Own(m.owned...)
	m.lapse.Stop()
	m.lapse = nil
	if at, ok := m.kernel.next(); ok && !m.asleep {
		m.lapse = m.s.world.At(at, m.changed)
	}
}
