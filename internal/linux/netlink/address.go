//go:build linux

package netlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"net"
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/linux/clock"
	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// An address is one that the kernel has.
type address struct {
	prefix netip.Prefix
	// peer says that prefix is the other side's: a point-to-point address, never ours.
	peer      bool
	secondary bool
	// valid and preferred are seconds left, forever means no end.
	valid, preferred uint32
}

const forever = math.MaxUint32

// Addresses implements [driver.Network].
func (n *Kernel) Addresses(index int) ([]netconf.Address, error) {
	list, err := n.addresses(netconf.Link{Index: index})
	if err != nil {
		return nil, err
	}
	now := clock.Now()
	addrs := make([]netconf.Address, 0, len(list))
	for _, a := range list {
		addrs = append(addrs, netconf.Address{Prefix: a.prefix, Lifetime: a.lifetime(now)})
	}
	return addrs, nil
}

func (a address) lifetime(now boottime.Instant) netconf.Lifetime {
	if a.valid == forever {
		return netconf.Lifetime{Forever: true}
	}
	l := netconf.Lifetime{ValidUntil: now.Add(time.Duration(a.valid) * time.Second)}
	l.PreferredUntil = l.ValidUntil
	if a.preferred < a.valid {
		l.PreferredUntil = now.Add(time.Duration(a.preferred) * time.Second)
	}
	return l
}

func (n *Kernel) addresses(link netconf.Link) ([]address, error) {
	list, err := dump(func() ([]address, error) {
		m := nl.NewIfAddrmsg(unix.AF_INET)
		m.Index = uint32(link.Index)
		msgs, err := n.request(unix.RTM_GETADDR, unix.NLM_F_DUMP, unix.RTM_NEWADDR, m)
		if errors.Is(err, unix.ENODEV) {
			return nil, err
		}
		var list []address
		for _, m := range msgs {
			if a, index, ok := parseAddress(m); ok && index == link.Index {
				list = append(list, a)
			}
		}
		return list, err
	})
	if err != nil {
		name := link.Name
		if name == "" {
			name = fmt.Sprintf("interface %d", link.Index)
		}
		return nil, syserr.Wrap(name, "list addresses", err)
	}
	return list, nil
}

// parseAddress reads the body of an RTM_NEWADDR message.
func parseAddress(m []byte) (a address, index int, ok bool) {
	if len(m) < unix.SizeofIfAddrmsg || m[0] != unix.AF_INET || m[1] > 32 {
		return a, 0, false
	}
	// struct ifaddrmsg: family, prefixlen, flags, scope, index.
	index = int(binary.NativeEndian.Uint32(m[4:]))
	flags := uint32(m[2])
	a.valid, a.preferred = forever, forever
	var local, far netip.Addr
	for _, at := range attributes(m[unix.SizeofIfAddrmsg:]) {
		switch at.typ {
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(at.value)
		case unix.IFA_ADDRESS:
			far, _ = netip.AddrFromSlice(at.value)
		case unix.IFA_FLAGS:
			if len(at.value) >= 4 {
				flags = binary.NativeEndian.Uint32(at.value)
			}
		case unix.IFA_CACHEINFO:
			// struct ifa_cacheinfo: preferred, valid, created, updated.
			if len(at.value) >= 8 {
				a.preferred = binary.NativeEndian.Uint32(at.value)
				a.valid = binary.NativeEndian.Uint32(at.value[4:])
			}
		}
	}
	if !local.Is4() {
		local = far
	}
	if !local.Is4() {
		return a, 0, false
	}
	a.prefix = netip.PrefixFrom(local, int(m[1]))
	a.peer = far.IsValid() && far != local
	a.secondary = flags&unix.IFA_F_SECONDARY != 0
	return a, index, true
}

// setAddress adds the address or, where it is there, gives it its lifetimes
// without taking it away for a moment.
func (n *Kernel) setAddress(link netconf.Link, addrs []address, want netconf.Address, now boottime.Instant) error {
	valid, preferred := lifetimes(want.Lifetime, now)
	for _, a := range addrs {
		if a.prefix == want.Prefix && !a.peer && near(a.valid, valid) && near(a.preferred, preferred) {
			return nil
		}
	}
	na := netlinkAddr(link, want.Prefix)
	// The subnet's route is ours to make: with our metric and as long as we want it.
	na.Flags = unix.IFA_F_NOPREFIXROUTE
	if want.Broadcast.Is4() {
		na.Broadcast = want.Broadcast.AsSlice()
	}
	if valid != forever {
		na.ValidLft, na.PreferedLft = int(valid), int(preferred)
	}
	if err := n.link.AddrReplace(nil, na); err != nil {
		return syserr.Wrap(link.Name, fmt.Sprintf("set address %v", want.Prefix), err)
	}
	return nil
}

// brief is a lifetime of which rounding would take away too much.
const brief = 3 * time.Second

// lifetimes returns the seconds that the kernel is to give. It rounds down: an
// address may end before its lease, not after it. But one that has little left
// would end before it is renewed (a lease of 2 s at its T1): there the kernel is
// given the begun second, and we take the address away in time.
func lifetimes(l netconf.Lifetime, now boottime.Instant) (valid, preferred uint32) {
	if l.Forever {
		return forever, forever
	}
	left := l.ValidUntil.Sub(now)
	if left < brief {
		left += time.Second - 1
	}
	valid = max(seconds(left), 1) // 0 is not allowed
	return valid, min(seconds(l.PreferredUntil.Sub(now)), valid)
}

func seconds(d time.Duration) uint32 {
	return uint32(min(max(d/time.Second, 0), forever-1))
}

// near reports whether the kernel's lifetime needs no change. The kernel
// rounds up what is left where we round down; one that is too long by more than
// that is put right, one that is too short may be so by a second more, where it
// does not count.
func near(has, want uint32) bool {
	if has == forever || want == forever || want < 10 {
		return has == want
	}
	return int64(has) <= int64(want)+1 && int64(has) >= int64(want)-2
}

// removeAddress removes one of ours. If it is the first of its subnet, the
// kernel would take the others of the subnet with it, which are not ours to
// remove: it is told to promote them instead.
func (n *Kernel) removeAddress(link netconf.Link, p netip.Prefix) error {
	addrs, err := n.addresses(link)
	if err != nil {
		if errors.Is(err, netconf.ErrNoLink) {
			return nil // it went with the interface
		}
		return err
	}
	var found, primary, others bool
	for _, a := range addrs {
		switch {
		case a.prefix == p && !a.peer:
			found, primary = true, !a.secondary
		case a.prefix.Masked() == p.Masked() && a.secondary:
			others = true
		}
	}
	if !found {
		return nil
	}
	op := fmt.Sprintf("remove address %v", p)
	if primary && others {
		restore, err := n.promote(link)
		if err != nil {
			return syserr.Wrap(link.Name, op+": keep the other addresses of the subnet", err)
		}
		defer restore()
	}
	err = n.link.AddrDel(nil, netlinkAddr(link, p))
	if err != nil && !errors.Is(err, unix.EADDRNOTAVAIL) && !errors.Is(err, unix.ENODEV) {
		return syserr.Wrap(link.Name, op, err)
	}
	return nil
}

func netlinkAddr(link netconf.Link, p netip.Prefix) *netlink.Addr {
	return &netlink.Addr{IPNet: ipNet(p), LinkIndex: link.Index}
}

func ipNet(p netip.Prefix) *net.IPNet {
	return &net.IPNet{IP: p.Addr().AsSlice(), Mask: net.CIDRMask(p.Bits(), p.Addr().BitLen())}
}
