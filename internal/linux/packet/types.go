package packet

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/internal/netconf"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A Datagram is the payload of a UDP datagram that arrived on port 68.
type Datagram struct {
	Message []byte
	// From is the IP source address.
	From netip.Addr
	// Link is the link address the frame came from; nil if unknown.
	Link []byte
}

// A Transmit is a message to be sent from UDP port 68 to port 67.
type Transmit struct {
	// Message is the UDP payload.
	Message []byte
	// Type is the DHCP message's, for error texts.
	Type wire.MessageType
	// Source is 0.0.0.0 while no lease is in use, else the leased address.
	Source netip.Addr
	// Destination is 255.255.255.255 or the server's address.
	Destination netip.Addr
	// Link, where set, is the link address the frame is sent to, without asking
	// the kernel's routing and ARP. Where nil, a broadcast is a link broadcast
	// and a unicast goes the kernel's way.
	Link []byte
}

// ARP is an ARP packet that an adapter listens for, and the link address it
// came from. Unicast says that the frame was sent to this adapter alone.
type ARP struct {
	Packet, From []byte
	Unicast      bool
}

// A Frame is one that a link carried.
type Frame struct {
	// Time is the kernel's time stamp.
	Time time.Time
	// Outgoing says that this machine sent it.
	Outgoing bool
	// Data begins with the link header. It is the receiver's to keep, and may be
	// cut: Length is how many bytes the frame has.
	Data   []byte
	Length int
	// Dropped counts the frames before this one that the kernel had no room for.
	Dropped uint64
}

// An Exchange holds the sockets of a client that awaits an answer.
type Exchange interface {
	// Send returns when the frame has been handed to the interface. link says how that
	// is now; without a carrier nothing is sent. The error wraps a
	// [netconf.UnresolvedError] if neither t.Link nor the kernel's routing can be used
	// and the kernel does not know the link address of the next hop. Once that is
	// known, Send is called again with t.Link set.
	Send(link netconf.Link, t Transmit) error
	// Close stops the delivery; it does not wait for the kernel.
	Close() error
}

// A Refusal says why a packet that passed the kernel's filter did not come to
// the client: it never got as far as DHCP.
type Refusal uint8

// The reasons to refuse a packet.
const (
	RefuseChecksum Refusal = iota // the checksum of the IP header, or that of UDP, is wrong
	RefuseLength                  // a length in the IP or UDP header does not fit the packet
	RefuseTruncate                // it is longer than the link's MTU
	RefuseVLAN                    // it belongs to a VLAN
	RefuseOther                   // it is not one whole UDP datagram over IPv4
	RefuseOverflow                // more packets came than could be looked at
	Refusals                      // how many there are
)

var refusalNames = [Refusals]string{
	RefuseChecksum: "ip-checksum",
	RefuseLength:   "ip-length",
	RefuseTruncate: "ip-truncated",
	RefuseVLAN:     "ip-vlan",
	RefuseOther:    "ip-other",
	RefuseOverflow: "ip-overflow",
}

// String returns the reason as it is counted, "ip-checksum".
func (r Refusal) String() string {
	if r < Refusals {
		return refusalNames[r]
	}
	return "unknown"
}
