package iphlpapi

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netns"

	"github.com/lessee/lessee"
)

func (e *engine) Adapters(context.Context) ([]lessee.Adapter, error) {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.adapters, nil
}

// world is a network namespace to describe.
type world struct {
	*testing.T
	h *netlink.Handle
}

func (w world) must(what string, err error) {
	w.Helper()
	if err != nil {
		w.Errorf("%s: %v", what, err)
	}
}

func (w world) link(name string) netlink.Link {
	w.Helper()
	l, err := w.h.LinkByName(name)
	if err != nil {
		w.Errorf("%s: %v", name, err)
		return &netlink.Dummy{}
	}
	return l
}

func (w world) address(name, prefix string, valid time.Duration) {
	w.Helper()
	a, err := netlink.ParseAddr(prefix)
	w.must(prefix, err)
	if valid > 0 {
		a.ValidLft = int(valid.Seconds())
		a.PreferedLft = a.ValidLft
	}
	w.must(prefix, w.h.AddrAdd(w.link(name), a))
}

func (w world) route(name, destination, router string, metric, table int) {
	w.Helper()
	_, dst, err := net.ParseCIDR(destination)
	w.must(destination, err)
	w.must(destination, w.h.RouteAdd(&netlink.Route{
		LinkIndex: w.link(name).Attrs().Index, Dst: dst, Gw: net.ParseIP(router), Priority: metric, Table: table,
	}))
}

// info returns what is told of one adapter.
func (w world) info(name string) *IpAdapterInfo {
	w.Helper()
	first, err := AdaptersInfo()
	w.must("AdaptersInfo", err)
	for a := range first.All() {
		if a.NameString() == name {
			return a
		}
	}
	w.Errorf("%s is not told of", name)
	return &IpAdapterInfo{}
}

// list is a list of addresses with their masks, as text.
func list(s *IpAddrString) string {
	var out []string
	for ; s != nil; s = s.Next {
		out = append(out, cString(s.IpAddress.String[:])+"/"+cString(s.IpMask.String[:]))
	}
	return strings.Join(out, " ")
}

const none = "0.0.0.0/0.0.0.0"

func (w world) equal(what string, got, want any) {
	w.Helper()
	if got != want {
		w.Errorf("%s: %v, want %v", what, got, want)
	}
}

