//go:build linux

package netlink

import (
	"encoding/binary"
	"iter"
	"net/netip"

	"golang.org/x/sys/unix"
)

// Sizes of netlink headers: struct nlmsghdr and struct nlattr of linux/netlink.h.
const (
	headerLen    = unix.SizeofNlMsghdr
	attributeLen = unix.SizeofNlAttr
)

// A builder makes netlink messages one after the other in a buffer that is kept.
type builder struct {
	b     []byte
	start int // of the message that is being made
}

func (m *builder) reset() { m.b = m.b[:0] }

// begin begins a message of the type.
func (m *builder) begin(typ, flags uint16, seq uint32) {
	m.start = len(m.b)
	// struct nlmsghdr: length, type, flags, sequence number, port.
	m.b = binary.NativeEndian.AppendUint32(m.b, 0)
	m.b = binary.NativeEndian.AppendUint16(m.b, typ)
	m.b = binary.NativeEndian.AppendUint16(m.b, flags|unix.NLM_F_REQUEST)
	m.b = binary.NativeEndian.AppendUint32(m.b, seq)
	m.b = binary.NativeEndian.AppendUint32(m.b, 0)
}

// end ends the message. All that is appended is a multiple of 4 bytes long.
func (m *builder) end() {
	binary.NativeEndian.PutUint32(m.b[m.start:], uint32(len(m.b)-m.start)) //nolint:gosec // a message is short
}

// zeros appends n bytes of 0 and returns them.
func (m *builder) zeros(n int) []byte {
	at := len(m.b)
	for range n {
		m.b = append(m.b, 0)
	}
	return m.b[at:]
}

func (m *builder) attribute(typ uint16, value []byte) {
	m.head(typ, len(value))
	m.b = append(m.b, value...)
	m.pad()
}

func (m *builder) head(typ uint16, size int) {
	m.b = binary.NativeEndian.AppendUint16(m.b, uint16(attributeLen+size)) //nolint:gosec // an attribute is short
	m.b = binary.NativeEndian.AppendUint16(m.b, typ)
}

func (m *builder) pad() {
	for len(m.b)%unix.NLA_ALIGNTO != 0 {
		m.b = append(m.b, 0)
	}
}

func (m *builder) uint32(typ uint16, v uint32) {
	m.head(typ, 4)
	m.b = binary.NativeEndian.AppendUint32(m.b, v)
}

func (m *builder) uint8(typ uint16, v uint8) {
	m.head(typ, 1)
	m.b = append(m.b, v)
	m.pad()
}

func (m *builder) text(typ uint16, s string) {
	m.head(typ, len(s)+1)
	m.b = append(append(m.b, s...), 0)
	m.pad()
}

// address appends an address; none where it is not valid.
func (m *builder) address(typ uint16, a netip.Addr) {
	switch {
	case a.Is4():
		b := a.As4()
		m.attribute(typ, b[:])
	case a.Is6():
		b := a.As16()
		m.attribute(typ, b[:])
	}
}

// nest begins an attribute that holds others, until unnest.
func (m *builder) nest(typ uint16) int {
	m.head(typ|unix.NLA_F_NESTED, 0)
	return len(m.b) - attributeLen
}

func (m *builder) unnest(at int) {
	binary.NativeEndian.PutUint16(m.b[at:], uint16(len(m.b)-at)) //nolint:gosec // an attribute is short
}

// attributes yields the attributes in b, which the kernel made. What does not
// fit ends them.
func attributes(b []byte) iter.Seq2[uint16, []byte] {
	return func(yield func(uint16, []byte) bool) {
		for len(b) >= attributeLen {
			n := int(binary.NativeEndian.Uint16(b))
			if n < attributeLen || n > len(b) {
				return
			}
			if !yield(binary.NativeEndian.Uint16(b[2:])&^(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER), b[attributeLen:n]) {
				return
			}
			b = b[min((n+unix.NLA_ALIGNTO-1)&^(unix.NLA_ALIGNTO-1), len(b)):]
		}
	}
}

// find returns the value of the first attribute of the type, nil if there is none.
func find(b []byte, typ uint16) []byte {
	for t, value := range attributes(b) {
		if t == typ {
			return value
		}
	}
	return nil
}

// number reads an attribute of 4 bytes, 0 if it is shorter.
func number(value []byte) uint32 {
	if len(value) < 4 {
		return 0
	}
	return binary.NativeEndian.Uint32(value)
}

// A message is one that the kernel sent; its body is part of a buffer that is
// used again.
type message struct {
	typ, flags uint16
	seq, port  uint32
	body       []byte
}

// messages yields the messages in b. What does not fit ends them.
func messages(b []byte) iter.Seq[message] {
	return func(yield func(message) bool) {
		for len(b) >= headerLen {
			n := int(binary.NativeEndian.Uint32(b))
			if n < headerLen || n > len(b) {
				return
			}
			if !yield(message{
				typ:   binary.NativeEndian.Uint16(b[4:]),
				flags: binary.NativeEndian.Uint16(b[6:]),
				seq:   binary.NativeEndian.Uint32(b[8:]),
				port:  binary.NativeEndian.Uint32(b[12:]),
				body:  b[headerLen:n],
			}) {
				return
			}
			b = b[min((n+unix.NLMSG_ALIGNTO-1)&^(unix.NLMSG_ALIGNTO-1), len(b)):]
		}
	}
}
