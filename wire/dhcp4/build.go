package dhcp4

import (
	"encoding/binary"
	"net/netip"
	"slices"
)

const (
	// MinLength is the least length of a BOOTP message in bytes: shorter ones
	// are padded, since some relays and servers drop them (RFC 1542 section 2.1).
	MinLength = 300
	// maxPiece is the longest value that one option's length byte can tell.
	maxPiece = 255
)

// A Builder writes a message. Options appear in the order they are added. The
// zero Builder is not usable; begin with [NewBuilder].
type Builder struct{ b []byte }

// NewBuilder begins a message. A hardware address of more than 16 bytes does
// not fit the header: hlen and chaddr are then zero, as RFC 4390 section 2.1
// prescribes for InfiniBand.
func NewBuilder(op Op, hardwareType uint8, hardwareAddr []byte, xid uint32) *Builder {
	b := make([]byte, headerLength, 2*MinLength)
	b[offOp] = byte(op)
	b[offHtype] = hardwareType
	if len(hardwareAddr) <= maxHardwareAddr {
		b[offHlen] = byte(len(hardwareAddr))
		copy(b[offChaddr:], hardwareAddr)
	}
	binary.BigEndian.PutUint32(b[offXID:], xid)
	binary.BigEndian.PutUint32(b[offCookie:], cookie)
	return &Builder{b}
}

// SetHops sets the number of relay agents passed.
func (b *Builder) SetHops(n uint8) { b.b[offHops] = n }

// SetSecs sets the seconds since the client began.
func (b *Builder) SetSecs(s uint16) { binary.BigEndian.PutUint16(b.b[offSecs:], s) }

// SetBroadcast sets or clears flag B: the client cannot receive unicast.
func (b *Builder) SetBroadcast(on bool) {
	var flags uint16
	if on {
		flags = flagBroadcast
	}
	binary.BigEndian.PutUint16(b.b[offFlags:], flags)
}

// as4 returns the bytes of an IPv4 address, zeros for anything else.
func as4(a netip.Addr) [4]byte {
	a = a.Unmap()
	if !a.Is4() {
		return [4]byte{}
	}
	return a.As4()
}

func (b *Builder) setAddr(off int, a netip.Addr) {
	v := as4(a)
	copy(b.b[off:], v[:])
}

// SetClientAddr sets ciaddr. An address that is not IPv4 is written as 0.0.0.0.
func (b *Builder) SetClientAddr(a netip.Addr) { b.setAddr(offCiaddr, a) }

// SetYourAddr sets yiaddr. An address that is not IPv4 is written as 0.0.0.0.
func (b *Builder) SetYourAddr(a netip.Addr) { b.setAddr(offYiaddr, a) }

// SetNextServer sets siaddr. An address that is not IPv4 is written as 0.0.0.0.
func (b *Builder) SetNextServer(a netip.Addr) { b.setAddr(offSiaddr, a) }

// SetRelay sets giaddr. An address that is not IPv4 is written as 0.0.0.0.
func (b *Builder) SetRelay(a netip.Addr) { b.setAddr(offGiaddr, a) }

// SetServerName sets sname; what does not fit its 64 bytes with a zero byte
// after it is cut off.
func (b *Builder) SetServerName(s string) { setText(b.b[offSname:offFile], s) }

// SetFile sets file; what does not fit its 128 bytes with a zero byte after it
// is cut off.
func (b *Builder) SetFile(s string) { setText(b.b[offFile:offCookie], s) }

func setText(field []byte, s string) {
	clear(field)
	copy(field[:len(field)-1], s)
}

// AddOption adds an option. A value of more than 255 bytes is written in
// pieces (RFC 3396). PAD and END have no value; adding them does nothing.
func (b *Builder) AddOption(code OptionCode, value []byte) {
	if code == OptionPad || code == OptionEnd {
		return
	}
	for len(value) > maxPiece {
		b.b = append(b.b, byte(code), maxPiece)
		b.b = append(b.b, value[:maxPiece]...)
		value = value[maxPiece:]
	}
	b.b = append(b.b, byte(code), byte(len(value)))
	b.b = append(b.b, value...)
}

// AddMessageType adds option 53.
func (b *Builder) AddMessageType(t MessageType) { b.AddUint8(OptionMessageType, uint8(t)) }

// AddAddr adds an option that is one IPv4 address, or several; with none it
// adds nothing. An address that is not IPv4 is written as 0.0.0.0.
func (b *Builder) AddAddr(code OptionCode, addrs ...netip.Addr) {
	if len(addrs) == 0 {
		return
	}
	value := make([]byte, 0, 4*len(addrs))
	for _, a := range addrs {
		v := as4(a)
		value = append(value, v[:]...)
	}
	b.AddOption(code, value)
}

// AddUint8 adds a one-byte option.
func (b *Builder) AddUint8(code OptionCode, v uint8) { b.AddOption(code, []byte{v}) }

// AddUint16 adds a two-byte option.
func (b *Builder) AddUint16(code OptionCode, v uint16) {
	b.AddOption(code, []byte{byte(v >> 8), byte(v)})
}

// AddUint32 adds a four-byte option such as a lease time in seconds.
func (b *Builder) AddUint32(code OptionCode, v uint32) {
	b.AddOption(code, []byte{byte(v >> 24), byte(v >> 16), byte(v >> 8), byte(v)})
}

// AddText adds a text option.
func (b *Builder) AddText(code OptionCode, s string) { b.AddOption(code, []byte(s)) }

// Bytes returns the message with END, padded to [MinLength]. The slice is new:
// it belongs to the caller, and the Builder may be used further.
func (b *Builder) Bytes() []byte {
	c := *b
	c.b = append(make([]byte, 0, max(MinLength, len(b.b)+1)), b.b...)
	return c.Finish()
}

// Finish returns what Bytes does, without a copy: the Builder is not to be used any
// more.
func (b *Builder) Finish() []byte {
	out := append(b.b, byte(OptionEnd))
	b.b = nil
	if n := len(out); n < MinLength {
		out = slices.Grow(out, MinLength-n)[:MinLength]
		clear(out[n:])
	}
	return out
}