// TestGetAdaptersInfo describes adapters of a namespace of its own, without a
// daemon.
func TestGetAdaptersInfo(t *testing.T) {
	daemon(t, nil)
	namespace(t, func(t *testing.T, h *netlink.Handle) {
		w := world{t, h}
		setUp(t, h, "lo")
		pair(t, h, "a0", "a1", false)
		w.must("alias", h.LinkSetAlias(w.link("a1"), "the alias"))
		w.must("altname", h.LinkAddAltName(w.link("a0"), "uplink"))
		w.must("address", h.LinkSetHardwareAddr(w.link("a0"), net.HardwareAddr{2, 0, 0, 0, 0, 7}))
		setUp(t, h, "a0")
		setUp(t, h, "a1")
		w.address("a0", "10.1.0.2/24", 0)
		w.address("a0", "10.1.0.3/24", 0)
		w.address("a0", "192.0.2.1/31", time.Hour)
		w.address("a0", "2001:db8::1/64", 0)
		w.route("a0", "0.0.0.0/0", "10.1.0.9", 20, 0)
		w.route("a0", "0.0.0.0/0", "10.1.0.8", 10, 0)
		w.route("a0", "0.0.0.0/0", "10.1.0.7", 1, 4711)
		w.route("a0", "0.0.0.0/0", "10.1.0.9", 2, 4711)
		w.route("a0", "10.9.0.0/16", "10.1.0.6", 1, 0)
		w.route("a0", "::/0", "2001:db8::9", 1, 0)

		a := w.info("a0")
		w.equal("index", int(a.Index), w.link("a0").Attrs().Index)
		w.equal("type", a.Type, uint32(MIB_IF_TYPE_ETHERNET))
		w.equal("hardware address", a.HardwareAddr().String(), "02:00:00:00:00:07")
		w.equal("description", a.DescriptionString(), "veth")
		w.equal("addresses", list(&a.IpAddressList), "10.1.0.2/255.255.255.0 192.0.2.1/255.255.255.254 10.1.0.3/255.255.255.0")
		w.equal("gateways", list(&a.GatewayList), "10.1.0.8/0.0.0.0 10.1.0.9/0.0.0.0 10.1.0.7/0.0.0.0")
		// Nobody manages it by DHCP, though an address has an end.
		w.equal("DHCP", a.DhcpEnabled, uint32(0))
		w.equal("lease", [2]int{a.LeaseObtained, a.LeaseExpires}, [2]int{})
		w.equal("server", list(&a.DhcpServer), none)
		w.equal("WINS", fmt.Sprintln(a.HaveWins, list(&a.PrimaryWinsServer), list(&a.SecondaryWinsServer)), "0 "+none+" "+none+"\n")

		a = w.info("a1")
		w.equal("description", a.DescriptionString(), "the alias")
		w.equal("addresses", list(&a.IpAddressList), none)
		w.equal("gateways", list(&a.GatewayList), none)

		p, err := PerAdapterInfo(a.Index)
		w.must("PerAdapterInfo", err)
		w.equal("link-local", [2]uint32{p.AutoconfigActive, p.AutoconfigEnabled}, [2]uint32{0, 0})
		w.equal("name servers", list(&p.DnsServerList), none)
		w.address("a1", "169.254.7.7/16", 0)
		p, err = PerAdapterInfo(a.Index)
		w.must("PerAdapterInfo", err)
		w.equal("link-local", [2]uint32{p.AutoconfigActive, p.AutoconfigEnabled}, [2]uint32{1, 1})

		index := func(name string) string {
			var i uint32
			m := named(t, 0, name)
			return fmt.Sprint(GetAdapterIndex(&m.Name[0], &i) == nil, i)
		}
		for _, name := range []string{"a0", "uplink"} {
			w.equal("index of "+name, index(name), fmt.Sprint(true, w.link("a0").Attrs().Index))
		}
		w.equal("index of none", index("a2"), "false 0")
	})
}

