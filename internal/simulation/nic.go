package simulation

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A nic is one adapter of the machine: what the kernel has of it, and what the program
// has asked for it.
type nic struct {
	s      *simulation
	m      *machine
	ns     core.NS
	host   *dhcptest.Host
	kernel kernel
	disk   *disk // of its namespace

	link    *dhcptest.Link // nil: it is unplugged
	carrier bool           // frames can pass: it is plugged and up
	present bool           // else it was removed
	losses  uint64         // of the carrier
	// configured: the program has it managed from its start on.
	configured bool

	exchange  bool // the socket is open
	listening []netip.Addr
	receptive netip.Addr // where a FORCERENEW is heard though the socket is closed
	slowly    bool       // what is asked for takes time

	jobs    []func()        // what the kernel has not done yet
	busy    *dhcptest.Event // it is at the first of them
	pending int             // answers that the core has not been told yet
	owned   []netip.Addr
	lapse   *dhcptest.Event // the kernel's

	asked   core.Adapter // that was to be prepared last
	reads   string       // the name whose record is yet to be read for it, or ""
	last    core.Adapter // that has or had a tenancy
	saved   v4.Record    // what the program saved or read last
	filed   string       // under which name
	entry   uint64       // the number of that among all that was put on record
	unsaved bool         // that is not what is on record
	strayed bool         // it was renamed and not managed then: that may be under another name

	// touched is told of what others changed, notify of what the kernel reports, and
	// linked that the link came or went.
	touched func(before, after map[netconf.Object]bool)
	notify  func(netconf.Disturbed)
	linked  func()
}

// attach has the kernel make an adapter with the next index of its namespace.
func (n *nic) attach(owner side, addr dhcptest.LinkAddr, name string) {
	n.kernel.Link.Name, n.kernel.Link.HardwareAddr, n.filed = name, addr[:], name
	n.reset()
	n.renumber(owner)
}

// renumber gives it the next index of its namespace.
func (n *nic) renumber(owner side) {
	n.m.indices[n.ns] = max(n.m.indices[n.ns]+1, firstIndex)
	n.kernel.Link.Index = n.m.indices[n.ns]
	n.m.owners[n.id()] = owner
}

// firstIndex is the first one of a namespace: its loopback adapter has 1.
const firstIndex = 2

// id is the adapter's link.
func (n *nic) id() core.ID { return core.ID{NS: n.ns, Index: n.kernel.Link.Index} }

func (n *nic) name() string { return n.kernel.Link.Name }

// known is the name by which the program knows the adapter.
func (n *nic) known() string {
	if k, ok := n.m.socket(n.ns).told[n.kernel.Link.Index]; ok {
		return k.link.Name
	}
	return n.name()
}

// record is what the adapter has on record.
func (n *nic) record() v4.Record { return n.disk.file(n.filed).seen }

// remembered reports whether what was on record is the adapter's own.
func (n *nic) remembered() bool {
	return bytes.Equal(n.saved.HardwareAddr, n.kernel.Link.HardwareAddr)
}

// managed reports whether the adapter has a tenancy.
func (n *nic) managed() bool { return n.m.core != nil && n.m.core.View(n.id()).Of != 0 }

// status is the tenancy's, the zero Status if there is none.
func (n *nic) status() v4.Status {
	if n.m.core == nil {
		return v4.Status{}
	}
	return n.m.core.View(n.id()).Status
}

// lives reports whether a report is one of the last tenancy.
func (n *nic) lives(a core.Adapter) bool { return a.Of == n.last.Of && a.Turn == n.last.Turn }

// idle: nothing is under way.
func (n *nic) idle() bool {
	if n.m.core != nil {
		if at, set := n.m.core.Deadline(); set && !at.After(n.s.now()) {
			return false
		}
	}
	return len(n.jobs) == 0 && n.pending == 0
}

// untold: the program may not know what became of the link.
func (n *nic) untold() bool { return n.m.socket(n.ns).behind() }

// remove takes the adapter away; the kernel's addresses go with it. It will be another
// one to the kernel.
func (n *nic) remove(owner side) {
	if !n.present {
		return
	}
	gone := n.kernel.Link
	n.strayed = n.strayed || n.filed != n.name() || n.reads != ""
	n.present, n.exchange, n.listening, n.receptive = false, false, nil, netip.Addr{}
	n.plugIn(false)
	n.reset()
	n.renumber(owner)
	n.changed()
	n.m.socket(n.ns).gone(gone)
}

// appear brings it back.
func (n *nic) appear() {
	if n.present {
		return
	}
	n.present = true
	n.plugIn(n.link != nil && n.kernel.Link.Up)
	n.m.socket(n.ns).changed(n)
}

// rename gives it another name.
func (n *nic) rename(name string) {
	n.s.trace("%s is renamed to %s", n.name(), name)
	n.kernel.Link.Name = name
	n.m.socket(n.ns).changed(n)
}

// setUp has another program set the link up or down. It reports whether that is news.
func (n *nic) setUp(up bool) bool {
	if n.kernel.Link.Up == up {
		return false
	}
	n.kernel.SetUp(up)
	n.relink()
	return true
}

// setCarrier plugs the adapter into a link, or out of all for nil.
func (n *nic) setCarrier(l *dhcptest.Link) {
	n.link = l
	n.relink()
}

// relink reports whether frames can pass now.
func (n *nic) relink() {
	if n.plugIn(n.link != nil && n.kernel.Link.Up && n.present) {
		n.m.socket(n.ns).changed(n)
	}
}

// plugIn says whether frames can pass, and reports whether that is news.
func (n *nic) plugIn(up bool) bool {
	if up {
		n.host.Plug(n.link)
	} else {
		n.host.Unplug()
	}
	n.kernel.Link.Carrier = up
	if n.carrier == up {
		return false
	}
	if n.carrier = up; !up {
		n.losses++
	}
	n.linked()
	return true
}

