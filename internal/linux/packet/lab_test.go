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
	"github.com/lessee/lessee/internal/linux/poll/polltest"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"
)

// A lab is a network namespace of a test's own, and its kernel and transport. The
// transport's methods have to be called on the loop: the lab's own methods do that.
type lab struct {
	*linuxtest.Lab
	k    *netlink.Kernel
	loop *polltest.Loop
	n    *Transport
	// refused, where set, is told of what the exchanges refuse.
	refused func(Refusal, uint64)
}

var (
	macC = linuxtest.MacC
	macP = linuxtest.MacP
)

func newLab(t testing.TB) *lab {
	t.Helper()
	l := &lab{Lab: linuxtest.New(t), loop: polltest.Run(t)}
	var space *netns.Namespace
	var err error
	l.Do(func() { space, err = netns.Open() })
	l.Must(err)
	t.Cleanup(func() { _ = space.Close() })
	l.k, err = netlink.New(space, netlink.Options{})
	l.Must(err)
	t.Cleanup(l.k.Close)
	l.n = New(space, l.k, l.loop)
	t.Cleanup(func() { l.loop.Call(l.n.Close) })
	return l
}

// on runs f on the loop.
func on[T any](l *lab, f func() T) (result T) {
	l.loop.Call(func() { result = f() })
	return result
}

// hold keeps the loop busy until release; then it runs f.
func (l *lab) hold(f func()) (release func()) {
	began, end := make(chan struct{}), make(chan struct{})
	l.loop.Do(func() {
		close(began)
		<-end
		f()
	})
	<-began
	return func() { close(end) }
}

func (l *lab) send(link netconf.Link, t Transmit) error {
	return on(l, func() error { return l.n.Send(link, t) })
}

func (l *lab) sendARP(link netconf.Link, packet, to []byte) error {
	return on(l, func() error { return l.n.SendARP(link, packet, to) })
}

func (l *lab) listenARP(link netconf.Link, addresses []netip.Addr, deliver func(ARP)) error {
	return on(l, func() error { return l.n.Listen(link, addresses, deliver) })
}

func (l *lab) listenForceRenew(link netconf.Link, address netip.Addr, deliver func(Datagram)) error {
	return on(l, func() error { return l.n.ListenForceRenew(link, address, deliver) })
}

// An onLoop is an exchange whose methods may be called by a test.
type onLoop struct {
	l *lab
	x *exchange
}

func (o onLoop) Send(t Transmit) error {
	return on(o.l, func() error { return o.x.Send(o.x.link, t) })
}

func (o onLoop) sendOn(link netconf.Link, t Transmit) error {
	return on(o.l, func() error { return o.x.Send(link, t) })
}
func (o onLoop) Close() error { return on(o.l, o.x.Close) }

func (l *lab) open(link netconf.Link, deliver func(Datagram), refused func(Refusal, uint64)) onLoop {
	l.T.Helper()
	var x Exchange
	l.Must(on(l, func() (err error) {
		x, err = l.n.Open(link, deliver, refused)
		return err
	}))
	o := onLoop{l, x.(*exchange)}
	l.T.Cleanup(func() { _ = o.Close() })
	return o
}

// queued returns how many packets the kernel has put in the socket's queue since the
// last call.
func (l *lab) queued(fd int) uint32 {
	l.T.Helper()
	st, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	l.Must(err)
	return st.Packets
}

func (l *lab) link(name string) netconf.Link {
	l.T.Helper()
	var err error
	k := on(l, func() (k netconf.Link) {
		k, err = l.k.LinkByName(name)
		return k
	})
	l.Must(err)
	return k
}

func (l *lab) c0() netconf.Link {
	l.T.Helper()
	return l.link("c0")
}

// lease configures c0.
func (l *lab) lease(owned []netip.Prefix, want netconf.Desired) {
	l.T.Helper()
	link := l.c0()
	l.Must(on(l, func() error { return l.k.Apply(link, owned, want).Err() }))
}

// rawSocket opens a packet socket of the test's own, which receives nothing yet.
func (l *lab) rawSocket() *socket.Conn {
	l.T.Helper()
	return l.socket(unix.AF_PACKET)
}

func (l *lab) socket(family int) *socket.Conn {
	l.T.Helper()
	var c *socket.Conn
	var err error
	l.Do(func() { c, err = socket.Socket(family, unix.SOCK_DGRAM, 0, "test", nil) })
	l.Must(err)
	l.T.Cleanup(func() { c.Close() })
	return c
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