// TestInfoProtocol has the sizes and codes of GetAdaptersInfo and its relatives.
func TestInfoProtocol(t *testing.T) {
	daemon(t, nil)
	var n uint32
	for what, err := range map[string]error{
		"GetAdaptersInfo without a size":   GetAdaptersInfo(nil, nil),
		"GetPerAdapterInfo without a size": GetPerAdapterInfo(1, nil, nil),
		"GetNumberOfInterfaces(nil)":       GetNumberOfInterfaces(nil),
		"GetAdapterIndex without a name":   GetAdapterIndex(nil, &n),
		"GetAdapterIndex without an index": GetAdapterIndex(&named(t, 0, "a0").Name[0], nil),
	} {
		if err != ERROR_INVALID_PARAMETER { //nolint:errorlint // The bare code.
			t.Errorf("%s: %v", what, err)
		}
	}
	for what, m := range badNames() {
		if m == nil {
			continue
		}
		if err := GetAdapterIndex(&m.Name[0], &n); err != ERROR_INVALID_PARAMETER { //nolint:errorlint // The bare code.
			t.Errorf("GetAdapterIndex, %s: %v", what, err)
		}
	}
	namespace(t, func(t *testing.T, h *netlink.Handle) {
		w := world{t, h}
		size := uint32(77)
		step := func(what string, info *IpAdapterInfo, want error, wantSize uint32) {
			t.Helper()
			if err := GetAdaptersInfo(info, &size); err != want || size != wantSize { //nolint:errorlint // The bare code.
				t.Errorf("%s: %v, size %d; want %v, %d", what, err, size, want, wantSize)
			}
		}
		number := func(want uint32) {
			t.Helper()
			var n uint32
			if err := GetNumberOfInterfaces(&n); err != nil || n != want {
				t.Errorf("%d interfaces (%v), want %d", n, err, want)
			}
		}
		const one, more = uint32(infoSize), uint32(stringSize)
		step("loopback only", nil, ERROR_NO_DATA, 77)
		number(1)
		setUp(t, h, "lo")
		pair(t, h, "a0", "a1", false)
		step("all down", nil, ERROR_NO_DATA, 77)
		number(1)
		if a, err := AdaptersInfo(); a != nil || err != ERROR_NO_DATA { //nolint:errorlint // The bare code.
			t.Errorf("AdaptersInfo, all down: %v %v", a, err)
		}
		setUp(t, h, "a1")
		number(2)
		step("no buffer", nil, ERROR_BUFFER_OVERFLOW, one)
		p, intact := guarded(8 * one)
		buf := unsafe.Slice((*byte)(p), 8*one)
		untouched := func() bool { return !slices.ContainsFunc(buf, func(b byte) bool { return b != canary }) }
		for _, size = range []uint32{0, 1, one - 1} {
			step("too small", (*IpAdapterInfo)(p), ERROR_BUFFER_OVERFLOW, one)
		}
		if !untouched() {
			t.Error("a buffer that is too small was written to")
		}
		size = one
		step("exactly right", (*IpAdapterInfo)(p), nil, one)
		if slices.ContainsFunc(buf[one:], func(b byte) bool { return b != canary }) || !intact() {
			t.Error("it wrote more than it said it needs")
		}
		w.equal("name", (*IpAdapterInfo)(p).NameString(), "a1")

		// Between the two calls an adapter appears, then addresses do.
		setUp(t, h, "a0")
		step("an adapter more", (*IpAdapterInfo)(p), ERROR_BUFFER_OVERFLOW, 2*one)
		w.address("a0", "10.1.0.2/24", 0)
		step("the first address has its place", (*IpAdapterInfo)(p), nil, 2*one)
		w.address("a0", "10.1.0.3/24", 0)
		w.address("a0", "10.1.0.4/24", 0)
		step("two addresses more", (*IpAdapterInfo)(p), ERROR_BUFFER_OVERFLOW, 2*one+2*more)
		step("with that size", (*IpAdapterInfo)(p), nil, 2*one+2*more)
		number(3)
		var names []string
		for a := range (*IpAdapterInfo)(p).All() {
			within(t, unsafe.Pointer(a), infoSize, p, size)
			entries(t, &a.IpAddressList, p, size)
			names = append(names, a.NameString())
		}
		l, err := Interfaces()
		w.must("Interfaces", err)
		w.equal("the same as GetInterfaceInfo, in the same order", strings.Join(names, " "), nameList(l))
		size = 8 * one
		step("more room than needed", (*IpAdapterInfo)(p), nil, 8*one)

		per := func(what string, index uint32, info *IpPerAdapterInfo, want error, wantSize uint32) {
			t.Helper()
			if err := GetPerAdapterInfo(index, info, &size); err != want || size != wantSize { //nolint:errorlint // The bare code.
				t.Errorf("GetPerAdapterInfo, %s: %v, size %d; want %v, %d", what, err, size, want, wantSize)
			}
		}
		index := uint32(w.link("a0").Attrs().Index)
		size = 0
		per("no such adapter", 4711, nil, ERROR_NO_DATA, 0)
		per("an index that is none", math.MaxUint32, nil, ERROR_NO_DATA, 0)
		per("loopback", 1, nil, ERROR_NO_DATA, 0)
		per("no buffer", index, nil, ERROR_BUFFER_OVERFLOW, uint32(perInfoSize))
		size--
		per("too small", index, (*IpPerAdapterInfo)(p), ERROR_BUFFER_OVERFLOW, uint32(perInfoSize))
		per("right", index, (*IpPerAdapterInfo)(p), nil, uint32(perInfoSize))
	})
}

