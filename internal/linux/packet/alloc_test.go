//go:build linux

package packet

import (
	"errors"
	"net/netip"
	"testing"

	"github.com/lessee/lessee/wire/arp"
	"golang.org/x/sys/unix"
)

// Nothing is allocated to receive a packet that is refused, or to send one. What is
// delivered is copied, which is counted here.
func TestAllocations(t *testing.T) { // AllocsPerRun must not run beside other tests
	l := newLab(t)
	c0, fd := l.c0(), -1
	var err error
	l.Do(func() { fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0) })
	l.Must(err)
	defer unix.Close(fd)
	var refused, delivered, asked, forced int
	x := l.open(c0, func(Datagram) { delivered++ }, func(Refusal, uint64) { refused++ }).x
	l.Must(l.listenARP(c0, []netip.Addr{at(100)}, func(ARP) { asked++ }))
	l.Must(l.listenForceRenew(c0, at(100), func(Datagram) { forced++ }))

	to := &unix.SockaddrLinklayer{Ifindex: l.Link("p0").Attrs().Index, Halen: 6}
	copy(to.Addr[:], macC)
	// sends has the peer send a packet, and receive take it.
	poll := []unix.PollFd{{Events: unix.POLLIN}}
	sends := func(protocol uint16, packet []byte, socket int, receive func()) func() error {
		return func() error {
			to.Protocol = networkOrder(protocol)
			if err := unix.Sendto(fd, packet, 0, to); err != nil {
				return err
			}
			poll[0].Fd = int32(socket)
			n, err := unix.Poll(poll, 10_000)
			for errors.Is(err, unix.EINTR) {
				n, err = unix.Poll(poll, 10_000)
			}
			if err == nil && n == 0 {
				err = unix.ETIMEDOUT
			}
			receive()
			return err
		}
	}
	good := packetOf("10.77.0.1:67", "255.255.255.255:68", reply(macC, 1))
	bad := packetOf("10.77.0.1:67", "255.255.255.255:68", reply(macC, 1))
	bad[299]++
	badForce := packetOf("10.77.0.1:67", "10.77.0.100:68", typed(1, 53, 1, 9, 255))
	badForce[299]++
	discover := transmit("0.0.0.0", "255.255.255.255", nil, make([]byte, 300))
	direct := transmit("10.77.0.100", "10.77.0.1", macP, make([]byte, 1200))
	l.lease(nil, desire(addrA, 0))
	probe := arp.Append(nil, arp.Probe(hwC, at(9)))
	foreign := listener[ARP]{}

	for _, c := range []struct {
		name string
		most float64
		do   func() error
	}{
		{"refuse a packet", 0, sends(unix.ETH_P_IP, bad, x.fd, x.receive)},
		{"refuse a FORCERENEW", 0, sends(unix.ETH_P_IP, badForce, l.n.force.first.fd, l.n.force.first.receive)},
		{"refuse ARP", 0, sends(unix.ETH_P_ARP, arp.Append(nil, arp.Announcement(hwP, at(100))), l.n.arp.first.fd, func() {
			had := l.n.arp.first.wanted[uint32(c0.Index)]
			l.n.arp.first.wanted[uint32(c0.Index)] = foreign // as if it was changed before the filter
			l.n.arp.first.receive()
			l.n.arp.first.wanted[uint32(c0.Index)] = had
		})},
		{"deliver a packet", 2, sends(unix.ETH_P_IP, good, x.fd, x.receive)},
		{"broadcast", 0, func() error { return x.Send(c0, discover) }},
		{"send to a link address", 0, func() error { return x.Send(c0, direct) }},
		{"send ARP", 0, func() error { return l.n.SendARP(c0, probe, nil) }},
	} {
		var n float64
		l.Must(on(l, func() (err error) {
			n = testing.AllocsPerRun(100, func() {
				if err == nil {
					err = c.do()
				}
			})
			return err
		}))
		if n > c.most {
			t.Errorf("%s: %v allocations, want at most %v", c.name, n, c.most)
		}
	}
	if refused < 101 || delivered < 101 || asked != 0 || forced != 0 {
		t.Errorf("%d refused, %d delivered, %d heard, %d forced: the test shows nothing", refused, delivered, asked, forced)
	}
}
