package lab

import (
	"fmt"
	"net"
	"net/netip"
	"sort"
	"time"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// Forever is the lifetime of an address that does not end.
const Forever = time.Duration(1<<63 - 1)

// An Address is an IPv4 address of an interface, as the kernel has it.
type Address struct {
	Prefix           netip.Prefix
	Valid, Preferred time.Duration
}

// Addresses returns the IPv4 addresses of an interface; none if it is gone.
func (s *Space) Addresses(ifname string) []Address {
	link, err := s.Net.LinkByName(ifname)
	if err != nil {
		return nil
	}
	list, err := s.Net.AddrList(link, netlink.FAMILY_V4)
	if err != nil {
		return nil
	}
	var out []Address
	for _, a := range list {
		out = append(out, Address{Prefix: toPrefix(a.IPNet), Valid: lifetime(a.ValidLft), Preferred: lifetime(a.PreferedLft)})
	}
	return out
}

// AwaitAddress waits for a global IPv4 address on the interface.
func (s *Space) AwaitAddress(t T, ifname string, patience time.Duration) Address {
	t.Helper()
	var got Address
	ok := Eventually(patience, func() bool {
		for _, a := range s.Addresses(ifname) {
			got = a
			return true
		}
		return false
	})
	if !ok {
		t.Fatalf("space %s: %s has no address after %v", s.Name, ifname, patience)
	}
	return got
}

// AwaitNoAddress waits until the interface has no IPv4 address.
func (s *Space) AwaitNoAddress(t T, ifname string, patience time.Duration) {
	t.Helper()
	if !Eventually(patience, func() bool { return len(s.Addresses(ifname)) == 0 }) {
		t.Fatalf("space %s: %s still has %v after %v", s.Name, ifname, s.Addresses(ifname), patience)
	}
}

// Routes returns the interface's routes of the main table as text, sorted:
// "10.99.0.0/16 via 10.77.0.1 src 10.77.0.100 proto dhcp".
func (s *Space) Routes(ifname string) []string {
	link, err := s.Net.LinkByName(ifname)
	if err != nil {
		return nil
	}
	list, err := s.Net.RouteListFiltered(netlink.FAMILY_V4,
		&netlink.Route{LinkIndex: link.Attrs().Index, Table: unix.RT_TABLE_MAIN}, netlink.RT_FILTER_OIF|netlink.RT_FILTER_TABLE)
	if err != nil {
		return nil
	}
	var out []string
	for _, r := range list {
		dst := "default"
		if r.Dst != nil {
			if p := toPrefix(r.Dst); p.Bits() != 0 {
				dst = p.String()
			}
		}
		if r.Gw != nil {
			dst += " via " + r.Gw.String()
		}
		if r.Src != nil {
			dst += " src " + r.Src.String()
		}
		switch r.Protocol {
		case unix.RTPROT_DHCP:
			dst += " proto dhcp"
		case unix.RTPROT_KERNEL:
			dst += " proto kernel"
		default:
			dst += fmt.Sprintf(" proto %d", r.Protocol)
		}
		out = append(out, dst)
	}
	sort.Strings(out)
	return out
}

// MTU returns an interface's MTU in bytes; 0 if it is gone.
func (s *Space) MTU(ifname string) int {
	link, err := s.Net.LinkByName(ifname)
	if err != nil {
		return 0
	}
	return link.Attrs().MTU
}

// An AddressChange is the kernel's notification of an IPv4 address.
type AddressChange struct {
	Time    time.Time
	Index   int
	Prefix  netip.Prefix
	Valid   time.Duration
	Removed bool // RTM_DELADDR, else RTM_NEWADDR: added or its lifetime changed
}

func (c AddressChange) String() string {
	op := "has"
	if c.Removed {
		op = "loses"
	}
	return fmt.Sprintf("%s interface %d %s %s for %v", c.Time.Format("15:04:05.000000"), c.Index, op, c.Prefix, c.Valid)
}

// An AddressWatch records the changes of IPv4 addresses, but for loopback.
type AddressWatch struct {
	Journal[AddressChange]
	t     T
	space *Space
	lo    Journal[netip.Addr]
	asked uint16
}

// Mark returns the position after the last change until now, read or not.
func (w *AddressWatch) Mark() int {
	w.t.Helper()
	w.asked++
	a := netip.AddrFrom4([4]byte{127, 77, byte(w.asked >> 8), byte(w.asked)})
	w.space.AddAddress(w.t, "lo", a.String()+"/32")
	if _, _, ok := w.lo.Wait(0, waitShort, func(have netip.Addr) bool { return have == a }); !ok {
		w.t.Fatalf("space %s: the kernel does not report address changes", w.space.Name)
	}
	return w.Journal.Mark()
}

// WatchAddresses records the changes of IPv4 addresses until the test ends.
func (s *Space) WatchAddresses(t T) *AddressWatch {
	t.Helper()
	j := &AddressWatch{t: t, space: s}
	lo, err := s.Net.LinkByName("lo")
	if err != nil {
		t.Fatalf("space %s: %v", s.Name, err)
	}
	ch, done := make(chan netlink.AddrUpdate, 64), make(chan struct{})
	err = netlink.AddrSubscribeWithOptions(ch, done, netlink.AddrSubscribeOptions{
		Namespace: &s.ns, ErrorCallback: func(error) {}, ReceiveBufferSize: 1 << 20,
	})
	if err != nil {
		t.Fatalf("space %s: watch addresses: %v", s.Name, err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for u := range ch {
			if u.LinkAddress.IP.To4() == nil {
				continue
			}
			if u.LinkIndex == lo.Attrs().Index {
				j.lo.Add(toPrefix(&u.LinkAddress).Addr())
				continue
			}
			j.Add(AddressChange{
				Time: time.Now(), Index: u.LinkIndex, Prefix: toPrefix(&u.LinkAddress),
				Valid: lifetime(u.ValidLft), Removed: !u.NewAddr,
			})
		}
	}()
	t.Cleanup(func() {
		close(done)
		<-read
		if t.Failed() {
			t.Logf("addresses of %s: %v", s.Name, j.Since(0))
		}
	})
	return j
}

// WatchCarrier records when an interface gets its carrier until the test ends.
func (s *Space) WatchCarrier(t T, ifname string) *Journal[time.Time] {
	t.Helper()
	j := &Journal[time.Time]{}
	ch, done := make(chan netlink.LinkUpdate, 64), make(chan struct{})
	if err := netlink.LinkSubscribeWithOptions(ch, done, netlink.LinkSubscribeOptions{Namespace: &s.ns, ErrorCallback: func(error) {}}); err != nil {
		t.Fatalf("space %s: watch links: %v", s.Name, err)
	}
	link, err := s.Net.LinkByName(ifname)
	if err != nil {
		t.Fatalf("space %s: %v", s.Name, err)
	}
	read := make(chan struct{})
	go func() {
		defer close(read)
		had := link.Attrs().RawFlags&unix.IFF_RUNNING != 0
		for u := range ch {
			if u.Attrs().Name != ifname {
				continue
			}
			has := u.Attrs().RawFlags&unix.IFF_RUNNING != 0
			if has && !had {
				j.Add(time.Now())
			}
			had = has
		}
	}()
	t.Cleanup(func() {
		close(done)
		<-read
	})
	return j
}

func lifetime(seconds int) time.Duration {
	if uint32(seconds) == 0xffffffff || seconds == 0 {
		return Forever
	}
	return time.Duration(uint32(seconds)) * time.Second
}

func toPrefix(n *net.IPNet) netip.Prefix {
	a, _ := netip.AddrFromSlice(n.IP)
	ones, _ := n.Mask.Size()
	return netip.PrefixFrom(a.Unmap(), ones)
}
