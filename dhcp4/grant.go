package dhcp4

import (
	"bytes"
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

const (
	// infinity is the lease time without end (RFC 2131 section 3.3).
	infinity = 0xffffffff
	// minLease is the least lease time in seconds that can be kept with a
	// message per second: T1 is half of it.
	//
	// Deviation: "Leases under 2 seconds" in docs/deviations.md.
	minLease = 2
	// minMTU is what RFC 2132 section 5.1 allows.
	minMTU = 68
)

// terms are what an OFFER and an ACK must say alike to be of use.
//
// Deviation: "Lease time in OFFER" in docs/deviations.md.
type terms struct {
	address  netip.Prefix
	duration uint32 // seconds
}

func termsOf(m message) (terms, Rejection) {
	a := m.YourAddr()
	if !isHost(a) {
		return terms{}, RejectBadAddress
	}
	bits := classBits(a)
	if mask, ok := m.Addr(wire.OptionSubnetMask); ok {
		n, row := wire.MaskBits(mask)
		if !row || n == 0 {
			return terms{}, RejectBadSubnetMask
		}
		bits = n
		if bits < 31 && a == lastOf(netip.PrefixFrom(a, bits)) {
			return terms{}, RejectBadAddress
		}
	}
	d, ok := m.Uint32(wire.OptionLeaseTime)
	switch {
	case !ok:
		return terms{}, RejectNoLeaseTime
	case d < minLease:
		return terms{}, RejectLeaseTooShort
	}
	return terms{netip.PrefixFrom(a, bits), d}, accepted
}

// granted takes an ACK: the lease it describes counts from when the REQUEST of
// the exchange was sent.
func (c *Client) granted(now boottime.Instant, m message, x *exchange) Rejection {
	t, r := termsOf(m)
	if r != accepted {
		return r
	}
	l := c.leaseOf(t, m, x)
	if old := c.known(); old != nil {
		// Deviation: "Missing server identifier" in docs/deviations.md: only a
		// REQUEST for an offer needs it in its answer.
		if !l.Server.IsValid() {
			l.Server = old.Server
		}
		if len(l.ServerLink) == 0 && l.Server == old.Server {
			l.ServerLink = old.ServerLink
		}
	}
	c.fuzzTimes(l)
	if end, ends := l.Expires(); ends && !now.Before(end) {
		return RejectLeaseOver
	}
	c.keepNonce(l, m)
	c.acquire(now, l)
	c.autoConfigured(m)
	return accepted
}

// leaseOf returns the lease that an OFFER or ACK describes.
func (c *Client) leaseOf(t terms, m message, x *exchange) *Lease {
	l := &Lease{
		Address:    t.address,
		Server:     m.server,
		ServerLink: c.linkOf(m),
		ClientID:   x.clientID,
		Start:      x.sent,
	}
	if relay := m.Relay(); isHost(relay) {
		l.Relay = relay
	}
	setTimes(l, t.duration, m)
	setParameters(l, m)
	return l
}

// linkOf returns a copy of the frame's source, nil where it cannot be one.
func (c *Client) linkOf(m message) []byte {
	if len(m.link) != len(c.hardwareAddr) || m.link[0]&1 != 0 && len(m.link) == 6 {
		return nil
	}
	return bytes.Clone(m.link)
}

// setTimes sets lease time, T1 and T2.
//
// RFC 2131, section 4.4.5: "T1 MUST be earlier than T2, which, in turn, MUST be
// earlier than the time at which the client's lease will expire." "T1 defaults
// to (0.5 * duration_of_lease). T2 defaults to (0.875 * duration_of_lease).
// The fuzz that they SHOULD have comes with [Client.fuzzTimes].
func setTimes(l *Lease, secs uint32, m message) {
	if secs == infinity {
		l.Infinite = true
		return
	}
	l.Duration = time.Duration(secs) * time.Second
	t1, t2 := l.Duration/2, l.Duration/8*7
	l.T1, l.T2 = t1, t2
	if v, ok := m.Uint32(wire.OptionT1); ok {
		l.T1 = time.Duration(v) * time.Second
	}
	if v, ok := m.Uint32(wire.OptionT2); ok {
		l.T2 = time.Duration(v) * time.Second
	}
	if l.T1 <= 0 || l.T1 >= l.T2 || l.T2 >= l.Duration {
		l.T1, l.T2 = t1, t2
	}
}

// fuzzTimes brings T1 and T2 forward by up to 2 %, both by the same, so that
// their order stays.
//
// RFC 2131, section 4.4.5: "Times T1 and T2 SHOULD be chosen with some random
// 'fuzz' around a fixed value, to avoid synchronization of client reacquisition."
func (c *Client) fuzzTimes(l *Lease) {
	if fuzz := min(l.T1/50, l.T1-pace); fuzz > 0 {
		fuzz = c.within(0, fuzz)
		l.T1 -= fuzz
		l.T2 -= fuzz
	}
}

// isHost reports whether a can be the address of one host on a network: not
// 0.0.0.0/8, loopback, multicast or class E.
func isHost(a netip.Addr) bool {
	if !a.Is4() {
		return false
	}
	first := a.As4()[0]
	return first != 0 && first != 127 && first < 224
}

// hostOrNone returns a if it can be asked for, else 0.0.0.0.
func hostOrNone(a netip.Addr) [4]byte {
	if !isHost(a) {
		return [4]byte{}
	}
	return a.As4()
}

// classBits returns the prefix length of a host's address by its class, for
// servers that send no mask (RFC 950).
func classBits(a netip.Addr) int {
	switch first := a.As4()[0]; {
	case first < 128:
		return 8
	case first < 192:
		return 16
	default:
		return 24
	}
}

// lastOf returns the broadcast address of a subnet.
func lastOf(p netip.Prefix) netip.Addr {
	b := p.Addr().As4()
	for i := p.Bits(); i < 32; i++ {
		b[i/8] |= 1 << (7 - i%8)
	}
	return netip.AddrFrom4(b)
}
