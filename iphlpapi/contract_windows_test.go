package iphlpapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"unsafe"

	"golang.org/x/sys/windows"
)

// These tests run on Windows, and in Wine with adapters that are known: see
// test/wine. They change nothing of the system's configuration.

// knownEnv has the adapters of the machine, if they are known, as JSON.
const knownEnv = "LESSEE_TEST_ADAPTERS"

// A known is an adapter that the machine has.
type known struct {
	Index       uint32
	Description string
	MAC         string
	Addresses   []netip.Prefix
	Gateways    []netip.Addr
	DNS         []netip.Addr
}

// wine reports whether this is Wine.
func wine() bool {
	return windows.NewLazySystemDLL("ntdll.dll").NewProc("wine_get_version").Find() == nil
}

func knownAdapters(t *testing.T) []known {
	t.Helper()
	text := os.Getenv(knownEnv)
	if text == "" {
		return nil
	}
	var list []known
	if err := json.Unmarshal([]byte(text), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

// addresses returns the system's adapters as another of its functions tells
// them (GetAdaptersAddresses): index to IPv4 addresses, without loopback.
func addresses(t *testing.T) map[uint32]net.Interface {
	t.Helper()
	list, err := net.Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[uint32]net.Interface)
	for _, l := range list {
		if l.Flags&net.FlagLoopback == 0 {
			out[uint32(l.Index)] = l
		}
	}
	return out
}

func TestSystemInterfaces(t *testing.T) {
	t.Parallel()
	var size uint32
	if err := GetInterfaceInfo(nil, &size); err != ERROR_INSUFFICIENT_BUFFER { //nolint:errorlint // The bare code.
		t.Fatalf("the size: %v", err)
	}
	if (size-headSize)%entrySize != 0 || size < headSize+entrySize {
		t.Errorf("%d bytes are not some entries", size)
	}
	list, err := Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	have := addresses(t)
	var indices []uint32
	for i := range list {
		m := &list[i]
		if _, ok := have[m.Index]; !ok {
			t.Errorf("%d is not an adapter, or loopback", m.Index)
		}
		if !strings.HasPrefix(m.NameString(), `\DEVICE\TCPIP_{`) {
			t.Errorf("the name of %d is %q", m.Index, m.NameString())
		}
		var index uint32
		if err := GetAdapterIndex(&m.Name[0], &index); err != nil || index != m.Index {
			t.Errorf("the index of %q is %d (%v), want %d", m.NameString(), index, err, m.Index)
		}
		indices = append(indices, m.Index)
	}
	var count uint32
	if err := GetNumberOfInterfaces(&count); err != nil || int(count) < len(list)+1 {
		t.Errorf("%d interfaces (%v), want %d and loopback at least", count, err, len(list))
	}
	if k := knownAdapters(t); k != nil {
		var want []uint32
		for _, a := range k {
			want = append(want, a.Index)
		}
		slices.Sort(indices)
		if slices.Sort(want); !slices.Equal(indices, want) {
			t.Errorf("adapters %v, want %v", indices, want)
		}
	}
}

func TestSystemAdaptersInfo(t *testing.T) {
	t.Parallel()
	var size uint32
	if err := GetAdaptersInfo(nil, &size); err != ERROR_BUFFER_OVERFLOW { //nolint:errorlint // The bare code.
		t.Fatalf("the size: %v", err)
	}
	if size < uint32(unsafe.Sizeof(IpAdapterInfo{})) {
		t.Errorf("%d bytes are no adapter", size)
	}
	first, err := AdaptersInfo()
	if err != nil {
		t.Fatal(err)
	}
	list, err := Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	have := addresses(t)
	for a := range first.All() {
		l, ok := have[a.Index]
		if !ok || a.Type == MIB_IF_TYPE_LOOPBACK {
			t.Errorf("%d is not an adapter, or loopback", a.Index)
			continue
		}
		i := slices.IndexFunc(list, func(m IpAdapterIndexMap) bool { return m.Index == a.Index })
		if i >= 0 && !strings.HasSuffix(list[i].NameString(), a.NameString()) {
			t.Errorf("its names are %q and %q", list[i].NameString(), a.NameString())
		}
		if got := a.HardwareAddr().String(); got != l.HardwareAddr.String() {
			t.Errorf("the hardware address of %s is %s, want %s", l.Name, got, l.HardwareAddr)
		}
		own, err := l.Addrs()
		if err != nil {
			t.Error(err)
		}
		var want []netip.Prefix
		for _, x := range own {
			if p, err := netip.ParsePrefix(x.String()); err == nil && p.Addr().Is4() {
				want = append(want, p)
			}
		}
		if got := prefixes(&a.IpAddressList); !sameSet(got, want) {
			t.Errorf("the addresses of %s are %v, want %v", l.Name, got, want)
		}
		for what, s := range map[string]*IpAddrString{"address": &a.IpAddressList, "gateway": &a.GatewayList} {
			if s.IpAddress.String[0] == 0 || s.IpMask.String[0] == 0 {
				t.Errorf("the first %s of %s is empty", what, l.Name)
			}
		}
		if _, err := PerAdapterInfo(a.Index); err != nil {
			t.Errorf("more of %s: %v", l.Name, err)
		}
	}
}

// prefixes returns the addresses of a list with their masks.
func prefixes(s *IpAddrString) (out []netip.Prefix) {
	for ; s != nil; s = s.Next {
		if p := s.Prefix(); p.IsValid() && !p.Addr().IsUnspecified() {
			out = append(out, p)
		}
	}
	return out
}

func sameSet[T comparable](a, b []T) bool {
	in := func(l []T) func(T) bool { return func(x T) bool { return !slices.Contains(l, x) } }
	return len(a) == len(b) && !slices.ContainsFunc(a, in(b))
}

// TestKnownAdapters compares what is told, byte by byte decoded, with what is.
func TestKnownAdapters(t *testing.T) {
	t.Parallel()
	want := knownAdapters(t)
	if want == nil {
		t.Skip("what adapters this machine has is known in the lab only")
	}
	first, err := AdaptersInfo()
	if err != nil {
		t.Fatal(err)
	}
	told := slices.Collect(first.All())
	if len(told) != len(want) {
		t.Errorf("%d adapters, want %d", len(told), len(want))
	}
	for _, k := range want {
		i := slices.IndexFunc(told, func(a *IpAdapterInfo) bool { return a.Index == k.Index })
		if i < 0 {
			t.Errorf("adapter %d is missing", k.Index)
			continue
		}
		a := told[i]
		more, err := PerAdapterInfo(k.Index)
		if err != nil {
			t.Error(err)
			continue
		}
		got := fmt.Sprintln(a.DescriptionString(), a.HardwareAddr(), prefixes(&a.IpAddressList), a.GatewayList.Addresses(), more.DnsServerList.Addresses(), a.Type)
		if w := fmt.Sprintln(k.Description, k.MAC, k.Addresses, k.Gateways, k.DNS, MIB_IF_TYPE_ETHERNET); got != w {
			t.Errorf("adapter %d:\n%swant\n%s", k.Index, got, w)
		}
	}
}

// TestSystemProtocol has the documented codes that need no particular adapter.
func TestSystemProtocol(t *testing.T) {
	t.Parallel()
	var n uint32
	for what, err := range map[string]error{
		"GetInterfaceInfo without a size":  GetInterfaceInfo(nil, nil),
		"GetAdaptersInfo without a size":   GetAdaptersInfo(nil, nil),
		"GetPerAdapterInfo without a size": GetPerAdapterInfo(1, nil, nil),
		"GetNumberOfInterfaces(nil)":       GetNumberOfInterfaces(nil),
		"GetAdapterIndex without a name":   GetAdapterIndex(nil, &n),
		"IpReleaseAddress(nil)":            IpReleaseAddress(nil),
		"IpRenewAddress(nil)":              IpRenewAddress(nil),
	} {
		if err != ERROR_INVALID_PARAMETER { //nolint:errorlint // The bare code.
			t.Errorf("%s: %v", what, err)
		}
	}
	buf := make([]uint64, 2)
	n = 3
	if err := GetInterfaceInfo((*IpInterfaceInfo)(unsafe.Pointer(&buf[0])), &n); err != ERROR_INSUFFICIENT_BUFFER || n < headSize+entrySize { //nolint:errorlint // The bare code.
		t.Errorf("GetInterfaceInfo with 3 bytes: %v, %d needed", err, n)
	}
	n = 3
	if err := GetAdaptersInfo((*IpAdapterInfo)(unsafe.Pointer(&buf[0])), &n); err != ERROR_BUFFER_OVERFLOW || n < uint32(unsafe.Sizeof(IpAdapterInfo{})) { //nolint:errorlint // The bare code.
		t.Errorf("GetAdaptersInfo with 3 bytes: %v, %d needed", err, n)
	}
	if slices.ContainsFunc(buf, func(w uint64) bool { return w != 0 }) {
		t.Error("buffers that are too small were written to")
	}
}

// TestSystemCodes: the codes are those of the system, as values and as errors.
func TestSystemCodes(t *testing.T) {
	t.Parallel()
	err := error(ERROR_INSUFFICIENT_BUFFER)
	if !errors.Is(err, windows.ERROR_INSUFFICIENT_BUFFER) || errors.Is(err, windows.ERROR_NO_DATA) {
		t.Error("it is not found as the system's own error")
	}
}

// TestSystemMessage: a code that this package has no text for has the system's.
func TestSystemMessage(t *testing.T) {
	t.Parallel()
	const notListening = 1715 // RPC_S_NOT_LISTENING
	if text := FormatMessage(notListening, LANG_NEUTRAL); !strings.Contains(text, "RPC") || strings.HasSuffix(text, ".") {
		t.Errorf("got %q", text)
	}
	if text := FormatMessage(0x2fffffff, LANG_NEUTRAL); text != "system error 805306367" {
		t.Errorf("a code that nobody knows: %q", text)
	}
	if text := FormatMessage(ERROR_NO_NETWORK, LANG_ENGLISH); text != "the adapter is down or has no carrier" {
		t.Errorf("our own: %q", text)
	}
}

// TestReleaseAndRenew: Wine has no DHCP client and says so.
func TestReleaseAndRenew(t *testing.T) {
	t.Parallel()
	if !wine() {
		t.Skip("it would take the addresses of this machine away")
	}
	list, err := Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for i := range list {
		for op, call := range map[string]func(*IpAdapterIndexMap) error{"release": IpReleaseAddress, "renew": IpRenewAddress} {
			if err := call(&list[i]); err != Errno(50) { //nolint:errorlint // The bare code.
				t.Errorf("%s: %#v, want 50", op, err)
			}
		}
	}
	for op, m := range badNames() {
		if err := IpRenewAddress(m); err != ERROR_INVALID_PARAMETER { //nolint:errorlint // The bare code.
			t.Errorf("%s: %v", op, err)
		}
	}
}
