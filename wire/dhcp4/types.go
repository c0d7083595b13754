package dhcp4

import "strconv"

// An Op is the direction of a message: the first byte of the header.
type Op uint8

// The directions (RFC 2131 section 2).
const (
	OpRequest Op = 1 // from client to server
	OpReply   Op = 2 // from server to client
)

// String returns the name in RFC 951.
func (o Op) String() string {
	switch o {
	case OpRequest:
		return "BOOTREQUEST"
	case OpReply:
		return "BOOTREPLY"
	default:
		return "op " + strconv.Itoa(int(o))
	}
}

// Hardware types that clients meet (the ARP parameters registry of IANA).
const (
	HardwareEthernet   uint8 = 1
	HardwareInfiniBand uint8 = 32
)

// A MessageType is the value of option 53. 0 means that there is no such
// option: the message is plain BOOTP.
type MessageType uint8

// The message types (RFC 2132 section 9.6, RFC 3203).
const (
	Discover   MessageType = 1
	Offer      MessageType = 2
	Request    MessageType = 3
	Decline    MessageType = 4
	ACK        MessageType = 5
	NAK        MessageType = 6
	Release    MessageType = 7
	Inform     MessageType = 8
	ForceRenew MessageType = 9
)

var messageTypeNames = [...]string{
	0:          "BOOTP",
	Discover:   "DISCOVER",
	Offer:      "OFFER",
	Request:    "REQUEST",
	Decline:    "DECLINE",
	ACK:        "ACK",
	NAK:        "NAK",
	Release:    "RELEASE",
	Inform:     "INFORM",
	ForceRenew: "FORCERENEW",
}

// String returns the name without its prefix DHCP, such as "DISCOVER".
func (t MessageType) String() string {
	if int(t) < len(messageTypeNames) {
		return messageTypeNames[t]
	}
	return "type " + strconv.Itoa(int(t))
}
