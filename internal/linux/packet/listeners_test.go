//go:build linux

package packet

import (
	"errors"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/wire/arp"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// hooks returns the links whose ARP the kernel hands to packet sockets of the namespace
// that receive it; 0 is for all.
func (l *lab) hooks() (links []int) {
	l.T.Helper()
	l.settle()
	l.loop.Settle() // what is closed
	var text []byte
	var err error
	l.Do(func() { text, err = os.ReadFile("/proc/thread-self/net/packet") })
	l.Must(err)
	for line := range strings.Lines(string(text)) {
		// sk, RefCnt, Type, Proto, Iface, R, Rmem, User, Inode
		if f := strings.Fields(line); len(f) > 4 && f[3] == "0806" {
			index, err := strconv.Atoi(f[4])
			l.Must(err)
			links = append(links, index)
		}
	}
	slices.Sort(links)
	return links
}

// TestFramesOfOtherLinks: while one adapter listens, no frame of another interface is
// looked at, and who listens keeps the socket.
func TestFramesOfOtherLinks(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	c1, _, _ := l.c1()
	c0 := l.c0()
	none := func(ARP) {}
	for _, step := range []struct {
		link      netconf.Link
		addresses []netip.Addr
		want      []int
	}{
		{c0, []netip.Addr{at(100)}, []int{c0.Index}},
		{c1, []netip.Addr{at(101)}, []int{0, c0.Index}},
		{c0, []netip.Addr{at(102)}, []int{0, c0.Index}},
		{c0, nil, []int{0}},
		{c0, []netip.Addr{at(100)}, []int{0}},
		{c1, nil, []int{0}},
		{c0, nil, nil},
		{c1, []netip.Addr{at(101)}, []int{c1.Index}},
	} {
		l.Must(l.listenARP(step.link, step.addresses, none))
		if got := l.hooks(); !slices.Equal(got, step.want) {
			t.Fatalf("%s listens to %v: hooks at %v, want %v", step.link.Name, step.addresses, got, step.want)
		}
	}
	// Another one takes the place at the same moment.
	l.Must(on(l, func() error {
		err := l.n.Listen(c1, nil, nil)
		if l.n.arp.first.fd >= 0 { // a link that comes back with this index would not be heard
			err = errors.Join(err, errors.New("the socket of a link that nobody listens to is open"))
		}
		return errors.Join(err, l.n.Listen(c0, []netip.Addr{at(100)}, none))
	}))
	if got := l.hooks(); !slices.Equal(got, []int{c0.Index}) {
		t.Errorf("hooks at %v, want %d", got, c0.Index)
	}
}

// TestLinkIsReplaced: who listens to a link that was deleted, and whose index another one
// has, hears that one after Recheck.
func TestLinkIsReplaced(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	link := l.c0()
	got := l.listen(link, at(100))
	force := make(chan Datagram, 64)
	ours := netip.MustParseAddr("10.77.0.100")
	l.Must(l.listenForceRenew(link, ours, func(d Datagram) { force <- d }))
	recheck := func() {
		t.Helper()
		l.Must(on(l, func() error { return l.n.Recheck(link) }))
	}
	fd := l.n.arp.first.fd
	recheck()
	l.Must(l.H.LinkSetDown(l.Link("c0")))
	recheck()
	l.Must(l.H.LinkSetUp(l.Link("c0")))
	recheck()
	if l.n.arp.first.fd != fd {
		t.Error("the socket was opened anew for nothing")
	}
	l.Must(l.H.LinkDel(l.Link("c0")))
	attrs := netlink.NewLinkAttrs()
	attrs.Name, attrs.Index, attrs.HardwareAddr = "c0", link.Index, macC
	l.Must(l.H.LinkAdd(&netlink.Veth{LinkAttrs: attrs, PeerName: "p0", PeerHardwareAddr: macP}))
	for _, name := range []string{"c0", "p0"} {
		l.Must(l.H.LinkSetUp(l.Link(name)))
	}
	recheck()
	s := l.station()
	s.say(arp.Append(nil, arp.Announcement(hwP, at(100))), macC)
	heard(t, got)
	s.send(packetOf("10.77.0.1:67", "10.77.0.100:68", typed(1, 53, 1, 9, 255)), macC)
	receive(t, force)
	l.Must(l.H.LinkDel(l.Link("c0")))
	if err := on(l, func() error { return l.n.Recheck(link) }); !errors.Is(err, unix.ENODEV) {
		t.Errorf("a link that is gone: %v", err)
	}
}
