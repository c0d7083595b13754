package dhcptest

import (
	"fmt"
	"strings"

	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
	"github.com/lessee/lessee/wire/udp4"
)

// A LinkAddr is an Ethernet address.
type LinkAddr [6]byte

// LinkBroadcast is every port of a link.
var LinkBroadcast = LinkAddr{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}

// String returns the address as 02:00:00:00:00:01.
func (a LinkAddr) String() string {
	return fmt.Sprintf("%02x:%02x:%02x:%02x:%02x:%02x", a[0], a[1], a[2], a[3], a[4], a[5])
}

// Group reports whether more than one port is meant.
func (a LinkAddr) Group() bool { return a[0]&1 != 0 }

// An EtherType says what a frame carries.
type EtherType uint16

// What frames carry here.
const (
	EtherIPv4 EtherType = 0x0800
	EtherARP  EtherType = 0x0806
)

// A Frame is what passes on a link. Nobody changes a Payload once it is sent:
// all that receive the frame share it.
type Frame struct {
	From, To LinkAddr
	Type     EtherType
	// Payload is what follows the Ethernet header.
	Payload []byte
}

// Datagram returns the UDP datagram in the frame; the error is that of
// [udp4.Parse], which verifies all checksums.
func (f Frame) Datagram() (udp4.Datagram, error) { return udp4.Parse(f.Payload, false) }

// ARP returns the ARP packet in the frame.
func (f Frame) ARP() (arp.Packet, error) { return arp.Parse(f.Payload) }

// DHCP returns the DHCP message in the frame; false if there is none.
func (f Frame) DHCP() (wire.Packet, bool) {
	if f.Type != EtherIPv4 {
		return wire.Packet{}, false
	}
	d, err := f.Datagram()
	if err != nil || d.Destination.Port() != portServer && d.Destination.Port() != portClient {
		return wire.Packet{}, false
	}
	p, err := wire.Parse(d.Payload)
	return p, err == nil
}

// The UDP ports of DHCP.
const (
	portServer = 67
	portClient = 68
)

// String describes the frame in one line.
func (f Frame) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v > %v", f.From, f.To)
	switch f.Type {
	case EtherARP:
		p, err := f.ARP()
		if err != nil {
			fmt.Fprintf(&b, ": %v", err)
			break
		}
		fmt.Fprintf(&b, ": ARP %v %v (%v) asks %v", p.Op, p.Sender, LinkAddr(p.SenderHardware), p.Target)
	case EtherIPv4:
		d, err := f.Datagram()
		if err != nil {
			fmt.Fprintf(&b, ": %v", err)
			break
		}
		fmt.Fprintf(&b, ": %v > %v", d.Source, d.Destination)
		if p, ok := f.DHCP(); ok {
			b.WriteString(" " + describe(p))
		}
	default:
		fmt.Fprintf(&b, ": type %04x, %d bytes", uint16(f.Type), len(f.Payload))
	}
	return b.String()
}

func describe(p wire.Packet) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%v xid %08x", p.MessageType(), p.XID())
	if a := p.ClientAddr(); !a.IsUnspecified() {
		fmt.Fprintf(&b, " ciaddr %v", a)
	}
	if a := p.YourAddr(); !a.IsUnspecified() {
		fmt.Fprintf(&b, " yiaddr %v", a)
	}
	if a, ok := p.Addr(wire.OptionRequestedAddress); ok {
		fmt.Fprintf(&b, " asks %v", a)
	}
	if a, ok := p.Addr(wire.OptionServerID); ok {
		fmt.Fprintf(&b, " server %v", a)
	}
	if s, ok := p.Uint32(wire.OptionLeaseTime); ok {
		fmt.Fprintf(&b, " lease %ds", s)
	}
	return b.String()
}
