//go:build linux

package netlink

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/linux/linuxtest"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

func linkMessage(index int) *nl.IfInfomsg {
	m := nl.NewIfInfomsg(unix.AF_UNSPEC)
	m.Index = int32(index)
	return m
}

func TestLinks(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	alt := "a-name-that-is-longer-than-fifteen-bytes"
	l.Must(l.H.LinkAddAltName(l.Link("c0"), alt))
	l.Must(l.H.LinkAddAltName(l.Link("c0"), "lan"))
	c0 := l.c0()
	if !bytes.Equal(c0.HardwareAddr, linuxtest.MacC) || c0.HardwareType != 1 || c0.MTU != 1500 || !c0.Up || !c0.Carrier || c0.Loopback {
		t.Errorf("c0 is %+v", c0)
	}
	for _, name := range []string{alt, "lan"} {
		got, err := l.n.LinkByName(name)
		if err != nil || got.Name != "c0" || !slices.Contains(got.AltNames, name) {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
	if got, err := l.n.LinkByIndex(c0.Index); err != nil || got.Name != "c0" {
		t.Errorf("by index: %+v, %v", got, err)
	}
	for _, name := range []string{"", "c1", "c0\x00", "c0/..", strings.Repeat("x", 15), strings.Repeat("x", 16), strings.Repeat("x", 300)} {
		if got, err := l.n.LinkByName(name); !errors.Is(err, netconf.ErrNoLink) {
			t.Errorf("%q: %+v, %v, want ErrNoLink", name, got, err)
		}
	}
	for _, index := range []int{-1, 0, 1 << 30} {
		if got, err := l.n.LinkByIndex(index); !errors.Is(err, netconf.ErrNoLink) {
			t.Errorf("%d: %+v, %v, want ErrNoLink", index, got, err)
		}
	}
	list, err := l.n.Links()
	l.Must(err)
	var names []string
	for _, k := range list {
		names = append(names, k.Name)
		if k.Loopback != (k.Name == "lo") {
			t.Errorf("%s: loopback %v", k.Name, k.Loopback)
		}
	}
	slices.Sort(names)
	if !slices.Equal(names, []string{"c0", "lo", "p0"}) {
		t.Errorf("links %v", names)
	}
	l.Must(l.H.LinkSetDown(l.Link("p0")))
	l.Await("c0 loses its carrier", func() bool { return !l.c0().Carrier })
	if !l.c0().Up {
		t.Error("c0 is not up any more")
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	changes := make(chan netconf.LinkChange, 256)
	l.watch(l.n, func(n netconf.Notice) {
		if c, ok := n.(netconf.LinkChange); ok {
			changes <- c
		}
	})
	next := func(what string, ok func(netconf.LinkChange) bool) netconf.LinkChange {
		t.Helper()
		for {
			select {
			case c := <-changes:
				if ok(c) {
					return c
				}
			case <-time.After(10 * time.Second):
				t.Fatalf("never told: %s", what)
			}
		}
	}
	c0 := l.c0()
	l.Must(l.H.LinkSetDown(l.Link("p0")))
	next("no carrier", func(c netconf.LinkChange) bool { return c.Link.Name == "c0" && c.Link.Up && !c.Link.Carrier })
	l.Must(l.H.LinkSetUp(l.Link("p0")))
	next("carrier", func(c netconf.LinkChange) bool { return c.Link.Name == "c0" && c.Link.Carrier })
	l.Must(l.H.LinkSetDown(l.Link("c0")))
	l.Must(l.H.LinkSetName(l.Link("c0"), "wan"))
	if c := next("rename", func(c netconf.LinkChange) bool { return c.Link.Name == "wan" }); c.Link.Index != c0.Index || c.Gone {
		t.Errorf("renamed: %+v", c)
	}
	// The kernel tells of alternative names only while the interface is up.
	l.Must(l.H.LinkSetUp(l.Link("wan")))
	l.Must(l.H.LinkAddAltName(l.Link("wan"), "uplink"))
	next("alternative name", func(c netconf.LinkChange) bool { return slices.Contains(c.Link.AltNames, "uplink") })
	l.Must(l.H.LinkDel(l.Link("wan")))
	if c := next("removal", func(c netconf.LinkChange) bool { return c.Gone && c.Link.Index == c0.Index }); c.Link.Name != "wan" || c.Link.Up {
		t.Errorf("removed: %+v", c)
	}
	l.Must(l.H.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "wan"}, PeerName: "p0"}))
	if c := next("re-creation", func(c netconf.LinkChange) bool { return c.Link.Name == "wan" && !c.Gone }); c.Link.Index == c0.Index {
		t.Errorf("created anew with the old index: %+v", c)
	}
}

