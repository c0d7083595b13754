//go:build linux

package host

import (
	"errors"
	"net"
	"net/netip"
	"runtime"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/driver"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A lab is a network namespace of a test's own: the adapter c0 and p0, the
// other end of its cable. It vanishes with the test.
type lab struct {
	t  testing.TB
	n  *Network
	h  *netlink.Handle
	do func(f func()) // runs f on a thread in the namespace
	// refused, where set, is told of what the exchanges refuse.
	refused func(driver.Refusal, uint64)
}

var (
	macC = net.HardwareAddr{2, 0, 0, 0, 0, 2}
	macP = net.HardwareAddr{2, 0, 0, 0, 0, 1}
)

func newLab(t testing.TB, opt Options) *lab {
	t.Helper()
	work := make(chan func())
	ready := make(chan error)
	go func() {
		// Never unlocked: the thread ends with the goroutine, and with it the namespace.
		runtime.LockOSThread()
		err := unix.Unshare(unix.CLONE_NEWNET)
		ready <- err
		if err != nil {
			return
		}
		for f := range work {
			f()
		}
	}()
	if err := <-ready; errors.Is(err, unix.EPERM) {
		t.Skip("needs CAP_SYS_ADMIN to make a network namespace (try: unshare -Urn go test)")
	} else if err != nil {
		t.Fatal(err)
	}
	l := &lab{t: t, do: func(f func()) {
		done := make(chan struct{})
		work <- func() { defer close(done); f() }
		<-done
	}}
	t.Cleanup(func() { close(work) })
	var err error
	l.do(func() {
		if l.n, err = New(opt); err == nil {
			l.h, err = netlink.NewHandle(unix.NETLINK_ROUTE)
		}
	})
	l.must(err)
	t.Cleanup(func() { l.must(l.n.Close()) })
	t.Cleanup(l.h.Close)
	veth := &netlink.Veth{
		LinkAttrs: netlink.LinkAttrs{Name: "c0", HardwareAddr: macC, MTU: 1500},
		PeerName:  "p0", PeerHardwareAddr: macP,
	}
	l.must(l.h.LinkAdd(veth))
	for _, name := range []string{"lo", "p0", "c0"} {
		l.must(l.h.LinkSetUp(l.link(name)))
	}
	l.await("c0 has a carrier", func() bool { return l.c0().Carrier })
	return l
}

func (l *lab) must(err error) {
	l.t.Helper()
	if err != nil {
		l.t.Fatal(err)
	}
}

func (l *lab) link(name string) netlink.Link {
	l.t.Helper()
	k, err := l.h.LinkByName(name)
	l.must(err)
	return k
}

func (l *lab) c0() netconf.Link {
	l.t.Helper()
	k, err := l.n.LinkByName("c0")
	l.must(err)
	return k
}

// await watches the kernel until ok.
func (l *lab) await(what string, ok func() bool) {
	l.t.Helper()
	m := l.monitor(unix.RTNLGRP_LINK, unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV4_ROUTE)
	defer m.s.Close()
	for end := time.Now().Add(10 * time.Second); !ok(); {
		if time.Now().After(end) {
			l.t.Fatalf("did not happen: %s", what)
		}
		tv := unix.NsecToTimeval(int64(100 * time.Millisecond))
		l.must(m.s.SetReceiveTimeout(&tv))
		_, _, _ = m.s.Receive()
	}
}

// A monitor hears what the kernel reports, like `ip monitor`.
type monitor struct {
	l *lab
	s *nl.NetlinkSocket
}

func (l *lab) monitor(groups ...uint) *monitor {
	l.t.Helper()
	m := &monitor{l: l}
	var err error
	l.do(func() { m.s, err = nl.Subscribe(unix.NETLINK_ROUTE, groups...) })
	l.must(err)
	return m
}

// changes returns the types of the messages since the monitor began: none if
// nothing was touched. It marks their end with a change of its own.
func (m *monitor) changes() []uint16 {
	m.l.t.Helper()
	defer m.s.Close()
	lo := m.l.link("lo")
	mark := &netlink.Addr{IPNet: ipNet(netip.MustParsePrefix("127.9.9.9/32"))}
	m.l.must(m.l.h.AddrAdd(lo, mark))
	defer func() { m.l.must(m.l.h.AddrDel(lo, mark)) }()
	var types []uint16
	for {
		msgs, _, err := m.s.Receive()
		m.l.must(err)
		for _, msg := range msgs {
			if msg.Header.Type == unix.RTM_NEWADDR {
				if _, index, ok := parseAddress(msg.Data); ok && index == lo.Attrs().Index {
					return types
				}
			}
			types = append(types, msg.Header.Type)
		}
	}
}

// changesOfAll hears of addresses and routes. Links are left out: the kernel
// reports their carrier when it gets round to it.
func changesOfAll(l *lab) *monitor {
	return l.monitor(unix.RTNLGRP_IPV4_IFADDR, unix.RTNLGRP_IPV4_ROUTE)
}

var (
	addrA = netip.MustParsePrefix("10.77.0.100/24")
	addrB = netip.MustParsePrefix("10.77.0.101/24")
	gw    = netip.MustParseAddr("10.77.0.1")
)

// desire is what a usual lease of the address leads to.
func desire(p netip.Prefix, router netip.Addr, metric uint32, valid time.Duration) netconf.Desired {
	until := Now().Add(valid)
	return netconf.Desired{
		Addresses: []netconf.Address{{Prefix: p, Lifetime: netconf.Lifetime{ValidUntil: until, PreferredUntil: until}}},
		Routes: []netconf.Route{
			{Destination: p.Masked(), Source: p.Addr(), Metric: metric},
			{Destination: netip.MustParsePrefix("0.0.0.0/0"), Router: router, Source: p.Addr(), Metric: metric},
		},
	}
}

// routes lists c0's routes of the main table in all protocols.
func (l *lab) routes() []netconf.Route {
	l.t.Helper()
	list, err := l.h.RouteList(l.link("c0"), netlink.FAMILY_V4)
	l.must(err)
	out := make([]netconf.Route, 0, len(list))
	for _, h := range list {
		r := routeOf(h)
		r.Table = 0 // as it is in a lease
		out = append(out, r)
	}
	return out
}

func (l *lab) addresses() []netip.Prefix {
	l.t.Helper()
	list, err := l.n.Addresses(l.c0().Index)
	l.must(err)
	out := make([]netip.Prefix, 0, len(list))
	for _, a := range list {
		out = append(out, a.Prefix)
	}
	return out
}

func left(l netconf.Lifetime) time.Duration { return l.ValidUntil.Sub(Now()) }
