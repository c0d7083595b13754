package iphlpapi

import (
	"net/netip"
	"unsafe"
)

const (
	infoSize    = unsafe.Sizeof(IpAdapterInfo{})
	perInfoSize = unsafe.Sizeof(IpPerAdapterInfo{})
	stringSize  = unsafe.Sizeof(IpAddrString{})
)

// packedSize is the room that [pack] needs, in bytes: the adapters, then the
// entries of lists beyond the first.
func packedSize(list []details) uint32 {
	n := uintptr(len(list)) * infoSize
	for i := range list {
		d := &list[i]
		n += (further(len(d.addresses)) + further(len(d.gateways)) + further(len(d.wins)-1)) * stringSize
	}
	return uint32(n)
}

// further is how many entries of a list do not have their place in a structure.
func further(n int) uintptr { return uintptr(max(n-1, 0)) }

// pack writes the adapters to the packedSize(list) bytes at out.
func pack(out *IpAdapterInfo, list []details) {
	wipe(unsafe.Pointer(out), packedSize(list))
	infos := unsafe.Slice(out, len(list))
	more := spare{unsafe.Pointer(out), uintptr(len(list)) * infoSize}
	for i := range list {
		d, a := &list[i], &infos[i]
		if i+1 < len(infos) {
			a.Next = &infos[i+1]
		}
		putString(a.AdapterName[:], d.name)
		putString(a.Description[:], d.description)
		a.AddressLength = uint32(copy(a.Address[:], d.hardware))
		a.Index, a.Type = uint32(d.index), d.typ
		a.DhcpEnabled, a.HaveWins = flag(d.dhcp), flag(len(d.wins) > 0)
		more.list(&a.IpAddressList, d.addresses)
		more.list(&a.GatewayList, bare(d.gateways))
		more.list(&a.DhcpServer, bare([]netip.Addr{d.server}))
		wins := bare(d.wins)
		more.list(&a.PrimaryWinsServer, wins[:min(1, len(wins))])
		more.list(&a.SecondaryWinsServer, wins[min(1, len(wins)):])
		a.LeaseObtained, a.LeaseExpires = int(d.obtained), int(d.expires)
	}
}

// packedPerSize is the room that [packPer] needs, in bytes.
func packedPerSize(d *details) uint32 {
	return uint32(perInfoSize + further(len(d.dns))*stringSize)
}

// packPer writes what is left to tell of an adapter to the packedPerSize(d)
// bytes at out.
func packPer(out *IpPerAdapterInfo, d *details) {
	wipe(unsafe.Pointer(out), packedPerSize(d))
	more := spare{unsafe.Pointer(out), perInfoSize}
	out.AutoconfigEnabled, out.AutoconfigActive = flag(d.linkLocal), flag(d.linkLocal)
	more.list(&out.DnsServerList, bare(d.dns))
}

// wipe clears the caller's memory, which may be C's and have anything in it: the
// collector must not see a pointer there when it is overwritten.
func wipe(p unsafe.Pointer, n uint32) { clear(unsafe.Slice((*byte)(p), n)) }

// A spare is memory for entries of lists, from that byte of a buffer on. There may
// be none: a pointer to it is made only when an entry is.
type spare struct {
	buffer unsafe.Pointer
	offset uintptr
}

// list writes addresses to the list that begins at head.
func (s *spare) list(head *IpAddrString, addresses []netip.Prefix) {
	if len(addresses) == 0 {
		addresses = []netip.Prefix{{}}
	}
	for i, p := range addresses {
		if i > 0 {
			head.Next = (*IpAddrString)(unsafe.Add(s.buffer, s.offset))
			head = head.Next
			s.offset += stringSize
		}
		putString(head.IpAddress.String[:], dotted(p.Addr()))
		putString(head.IpMask.String[:], dotted(mask(p.Bits())))
	}
}

// bare gives the addresses the mask that says nothing.
func bare(list []netip.Addr) []netip.Prefix {
	out := make([]netip.Prefix, len(list))
	for i, a := range list {
		out[i] = netip.PrefixFrom(a, -1)
	}
	return out
}

func dotted(a netip.Addr) string {
	if a = a.Unmap(); !a.Is4() {
		return "0.0.0.0"
	}
	return a.String()
}

// mask is the network mask of that many bits, 0.0.0.0 for none.
func mask(bits int) netip.Addr {
	if bits < 0 {
		return netip.IPv4Unspecified()
	}
	var b [4]byte
	for i := range min(bits, 32) {
		b[i/8] |= 0x80 >> (i % 8)
	}
	return netip.AddrFrom4(b)
}

// putString writes s and a NUL, cutting what does not fit.
func putString(to []byte, s string) { to[copy(to[:len(to)-1], s)] = 0 }

func flag(b bool) uint32 {
	if b {
		return 1
	}
	return 0
}
