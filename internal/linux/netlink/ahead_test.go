//go:build linux

package netlink

import (
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/linux/linuxtest"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
)

// TestAhead: what was read ahead counts for the next Apply, until anything changes.
func TestAhead(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	c0 := l.c0()
	l.n.Ahead(c0)
	if l.counts(c0) {
		t.Error("it counts without a watch")
	}
	changes := make(chan netconf.LinkChange, 100)
	h := &listener{l, make(chan netconf.Disturbed, 4096), netip.MustParsePrefix("127.9.9.9/32")}
	l.watch(l.n, func(n netconf.Notice) {
		switch n := n.(type) {
		case netconf.Disturbed:
			h.c <- n
		case netconf.LinkChange:
			if n.Link.Index == c0.Index {
				changes <- n
			}
		}
	})
	ahead := func(what string) {
		t.Helper()
		h.hints()
		l.n.Ahead(l.c0())
		if !l.counts(c0) {
			t.Fatalf("%s: it does not count", what)
		}
	}
	ahead("at the beginning")
	want := desire(addrA, gw, 100, time.Hour)
	l.Must(l.n.Apply(c0, nil, want).Err())
	if l.counts(c0) || !slices.Contains(l.addresses(), addrA) || len(l.routes()) != 2 {
		t.Errorf("after Apply: addresses %v, routes %v", l.addresses(), l.routes())
	}
	l.n.Ahead(c0)
	if l.counts(c0) {
		t.Error("it counts though there is something of ours")
	}
	l.Must(l.n.Apply(c0, []netip.Prefix{addrA}, netconf.Desired{}).Err())

	// Another program sets an address: the one that is wanted.
	ahead("with nothing of ours")
	other := &netlink.Addr{IPNet: linuxtest.IPNet(addrA)}
	l.Must(l.H.AddrAdd(l.Link("c0"), other))
	h.hints()
	if l.counts(c0) {
		t.Error("it counts after another program set an address")
	}
	// And where its news has not come yet.
	l.Must(l.H.AddrDel(l.Link("c0"), other))
	ahead("after it took it away")
	stale, _ := l.n.ahead.take(c0.Index)
	l.Must(l.H.AddrAdd(l.Link("c0"), other))
	h.hints()
	l.n.ahead.put(stale)
	if o := l.n.Apply(c0, nil, want); o.Err() != nil || !o.AddressesSet() {
		t.Errorf("with news on its way: %v", o.Err())
	}
	list, err := l.n.Addresses(c0.Index)
	if err != nil || len(list) != 1 || list[0].Flags&netconf.NoPrefixRoute != 0 || !list[0].Lifetime.Forever {
		t.Errorf("the other program's address is %+v, %v", list, err)
	}
	l.Must(l.n.Apply(c0, []netip.Prefix{addrA}, netconf.Desired{}).Err())
	l.Must(l.H.AddrDel(l.Link("c0"), other))

	// The kernel drops routes with the link.
	ahead("before the link goes")
	l.Must(l.H.LinkSetDown(l.Link("c0")))
	for c := range changes {
		if !c.Link.Up {
			break
		}
	}
	if l.counts(c0) {
		t.Error("it counts after the link went down")
	}
	ahead("while the link is down")
	l.Must(l.H.LinkSetUp(l.Link("c0")))
	for c := range changes {
		if c.Link.Usable() {
			break
		}
	}
	if !l.counts(c0) {
		t.Error("it does not count when the link comes")
	}
}

// counts reports whether something that was read ahead counts for the link.
func (l *lab) counts(link netconf.Link) bool {
	l.n.ahead.mu.Lock()
	defer l.n.ahead.mu.Unlock()
	_, there := l.n.ahead.states[link.Index]
	return there
}
