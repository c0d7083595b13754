package event

import (
	"encoding/binary"
	"net/netip"
	"time"
	"unicode/utf8"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// An Entry is one thing that happened, or several times the same.
type Entry struct {
	// First and Last are when it happened; they differ where Count is above 1.
	First, Last boottime.Instant
	Count       uint32
	Kind        Kind
	State       dhcp4.State // the client's, after it
	Message     wire.MessageType
	Why         dhcp4.Rejection
	Server      netip.Addr
	Address     netip.Addr
	// Link is the link address of the other side; nil if unknown.
	Link []byte
	// XID is the transaction of a message that was sent.
	XID uint32
	// Detail is what a server said, or of a Problem its cause, packed.
	Detail string
}

// An entry in the buffer: a head, then those fields that are there, in order;
// Detail takes the rest. What changes with a repetition has its fixed place.
const (
	atLength = 0
	atKind   = 1
	atFields = 2
	atState  = 3
	atWhat   = 4  // message type or rejection
	atLast   = 5  // 6 bytes, milliseconds
	atSpan   = 11 // 5 bytes, milliseconds from the first to the last
	atCount  = 16 // 3 bytes
	headSize = 19
)

const (
	hasServer = 1 << iota
	hasAddress
	hasLink
	hasXID
)

const (
	maxCount  = 1<<24 - 1
	maxLink   = 8
	maxDetail = 96
)

func putUint(b []byte, v uint64) {
	for i := len(b) - 1; i >= 0; i-- {
		b[i] = byte(v)
		v >>= 8
	}
}

func getUint(b []byte) (v uint64) {
	for _, c := range b {
		v = v<<8 | uint64(c)
	}
	return v
}

func millis(at boottime.Instant) uint64 {
	return uint64(max(time.Duration(at), 0) / time.Millisecond) //nolint:gosec // not negative
}

// appendEntry appends what Add keeps of e, which happened once, at now.
func appendEntry(b []byte, now boottime.Instant, e Entry) []byte {
	start := len(b)
	var head [headSize]byte
	head[atKind], head[atState] = byte(e.Kind), byte(e.State)
	head[atWhat] = byte(e.Message)
	if e.Kind == Rejected {
		head[atWhat] = byte(e.Why)
	}
	putUint(head[atLast:atSpan], millis(now))
	head[atCount+2] = 1
	b = append(b, head[:]...)
	var fields byte
	for _, a := range [...]struct {
		has  byte
		addr netip.Addr
	}{{hasServer, e.Server}, {hasAddress, e.Address}} {
		if addr := a.addr.Unmap(); addr.Is4() {
			four := addr.As4()
			b = append(b, four[:]...)
			fields |= a.has
		}
	}
	if n := min(len(e.Link), maxLink); n > 0 {
		b = append(append(b, byte(n)), e.Link[:n]...)
		fields |= hasLink
	}
	if e.XID != 0 {
		b = binary.BigEndian.AppendUint32(b, e.XID)
		fields |= hasXID
	}
	b = append(b, shorten(e.Detail)...)
	b[start+atFields] = fields
	b[start+atLength] = byte(len(b) - start)
	return b
}

// shorten cuts a text where it is too long, between two letters.
func shorten(s string) string {
	if len(s) <= maxDetail {
		return s
	}
	n := maxDetail
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// A raw is an entry in the buffer.
type raw []byte

func (r raw) kind() Kind { return Kind(r[atKind]) }

// xidAt returns where the transaction stands; false if the entry has none.
func (r raw) xidAt() (int, bool) {
	if r[atFields]&hasXID == 0 {
		return 0, false
	}
	at := headSize
	for _, f := range [...]byte{hasServer, hasAddress} {
		if r[atFields]&f != 0 {
			at += 4
		}
	}
	if r[atFields]&hasLink != 0 {
		at += 1 + int(r[at])
	}
	return at, true
}

// same reports whether the two tell of the same thing, at whatever time and in
// whatever transaction.
func (r raw) same(o raw) bool {
	if len(r) != len(o) || [4]byte(r[atKind:atLast]) != [4]byte(o[atKind:atLast]) {
		return false
	}
	at, ok := r.xidAt()
	if !ok {
		return string(r[headSize:]) == string(o[headSize:])
	}
	return string(r[headSize:at]) == string(o[headSize:at]) && string(r[at+4:]) == string(o[at+4:])
}

// again adds the repetition o to r.
func (r raw) again(o raw) {
	was, now := getUint(r[atLast:atSpan]), getUint(o[atLast:atSpan])
	span := getUint(r[atSpan:atCount])
	putUint(r[atSpan:atCount], min(span+max(now, was)-was, 1<<40-1))
	putUint(r[atLast:atSpan], now)
	putUint(r[atCount:headSize], min(getUint(r[atCount:headSize])+1, maxCount))
	if at, ok := r.xidAt(); ok {
		copy(r[at:at+4], o[at:at+4])
	}
}

// entry reads r.
func (r raw) entry() Entry {
	last := time.Duration(getUint(r[atLast:atSpan])) * time.Millisecond  //nolint:gosec // 48 bits
	span := time.Duration(getUint(r[atSpan:atCount])) * time.Millisecond //nolint:gosec // 40 bits
	e := Entry{
		Kind:  r.kind(),
		State: dhcp4.State(r[atState]),
		Last:  boottime.Instant(last),
		First: boottime.Instant(last - span),
		Count: uint32(getUint(r[atCount:headSize])), //nolint:gosec // 24 bits
	}
	if e.Kind == Rejected {
		e.Why = dhcp4.Rejection(r[atWhat])
	} else {
		e.Message = wire.MessageType(r[atWhat])
	}
	rest, fields := r[headSize:], r[atFields]
	if fields&hasServer != 0 {
		e.Server, rest = netip.AddrFrom4([4]byte(rest)), rest[4:]
	}
	if fields&hasAddress != 0 {
		e.Address, rest = netip.AddrFrom4([4]byte(rest)), rest[4:]
	}
	if fields&hasLink != 0 {
		n := int(rest[0])
		e.Link, rest = append([]byte(nil), rest[1:1+n]...), rest[1+n:]
	}
	if fields&hasXID != 0 {
		e.XID, rest = binary.BigEndian.Uint32(rest), rest[4:]
	}
	e.Detail = string(rest)
	return e
}
