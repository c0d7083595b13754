package netconf

import (
	"net/netip"
	"strings"
	"time"

	"github.com/lessee/lessee/boottime"
)

// An Address is one of an adapter's addresses.
type Address struct {
	// Prefix is the address and the length of its subnet's prefix.
	Prefix netip.Prefix
	// Peer is the other side of a point-to-point link; not valid for any other
	// address.
	Peer netip.Addr
	// Broadcast is the broadcast address (IPv4); not valid: the usual one.
	Broadcast netip.Addr
	// Lifetime bounds the address in the kernel, so that it ends on time even
	// if we do not live to see it.
	Lifetime Lifetime
	Flags    AddressFlags
	// Protocol is who set the address (IFA_PROTO): [ProtocolDHCP] is ours, 0 is
	// not known. Kernels before 5.18 report none.
	Protocol uint8
}

// ProtocolDHCP is RTPROT_DHCP of linux/rtnetlink.h. It marks our routes and, as
// their protocol, our addresses.
const ProtocolDHCP = 16

// AddressFlags are properties of an address.
type AddressFlags uint8

// The flags of an address (IFA_F_* of linux/if_addr.h).
const (
	// NoPrefixRoute: the kernel makes no route of the address's subnet.
	NoPrefixRoute AddressFlags = 1 << iota
	// Secondary: another IPv4 address of the same subnet came first. The kernel
	// removes this one with that one, unless the adapter promotes secondaries.
	Secondary
	// Optimistic: an IPv6 address may be used while duplicate address
	// detection runs (RFC 4429).
	Optimistic
	// Tentative: duplicate address detection runs (RFC 4862 section 5.4).
	Tentative
	// Duplicate: another host has the IPv6 address.
	Duplicate
)

var flagNames = [...]string{"noprefixroute", "secondary", "optimistic", "tentative", "duplicate"}

// String returns the names of the flags, separated by spaces.
func (f AddressFlags) String() string {
	var names []string
	for i, name := range flagNames {
		if f&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return strings.Join(names, " ")
}

// A Lifetime says how long an address may be used.
type Lifetime struct {
	// ValidUntil ends the use of the address. PreferredUntil, never later, ends
	// its use as a source of new connections. Forever: both mean nothing.
	ValidUntil, PreferredUntil boottime.Instant
	Forever                    bool
}

// ended reports whether the address may not be used any more.
func (l Lifetime) ended(now boottime.Instant) bool { return !l.Forever && !now.Before(l.ValidUntil) }

// Forever is a lifetime without end, in seconds.
const Forever = 1<<32 - 1

// brief is a lifetime of which rounding would take away too much.
const brief = 3 * time.Second

// Seconds returns the lifetimes that the kernel gets at now, [Forever] for one
// without end. It rounds down: an address may end before its lease, not after
// it. But one that has little left would end before it is renewed (a lease of
// 2 s at its T1): there the kernel gets the begun second, and we remove the
// address in time.
func (l Lifetime) Seconds(now boottime.Instant) (valid, preferred uint32) {
	if l.Forever {
		return Forever, Forever
	}
	left := l.ValidUntil.Sub(now)
	if left < brief {
		left += time.Second - 1
	}
	valid = max(seconds(left), 1) // 0 is not allowed
	return valid, min(seconds(l.PreferredUntil.Sub(now)), valid)
}

func seconds(d time.Duration) uint32 {
	return uint32(min(max(d/time.Second, 0), Forever-1))
}

// near reports whether the kernel's lifetime needs no change. The kernel
// rounds up what is left where we round down; one that is too long by more than
// that is put right, one that is too short may be so by a second more, where it
// does not count.
func near(has, want uint32) bool {
	if has == Forever || want == Forever || want < 10 {
		return has == want
	}
	return int64(has) <= int64(want)+1 && int64(has) >= int64(want)-2
}

// remaining returns the seconds that a lifetime which the kernel reported at
// now still had.
func (l Lifetime) remaining(now boottime.Instant) (valid, preferred uint32) {
	if l.Forever {
		return Forever, Forever
	}
	return seconds(l.ValidUntil.Sub(now)), seconds(l.PreferredUntil.Sub(now))
}

// is reports whether the kernel takes a for the address of p: there is one of a
// prefix (IPv4), or one of an address (IPv6).
func (a Address) is(p netip.Prefix) bool {
	if a.Peer.IsValid() {
		return false
	}
	return a.Prefix == p || a.Prefix.Addr() == p.Addr() && p.Addr().Is6()
}

// marked reports whether the kernel's marks say that we set the address.
func (a Address) marked() bool {
	return a.Flags&NoPrefixRoute != 0 && (a.Protocol == 0 || a.Protocol == ProtocolDHCP)
}
