package iphlpapi

import (
	"cmp"
	"encoding/binary"
	"errors"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// details are all that is known of an adapter.
type details struct {
	index             int
	name, description string
	altNames          []string
	hardwareType      uint16
	hardware          []byte
	typ               uint32 // MIB_IF_TYPE
	addresses         []netip.Prefix
	gateways          []netip.Addr
	linkLocal         bool // one of the addresses is link-local

	dhcp              bool // somebody manages it by DHCP
	server            netip.Addr
	wins, dns         []netip.Addr
	obtained, expires int64 // Unix time of the lease; 0 if not known

	// since and until are the times that the kernel has for the first address
	// that has an end; zero if none has.
	since, until time.Time
}

// A link is one as the kernel lists it.
type link struct {
	details
	up, loopback bool
}

// attempts is how often a list is asked for that changes meanwhile.
const attempts = 10

// dump asks the kernel, in the network namespace of the calling thread, for a
// list and hands its messages, without their header, to each.
func dump(typ int, reply uint16, request nl.NetlinkRequestData, each func([]byte)) error {
	for i := 1; ; i++ {
		req := nl.NewNetlinkRequest(typ, unix.NLM_F_DUMP)
		req.AddData(request)
		msgs, err := req.Execute(unix.NETLINK_ROUTE, reply)
		if errors.Is(err, nl.ErrDumpInterrupted) && i < attempts {
			continue
		}
		if err != nil && !errors.Is(err, nl.ErrDumpInterrupted) {
			return ERROR_GEN_FAILURE
		}
		for _, m := range msgs {
			each(m)
		}
		return nil
	}
}

// An attribute is one of a netlink message.
type attribute struct {
	typ   uint16
	value []byte
}

// split splits the attributes of a message. What is not understood ends it.
func split(b []byte) (list []attribute) {
	for len(b) >= unix.SizeofRtAttr {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			break
		}
		list = append(list, attribute{
			typ:   binary.NativeEndian.Uint16(b[2:]) &^ (unix.NLA_F_NESTED | unix.NLA_F_NET_BYTEORDER),
			value: b[unix.SizeofRtAttr:n],
		})
		b = b[min((n+unix.NLA_ALIGNTO-1)&^(unix.NLA_ALIGNTO-1), len(b)):]
	}
	return list
}

// attributes returns the attributes of a message whose fixed part has n bytes,
// and whether the message has that.
func attributes(m []byte, n int) (map[uint16][]byte, bool) {
	if len(m) < n {
		return nil, false
	}
	out := make(map[uint16][]byte)
	for _, a := range split(m[n:]) {
		out[a.typ] = a.value
	}
	return out, true
}

// links lists the network interfaces in the order of their indices.
func links() ([]link, error) {
	var out []link
	err := dump(unix.RTM_GETLINK, unix.RTM_NEWLINK, nl.NewIfInfomsg(unix.AF_UNSPEC), func(m []byte) {
		if l, ok := parseLink(m); ok {
			out = append(out, l)
		}
	})
	slices.SortFunc(out, func(a, b link) int { return cmp.Compare(a.index, b.index) })
	return out, err
}

func parseLink(m []byte) (link, bool) {
	const fixed = unix.SizeofIfInfomsg // family, pad, type, index, flags, change
	attrs, ok := attributes(m, fixed)
	if !ok {
		return link{}, false
	}
	flags := binary.NativeEndian.Uint32(m[8:])
	l := link{up: flags&unix.IFF_UP != 0, loopback: flags&unix.IFF_LOOPBACK != 0}
	l.hardwareType = binary.NativeEndian.Uint16(m[2:])
	l.index = int(binary.NativeEndian.Uint32(m[4:]))
	l.name = unix.ByteSliceToString(attrs[unix.IFLA_IFNAME])
	l.description = unix.ByteSliceToString(attrs[unix.IFLA_IFALIAS])
	l.hardware = attrs[unix.IFLA_ADDRESS]
	l.typ = ifType(l.hardwareType)
	for _, p := range split(attrs[unix.IFLA_PROP_LIST]) {
		if p.typ == unix.IFLA_ALT_IFNAME {
			l.altNames = append(l.altNames, unix.ByteSliceToString(p.value))
		}
	}
	return l, l.name != ""
}

// ifType translates the kernel's ARP hardware type.
func ifType(hardware uint16) uint32 {
	switch hardware {
	case unix.ARPHRD_ETHER, unix.ARPHRD_EETHER:
		return MIB_IF_TYPE_ETHERNET
	case unix.ARPHRD_IEEE802, unix.ARPHRD_IEEE802_TR:
		return MIB_IF_TYPE_TOKENRING
	case unix.ARPHRD_FDDI:
		return MIB_IF_TYPE_FDDI
	case unix.ARPHRD_PPP:
		return MIB_IF_TYPE_PPP
	case unix.ARPHRD_LOOPBACK:
		return MIB_IF_TYPE_LOOPBACK
	case unix.ARPHRD_SLIP, unix.ARPHRD_CSLIP, unix.ARPHRD_SLIP6, unix.ARPHRD_CSLIP6:
		return MIB_IF_TYPE_SLIP
	case unix.ARPHRD_NONE:
		return IF_TYPE_PROP_VIRTUAL
	case unix.ARPHRD_IEEE80211, unix.ARPHRD_IEEE80211_PRISM, unix.ARPHRD_IEEE80211_RADIOTAP:
		return IF_TYPE_IEEE80211
	case unix.ARPHRD_TUNNEL, unix.ARPHRD_TUNNEL6, unix.ARPHRD_SIT, unix.ARPHRD_IPGRE, unix.ARPHRD_IP6GRE:
		return IF_TYPE_TUNNEL
	case unix.ARPHRD_IEEE1394:
		return IF_TYPE_IEEE1394
	case unix.ARPHRD_INFINIBAND:
		return IF_TYPE_INFINIBAND
	case unix.ARPHRD_RAWIP:
		return IF_TYPE_WWANPP
	default:
		return MIB_IF_TYPE_OTHER
	}
}

