package arp

import (
	"encoding/binary"
	"net/netip"
	"strconv"
)

// Length is the length of a packet in bytes.
const Length = 28

const (
	hardwareEthernet = 1
	protocolIPv4     = 0x0800
)

// An Op is what a packet is for.
type Op uint16

// The operations (RFC 826).
const (
	OpRequest Op = 1
	OpReply   Op = 2
)

// String returns the operation's name.
func (o Op) String() string {
	switch o {
	case OpRequest:
		return "request"
	case OpReply:
		return "reply"
	default:
		return "op " + strconv.Itoa(int(o))
	}
}

// A HardwareAddr is an Ethernet address.
type HardwareAddr [6]byte

// A Packet is an ARP packet. It is comparable and refers to nothing.
type Packet struct {
	Op             Op
	SenderHardware HardwareAddr
	Sender         netip.Addr
	TargetHardware HardwareAddr
	Target         netip.Addr
}

// A Reason says why a packet was refused.
type Reason uint8

// The reasons.
const (
	// ReasonTooShort: there are fewer than [Length] bytes.
	ReasonTooShort Reason = iota + 1
	// ReasonHardwareType: the hardware type is not Ethernet (1).
	ReasonHardwareType
	// ReasonProtocolType: the protocol is not IPv4.
	ReasonProtocolType
	// ReasonAddressLength: the address lengths are not 6 and 4.
	ReasonAddressLength
	// ReasonBadOp: the operation is neither request nor reply.
	ReasonBadOp
)

var reasonTexts = [...]string{
	ReasonTooShort:      "packet too short",
	ReasonHardwareType:  "hardware type is not Ethernet",
	ReasonProtocolType:  "protocol is not IPv4",
	ReasonAddressLength: "bad address length",
	ReasonBadOp:         "op is neither request nor reply",
}

// String returns the reason in plain words.
func (r Reason) String() string {
	if int(r) < len(reasonTexts) && reasonTexts[r] != "" {
		return reasonTexts[r]
	}
	return "reason " + strconv.Itoa(int(r))
}

// An Error says what is wrong with a packet.
type Error struct{ Reason Reason }

// Error returns the reason.
func (e *Error) Error() string { return "arp: " + e.Reason.String() }

// Parse reads a packet. Any error is an [*Error].
func Parse(b []byte) (Packet, error) {
	if len(b) < Length {
		return Packet{}, &Error{ReasonTooShort}
	}
	if binary.BigEndian.Uint16(b) != hardwareEthernet {
		return Packet{}, &Error{ReasonHardwareType}
	}
	if binary.BigEndian.Uint16(b[2:]) != protocolIPv4 {
		return Packet{}, &Error{ReasonProtocolType}
	}
	if b[4] != 6 || b[5] != 4 {
		return Packet{}, &Error{ReasonAddressLength}
	}
	op := Op(binary.BigEndian.Uint16(b[6:]))
	if op != OpRequest && op != OpReply {
		return Packet{}, &Error{ReasonBadOp}
	}
	return Packet{
		Op:             op,
		SenderHardware: HardwareAddr(b[8:14]),
		Sender:         netip.AddrFrom4([4]byte(b[14:18])),
		TargetHardware: HardwareAddr(b[18:24]),
		Target:         netip.AddrFrom4([4]byte(b[24:28])),
	}, nil
}

// Append appends p to b. An address that is not IPv4 is written as 0.0.0.0.
func Append(b []byte, p Packet) []byte {
	b = append(b, 0, hardwareEthernet, protocolIPv4>>8, protocolIPv4&0xff, 6, 4, byte(p.Op>>8), byte(p.Op))
	sender, target := as4(p.Sender), as4(p.Target)
	b = append(b, p.SenderHardware[:]...)
	b = append(b, sender[:]...)
	b = append(b, p.TargetHardware[:]...)
	return append(b, target[:]...)
}

func as4(a netip.Addr) [4]byte {
	if a = a.Unmap(); a.Is4() {
		return a.As4()
	}
	return [4]byte{}
}

// Probe returns the question whether anyone uses addr, asked by a host that
// does not use it yet: the sender address is 0.0.0.0, so that no cache learns
// from it (RFC 5227 section 2.1.1).
func Probe(hw HardwareAddr, addr netip.Addr) Packet {
	return Packet{Op: OpRequest, SenderHardware: hw, Sender: netip.IPv4Unspecified(), Target: addr}
}

// Announcement returns the news that hw uses addr from now on: a probe whose
// sender address is addr too (RFC 5227 section 2.3).
func Announcement(hw HardwareAddr, addr netip.Addr) Packet {
	return Packet{Op: OpRequest, SenderHardware: hw, Sender: addr, Target: addr}
}

// IsProbe reports whether p asks for an address without using one: a request
// from 0.0.0.0 (RFC 5227 section 1.1).
func (p Packet) IsProbe() bool {
	return p.Op == OpRequest && p.Sender.IsUnspecified()
}

// IsAnnouncement reports whether p tells that its sender uses an address: a
// request whose sender and target address are the same (RFC 5227 section 1.1).
func (p Packet) IsAnnouncement() bool {
	return p.Op == OpRequest && p.Sender == p.Target && p.Sender.IsValid() && !p.Sender.IsUnspecified()
}
