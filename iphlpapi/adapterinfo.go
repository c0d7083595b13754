package iphlpapi

import (
	"errors"
	"iter"
	"net"
	"net/netip"
	"strings"
	"unsafe"
)

// The room for texts in the structures of this file, in bytes.
const (
	// MaxAdapterNameLength is the longest name that [GetAdaptersInfo] tells; a
	// longer one is cut.
	MaxAdapterNameLength = 256
	// MaxAdapterDescriptionLength is the longest description; a longer one is cut.
	MaxAdapterDescriptionLength = 128
	// MaxAdapterAddressLength is the longest hardware address; a longer one is cut.
	MaxAdapterAddressLength = 8
)

// The types of an adapter (IpAdapterInfo.Type), of those that IANA assigns to
// interfaces (ifType).
const (
	MIB_IF_TYPE_OTHER     = 1
	MIB_IF_TYPE_ETHERNET  = 6
	MIB_IF_TYPE_TOKENRING = 9
	MIB_IF_TYPE_FDDI      = 15
	MIB_IF_TYPE_PPP       = 23
	MIB_IF_TYPE_LOOPBACK  = 24
	MIB_IF_TYPE_SLIP      = 28
	IF_TYPE_PROP_VIRTUAL  = 53
	IF_TYPE_IEEE80211     = 71
	IF_TYPE_TUNNEL        = 131
	IF_TYPE_IEEE1394      = 144
	IF_TYPE_INFINIBAND    = 199
	IF_TYPE_WWANPP        = 243
)

// An IpAddressString is an IPv4 address or mask in dotted decimal, ended by a NUL.
type IpAddressString struct {
	String [16]byte
}

// An IpMaskString has the form of an [IpAddressString].
type IpMaskString = IpAddressString

// An IpAddrString is an entry of a list of addresses: IP_ADDR_STRING.
type IpAddrString struct {
	// Next is the next entry, in the same buffer; nil for the last.
	Next *IpAddrString
	// IpAddress and IpMask are "0.0.0.0" in a list without addresses, and where
	// a mask makes no sense.
	IpAddress IpAddressString
	IpMask    IpMaskString
	// Context is 0 but on Windows.
	Context uint32
}

// An IpAdapterInfo tells of one adapter: IP_ADAPTER_INFO, 704 bytes on a 64-bit
// system. The strings are in the system's 8-bit encoding, UTF-8 on Linux, and
// end with a NUL.
type IpAdapterInfo struct {
	// Next is the next adapter, in the same buffer; nil for the last.
	Next *IpAdapterInfo
	// ComboIndex is reserved.
	ComboIndex  uint32
	AdapterName [MaxAdapterNameLength + 4]byte
	// Description is, on Linux, the alias that somebody gave the link, or else
	// its driver's name.
	Description [MaxAdapterDescriptionLength + 4]byte
	// AddressLength is the number of bytes of Address that are the hardware
	// address.
	AddressLength uint32
	Address       [MaxAdapterAddressLength]byte
	// Index is the kernel's interface index.
	Index uint32
	// Type is a MIB_IF_TYPE or IF_TYPE.
	Type uint32
	// DhcpEnabled is 1 if somebody manages the adapter by DHCP, else 0.
	DhcpEnabled uint32
	// CurrentIpAddress is reserved, and nil.
	CurrentIpAddress *IpAddrString
	// IpAddressList has the adapter's addresses, GatewayList its default gateways.
	IpAddressList IpAddrString
	GatewayList   IpAddrString
	// DhcpServer is "0.0.0.0" where it is not known.
	DhcpServer IpAddrString
	// HaveWins is 1 if the lease names WINS servers, else 0. The third and later
	// ones follow the secondary as its Next.
	HaveWins            uint32
	PrimaryWinsServer   IpAddrString
	SecondaryWinsServer IpAddrString
	// LeaseObtained and LeaseExpires are in seconds since 1970, 0 where there
	// is no lease; a C time_t. A lease without end expires at 2147483647, on
	// 19 January 2038, as it does on Windows.
	LeaseObtained int
	LeaseExpires  int
}

// An IpPerAdapterInfo tells more of one adapter: IP_PER_ADAPTER_INFO, 64 bytes on
// a 64-bit system.
type IpPerAdapterInfo struct {
	// AutoconfigEnabled and AutoconfigActive are 1 if the adapter has given itself
	// a link-local address (RFC 3927), else 0. On Windows the former is 1 already
	// if it may do so.
	AutoconfigEnabled uint32
	AutoconfigActive  uint32
	// CurrentDnsServer is reserved.
	CurrentDnsServer *IpAddrString
	// DnsServerList has the name servers of the adapter's lease.
	DnsServerList IpAddrString
}

// NameString returns the adapter's name.
func (a *IpAdapterInfo) NameString() string { return cString(a.AdapterName[:]) }

// DescriptionString returns the adapter's description.
func (a *IpAdapterInfo) DescriptionString() string { return cString(a.Description[:]) }

// HardwareAddr returns the hardware address, of at most 8 bytes; nil if there is
// none.
func (a *IpAdapterInfo) HardwareAddr() net.HardwareAddr {
	n := min(a.AddressLength, MaxAdapterAddressLength)
	return append(net.HardwareAddr(nil), a.Address[:n]...)
}

// All returns this adapter and those that follow it.
func (a *IpAdapterInfo) All() iter.Seq[*IpAdapterInfo] {
	return func(yield func(*IpAdapterInfo) bool) {
		for ; a != nil; a = a.Next {
			if !yield(a) {
				return
			}
		}
	}
}

