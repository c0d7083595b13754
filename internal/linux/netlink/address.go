//go:build linux

package netlink

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/linux/clock"
	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// Attributes of linux/if_addr.h that package unix does not have.
const (
	ifaFlags    = 8
	ifaProtocol = 11
)

// Addresses lists the IPv4 addresses of an interface.
func (n *Kernel) Addresses(index int) ([]netconf.Address, error) {
	n.ask.lock()
	defer n.ask.unlock()
	list, err := n.ask.addresses(nil, unix.AF_INET, index, clock.Now(), 0)
	if err != nil {
		return nil, syserr.Wrap(fmt.Sprintf("interface %d", index), "list addresses", err)
	}
	return list, nil
}

// addresses appends the addresses of an interface and a family to list. asked is what
// askAddresses has returned, where that was sent, or 0.
func (s *conn) addresses(list []netconf.Address, family uint8, index int, now boottime.Instant, asked uint32) ([]netconf.Address, error) {
	before := len(list)
	err := dump(func() error {
		list = list[:before]
		seq := asked
		if asked = 0; seq == 0 {
			seq = s.askAddresses(family, index)
			if err := s.send(); err != nil {
				return err
			}
		}
		return s.answer(seq, unix.RTM_NEWADDR, func(body []byte) {
			if a, at, ok := parseAddress(body, now); ok && at == index && body[0] == family {
				list = append(list, a)
			}
		})
	})
	return list, err
}

// askAddresses begins and ends the request for the addresses of an interface and a family.
func (s *conn) askAddresses(family uint8, index int) (seq uint32) {
	m, seq := s.begin(unix.RTM_GETADDR, unix.NLM_F_DUMP)
	addressHeader(m, netip.Prefix{}, index)[0] = family
	m.end()
	return seq
}

// addressHeader appends struct ifaddrmsg: family, prefix length, flags, scope,
// index.
func addressHeader(m *builder, p netip.Prefix, index int) []byte {
	b := m.zeros(unix.SizeofIfAddrmsg)
	if p.IsValid() {
		b[0], b[1] = family(p.Addr()), uint8(p.Bits()) //nolint:gosec // up to 128
	}
	binary.NativeEndian.PutUint32(b[4:], uint32(index)) //nolint:gosec // an interface index is positive and 31 bits
	return b
}

func family(a netip.Addr) uint8 {
	if a.Is4() {
		return unix.AF_INET
	}
	return unix.AF_INET6
}

// kernelFlags are the flags of an address in the order of [netconf.AddressFlags].
var kernelFlags = [...]struct {
	flag   netconf.AddressFlags
	kernel uint32
}{
	{netconf.NoPrefixRoute, unix.IFA_F_NOPREFIXROUTE},
	{netconf.Secondary, unix.IFA_F_SECONDARY},
	{netconf.Optimistic, unix.IFA_F_OPTIMISTIC},
	{netconf.Tentative, unix.IFA_F_TENTATIVE},
	{netconf.Duplicate, unix.IFA_F_DADFAILED},
}

// parseAddress reads the body of an RTM_NEWADDR or RTM_DELADDR message that came at now.
func parseAddress(m []byte, now boottime.Instant) (a netconf.Address, index int, ok bool) {
	if len(m) < unix.SizeofIfAddrmsg || m[0] != unix.AF_INET && m[0] != unix.AF_INET6 {
		return a, 0, false
	}
	// struct ifaddrmsg: family, prefix length, flags, scope, index.
	index = int(binary.NativeEndian.Uint32(m[4:]))
	flags := uint32(m[2])
	a.Lifetime.Forever = true
	var local, far netip.Addr
	for typ, value := range attributes(m[unix.SizeofIfAddrmsg:]) {
		switch typ {
		case unix.IFA_LOCAL:
			local, _ = netip.AddrFromSlice(value)
		case unix.IFA_ADDRESS:
			far, _ = netip.AddrFromSlice(value)
		case unix.IFA_BROADCAST:
			a.Broadcast, _ = netip.AddrFromSlice(value)
		case ifaFlags:
			flags = number(value)
		case unix.IFA_CACHEINFO:
			// struct ifa_cacheinfo: preferred, valid, created, updated.
			if len(value) >= 8 {
				a.Lifetime = lifetime(number(value[4:]), number(value), now)
			}
		case ifaProtocol:
			if len(value) > 0 {
				a.Protocol = value[0]
			}
		}
	}
	if !local.IsValid() {
		local = far
	}
	a.Prefix = netip.PrefixFrom(local, int(m[1]))
	if !a.Prefix.IsValid() || family(local) != m[0] {
		return a, 0, false
	}
	if far != local {
		a.Peer = far
	}
	for _, f := range kernelFlags {
		if flags&f.kernel != 0 {
			a.Flags |= f.flag
		}
	}
	if local.Is6() {
		a.Flags &^= netconf.Secondary // there the bit means a temporary address
	}
	return a, index, true
}

