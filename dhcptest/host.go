package dhcptest

import (
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/wire/arp"
	"github.com/lessee/lessee/wire/udp4"
)

// A Datagram is a UDP datagram that arrived, and the link address it came from.
type Datagram struct {
	udp4.Datagram
	Link LinkAddr
}

// A Host is a machine with one Ethernet adapter: it owns addresses and answers
// ARP for them, sends UDP datagrams and hears those that reach its adapter. It
// stands for the neighbours of a client, for a server's machine, or for the
// sockets of the client that is tested.
type Host struct {
	world *World
	addr  LinkAddr
	port  *Port
	owned []netip.Addr
	// Mute keeps the host from answering ARP.
	Mute bool

	udp   map[uint16]func(Datagram)
	arp   func(arp.Packet, Frame)
	known map[netip.Addr]LinkAddr
	asked map[netip.Addr][]udp4.Datagram // wait for a link address
}

// NewHost plugs a host into a link.
func (l *Link) NewHost(addr LinkAddr) *Host {
	h := &Host{
		world: l.world, addr: addr,
		udp:   map[uint16]func(Datagram){},
		known: map[netip.Addr]LinkAddr{},
		asked: map[netip.Addr][]udp4.Datagram{},
	}
	h.port = l.Plug(addr, h.receive)
	return h
}

// LinkAddr returns the adapter's link address.
func (h *Host) LinkAddr() LinkAddr { return h.addr }

// Port returns where the host is plugged in.
func (h *Host) Port() *Port { return h.port }

// Unplug takes the host off its link; it forgets whom it knows there.
func (h *Host) Unplug() {
	h.port.Unplug()
	h.Flush()
}

// Flush has the host forget the link addresses that it knows, as an ARP cache
// does in time.
func (h *Host) Flush() {
	clear(h.known)
	clear(h.asked)
}

// Plug puts the host into a link, out of the one it was in.
func (h *Host) Plug(l *Link) {
	if h.port.plugged {
		h.Unplug()
	}
	h.port = l.Plug(h.addr, h.receive)
}

// Own gives the host addresses, which it answers ARP for.
func (h *Host) Own(addrs ...netip.Addr) {
	for _, a := range addrs {
		if !h.Owns(a) {
			h.owned = append(h.owned, a)
		}
	}
}

// Disown takes an address away.
func (h *Host) Disown(a netip.Addr) {
	h.owned = slices.DeleteFunc(h.owned, func(b netip.Addr) bool { return a == b })
}

// Owns reports whether the host has the address.
func (h *Host) Owns(a netip.Addr) bool { return slices.Contains(h.owned, a) }

// Announce tells the link that the host uses an address (RFC 5227 section 2.3).
func (h *Host) Announce(a netip.Addr) {
	h.SendARP(arp.Announcement(arp.HardwareAddr(h.addr), a), LinkBroadcast)
}

// Listen has hear called with each datagram for a UDP port that reaches the
// adapter, whatever its IP destination, as a packet socket does. A nil hear ends it.
func (h *Host) Listen(port uint16, hear func(Datagram)) { h.udp[port] = hear }

// ListenARP has hear called with each ARP packet that reaches the adapter and
// the frame that it came in, after the host itself has answered it.
func (h *Host) ListenARP(hear func(p arp.Packet, f Frame)) { h.arp = hear }

// SendARP sends an ARP packet. That the host is unplugged goes unnoticed.
func (h *Host) SendARP(p arp.Packet, to LinkAddr) {
	_ = h.port.Send(Frame{From: h.addr, To: to, Type: EtherARP, Payload: arp.Append(nil, p)})
}

// SendTo sends a datagram in a frame to a link address. The error is
// [ErrUnplugged] or that of [udp4.Append].
func (h *Host) SendTo(to LinkAddr, d udp4.Datagram) error {
	b, err := udp4.Append(nil, d)
	if err != nil {
		return err
	}
	return h.port.Send(Frame{From: h.addr, To: to, Type: EtherIPv4, Payload: b})
}

// arpTries is how often a host asks for the link address of its next hop, once
// a second.
const arpTries = 3

// Send sends a datagram: to all if its destination is 255.255.255.255, else to
// the link address that answers ARP for it, as soon as it does so. One that
// nobody answers for within 3 s is lost.
func (h *Host) Send(d udp4.Datagram) error {
	dst := d.Destination.Addr()
	if dst == broadcast {
		return h.SendTo(LinkBroadcast, d)
	}
	if to, ok := h.known[dst]; ok {
		return h.SendTo(to, d)
	}
	if !h.port.plugged {
		return ErrUnplugged
	}
	waiting, asked := h.asked[dst]
	h.asked[dst] = append(waiting, d)
	if !asked {
		h.ask(d.Source.Addr(), dst, arpTries)
	}
	return nil
}

// ask asks for a link address, again after a second, as Linux does, and gives
// up in the end.
func (h *Host) ask(src, dst netip.Addr, tries int) {
	if tries == 0 {
		delete(h.asked, dst)
		return
	}
	h.SendARP(arp.Packet{
		Op: arp.OpRequest, SenderHardware: arp.HardwareAddr(h.addr), Sender: src, Target: dst,
	}, LinkBroadcast)
	h.world.After(time.Second, func() {
		if len(h.asked[dst]) > 0 {
			h.ask(src, dst, tries-1)
		}
	})
}

var (
	unspecified = netip.AddrFrom4([4]byte{})
	broadcast   = netip.AddrFrom4([4]byte{255, 255, 255, 255})
)

func (h *Host) receive(f Frame) {
	switch f.Type {
	case EtherARP:
		if p, err := f.ARP(); err == nil {
			h.receiveARP(p, f)
		}
	case EtherIPv4:
		d, err := f.Datagram()
		if err != nil {
			return
		}
		if hear := h.udp[d.Destination.Port()]; hear != nil {
			hear(Datagram{d, f.From})
		}
	}
}

// receiveARP learns and answers as RFC 826 has it.
func (h *Host) receiveARP(p arp.Packet, f Frame) {
	if !p.Sender.IsUnspecified() {
		waiting, asked := h.asked[p.Sender]
		if _, known := h.known[p.Sender]; known || asked || h.Owns(p.Target) {
			h.known[p.Sender] = LinkAddr(p.SenderHardware)
		}
		if asked {
			delete(h.asked, p.Sender)
			for _, d := range waiting {
				_ = h.SendTo(LinkAddr(p.SenderHardware), d) // unplugged: lost
			}
		}
	}
	if p.Op == arp.OpRequest && h.Owns(p.Target) && !h.Mute && LinkAddr(p.SenderHardware) != h.addr {
		h.SendARP(arp.Packet{
			Op: arp.OpReply, SenderHardware: arp.HardwareAddr(h.addr), Sender: p.Target,
			TargetHardware: p.SenderHardware, Target: p.Sender,
		}, f.From)
	}
	if h.arp != nil {
		h.arp(p, f)
	}
}

// Owned returns the host's addresses.
func (h *Host) Owned() []netip.Addr { return slices.Clone(h.owned) }
