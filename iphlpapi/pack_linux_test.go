package iphlpapi

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"unsafe"
)

// guard surrounds the memory that is handed out: its bytes must stay.
const (
	guard  = 256
	canary = 0xa5
)

// guarded returns n bytes of memory, full of canaries, with guards around it.
// intact reports whether the guards are.
func guarded(n uint32) (p unsafe.Pointer, intact func() bool) {
	words := make([]uint64, (2*guard+int(n)+7)/8)
	all := unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), len(words)*8)
	for i := range all {
		all[i] = canary
	}
	edge := func(b []byte) bool { return len(bytes.Trim(b, string([]byte{canary}))) == 0 }
	return unsafe.Pointer(&all[guard]), func() bool {
		return edge(all[:guard]) && edge(all[guard+int(n):])
	}
}

// entries reads a list, every entry of which has to be within the n bytes at p.
func entries(t *testing.T, s *IpAddrString, p unsafe.Pointer, n uint32) (out []string) {
	t.Helper()
	for ; s != nil; s = s.Next {
		within(t, unsafe.Pointer(s), stringSize, p, n)
		for _, text := range []*IpAddressString{&s.IpAddress, &s.IpMask} {
			if !slices.Contains(text.String[:], 0) {
				t.Fatalf("%q has no end", text.String)
			}
		}
		out = append(out, cString(s.IpAddress.String[:])+"/"+cString(s.IpMask.String[:]))
	}
	return out
}

func within(t *testing.T, at unsafe.Pointer, size uintptr, p unsafe.Pointer, n uint32) {
	t.Helper()
	if uintptr(at) < uintptr(p) || uintptr(at)+size > uintptr(p)+uintptr(n) {
		t.Fatalf("a pointer leads out of the buffer: %d bytes at %d of %d", size, uintptr(at)-uintptr(p), n)
	}
	if uintptr(at)%unsafe.Alignof(IpAddrString{}) != 0 {
		t.Fatalf("a pointer is not aligned: %d", uintptr(at))
	}
}

// holds checks that the adapters in the n bytes at p are those of the list.
func holds(t *testing.T, p unsafe.Pointer, n uint32, list []details) {
	t.Helper()
	i := 0
	for a := range (*IpAdapterInfo)(p).All() {
		within(t, unsafe.Pointer(a), infoSize, p, n)
		if i == len(list) {
			t.Fatal("there are more adapters than there should be")
		}
		d := &list[i]
		i++
		got := fmt.Sprintf("%q %q %x %d %d %d %d %d %d", a.NameString(), a.DescriptionString(), []byte(a.HardwareAddr()),
			a.Index, a.Type, a.DhcpEnabled, a.HaveWins, a.LeaseObtained, a.LeaseExpires)
		want := fmt.Sprintf("%q %q %x %d %d %d %d %d %d", cut(d.name, MaxAdapterNameLength+3), cut(d.description, MaxAdapterDescriptionLength+3),
			d.hardware[:min(len(d.hardware), 8)], d.index, d.typ, flag(d.dhcp), flag(len(d.wins) > 0), d.obtained, d.expires)
		if got != want {
			t.Fatalf("adapter %d is\n%s, want\n%s", i, got, want)
		}
		var addresses, gateways, wins []string
		for _, x := range d.addresses {
			addresses = append(addresses, x.Addr().String()+"/"+dotted(mask(x.Bits())))
		}
		for _, x := range d.gateways {
			gateways = append(gateways, x.String()+"/0.0.0.0")
		}
		for _, x := range d.wins {
			wins = append(wins, x.String()+"/0.0.0.0")
		}
		none := []string{"0.0.0.0/0.0.0.0"}
		server := none
		if d.server.IsValid() {
			server = []string{d.server.String() + "/0.0.0.0"}
		}
		for _, l := range []struct {
			what string
			list *IpAddrString
			want []string
		}{
			{"addresses", &a.IpAddressList, addresses},
			{"gateways", &a.GatewayList, gateways},
			{"server", &a.DhcpServer, server},
			{"primary WINS", &a.PrimaryWinsServer, wins[:min(1, len(wins))]},
			{"secondary WINS", &a.SecondaryWinsServer, wins[min(1, len(wins)):]},
		} {
			if len(l.want) == 0 {
				l.want = none
			}
			if got := entries(t, l.list, p, n); !slices.Equal(got, l.want) {
				t.Fatalf("%s of adapter %d: %q, want %q", l.what, i, got, l.want)
			}
		}
		if a.CurrentIpAddress != nil || a.ComboIndex != 0 {
			t.Fatalf("reserved fields of adapter %d are set", i)
		}
	}
	if i != len(list) {
		t.Fatalf("%d adapters, want %d", i, len(list))
	}
}

func cut(s string, n int) string { return s[:min(len(s), n)] }

