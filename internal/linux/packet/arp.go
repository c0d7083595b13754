//go:build linux

package packet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"

	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/wire/arp"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// Where the ARP filter looks: the packet begins with the ARP header.
const (
	atKinds  = 0 // hardware type and protocol
	atARPOp  = 4 // lengths of their addresses, operation
	atSender = 14
	atTarget = 24

	ethernetIPv4 = 1<<16 | unix.ETH_P_IP
	arpRequest   = 6<<24 | 4<<16 | 1
	arpReply     = 6<<24 | 4<<16 | 2
)

var arpKind = packetKind[ARP]{
	protocol: unix.ETH_P_ARP,
	size:     64,
	head:     arpHead,
	about: func(packet []byte) (uint32, bool) {
		if len(packet) < arp.Length {
			return 0, false
		}
		sender := binary.BigEndian.Uint32(packet[atSender:])
		if sender == 0 && binary.BigEndian.Uint32(packet[atARPOp:]) == arpRequest {
			return binary.BigEndian.Uint32(packet[atTarget:]), true
		}
		return sender, sender != 0
	},
	take: func(in received) (ARP, bool) {
		return ARP{
			Packet:  slices.Clone(in.packet[:arp.Length]),
			From:    slices.Clone(in.link()),
			Unicast: in.from.Pkttype == unix.PACKET_HOST,
		}, true
	},
}

// Listen replaces the addresses whose ARP is wanted from the interface: what
// another host sends from one of them, and its probes for one of them. None ends
// it. When it returns, the addresses are heard. The adapters share two sockets at most.
// What deliver gets is the receiver's to keep.
func (n *Transport) Listen(link netconf.Link, addresses []netip.Addr, deliver func(ARP)) error {
	return syserr.Wrap(link.Name, "listen to ARP", n.arp.listen(link, addresses, deliver))
}

// Recheck has what is listened to on a link listened to still, after the link has changed.
func (n *Transport) Recheck(link netconf.Link) error {
	return syserr.Wrap(link.Name, "listen again", errors.Join(n.arp.again(link), n.force.again(link)))
}

var (
	arpHeadExact  = sync.OnceValue(func() []bpf.RawInstruction { return assembleARPHead(true) })
	arpHeadCoarse = sync.OnceValue(func() []bpf.RawInstruction { return assembleARPHead(false) })
)

func arpHead(byInterface bool) []bpf.RawInstruction {
	if byInterface {
		return arpHeadExact()
	}
	return arpHeadCoarse()
}

// assembleARPHead returns what ARP filters begin with: it drops all but ARP for
// IPv4 over Ethernet that we did not send ourselves, and leaves in A the key of
// the sender or, of a probe, of the target. A load beyond the packet's end drops it.
func assembleARPHead(byInterface bool) []bpf.RawInstruction {
	return assemble(keyOf(byInterface), []bpf.Instruction{
		// What we sent ourselves, what a promiscuous interface overheard, and
		// what belongs to a VLAN that has no interface.
		bpf.LoadExtension{Num: bpf.ExtType},
		bpf.JumpIf{Cond: bpf.JumpGreaterThan, Val: unix.PACKET_MULTICAST, SkipTrue: 11},
		bpf.LoadAbsolute{Off: atKinds, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: ethernetIPv4, SkipTrue: 9},
		bpf.LoadAbsolute{Off: atARPOp, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpEqual, Val: arpReply, SkipTrue: 5},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: arpRequest, SkipTrue: 6},
		bpf.LoadAbsolute{Off: atSender, Size: 4},
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 5},
		bpf.LoadAbsolute{Off: atTarget, Size: 4}, // of a request from 0.0.0.0
		bpf.Jump{Skip: 1},
		bpf.LoadAbsolute{Off: atSender, Size: 4}, // of a reply
		bpf.JumpIf{Cond: bpf.JumpNotEqual, Val: 0, SkipTrue: 1},
		bpf.RetConstant{Val: 0},
		bpf.ALUOpX{Op: bpf.ALUOpXor},
	})
}

// SendARP sends an ARP packet of 28 bytes to a link address; nil: to all. The
// error wraps [netconf.ErrLinkDown] if there is no link.
func (n *Transport) SendARP(link netconf.Link, packet, to []byte) error {
	return syserr.Wrap(link.Name, "send ARP", n.sendARP(link, packet, to))
}

func (n *Transport) sendARP(link netconf.Link, packet, to []byte) error {
	fd, err := n.sender()
	if err != nil {
		return err
	}
	err = running(link)
	if err == nil {
		if err = n.sendTo(fd, link, unix.ETH_P_ARP, packet, to); err == nil {
			return nil
		}
	}
	// A link that goes down at this moment has no room either.
	if errors.Is(err, unix.ENETDOWN) || n.runningNow(fd, link.Index) != nil {
		return fmt.Errorf("%w: %w", netconf.ErrLinkDown, err)
	}
	return err
}