// TestInfoFromDaemon: the daemon tells of leases, its own and, by name, those of
// other managers.
func TestInfoFromDaemon(t *testing.T) {
	obtained := time.Unix(1_900_000_000, 0)
	e := &engine{}
	daemon(t, e)
	namespace(t, func(t *testing.T, h *netlink.Handle) {
		w := world{t, h}
		pair(t, h, "a0", "a1", true)
		w.address("a0", "10.1.0.2/24", time.Hour)
		tell := func(manager string, v4 *lessee.IPv4) {
			l := w.link("a0").Attrs()
			e.mu.Lock()
			defer e.mu.Unlock()
			e.adapters = []lessee.Adapter{{Index: l.Index, Name: l.Name, MAC: l.HardwareAddr.String(), Manager: manager, IPv4: v4}}
		}
		lease := lessee.IPv4{
			State: "bound", Address: prefix("10.1.0.2/24"), Server: ip("10.1.0.1"), Obtained: obtained, Expires: obtained.Add(time.Hour),
			Servers: lessee.Servers{WINS: ips("10.1.0.4", "10.1.0.5", "10.1.0.6")}, DNS: ips("10.1.0.7", "10.1.0.8"),
		}
		tell("lessee", &lease)
		a := w.info("a0")
		w.equal("DHCP", a.DhcpEnabled, uint32(1))
		w.equal("server", list(&a.DhcpServer), "10.1.0.1/0.0.0.0")
		w.equal("lease", [2]int{a.LeaseObtained, a.LeaseExpires}, [2]int{1_900_000_000, 1_900_003_600})
		w.equal("WINS", fmt.Sprintln(a.HaveWins, list(&a.PrimaryWinsServer), list(&a.SecondaryWinsServer)),
			"1 10.1.0.4/0.0.0.0 10.1.0.5/0.0.0.0 10.1.0.6/0.0.0.0\n")
		w.equal("DHCP of the other", w.info("a1").DhcpEnabled, uint32(0))
		p, err := PerAdapterInfo(a.Index)
		w.must("PerAdapterInfo", err)
		w.equal("name servers", list(&p.DnsServerList), "10.1.0.7/0.0.0.0 10.1.0.8/0.0.0.0")

		lease.Expires, lease.Infinite = time.Time{}, true
		tell("lessee", &lease)
		w.equal("a lease without end", w.info("a0").LeaseExpires, math.MaxInt32)

		tell("lessee", &lessee.IPv4{State: "released"})
		a = w.info("a0")
		w.equal("released", fmt.Sprintln(a.DhcpEnabled, a.LeaseObtained, a.LeaseExpires, list(&a.DhcpServer)), "1 0 0 "+none+"\n")

		// Another program's: the address's times in the kernel are those of the lease.
		before := time.Now()
		tell("dhcpcd", &lessee.IPv4{State: "disabled"})
		a = w.info("a0")
		w.equal("DHCP", a.DhcpEnabled, uint32(1))
		if got := time.Unix(int64(a.LeaseExpires), 0).Sub(before); got < 59*time.Minute || got > time.Hour+2*time.Second {
			t.Errorf("the lease ends in %v, want an hour", got)
		}
		if got := before.Sub(time.Unix(int64(a.LeaseObtained), 0)); got < -2*time.Second || got > time.Minute {
			t.Errorf("the lease is %v old", got)
		}
		w.equal("server", list(&a.DhcpServer), none)

		tell("none", &lessee.IPv4{State: "disabled"})
		a = w.info("a0")
		w.equal("nobody's", fmt.Sprint(a.DhcpEnabled, a.LeaseObtained, a.LeaseExpires), "0 0 0")

		// A daemon of another network namespace knows another adapter of that name.
		tell("lessee", &lease)
		e.mu.Lock()
		e.adapters[0].MAC = "02:00:00:00:00:99"
		e.mu.Unlock()
		w.equal("another a0", w.info("a0").DhcpEnabled, uint32(0))
	})
}

