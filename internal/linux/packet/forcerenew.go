//go:build linux

package packet

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"sync"

	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	wire "github.com/lessee/lessee/wire/dhcp4"
	"github.com/lessee/lessee/wire/udp4"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Where the filter looks, besides the offsets of the exchanges' filter. After
// the UDP header the offsets are relative to the IP header's end.
const (
	atDestination = 16
	atOptions     = atMagic + 4

	messageTypeFirst = 53<<8 | 1
)

var forceRenewKind = packetKind[Datagram]{
	protocol: unix.ETH_P_IP,
	size:     4096,
	head:     forceHead,
	about: func(packet []byte) (uint32, bool) {
		if len(packet) < udp4.Overhead {
			return 0, false
		}
		return binary.BigEndian.Uint32(packet[atDestination:]), true
	},
	take: func(in received) (Datagram, bool) {
		aux := parseAuxdata(in.control)
		if aux.vlan() {
			return Datagram{}, false
		}
		d, err := udp4.Parse(in.packet, aux.partialChecksum())
		if err != nil || !forcesRenew(d.Payload) {
			return Datagram{}, false
		}
		return Datagram{Message: slices.Clone(d.Payload), From: d.Source.Addr(), Link: slices.Clone(in.link())}, true
	},
}

// forcesRenew reports whether a message is a FORCERENEW (RFC 3203).
func forcesRenew(message []byte) bool {
	p, err := wire.Parse(message)
	return err == nil && p.MessageType() == wire.ForceRenew
}

// ListenForceRenew delivers the FORCERENEW messages (RFC 3203) that come to the
// address, whether an exchange is open or not, until it is called with an
// address that is not valid. The adapters share two sockets at most.
func (n *Transport) ListenForceRenew(link netconf.Link, address netip.Addr, deliver func(Datagram)) error {
	var addresses []netip.Addr
	if address.IsValid() {
		addresses = []netip.Addr{address}
	}
	return syserr.Wrap(link.Name, "listen to FORCERENEW", n.force.listen(link, addresses, deliver))
}

// elsewhere reports whether a packet is delivered by another way than by the
// exchange that is open while it comes: nobody is to see it twice.
func (n *Transport) elsewhere(link netconf.Link, d udp4.Datagram) bool {
	return n.force.wants(link.Index, number(d.Destination.Addr())) != nil && forcesRenew(d.Payload)
}

var (
	forceHeadExact  = sync.OnceValue(func() []bpf.RawInstruction { return assembleForceHead(true) })
	forceHeadCoarse = sync.OnceValue(func() []bpf.RawInstruction { return assembleForceHead(false) })
)

func forceHead(byInterface bool) []bpf.RawInstruction {
	if byInterface {
		return forceHeadExact()
	}
	return forceHeadCoarse()
}

// assembleForceHead returns what the FORCERENEW filter begins with: it drops all
// but BOOTP replies to port 68 of this host, and those whose first option says
// that they are another DHCP message. It leaves in A the key of the destination.
func assembleForceHead(byInterface bool) []bpf.RawInstruction {
	return assemble([]bpf.Instruction{
		// A FORCERENEW is a unicast (RFC 3203 section 3).
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.PACKET_HOST, SkipTrue: 18},
		bpf.LoadAbsolute{Off: atVersion, Size: 1},
		bpf.ALUOpConstant{Op: bpf.ALUOpAnd, Val: 0xf0},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 4 << 4, SkipTrue: 15},
		bpf.LoadAbsolute{Off: atProtocol, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: unix.IPPROTO_UDP, SkipTrue: 13},
		bpf.LoadAbsolute{Off: atFragment, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpBitsSet, Val: moreOrAt, SkipTrue: 11},
		bpf.LoadMemShift{Off: atVersion},
		bpf.LoadIndirect{Off: atDestPort, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: clientPort, SkipTrue: 8},
		bpf.LoadIndirect{Off: atOp, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: bootReply, SkipTrue: 6},
		bpf.LoadIndirect{Off: atMagic, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: magicCookie, SkipTrue: 4},
		bpf.LoadIndirect{Off: atOptions, Size: 2},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: messageTypeFirst, SkipTrue: 3},
		bpf.LoadIndirect{Off: atOptions + 2, Size: 1},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: uint32(wire.ForceRenew), SkipTrue: 1},
		bpf.RetConstant{Val: 0},
	}, keyOf(byInterface), []bpf.Instruction{
		bpf.LoadAbsolute{Off: atDestination, Size: 4},
		bpf.ALUOpX{Op: bpf.ALUOpXor},
	})
}
