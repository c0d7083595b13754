//go:build linux

package netlink

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/linux/linuxtest"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// TestApplyAllocations: what is asked and answered needs no memory. What remains is
// netconf's: the wanted addresses and the wanted routes as the kernel has them, the
// list of operations, and each operation.
func TestApplyAllocations(t *testing.T) {
	l := newLab(t, Options{})
	link := l.c0()
	owned := []netip.Prefix{addrA}
	lease := desire(addrA, gw, 100, time.Hour)
	address := netconf.Desired{Addresses: lease.Addresses}

	// Another program removes the address.
	other := l.kernel(Options{}).change
	other.lock()
	defer other.unlock()
	errs := make([]error, 0, 1)
	remove := func() {
		m, seq := other.begin(unix.RTM_DELADDR, unix.NLM_F_ACK)
		removeAddress(m, link.Index, addrA)
		m.end()
		list, err := other.acknowledged(seq, errs)
		if err != nil || list[0] != nil {
			t.Fatal(list, err)
		}
	}
	for _, c := range []struct {
		what  string
		want  netconf.Desired
		after func()
		most  float64
	}{
		{"one address", address, remove, 3},
		{"an address and two routes", lease, remove, 6},
		{"nothing new", lease, func() {}, 2},
	} {
		apply := func() {
			if err := l.n.Apply(link, owned, c.want).Err(); err != nil {
				t.Fatal(err)
			}
			c.after()
		}
		if n := testing.AllocsPerRun(100, apply); n > c.most {
			t.Errorf("%s: %v allocations, want %v at most", c.what, n, c.most)
		} else {
			t.Logf("%s: %v allocations", c.what, n)
		}
	}
}

// TestRequestsAllocateNothing: the buffers are kept.
func TestRequestsAllocateNothing(t *testing.T) {
	l := newLab(t, Options{})
	index := l.c0().Index
	list := make([]netconf.Address, 0, 8)
	s := l.n.change
	s.lock()
	defer s.unlock()
	n := testing.AllocsPerRun(100, func() {
		var err error
		if list, err = s.addresses(list[:0], unix.AF_INET6, index, 0, 0); err != nil {
			t.Fatal(err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// TestAnswerIsThere: no read waits. The kernel has queued its answer when send returns,
// and the next part of a dump when the part before is read.
func TestAnswerIsThere(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	for i := range 300 {
		a := netip.PrefixFrom(netip.AddrFrom4([4]byte{172, 16, byte(i >> 8), byte(i)}), 32)
		l.Must(l.H.AddrAdd(l.Link("lo"), &netlink.Addr{IPNet: linuxtest.IPNet(a)}))
	}
	s, part := l.kernel(Options{}).ask, make([]byte, answerSize)
	set := func(m *builder) { linkHeader(m, l.c0().Index, unix.IFF_UP, unix.IFF_UP) }
	dump := func(m *builder) { addressHeader(m, netip.Prefix{}, 0)[0] = unix.AF_INET }
	for _, c := range []struct {
		typ, flags uint16
		body       func(*builder)
		parts      int
	}{
		{unix.RTM_NEWLINK, unix.NLM_F_ACK, set, 1},
		{unix.RTM_GETADDR, unix.NLM_F_DUMP, dump, 2},
	} {
		m, _ := s.begin(c.typ, c.flags)
		c.body(m)
		m.end()
		l.Must(s.send())
		parts, ended := 0, false
		for !ended {
			n, _, err := unix.Recvfrom(s.fd, part, unix.MSG_DONTWAIT)
			l.Must(err)
			parts++
			for m := range messages(part[:n]) {
				ended = ended || m.typ == unix.NLMSG_DONE || m.typ == unix.NLMSG_ERROR
			}
		}
		if parts < c.parts {
			t.Errorf("%d parts, want %d", parts, c.parts)
		}
	}
}