// TestInfoDaemonHangs: a daemon that does not answer costs time, not the answer.
func TestInfoDaemonHangs(t *testing.T) {
	daemon(t, nil)
	l, err := net.Listen("unix", os.Getenv(lessee.SocketEnv))
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	began := time.Now()
	namespace(t, func(t *testing.T, h *netlink.Handle) {
		pair(t, h, "a0", "a1", true)
		size := uint32(0)
		if err := GetAdaptersInfo(nil, &size); err != ERROR_BUFFER_OVERFLOW { //nolint:errorlint // The bare code.
			t.Error(err)
		}
	})
	if took := time.Since(began); took > patience+5*time.Second {
		t.Errorf("it took %v", took)
	}
}

func TestIfType(t *testing.T) {
	t.Parallel()
	for hardware, want := range map[uint16]uint32{
		1: 6, 6: 9, 774: 15, 512: 23, 772: 24, 256: 28, 0xfffe: 53, 801: 71, 768: 131, 776: 131, 778: 131, 24: 144, 32: 199, 519: 243, 280: 1,
	} {
		if got := ifType(hardware); got != want {
			t.Errorf("hardware type %d: %d, want %d", hardware, got, want)
		}
	}
}

// FuzzMessages: the kernel's messages are trusted, but not that far.
func FuzzMessages(f *testing.F) {
	rib, err := syscall.NetlinkRIB(syscall.RTM_GETLINK, syscall.AF_UNSPEC)
	if err != nil {
		f.Skip(err)
	}
	msgs, err := syscall.ParseNetlinkMessage(rib)
	if err != nil {
		f.Fatal(err)
	}
	for _, m := range msgs {
		f.Add(m.Data)
	}
	f.Fuzz(func(t *testing.T, m []byte) {
		if l, ok := parseLink(m); ok && l.name == "" {
			t.Error("a link without a name")
		}
		d := []details{{index: 1}}
		addAddress(d, m, time.Unix(1e9, 0), time.Unix(0, 0))
		for _, a := range d[0].addresses {
			if a.IsValid() && !a.Addr().Is4() || a == (netip.Prefix{}) {
				t.Errorf("got %v", a)
			}
		}
	})
}

// TestInfoAtOnce calls from several threads while addresses come and go: each
// call ends with a list that hangs together.
func TestInfoAtOnce(t *testing.T) {
	daemon(t, nil)
	namespace(t, func(t *testing.T, h *netlink.Handle) {
		w := world{t, h}
		pair(t, h, "a0", "a1", true)
		w.address("a0", "10.1.0.2/24", 0)
		ns, err := netns.Get()
		w.must("namespace", err)
		defer ns.Close()
		var calls sync.WaitGroup
		for range 4 {
			calls.Go(func() {
				runtime.LockOSThread() // and never unlock: the thread is in the namespace
				if err := netns.Set(ns); err != nil {
					t.Error(err)
					return
				}
				for range 20 {
					first, err := AdaptersInfo()
					if err != nil {
						t.Error(err)
						return
					}
					for a := range first.All() {
						if a.NameString() == "a0" && a.IpAddressList.Prefix() != prefix("10.1.0.2/24") {
							t.Errorf("the first address is %v", a.IpAddressList.Prefix())
						}
					}
				}
			})
		}
		done := make(chan struct{})
		go func() { calls.Wait(); close(done) }()
		for i := 0; ; i++ {
			select {
			case <-done:
				return
			default:
			}
			a, err := netlink.ParseAddr(fmt.Sprintf("10.1.0.%d/24", 3+i%200))
			w.must("address", err)
			w.must("add", h.AddrAdd(w.link("a0"), a))
			if i%7 != 0 {
				w.must("delete", h.AddrDel(w.link("a0"), a))
			} else if i >= 150 {
				<-done
				return
			}
		}
	})
}