// holdWatch watches the links with a small receive buffer, which is overrun while
// the watcher is busy: it is held by the first change, until release is closed.
func (l *lab) holdWatch(n *Kernel) (p *testLoop, w *watch, seen chan netconf.LinkChange, held, release chan struct{}) {
	l.T.Helper()
	held, release = make(chan struct{}), make(chan struct{})
	seen = make(chan netconf.LinkChange, 100000)
	var first sync.Once
	p, w = l.watch(n, func(n netconf.Notice) {
		c, ok := n.(netconf.LinkChange)
		if !ok {
			return
		}
		first.Do(func() {
			close(held)
			<-release
		})
		seen <- c
	})
	l.Must(unix.SetsockoptInt(w.links.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 2048))
	return p, w, seen, held, release
}

func TestWatchAfterOverrun(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	_, _, seen, held, release := l.holdWatch(l.n)
	c0 := l.Link("c0")
	l.Must(l.H.LinkSetMTU(c0, 1400))
	<-held
	for i := range 100 {
		l.Must(l.H.LinkSetMTU(c0, 1000+i))
	}
	l.Must(l.H.LinkDel(c0)) // and p0 with it
	l.Must(l.H.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "d0"}, PeerName: "q0"}))
	close(release)
	var gone, came bool
	for !gone || !came {
		select {
		case c := <-seen:
			gone = gone || c.Gone && c.Link.Index == c0.Attrs().Index
			came = came || !c.Gone && c.Link.Name == "d0"
		case <-time.After(10 * time.Second):
			t.Fatalf("gone %v, came %v", gone, came)
		}
	}
}

// TestListIsTriedAgain: the list that follows lost notifications fails, and no
// further notification comes.
func TestListIsTriedAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	watcher := l.kernel(Options{}) // whose requests fail for a while
	p, w, seen, held, release := l.holdWatch(watcher)
	c0 := l.Link("c0")
	l.Must(l.H.LinkSetMTU(c0, 1400))
	<-held

	working, err := unix.FcntlInt(uintptr(watcher.ask.fd), unix.F_DUPFD_CLOEXEC, 0)
	l.Must(err)
	defer unix.Close(working)
	null, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0) // refuses to be written
	l.Must(err)
	defer unix.Close(null)
	l.Must(unix.Dup3(null, watcher.ask.fd, unix.O_CLOEXEC))
	for i := range 100 {
		l.Must(l.H.LinkSetMTU(c0, 1000+i))
	}
	close(release)
	// It reads until notifications were lost, and asks in vain.
	p.wait(func() {
		if w.retry == nil {
			t.Error("the list did not fail")
		}
	})
	l.Must(unix.Dup3(working, watcher.ask.fd, unix.O_CLOEXEC))
	for {
		select {
		case c := <-seen:
			if c.Link.Name == "c0" && c.Link.MTU == 1099 {
				return
			}
		case <-time.After(10 * time.Second):
			t.Fatal("the list was not taken")
		}
	}
}

func FuzzParseLink(f *testing.F) {
	f.Add(make([]byte, unix.SizeofIfInfomsg))
	f.Add(append(make([]byte, unix.SizeofIfInfomsg), 8, 0, 3, 0, 'c', '0', 0, 0))
	f.Add(linkUp(9, 3))
	f.Fuzz(func(t *testing.T, b []byte) {
		if l, ok := parseLink(b); ok && (l.Name == "" || l.Index <= 0 || !describes(b, l)) {
			t.Errorf("%+v", l)
		}
		parseAddress(b, 0)
		parseNeighbour(b)
		parseRoute(b, 1, func(netconf.Route) {})
		for m := range messages(b) {
			_ = verdict(m)
			disturbed(m)
		}
		promotes(b)
	})
}