// lifetime returns what the kernel reports at now, in seconds that are left.
func lifetime(valid, preferred uint32, now boottime.Instant) netconf.Lifetime {
	if valid == netconf.Forever {
		return netconf.Lifetime{Forever: true}
	}
	l := netconf.Lifetime{ValidUntil: now.Add(time.Duration(valid) * time.Second)}
	l.PreferredUntil = l.ValidUntil
	if preferred < valid {
		l.PreferredUntil = now.Add(time.Duration(preferred) * time.Second)
	}
	return l
}

// setAddress appends the attributes of an address that is added or replaced.
func setAddress(m *builder, index int, a netconf.Address, valid, preferred uint32) {
	addressHeader(m, a.Prefix, index)
	m.address(unix.IFA_LOCAL, a.Prefix.Addr())
	m.address(unix.IFA_ADDRESS, a.Prefix.Addr())
	if a.Prefix.Addr().Is4() {
		m.address(unix.IFA_BROADCAST, broadcast(a))
	}
	var flags uint32
	for _, f := range kernelFlags {
		if a.Flags&f.flag != 0 {
			flags |= f.kernel
		}
	}
	m.uint32(ifaFlags, flags)
	// Kernels before 5.18 ignore an attribute that they do not know.
	m.uint8(ifaProtocol, a.Protocol)
	// struct ifa_cacheinfo: preferred, valid, created, updated.
	var info [16]byte
	binary.NativeEndian.PutUint32(info[:], preferred)
	binary.NativeEndian.PutUint32(info[4:], valid)
	m.attribute(unix.IFA_CACHEINFO, info[:])
}

// broadcast returns the IPv4 broadcast address: the one that is set, or the last
// one of the subnet; none where there is none.
func broadcast(a netconf.Address) netip.Addr {
	if a.Broadcast.IsValid() || a.Prefix.Bits() >= 31 {
		return a.Broadcast
	}
	b := a.Prefix.Addr().As4()
	hosts := uint32(1)<<(32-a.Prefix.Bits()) - 1
	last := binary.BigEndian.Uint32(b[:]) | hosts
	binary.BigEndian.PutUint32(b[:], last)
	return netip.AddrFrom4(b)
}

// removeAddress appends the attributes of an address that is removed.
func removeAddress(m *builder, index int, p netip.Prefix) {
	addressHeader(m, p, index)
	m.address(unix.IFA_LOCAL, p.Addr())
	m.address(unix.IFA_ADDRESS, p.Addr())
}

// families appends to list, which is empty, those that what is on record or wanted is of.
func families(list []uint8, owned []netip.Prefix, want netconf.Desired) []uint8 {
	for _, p := range owned {
		list = addFamily(list, p.Addr())
	}
	for _, a := range want.Addresses {
		list = addFamily(list, a.Prefix.Addr())
	}
	for _, r := range want.Routes {
		list = addFamily(list, r.Destination.Addr())
	}
	return list
}

func addFamily(list []uint8, a netip.Addr) []uint8 {
	if f := family(a); a.IsValid() && !slices.Contains(list, f) {
		list = append(list, f)
	}
	return list
}
