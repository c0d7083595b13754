package dhcp4

import (
	"bytes"
	"encoding/binary"
	"net/netip"
)

// Where the fields of the header are (RFC 2131 figure 1).
const (
	offOp        = 0
	offHtype     = 1
	offHlen      = 2
	offHops      = 3
	offXID       = 4
	offSecs      = 8
	offFlags     = 10
	offCiaddr    = 12
	offYiaddr    = 16
	offSiaddr    = 20
	offGiaddr    = 24
	offChaddr    = 28
	offSname     = 44
	offFile      = 108
	offCookie    = 236
	headerLength = 240
)

const (
	cookie = 0x63825363
	// maxHardwareAddr is the size of chaddr.
	maxHardwareAddr = 16
	flagBroadcast   = 0x8000
)

// What option 52 says about the fields file and sname (RFC 2132 section 9.3).
const (
	overloadFile  = 1
	overloadSname = 2
)

// A Packet is a checked view of a DHCPv4 message. It is a small value to be
// passed by copy; it refers to the bytes that were given to [Parse], which must
// not change while it is in use. Only Parse makes one; the zero Packet reads as
// a message of zeros without options.
type Packet struct {
	b           []byte
	messageType MessageType
	overload    uint8
}

// Parse checks a message, that is the payload of a UDP datagram. Any error is
// an [*Error]. It does not allocate unless it fails.
func Parse(b []byte) (Packet, error) {
	if len(b) < headerLength {
		return Packet{}, &Error{ReasonTooShort, len(b)}
	}
	if op := Op(b[offOp]); op != OpRequest && op != OpReply {
		return Packet{}, &Error{ReasonBadOp, offOp}
	}
	if b[offHlen] > maxHardwareAddr {
		return Packet{}, &Error{ReasonHardwareAddrTooLong, offHlen}
	}
	if binary.BigEndian.Uint32(b[offCookie:]) != cookie {
		return Packet{}, &Error{ReasonBadMagicCookie, offCookie}
	}
	p := Packet{b: b}
	if err := p.check(headerLength, len(b)); err != nil {
		return Packet{}, err
	}
	// check finds no further overload in these: only the options field has one.
	overload := p.overload
	if overload&overloadFile != 0 {
		if err := p.check(offFile, offCookie); err != nil {
			return Packet{}, err
		}
	}
	if overload&overloadSname != 0 {
		if err := p.check(offSname, offFile); err != nil {
			return Packet{}, err
		}
	}
	return p, nil
}

// check walks the options of one field and notes message type and overload.
func (p *Packet) check(from, to int) error {
	b := p.b
	for i := from; i < to; {
		code := OptionCode(b[i])
		if code == OptionPad {
			i++
			continue
		}
		if code == OptionEnd {
			return nil
		}
		if i+2 > to || i+2+int(b[i+1]) > to {
			return &Error{ReasonOptionTruncated, i}
		}
		n := int(b[i+1])
		switch {
		case code == OptionMessageType:
			if n != 1 {
				return &Error{ReasonMessageTypeLength, i}
			}
			if b[i+2] == 0 {
				return &Error{ReasonMessageTypeZero, i + 2}
			}
			if p.messageType == 0 {
				p.messageType = MessageType(b[i+2])
			}
		case code == OptionOverload && from == headerLength:
			if n != 1 || b[i+2] < 1 || b[i+2] > 3 {
				return &Error{ReasonBadOverload, i}
			}
			if p.overload == 0 {
				p.overload = b[i+2]
			}
		}
		i += 2 + n
	}
	return nil
}

var zeroHeader [headerLength]byte

func (p Packet) header() *[headerLength]byte {
	if len(p.b) < headerLength {
		return &zeroHeader
	}
	return (*[headerLength]byte)(p.b)
}

func (p Packet) addr(off int) netip.Addr {
	return netip.AddrFrom4([4]byte(p.header()[off : off+4]))
}

// Op returns the direction of the message.
func (p Packet) Op() Op { return Op(p.header()[offOp]) }

// HardwareType returns htype, the ARP hardware type: 1 for Ethernet.
func (p Packet) HardwareType() uint8 { return p.header()[offHtype] }

// HardwareAddr returns the first hlen bytes of chaddr, the client's hardware
// address: 0 to 16 bytes. It is part of the message, not a copy.
func (p Packet) HardwareAddr() []byte {
	h := p.header()
	n := offChaddr + int(h[offHlen])
	return h[offChaddr:n:n]
}

// Hops returns how many relay agents the message came through.
func (p Packet) Hops() uint8 { return p.header()[offHops] }

// XID returns the transaction identifier.
func (p Packet) XID() uint32 { return binary.BigEndian.Uint32(p.header()[offXID:]) }

// Secs returns the seconds since the client began.
func (p Packet) Secs() uint16 { return binary.BigEndian.Uint16(p.header()[offSecs:]) }

// Broadcast reports whether the client cannot receive unicast (flag B).
func (p Packet) Broadcast() bool {
	return binary.BigEndian.Uint16(p.header()[offFlags:])&flagBroadcast != 0
}

// ClientAddr returns ciaddr, the address the client uses already; 0.0.0.0 if none.
func (p Packet) ClientAddr() netip.Addr { return p.addr(offCiaddr) }

// YourAddr returns yiaddr, the address that the client is given; 0.0.0.0 if none.
func (p Packet) YourAddr() netip.Addr { return p.addr(offYiaddr) }

// NextServer returns siaddr, the server to boot from next; 0.0.0.0 if none.
// It is not the DHCP server: that is [OptionServerID].
func (p Packet) NextServer() netip.Addr { return p.addr(offSiaddr) }

// Relay returns giaddr, the address of the relay agent; 0.0.0.0 if none.
func (p Packet) Relay() netip.Addr { return p.addr(offGiaddr) }

// ServerName returns sname up to its first zero byte; empty where the field
// holds options. It is not validated.
func (p Packet) ServerName() string {
	if p.overload&overloadSname != 0 {
		return ""
	}
	return untilNUL(p.header()[offSname:offFile])
}

// File returns file, the name of the boot file, up to its first zero byte;
// empty where the field holds options. It is not validated.
func (p Packet) File() string {
	if p.overload&overloadFile != 0 {
		return ""
	}
	return untilNUL(p.header()[offFile:offCookie])
}

func untilNUL(b []byte) string {
	if i := bytes.IndexByte(b, 0); i >= 0 {
		b = b[:i]
	}
	return string(b)
}

// MessageType returns the value of option 53, 0 if there is none (BOOTP).
func (p Packet) MessageType() MessageType { return p.messageType }

// Bytes returns the whole message as it was given to [Parse], not a copy.
func (p Packet) Bytes() []byte { return p.b }
