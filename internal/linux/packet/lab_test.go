//go:build linux

package packet

import (
	"net/netip"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/linux/clock"
	"github.com/lessee/lessee/internal/linux/linuxtest"
	"github.com/lessee/lessee/internal/linux/netlink"
	"github.com/lessee/lessee/internal/linux/netns"
	"github.com/lessee/lessee/internal/netconf"
)

// A lab is a network namespace of a test's own, and its kernel and transport.
type lab struct {
	*linuxtest.Lab
	k *netlink.Kernel
	n *Transport
	// refused, where set, is told of what the exchanges refuse.
	refused func(Refusal, uint64)
}

var (
	macC = linuxtest.MacC
	macP = linuxtest.MacP
)

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{Lab: linuxtest.New(t)}
	var space *netns.Namespace
	var err error
	l.Do(func() { space, err = netns.Open() })
	l.Must(err)
	t.Cleanup(func() { _ = space.Close() })
	l.k, err = netlink.New(space, netlink.Options{})
	l.Must(err)
	t.Cleanup(l.k.Close)
	l.n = New(space, l.k)
	t.Cleanup(l.n.Close)
	return l
}

func (l *lab) c0() netconf.Link {
	l.T.Helper()
	k, err := l.k.LinkByName("c0")
	l.Must(err)
	return k
}

var (
	addrA = netip.MustParsePrefix("10.77.0.100/24")
	addrB = netip.MustParsePrefix("10.77.0.101/24")
	gw    = netip.MustParseAddr("10.77.0.1")
)

// desire is what a usual lease of the address leads to; table 0 is the main one.
func desire(p netip.Prefix, table uint32) netconf.Desired {
	until := clock.Now().Add(time.Hour)
	return netconf.Desired{
		Addresses: []netconf.Address{{Prefix: p, Lifetime: netconf.Lifetime{ValidUntil: until, PreferredUntil: until}}},
		Routes: []netconf.Route{
			{Destination: p.Masked(), Source: p.Addr(), Metric: 100, Table: table},
			{Destination: netip.MustParsePrefix("0.0.0.0/0"), Router: gw, Source: p.Addr(), Metric: 100, Table: table},
		},
	}
}