func TestInfoLayout(t *testing.T) {
	t.Parallel()
	if unsafe.Sizeof(uintptr(0)) != 8 {
		t.Skip("the figures are those of 64-bit systems")
	}
	var s IpAddrString
	var a IpAdapterInfo
	var p IpPerAdapterInfo
	for name, tc := range map[string]struct{ got, want uintptr }{
		"IP_ADDR_STRING":                       {unsafe.Sizeof(s), 48},
		"IP_ADDR_STRING.IpAddress":             {unsafe.Offsetof(s.IpAddress), 8},
		"IP_ADDR_STRING.IpMask":                {unsafe.Offsetof(s.IpMask), 24},
		"IP_ADDR_STRING.Context":               {unsafe.Offsetof(s.Context), 40},
		"IP_ADAPTER_INFO":                      {unsafe.Sizeof(a), 704},
		"IP_ADAPTER_INFO.ComboIndex":           {unsafe.Offsetof(a.ComboIndex), 8},
		"IP_ADAPTER_INFO.AdapterName":          {unsafe.Offsetof(a.AdapterName), 12},
		"IP_ADAPTER_INFO.Description":          {unsafe.Offsetof(a.Description), 272},
		"IP_ADAPTER_INFO.AddressLength":        {unsafe.Offsetof(a.AddressLength), 404},
		"IP_ADAPTER_INFO.Address":              {unsafe.Offsetof(a.Address), 408},
		"IP_ADAPTER_INFO.Index":                {unsafe.Offsetof(a.Index), 416},
		"IP_ADAPTER_INFO.Type":                 {unsafe.Offsetof(a.Type), 420},
		"IP_ADAPTER_INFO.DhcpEnabled":          {unsafe.Offsetof(a.DhcpEnabled), 424},
		"IP_ADAPTER_INFO.CurrentIpAddress":     {unsafe.Offsetof(a.CurrentIpAddress), 432},
		"IP_ADAPTER_INFO.IpAddressList":        {unsafe.Offsetof(a.IpAddressList), 440},
		"IP_ADAPTER_INFO.GatewayList":          {unsafe.Offsetof(a.GatewayList), 488},
		"IP_ADAPTER_INFO.DhcpServer":           {unsafe.Offsetof(a.DhcpServer), 536},
		"IP_ADAPTER_INFO.HaveWins":             {unsafe.Offsetof(a.HaveWins), 584},
		"IP_ADAPTER_INFO.PrimaryWinsServer":    {unsafe.Offsetof(a.PrimaryWinsServer), 592},
		"IP_ADAPTER_INFO.SecondaryWinsServer":  {unsafe.Offsetof(a.SecondaryWinsServer), 640},
		"IP_ADAPTER_INFO.LeaseObtained":        {unsafe.Offsetof(a.LeaseObtained), 688},
		"IP_ADAPTER_INFO.LeaseExpires":         {unsafe.Offsetof(a.LeaseExpires), 696},
		"IP_PER_ADAPTER_INFO":                  {unsafe.Sizeof(p), 64},
		"IP_PER_ADAPTER_INFO.AutoconfigActive": {unsafe.Offsetof(p.AutoconfigActive), 4},
		"IP_PER_ADAPTER_INFO.CurrentDnsServer": {unsafe.Offsetof(p.CurrentDnsServer), 8},
		"IP_PER_ADAPTER_INFO.DnsServerList":    {unsafe.Offsetof(p.DnsServerList), 16},
	} {
		if tc.got != tc.want {
			t.Errorf("%s: %d, want %d", name, tc.got, tc.want)
		}
	}
}

func ip(s string) netip.Addr       { return netip.MustParseAddr(s) }
func prefix(s string) netip.Prefix { return netip.MustParsePrefix(s) }
func ips(list ...string) []netip.Addr {
	out := make([]netip.Addr, len(list))
	for i, s := range list {
		out[i] = ip(s)
	}
	return out
}

func TestPack(t *testing.T) {
	t.Parallel()
	for name, list := range map[string][]details{
		"one, nothing known": {{index: 3, name: "eth0", typ: MIB_IF_TYPE_ETHERNET}},
		"everything": {
			{
				index: 1, name: "eth0", description: "virtio_net", typ: 6, hardware: []byte{2, 0, 0, 0, 0, 1}, dhcp: true,
				addresses: []netip.Prefix{prefix("10.0.0.5/8"), prefix("192.0.2.1/31"), prefix("203.0.113.7/32")},
				gateways:  ips("10.0.0.1", "10.0.0.2"), server: ip("10.0.0.3"), wins: ips("10.0.0.4", "10.0.0.6", "10.0.0.7"),
				obtained: 1700000000, expires: 1700003600,
			},
			{index: 1 << 30, name: "ppp0", typ: 23, addresses: []netip.Prefix{prefix("255.255.255.255/0")}, wins: ips("1.2.3.4"), expires: 1<<31 - 1},
			{index: 1<<30 + 1, name: "eth1"},
		},
		"texts are cut": {{
			name: strings.Repeat("n", 300), description: strings.Repeat("d", 300),
			hardware: []byte("12345678901234567890"), typ: IF_TYPE_INFINIBAND,
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := packedSize(list)
			p, intact := guarded(n)
			pack((*IpAdapterInfo)(p), list)
			if !intact() {
				t.Error("it wrote outside of the buffer")
			}
			holds(t, p, n, list)
		})
	}
}