// Addresses returns the addresses of the list, without the "0.0.0.0" that stands
// for none.
func (s *IpAddrString) Addresses() []netip.Addr {
	var out []netip.Addr
	for ; s != nil; s = s.Next {
		if a := s.Addr(); a.IsValid() && !a.IsUnspecified() {
			out = append(out, a)
		}
	}
	return out
}

// Addr returns the entry's address; the zero Addr if it is not one.
func (s *IpAddrString) Addr() netip.Addr {
	a, _ := netip.ParseAddr(cString(s.IpAddress.String[:]))
	return a
}

// Prefix returns the entry's address with the length of its mask; the zero
// Prefix if one of them is not valid.
func (s *IpAddrString) Prefix() netip.Prefix {
	mask, err := netip.ParseAddr(cString(s.IpMask.String[:]))
	if err != nil || !mask.Is4() || !s.Addr().Is4() {
		return netip.Prefix{}
	}
	ones, bits := net.IPMask(mask.AsSlice()).Size()
	if bits == 0 { // not a contiguous mask
		return netip.Prefix{}
	}
	return netip.PrefixFrom(s.Addr(), ones)
}

func cString(b []byte) string {
	s, _, _ := strings.Cut(string(b), "\x00")
	return s
}

// GetAdaptersInfo tells of the adapters that [GetInterfaceInfo] lists, in the
// same order: at info and linked from there by Next, all within the *size bytes
// of memory that the caller provides. The usual use is two calls: ask for the
// size with a nil info, allocate, ask again. [AdaptersInfo] does both.
//
// On Linux the kernel tells of links, addresses and gateways, the lessee daemon
// of leases. Without a daemon, and for the adapters of other DHCP clients, the
// times of the lease are those that the kernel has for the address.
//
// It returns nil, the contract's NO_ERROR, or
//   - ERROR_INVALID_PARAMETER if size is nil;
//   - ERROR_NO_DATA if no adapter is enabled for IPv4;
//   - ERROR_BUFFER_OVERFLOW if info is nil or *size too small: *size is then the
//     size needed, which may be more than at an earlier call;
//   - ERROR_NOT_SUPPORTED on this system;
//   - ERROR_GEN_FAILURE if the kernel does not tell.
func GetAdaptersInfo(info *IpAdapterInfo, size *uint32) error {
	if size == nil {
		return ERROR_INVALID_PARAMETER
	}
	return adaptersInfo(info, size)
}

// GetPerAdapterInfo tells more of the adapter with that index, into the *size
// bytes of memory at info. It returns what [GetAdaptersInfo] does, with
// ERROR_NO_DATA if there is no adapter with that index.
func GetPerAdapterInfo(index uint32, info *IpPerAdapterInfo, size *uint32) error {
	if size == nil {
		return ERROR_INVALID_PARAMETER
	}
	return perAdapterInfo(index, info, size)
}

// GetNumberOfInterfaces counts the adapters that [GetInterfaceInfo] lists, and
// loopback. It returns nil, the contract's NO_ERROR, or
//   - ERROR_INVALID_PARAMETER if number is nil;
//   - ERROR_NOT_SUPPORTED on this system;
//   - ERROR_GEN_FAILURE if the kernel does not tell.
func GetNumberOfInterfaces(number *uint32) error {
	if number == nil {
		return ERROR_INVALID_PARAMETER
	}
	return numberOfInterfaces(number)
}

// GetAdapterIndex finds the index of the adapter with that name, which is in
// UTF-16 and ends with a NUL, such as &Name[0] of an [IpAdapterIndexMap]. On
// Linux an alternative name works, too.
//
// It returns nil, the contract's NO_ERROR, or
//   - ERROR_INVALID_PARAMETER if name or index is nil, or the name empty, without
//     NUL in its first 128 units or not valid UTF-16;
//   - ERROR_FILE_NOT_FOUND if there is no adapter of that name;
//   - ERROR_NOT_SUPPORTED on this system;
//   - ERROR_GEN_FAILURE if the kernel does not tell.
func GetAdapterIndex(name *uint16, index *uint32) error {
	if name == nil || index == nil {
		return ERROR_INVALID_PARAMETER
	}
	var m IpAdapterIndexMap
	for i, p := 0, name; i < len(m.Name); i, p = i+1, next(p) {
		if m.Name[i] = *p; *p == 0 {
			break
		}
	}
	if _, err := m.check(); err != nil {
		return err
	}
	return adapterIndex(&m, index)
}

func next(p *uint16) *uint16 {
	return (*uint16)(unsafe.Add(unsafe.Pointer(p), unsafe.Sizeof(*p)))
}

// AdaptersInfo tells of the adapters enabled for IPv4. It makes the two calls of
// [GetAdaptersInfo], again where adapters or addresses appear between them.
// The result is the first adapter, from which the others are linked.
func AdaptersInfo() (*IpAdapterInfo, error) { return twice(GetAdaptersInfo) }

// PerAdapterInfo tells more of the adapter with that index. It makes the two
// calls of [GetPerAdapterInfo].
func PerAdapterInfo(index uint32) (*IpPerAdapterInfo, error) {
	return twice(func(info *IpPerAdapterInfo, size *uint32) error { return GetPerAdapterInfo(index, info, size) })
}

// twice asks for the size, then for the contents, until the size is right.
func twice[T any](call func(*T, *uint32) error) (*T, error) {
	var size uint32
	err := call(nil, &size)
	for errors.Is(err, ERROR_BUFFER_OVERFLOW) {
		// Words, for the alignment. The collector need not look into them: all
		// pointers inside lead to this very buffer.
		buf := make([]uint64, (uint64(size)+7)/8)
		info := (*T)(unsafe.Pointer(unsafe.SliceData(buf)))
		if err = call(info, &size); err == nil {
			return info, nil
		}
	}
	return nil, err
}