// reset is the kernel of a machine that has just started, or of an adapter that
// is new.
func (n *nic) reset() {
	was := n.kernel
	n.kernel = kernel{reports: was.reports, failAt: was.failAt}
	n.kernel.State = netconf.State{
		At: n.s.now(),
		Link: netconf.Link{
			Index: was.Link.Index, Name: was.Link.Name, HardwareType: uint16(wire.HardwareEthernet), HardwareAddr: was.Link.HardwareAddr,
			MTU: 1500, Up: true, Carrier: n.carrier,
		},
		PromoteSecondaries: was.PromoteSecondaries,
	}
	n.kernel.NoProtocol = was.NoProtocol
	n.kernel.Refuse = n.kernel.refuse
	n.kernel.Notify = n.notify
	n.kernel.set(was.refusing)
}

// changed has the host answer ARP for what the kernel has now, and the kernel
// keep its time.
func (n *nic) changed() {
	n.advance()
	for _, a := range n.owned {
		n.host.Disown(a)
	}
	n.owned = n.owned[:0]
	for _, h := range n.kernel.Addresses {
		n.owned = append(n.owned, h.Prefix.Addr())
	}
	n.host.Own(n.owned...)
	n.lapse.Stop()
	n.lapse = nil
	if at, ok := n.kernel.Next(); ok && !n.m.asleep {
		n.lapse = n.s.world.At(at, n.changed)
	}
}

// advance lets the kernel's time pass. Where an address of others ends, others
// took away what goes with it.
func (n *nic) advance() {
	k, now := &n.kernel, n.s.now()
	end, ok := k.Next()
	if !ok || now.Before(end) {
		k.Advance(now)
		return
	}
	before, mine := k.objects(), k.mine()
	k.Advance(now)
	if !slices.ContainsFunc(mine, func(h netconf.Address) bool { return !h.Lifetime.Forever && !now.Before(h.Lifetime.ValidUntil) }) {
		n.touched(before, k.objects())
	}
}

// forgetUnsaved takes what the kernel has of ours away where what was saved last is
// not on record: who comes next cannot know whose they are.
func (n *nic) forgetUnsaved() {
	if n.unsaved {
		n.disown()
	}
}

// disown takes what the kernel has of ours away.
func (n *nic) disown() {
	n.advance()
	for _, h := range slices.DeleteFunc(slices.Clone(n.kernel.Routes), func(r netconf.Route) bool { return !isMyRoute(r) }) {
		_ = n.kernel.Others(netconf.RemoveRoute{Route: h})
	}
	for _, h := range n.kernel.mine() {
		_ = n.kernel.Others(netconf.RemoveAddress{Prefix: h.Prefix})
	}
	n.changed()
}

// hears reports whether a packet socket delivers a datagram: the one of the exchange,
// or the one for a FORCERENEW.
func (n *nic) hears(d dhcptest.Datagram) bool {
	if n.m.asleep || n.m.core == nil {
		return false
	}
	if n.exchange {
		return true
	}
	p, err := wire.Parse(d.Payload)
	return err == nil && p.MessageType() == wire.ForceRenew && n.receptive.IsValid() && d.Destination.Addr() == n.receptive
}

// listens reports whether the program listens for an ARP packet.
func (n *nic) listens(p arp.Packet) bool {
	return !n.m.asleep && n.m.core != nil && slices.ContainsFunc(n.listening, func(a netip.Addr) bool {
		return p.Sender == a || p.IsProbe() && p.Target == a
	})
}

// open opens the socket of the exchange.
func (n *nic) open(id core.ID) error {
	if id != n.id() {
		return errGone
	}
	n.exchange = true
	return nil
}

// shut closes it.
func (n *nic) shut(id core.ID) {
	if id == n.id() {
		n.exchange = false
	}
}

// ListenARP implements [core.Transport].
func (n *nic) ListenARP(a core.Adapter, addresses []netip.Addr) error {
	n.m.effect(v4.Listen{Addresses: addresses})
	if a.ID == n.id() {
		n.listening = addresses
	}
	return nil
}

// ListenForceRenew implements [core.Transport].
func (n *nic) ListenForceRenew(a core.Adapter, address netip.Addr) error {
	if a.ID == n.id() {
		n.receptive = address
	}
	return nil
}

// Resolve implements [core.Resolver].
func (n *nic) Resolve(a core.Adapter, seq uint64, _ netconf.DNS) {
	if dhcptest.Chance(n.s.chance, 0.1) {
		// It hangs, and is not waited for for ever.
		life := n.m.life
		n.pending++
		n.s.world.After(time.Second+time.Millisecond, func() {
			if n.m.life == life {
				n.pending--
			}
		})
		return
	}
	n.answer(n.late(), func() core.Input { return core.Resolved{Of: a.Of, Turn: a.Turn, Seq: seq} })
}

// Save implements [core.Store].
func (n *nic) Save(a core.Adapter, r v4.Record) error {
	n.m.effect(v4.Save{Record: r})
	err := n.disk.save(a.Name, r)
	if n.lives(a) {
		n.saved, n.filed, n.unsaved, n.entry = r, a.Name, err != nil, n.disk.entries
		n.strayed = n.strayed && a.Name != n.name()
	}
	return err
}

// Forget implements [core.Store].
func (n *nic) Forget(a core.Adapter, name string) {
	n.m.effect(tenancy.Forget{})
	n.disk.forget(name)
	if n.lives(a) && name == a.Name {
		n.saved, n.entry = v4.Record{}, n.disk.entries
	}
}