// enabled lists the adapters that are enabled for IPv4, without addresses.
func enabled() ([]details, error) {
	all, err := links()
	if err != nil {
		return nil, err
	}
	var out []details
	for _, l := range all {
		if l.up && !l.loopback {
			out = append(out, l.details)
		}
	}
	return out, nil
}

// addAddresses completes the list by the addresses.
func addAddresses(list []details) error {
	var uptime unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &uptime); err != nil {
		return ERROR_GEN_FAILURE
	}
	now := time.Now()
	boot := now.Add(-time.Duration(uptime.Nano()))
	return dump(unix.RTM_GETADDR, unix.RTM_NEWADDR, nl.NewIfAddrmsg(unix.AF_INET), func(m []byte) {
		addAddress(list, m, now, boot)
	})
}

// addAddress adds the address of an RTM_NEWADDR message to its adapter.
func addAddress(list []details, m []byte, now, boot time.Time) {
	const fixed = unix.SizeofIfAddrmsg // family, prefix length, flags, scope, index
	attrs, ok := attributes(m, fixed)
	if !ok || m[0] != unix.AF_INET {
		return
	}
	d := find(list, int(binary.NativeEndian.Uint32(m[4:])))
	a, ok := netip.AddrFromSlice(attrs[unix.IFA_LOCAL])
	p := netip.PrefixFrom(a, int(m[1]))
	if d == nil || !ok || !a.Is4() || !p.IsValid() {
		return
	}
	d.addresses = append(d.addresses, p)
	d.linkLocal = d.linkLocal || a.IsLinkLocalUnicast()
	// struct ifa_cacheinfo: what is left of the lifetimes in seconds, preferred
	// and valid; when created and changed, in 1/100 s of uptime.
	info := attrs[unix.IFA_CACHEINFO]
	if len(info) < unix.SizeofIfaCacheinfo || !d.until.IsZero() {
		return
	}
	if left := binary.NativeEndian.Uint32(info[4:]); left != math.MaxUint32 {
		d.until = now.Add(time.Duration(left) * time.Second)
		d.since = boot.Add(time.Duration(binary.NativeEndian.Uint32(info[12:])) * 10 * time.Millisecond)
	}
}

// addGateways completes the list by the routers of the default routes, the one
// with the lowest metric first.
func addGateways(list []details) error {
	type gateway struct {
		index  int
		table  int
		metric int
		router netip.Addr
	}
	var found []gateway
	add := func(r *netlink.Route, index int, router []byte) {
		if a, ok := netip.AddrFromSlice(router); ok && a.Unmap().Is4() {
			found = append(found, gateway{index, r.Table, r.Priority, a.Unmap()})
		}
	}
	// All tables: an adapter of a VRF has its default route in the VRF's.
	filter := &netlink.Route{Table: unix.RT_TABLE_UNSPEC, Type: unix.RTN_UNICAST}
	each := func(r netlink.Route) bool {
		if r.Dst != nil {
			if ones, _ := r.Dst.Mask.Size(); ones != 0 {
				return true
			}
		}
		add(&r, r.LinkIndex, r.Gw)
		for _, hop := range r.MultiPath {
			add(&r, hop.LinkIndex, hop.Gw)
		}
		return true
	}
	for i := 1; ; i++ {
		found = nil
		err := netlink.RouteListFilteredIter(unix.AF_INET, filter, netlink.RT_FILTER_TABLE|netlink.RT_FILTER_TYPE, each)
		if errors.Is(err, netlink.ErrDumpInterrupted) && i < attempts {
			continue
		}
		if err != nil && !errors.Is(err, netlink.ErrDumpInterrupted) {
			return ERROR_GEN_FAILURE
		}
		break
	}
	slices.SortStableFunc(found, func(a, b gateway) int {
		return cmp.Or(
			-cmp.Compare(flag(a.table == unix.RT_TABLE_MAIN), flag(b.table == unix.RT_TABLE_MAIN)),
			cmp.Compare(a.metric, b.metric))
	})
	for _, g := range found {
		if d := find(list, g.index); d != nil && !slices.Contains(d.gateways, g.router) {
			d.gateways = append(d.gateways, g.router)
		}
	}
	return nil
}

func find(list []details, index int) *details {
	i, ok := slices.BinarySearchFunc(list, index, func(d details, index int) int { return cmp.Compare(d.index, index) })
	if !ok {
		return nil
	}
	return &list[i]
}

// addDescriptions gives each adapter that has no alias its driver's name, and its
// own where the driver does not tell.
func addDescriptions(list []details) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err == nil {
		defer unix.Close(fd)
	}
	for i := range list {
		d := &list[i]
		if d.description != "" {
			continue
		}
		d.description = d.name
		if err != nil {
			continue
		}
		if info, err := unix.IoctlGetEthtoolDrvinfo(fd, d.name); err == nil {
			if driver := unix.ByteSliceToString(info.Driver[:]); driver != "" {
				d.description = driver
			}
		}
	}
}