func TestPackPer(t *testing.T) {
	t.Parallel()
	for dns := range 4 {
		d := details{linkLocal: dns == 2, dns: ips("10.0.0.1", "10.0.0.2", "10.0.0.3")[:dns]}
		n := packedPerSize(&d)
		if want := uint32(64 + 48*max(0, dns-1)); unsafe.Sizeof(uintptr(0)) == 8 && n != want {
			t.Errorf("%d name servers need %d bytes, want %d", dns, n, want)
		}
		p, intact := guarded(n)
		info := (*IpPerAdapterInfo)(p)
		packPer(info, &d)
		if !intact() {
			t.Error("it wrote outside of the buffer")
		}
		if info.AutoconfigActive != flag(d.linkLocal) || info.AutoconfigEnabled != flag(d.linkLocal) || info.CurrentDnsServer != nil {
			t.Errorf("got %+v", info)
		}
		entries(t, &info.DnsServerList, p, n)
		if got := info.DnsServerList.Addresses(); !slices.Equal(got, d.dns) {
			t.Errorf("name servers %v, want %v", got, d.dns)
		}
	}
}

// FuzzPack packs any adapters into memory of exactly the size that they need.
func FuzzPack(f *testing.F) {
	f.Add(uint64(1), uint8(1), "eth0", "virtio_net")
	f.Add(uint64(2), uint8(9), strings.Repeat("x", 300), "a\x00b")
	f.Fuzz(func(t *testing.T, seed uint64, adapters uint8, name, description string) {
		r := rand.New(rand.NewPCG(seed, 1))
		v4 := func() netip.Addr {
			// Not 0.0.0.0, which stands for none.
			return netip.AddrFrom4([4]byte{byte(1 + r.IntN(255)), byte(r.IntN(256)), byte(r.IntN(256)), byte(r.IntN(256))})
		}
		some := func() []netip.Addr {
			out := make([]netip.Addr, r.IntN(5))
			for i := range out {
				out[i] = v4()
			}
			return out
		}
		name, description = cString([]byte(name)), cString([]byte(description))
		list := make([]details, 1+adapters%16)
		for i := range list {
			list[i] = details{
				index: r.IntN(1 << 31), name: name, description: description, typ: r.Uint32(), hardware: make([]byte, r.IntN(33)),
				gateways: some(), dhcp: r.IntN(2) == 0, wins: some(), dns: some(), linkLocal: r.IntN(2) == 0,
				obtained: int64(r.Int32()), expires: int64(r.Int32()),
			}
			for _, a := range some() {
				list[i].addresses = append(list[i].addresses, netip.PrefixFrom(a, r.IntN(33)))
			}
			if r.IntN(2) == 0 {
				list[i].server = v4()
			}
			n := packedPerSize(&list[i])
			p, intact := guarded(n)
			packPer((*IpPerAdapterInfo)(p), &list[i])
			if entries(t, &(*IpPerAdapterInfo)(p).DnsServerList, p, n); !intact() {
				t.Fatal("it wrote outside of the buffer")
			}
		}
		n := packedSize(list)
		p, intact := guarded(n)
		pack((*IpAdapterInfo)(p), list)
		if !intact() {
			t.Fatal("it wrote outside of the buffer")
		}
		holds(t, p, n, list)
	})
}

func TestLists(t *testing.T) {
	t.Parallel()
	var s IpAddrString
	if s.Addr().IsValid() || s.Prefix().IsValid() || s.Addresses() != nil {
		t.Error("an empty entry has an address")
	}
	for _, tc := range []struct{ address, mask, want string }{
		{"10.0.0.1", "255.255.254.0", "10.0.0.1/23"},
		{"10.0.0.1", "0.0.0.0", "10.0.0.1/0"},
		{"10.0.0.1", "255.0.255.0", "invalid Prefix"},
		{"10.0.0.1", "", "invalid Prefix"},
		{"::1", "255.0.0.0", "invalid Prefix"},
		{"oops", "255.0.0.0", "invalid Prefix"},
	} {
		putString(s.IpAddress.String[:], tc.address)
		putString(s.IpMask.String[:], tc.mask)
		if got := s.Prefix().String(); got != tc.want {
			t.Errorf("%s %s: %s, want %s", tc.address, tc.mask, got, tc.want)
		}
	}
	var none *IpAdapterInfo
	for range none.All() {
		t.Error("no adapter is one")
	}
}
