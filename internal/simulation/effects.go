package simulation

import (
	"errors"
	"net/netip"
	"time"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
	"github.com/lessee/lessee/wire/udp4"
)

// An effect is an output and whose it is; close ends the exchange.
type effect struct {
	tenancy *v4.Tenancy
	output  tenancy.Output
	close   bool
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
	switch e.output.(type) {
	case tenancy.Apply, tenancy.Inspect:
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
		switch {
		case m.kernel.reports == delayed && ofKernel(in):
			m.s.world.After(dhcptest.Between(m.s.chance, 0, 3*time.Second), told)
			return
		case m.slowly:
			m.s.world.After(dhcptest.Between(m.s.chance, 0, time.Millisecond), told)
			return
		}
		told()
	}
	if m.s.world.Trace != nil {
		m.s.trace("%s", describe(e.output))
	}
	switch o := e.output.(type) {
	case v4.Transmit:
		err := m.transmit(dhcp4.Transmit(o))
		if err != nil || m.failed {
			m.failed = err != nil
			report(v4.SendFailed{Type: o.Type, Err: err})
		}
	case v4.TransmitARP:
		m.transmitARP(o)
	case v4.Listen:
		if m.tenancy == e.tenancy {
			m.listening = o.Addresses
		}
	case v4.Save:
		err := m.disk.save(o.Record)
		if err != nil || m.unsaved {
			m.unsaved = err != nil
			report(tenancy.SaveFailed{Err: err})
		}
	case tenancy.Forget:
		m.disk.forget()
	case tenancy.Apply:
		report(m.apply(o))
	case tenancy.Inspect:
		report(m.inspect(o))
	case tenancy.Answer:
		m.s.answered(o)
	case v4.Note:
	case tenancy.Ended:
	}
}

// ofKernel reports whether an input tells what the kernel did or has.
func ofKernel(in tenancy.Input) bool {
	switch in.(type) {
	case tenancy.Applied, tenancy.Inspected:
		return true
	}
	return false
}

// apply has the kernel hold what is wanted.
func (m *machine) apply(o tenancy.Apply) tenancy.Applied {
	m.s.checkApply(o)
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

func (m *machine) transmitARP(o v4.TransmitARP) {
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
