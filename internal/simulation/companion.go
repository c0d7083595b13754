package simulation

import (
	"fmt"
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
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A companion is an adapter beside the machine's first one, with a network of its own
// on which there is a correct server. No other program changes its configuration.
type companion struct {
	nic

	cfg     v4.Config
	network *dhcptest.Link
	prefix  netip.Prefix // of its subnet
	server  *dhcptest.Server
	conduct
}

// newCompanion adds an adapter of that name to a namespace. The number is its
// network's.
func newCompanion(s *simulation, ns core.NS, name string, addr dhcptest.LinkAddr, number byte) *companion {
	r := s.chance
	x := &companion{network: s.world.NewLink(fmt.Sprintf("own%d", number)), prefix: netip.PrefixFrom(netip.AddrFrom4([4]byte{10, 78, number, 0}), 24)}
	x.network.SetFaults(dhcptest.Faults{DelayMax: []time.Duration{0, 50 * time.Millisecond}[r.IntN(2)]})
	router := x.network.NewHost(dhcptest.LinkAddr{2, 4, 0, 0, number, 1})
	router.Own(x.address(254))
	x.server = dhcptest.NewServer(x.network.NewHost(dhcptest.LinkAddr{2, 4, 0, 0, number, 2}), dhcptest.ServerConfig{
		Address: netip.PrefixFrom(x.address(1), x.prefix.Bits()), First: x.address(100), Last: x.address(100 + poolSize - 1),
		Lease:   []time.Duration{5 * time.Minute, time.Hour, time.Hour, 24 * time.Hour, dhcptest.Infinite}[r.IntN(5)],
		Routers: []netip.Addr{x.address(254)}, DNS: []netip.Addr{x.address(254)},
		RapidCommit: dhcptest.Chance(r, 0.3), Authoritative: dhcptest.Chance(r, 0.5),
	})
	x.nic = nic{
		s: s, m: s.m, ns: ns, host: x.network.NewHost(addr), link: x.network, carrier: true, present: true, disk: s.m.disk,
		slowly: dhcptest.Chance(r, 0.5), configured: dhcptest.Chance(r, 0.8),
	}
	if ns != core.Home {
		x.disk = newDisk(s)
	}
	x.touched, x.notify, x.linked = func(map[netconf.Object]bool, map[netconf.Object]bool) {}, x.disturbed, x.moved
	x.attach(x, addr, name)
	x.kernel.reports = []reporting{promptly, delayed}[r.IntN(2)]
	x.cfg = v4.Config{
		DHCP4: dhcp4.Config{
			HardwareType: wire.HardwareEthernet, HardwareAddr: addr[:],
			Broadcast: dhcptest.Chance(r, 0.2), RapidCommit: dhcptest.Chance(r, 0.3),
		},
		Policy:   v4.Policy{Metric: metric, DNS: true},
		Conflict: []v4.ConflictMode{v4.ConflictOptimistic, v4.ConflictProbe, v4.ConflictOff}[r.IntN(3)],
	}
	x.conduct = conduct{x: x, grants: map[netip.Addr]grant{}, asked: map[uint32]boottime.Instant{}, open: map[uint64]call{}}
	x.host.Listen(68, x.hear)
	x.host.ListenARP(func(p arp.Packet, f dhcptest.Frame) {
		if x.listens(p) {
			s.m.input(core.ARP{ID: x.id(), Packet: arp.Append(nil, p), From: f.From[:], Unicast: f.To == x.host.LinkAddr()})
		}
	})
	s.m.companions = append(s.m.companions, x)
	return x
}

// address returns an address of its network.
func (x *companion) address(i byte) netip.Addr {
	b := x.prefix.Addr().As4()
	b[3] = i
	return netip.AddrFrom4(b)
}

// card implements side.
func (x *companion) card() *nic { return &x.nic }

func (x *companion) hear(d dhcptest.Datagram) {
	if x.hears(d) {
		x.heard(d)
		x.m.input(core.Datagram{ID: x.id(), What: dhcp4.Datagram{Message: d.Payload, From: d.Source.Addr(), Link: d.Link[:]}})
	}
}

// disturbed brings a notification to the program.
func (x *companion) disturbed(n netconf.Disturbed) {
	if x.m.core == nil {
		return
	}
	n.Index = x.id().Index
	life := x.m.life
	x.s.world.After(dhcptest.Between(x.s.chance, 0, time.Second), func() {
		if x.m.life == life {
			x.m.input(core.Disturbed{NS: x.ns, Notice: n})
		}
	})
}

// Prepare implements [core.Kernel].
func (x *companion) Prepare(a core.Adapter, how core.Prepare) {
	x.prepare(a, how, func() { x.setUp(true) }, x.began)
}

// Leave implements [core.Kernel].
func (x *companion) Leave(core.Adapter) {}

// Apply implements [core.Kernel].
func (x *companion) Apply(a core.Adapter, o tenancy.Apply) (tenancy.Applied, bool) {
	x.m.effect(o)
	x.wants(o)
	if x.prompt() && a.ID == x.id() {
		return x.apply(o), true
	}
	x.job(func() {
		in := tenancy.Report(o.Seq, netconf.Outcome{Unread: errGone})
		if a.ID == x.id() {
			in = x.apply(o)
		}
		x.answer(x.late(), func() core.Input { return core.Applied{Of: a.Of, Turn: a.Turn, What: in} })
	})
	return tenancy.Applied{}, false
}

func (x *companion) apply(o tenancy.Apply) tenancy.Applied {
	x.advance()
	outcome := x.kernel.apply(o)
	x.changed()
	x.since = x.s.now()
	return tenancy.Report(o.Seq, outcome)
}

// Inspect implements [core.Kernel].
func (x *companion) Inspect(a core.Adapter, o tenancy.Inspect) (tenancy.Inspected, bool) {
	x.m.effect(o)
	in := tenancy.Inspected{Seq: o.Seq, Cause: o.Cause, Err: errGone}
	look := func() {
		if a.ID == x.id() {
			x.advance()
			in.Missing, in.Err = netconf.Inspect(&x.kernel.Kernel, o.Want)
		}
	}
	if x.prompt() {
		look()
		return in, true
	}
	x.job(func() {
		look()
		x.answer(x.late(), func() core.Input { return core.Inspected{Of: a.Of, Turn: a.Turn, What: in} })
	})
	return tenancy.Inspected{}, false
}

// Solicit implements [core.Kernel].
func (x *companion) Solicit(core.Adapter, netip.Addr) error { return nil }

// Desist implements [core.Kernel].
func (x *companion) Desist(core.Adapter) {}

// Open implements [core.Transport].
func (x *companion) Open(a core.Adapter) error { return x.nic.open(a.ID) }

// Close implements [core.Transport].
func (x *companion) Close(a core.Adapter) { x.shut(a.ID) }

// Send implements [core.Transport].
func (x *companion) Send(a core.Adapter, t dhcp4.Transmit) error {
	if err := x.nic.open(a.ID); err != nil {
		return err
	}
	return x.Post(a, t)
}

// Post implements [core.Transport].
func (x *companion) Post(a core.Adapter, t dhcp4.Transmit) error {
	x.m.effect(v4.Transmit(t))
	switch {
	case a.ID != x.id():
		return errGone
	case !x.carrier:
		return errNoCarrier
	case t.Link == nil && !t.Source.IsUnspecified() && t.Destination != everybody && !x.kernel.has(t.Source):
		return errNoAddress
	}
	x.sends(t)
	return x.transport(t)
}

// SendARP implements [core.Transport].
func (x *companion) SendARP(a core.Adapter, packet, to []byte) error {
	x.m.effect(v4.TransmitARP{Packet: packet, To: to})
	switch {
	case a.ID != x.id():
		return errGone
	case !x.carrier:
		return netconf.ErrLinkDown
	}
	x.quiet("ARP")
	x.transportARP(packet, to)
	return nil
}

// Say implements [core.Hooks].
func (x *companion) Say(_ core.Adapter, s core.Said) {
	if s.Kind != event.Sent {
		x.m.effect(s.Note)
	}
	switch {
	case s.Kind == event.TakenAway && x.dropped:
		// It may not know yet that the link was set down.
	case s.Kind == event.Conflict, s.Kind == event.NAK, s.Kind == event.TakenAway:
		x.s.broke("honest notes", "%s: %v, %s; all is correct there", x.name(), s.Kind, &s.Cause)
	}
}

// Unmanageable implements [core.Hooks].
func (x *companion) Unmanageable(_ core.Adapter, why core.Refusal) {
	x.s.fail("%s cannot be managed: %s", x.name(), &why.Cause)
}

// Dropped implements [core.Hooks].
func (x *companion) Dropped(core.Adapter) {}

// Gone implements [core.Hooks].
func (x *companion) Gone(id core.ID) { x.shut(id) }

// Answer implements [core.Hooks].
func (x *companion) Answer(call uint64, r tenancy.Result, _ error) {
	o := tenancy.Answer{ID: call, Result: r}
	x.m.effect(o)
	x.answered(o)
}

// Discovered implements [core.Hooks].
func (x *companion) Discovered(uint64, core.Discovery) {}
