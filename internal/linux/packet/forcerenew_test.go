//go:build linux

package packet

import (
	"bytes"
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"testing"

	"github.com/lessee/lessee/internal/linux/linuxtest"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// typed is a reply with options of the test's choice.
func typed(xid uint32, options ...byte) []byte {
	return append(reply(macC, xid)[:240], append(options, make([]byte, 60)...)...)
}

func TestForceRenew(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	got := make(chan Datagram, 64)
	ours := netip.MustParseAddr("10.77.0.100")
	l.Must(l.listenForceRenew(l.c0(), ours, func(d Datagram) { got <- d }))
	passed := func() uint32 { return l.queued(l.n.force.first.fd) }
	s := l.station()
	const server, us = "10.77.0.1:67", "10.77.0.100:68"
	good := packetOf(server, us, typed(1, 53, 1, 9, 255))
	change := func(f func(b []byte)) []byte {
		b := slices.Clone(good)
		f(b)
		return b
	}
	for what, b := range map[string][]byte{
		"an ACK":            packetOf(server, us, typed(2, 53, 1, 5, 255)),
		"an OFFER":          packetOf(server, us, typed(2, 53, 1, 2, 255)),
		"for another":       packetOf(server, "10.77.0.101:68", typed(2, 53, 1, 9, 255)),
		"to another port":   packetOf(server, "10.77.0.100:67", typed(2, 53, 1, 9, 255)),
		"a request":         change(func(b []byte) { b[28] = 1 }),
		"a fragment":        change(func(b []byte) { b[6] = 0x20 }),
		"TCP":               change(func(b []byte) { b[9] = 6 }),
		"without cookie":    change(func(b []byte) { b[28+236] = 0 }),
		"without options":   good[:28+240],
		"IP version 6":      change(func(b []byte) { b[0] = 0x65 }),
		"cut in the header": good[:19],
	} {
		s.send(b, macC)
		if n := passed(); n != 0 {
			t.Errorf("%s: passed the filter", what)
		}
	}
	// A broadcast, and one to another station.
	s.send(good, broadcastMAC)
	s.send(good, net.HardwareAddr{2, 0, 0, 0, 0, 9})
	if n := passed(); n != 0 {
		t.Errorf("%d packets to others passed the filter", n)
	}
	// These wake us, but are delivered to nobody: an ACK whose type does not
	// come first, a damaged one, one without an end.
	s.send(packetOf(server, us, typed(2, 51, 4, 0, 0, 1, 0, 53, 1, 5, 255)), macC)
	s.send(change(func(b []byte) { b[299]++ }), macC)
	s.send(packetOf(server, us, typed(2, 53, 9, 9)), macC)

	s.send(packetOf(server, us, typed(7, 54, 4, 10, 77, 0, 1, 53, 1, 9, 255)), macC)
	s.send(good, macC)
	for _, xid := range []uint32{7, 1} {
		d := receive(t, got)
		if binary.BigEndian.Uint32(d.Message[4:]) != xid || d.From.String() != "10.77.0.1" || !bytes.Equal(d.Link, macP) {
			t.Errorf("%v %x %x", d.From, d.Link, d.Message[:8])
		}
	}
	if n := passed(); n != 5 || len(got) != 0 {
		t.Errorf("%d packets passed the filter, %d are left", n, len(got))
	}

	// While an exchange is open nobody sees one twice.
	_, answers := l.exchange()
	s.send(good, macC)
	s.send(packetOf(server, us, typed(9, 53, 1, 5, 255)), macC)
	if d := receive(t, answers); binary.BigEndian.Uint32(d.Message[4:]) != 9 {
		t.Errorf("the exchange got %x", d.Message[:8])
	}
	if d := receive(t, got); binary.BigEndian.Uint32(d.Message[4:]) != 1 {
		t.Errorf("got %x", d.Message[:8])
	}
	// The end: then it is the exchange's.
	l.Must(l.listenForceRenew(l.c0(), netip.Addr{}, nil))
	s.send(good, macC)
	if d := receive(t, answers); binary.BigEndian.Uint32(d.Message[4:]) != 1 || len(got) != 0 {
		t.Errorf("the exchange got %x, the other has %d", d.Message[:8], len(got))
	}
}

// TestForceRenewOfKernel has the peer's kernel send it, with a checksum that is
// left to the hardware.
func TestForceRenewOfKernel(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.Must(l.H.AddrAdd(l.Link("p0"), &netlink.Addr{IPNet: linuxtest.IPNet(netip.MustParsePrefix("10.77.0.1/24"))}))
	l.Must(l.H.NeighAdd(&netlink.Neigh{LinkIndex: l.Link("p0").Attrs().Index, IP: addrA.Addr().AsSlice(), HardwareAddr: macC, State: unix.NUD_PERMANENT}))
	got := make(chan Datagram, 1)
	l.Must(l.listenForceRenew(l.c0(), addrA.Addr(), func(d Datagram) { got <- d }))
	c := l.udpAt(netip.MustParseAddrPort("10.77.0.1:67"))
	l.Must(c.Sendto(t.Context(), typed(5, 53, 1, 9, 255), 0, &unix.SockaddrInet4{Port: 68, Addr: addrA.Addr().As4()}))
	if d := receive(t, got); binary.BigEndian.Uint32(d.Message[4:]) != 5 {
		t.Errorf("got %x", d.Message[:8])
	}
}
