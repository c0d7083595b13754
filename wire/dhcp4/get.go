package dhcp4

import (
	"bytes"
	"encoding/binary"
	"iter"
	"net/netip"
)

// A cursor walks the options of a checked packet: options, file, sname.
type cursor struct {
	b        []byte
	at, end  int
	overload uint8
}

func (p Packet) cursor() cursor {
	return cursor{p.b, headerLength, len(p.b), p.overload}
}

// next returns the next option but PAD and END; false after the last.
func (c *cursor) next() (code OptionCode, value []byte, ok bool) {
	for {
		for c.at < c.end {
			code = OptionCode(c.b[c.at])
			if code == OptionPad {
				c.at++
				continue
			}
			if code == OptionEnd {
				break
			}
			from := c.at + 2
			c.at = from + int(c.b[from-1])
			return code, c.b[from:c.at:c.at], true
		}
		switch {
		case c.overload&overloadFile != 0:
			c.overload &^= overloadFile
			c.at, c.end = offFile, offCookie
		case c.overload&overloadSname != 0:
			c.overload &^= overloadSname
			c.at, c.end = offSname, offFile
		default:
			c.at = c.end
			return 0, nil, false
		}
	}
}

// Options yields each option but PAD and END as it stands in the message, first
// those of the options field, then those of overloaded file and sname fields.
// A value that was sent in pieces is yielded in pieces. The values are parts of
// the message, not copies.
func (p Packet) Options() iter.Seq2[OptionCode, []byte] {
	return func(yield func(OptionCode, []byte) bool) {
		c := p.cursor()
		for {
			code, value, ok := c.next()
			if !ok || !yield(code, value) {
				return
			}
		}
	}
}

// Option returns the value of an option, false if it is absent. A value that
// stands in one piece is part of the message, not a copy. One in several pieces
// is joined in a new slice (RFC 3396). PAD and END are never present.
func (p Packet) Option(code OptionCode) (value []byte, ok bool) {
	var total, pieces int
	c := p.cursor()
	for k, v, more := c.next(); more; k, v, more = c.next() {
		if k != code {
			continue
		}
		if pieces == 0 {
			value = v
		}
		total += len(v)
		pieces++
	}
	if pieces <= 1 {
		return value, pieces == 1
	}
	value = make([]byte, 0, total)
	c = p.cursor()
	for k, v, more := c.next(); more; k, v, more = c.next() {
		if k == code {
			value = append(value, v...)
		}
	}
	return value, true
}

// fixed returns the first piece of an option that is n bytes long, else the
// joined value if that is.
func (p Packet) fixed(code OptionCode, n int) ([]byte, bool) {
	pieces := 0
	c := p.cursor()
	for k, v, more := c.next(); more; k, v, more = c.next() {
		if k != code {
			continue
		}
		if len(v) == n {
			return v, true
		}
		pieces++
	}
	if pieces < 2 {
		return nil, false
	}
	v, ok := p.Option(code)
	return v, ok && len(v) == n
}

// Addr returns the value of an option that is one IPv4 address, false if it is
// absent or not 4 bytes long.
func (p Packet) Addr(code OptionCode) (netip.Addr, bool) {
	v, ok := p.fixed(code, 4)
	if !ok {
		return netip.Addr{}, false
	}
	return netip.AddrFrom4([4]byte(v)), true
}

// Addrs returns the value of an option that is a list of IPv4 addresses, false
// if it is absent, empty or not a multiple of 4 bytes long.
func (p Packet) Addrs(code OptionCode) ([]netip.Addr, bool) {
	v, _ := p.Option(code)
	addrs := ParseAddrs(v)
	return addrs, len(addrs) > 0
}

// ParseAddrs decodes a value that is a list of IPv4 addresses; nil if it is
// empty or not a multiple of 4 bytes long.
func ParseAddrs(value []byte) []netip.Addr {
	if len(value) == 0 || len(value)%4 != 0 {
		return nil
	}
	addrs := make([]netip.Addr, 0, len(value)/4)
	for ; len(value) > 0; value = value[4:] {
		addrs = append(addrs, netip.AddrFrom4([4]byte(value)))
	}
	return addrs
}

// Uint8 returns the value of a one-byte option, false if it is absent or of
// another length.
func (p Packet) Uint8(code OptionCode) (uint8, bool) {
	v, ok := p.fixed(code, 1)
	if !ok {
		return 0, false
	}
	return v[0], true
}

// Uint16 returns the value of a two-byte option, false if it is absent or of
// another length.
func (p Packet) Uint16(code OptionCode) (uint16, bool) {
	v, ok := p.fixed(code, 2)
	if !ok {
		return 0, false
	}
	return binary.BigEndian.Uint16(v), true
}

// Uint32 returns the value of a four-byte option such as a lease time in
// seconds, false if it is absent or of another length.
func (p Packet) Uint32(code OptionCode) (uint32, bool) {
	v, ok := p.fixed(code, 4)
	if !ok {
		return 0, false
	}
	return binary.BigEndian.Uint32(v), true
}

// Text returns the value of a text option without trailing zero bytes, which
// some servers send (RFC 2132 section 2); false if it is absent. It is not
// validated: it may hold any byte, so hand it to package names.
func (p Packet) Text(code OptionCode) (string, bool) {
	v, ok := p.Option(code)
	return string(bytes.TrimRight(v, "\x00")), ok
}
