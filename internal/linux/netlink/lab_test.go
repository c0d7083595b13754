//go:build linux

package netlink

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/linux/clock"
	"github.com/lessee/lessee/internal/linux/linuxtest"
	"github.com/lessee/lessee/internal/linux/netns"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// A lab is a network namespace of a test's own, and its kernel.
type lab struct {
	*linuxtest.Lab
	n *Kernel
}

func newLab(t testing.TB, opt Options) *lab {
	t.Helper()
	l := &lab{Lab: linuxtest.New(t)}
	l.n = l.kernel(opt)
	return l
}

// kernel opens the lab's kernel once more.
func (l *lab) kernel(opt Options) (k *Kernel) {
	l.T.Helper()
	var space *netns.Namespace
	var err error
	l.Do(func() { space, err = netns.Open() })
	l.Must(err)
	l.T.Cleanup(func() { _ = space.Close() })
	k, err = New(space, opt)
	l.Must(err)
	l.T.Cleanup(k.Close)
	return k
}

func (l *lab) c0() netconf.Link {
	l.T.Helper()
	k, err := l.n.LinkByName("c0")
	l.Must(err)
	return k
}

// A monitor hears what the kernel reports, like `ip monitor`.
type monitor struct {
	l *lab
	s *nl.NetlinkSocket
}

func (l *lab) monitor(groups ...uint) *monitor {
	l.T.Helper()
	return &monitor{l: l, s: l.Subscribe(groups...)}
}

// changes returns the types of the messages since the monitor began: none if
// nothing was touched. It marks their end with a change of its own.
func (m *monitor) changes() []uint16 {
	m.l.T.Helper()
	defer m.s.Close()
	lo := m.l.Link("lo")
	mark := &netlink.Addr{IPNet: linuxtest.IPNet(netip.MustParsePrefix("127.9.9.9/32"))}
	m.l.Must(m.l.H.AddrAdd(lo, mark))
	defer func() { m.l.Must(m.l.H.AddrDel(lo, mark)) }()
	var types []uint16
	for {
		msgs, _, err := m.s.Receive()
		m.l.Must(err)
		for _, msg := range msgs {
			if msg.Header.Type == unix.RTM_NEWADDR {
				if _, index, ok := parseAddress(msg.Data, 0); ok && index == lo.Attrs().Index {
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
	until := clock.Now().Add(valid)
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
	l.T.Helper()
	list, err := l.H.RouteList(l.Link("c0"), netlink.FAMILY_V4)
	l.Must(err)
	out := make([]netconf.Route, 0, len(list))
	for _, h := range list {
		r := routeOf(h)
		r.Table = 0 // as it is in a lease
		out = append(out, r)
	}
	return out
}

func (l *lab) addresses() []netip.Prefix {
	l.T.Helper()
	list, err := l.n.Addresses(l.c0().Index)
	l.Must(err)
	out := make([]netip.Prefix, 0, len(list))
	for _, a := range list {
		out = append(out, a.Prefix)
	}
	return out
}

func left(l netconf.Lifetime) time.Duration { return l.ValidUntil.Sub(clock.Now()) }

// routeOf returns a route as the netlink library has it, without its protocol.
func routeOf(h netlink.Route) netconf.Route {
	r := netconf.Route{
		Destination: netip.PrefixFrom(netip.IPv4Unspecified(), 0),
		Metric:      uint32(h.Priority),
		Table:       uint32(h.Table),
		OnLink:      h.Flags&int(netlink.FLAG_ONLINK) != 0,
	}
	if h.Dst != nil {
		if a, ok := netip.AddrFromSlice(h.Dst.IP); ok {
			bits, _ := h.Dst.Mask.Size()
			r.Destination = netip.PrefixFrom(a.Unmap(), bits)
		}
	}
	if a, ok := netip.AddrFromSlice(h.Gw); ok {
		r.Router = a.Unmap()
	}
	if a, ok := netip.AddrFromSlice(h.Src); ok {
		r.Source = a.Unmap()
	}
	return r
}

// promotes reads the setting of c0.
func (l *lab) promotes() bool {
	l.T.Helper()
	l.n.change.lock()
	defer l.n.change.unlock()
	l.Must(l.n.read(netconf.Link{Index: l.Link("c0").Attrs().Index}, nil))
	return l.n.state.PromoteSecondaries
}
