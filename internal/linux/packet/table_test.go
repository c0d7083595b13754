//go:build linux

package packet

import (
	"encoding/binary"
	"testing"

	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// table that has the adapter's routes: the frame goes to the router of the lease.
func TestRenewByTable(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.lease(nil, desire(addrA, 7))
	l.Must(l.H.NeighAdd(&netlink.Neigh{LinkIndex: l.c0().Index, IP: gw.AsSlice(), HardwareAddr: macP, State: unix.NUD_PERMANENT}))
	x, got := l.exchange()
	c := l.sniff()
	l.Must(x.Send(transmit("10.77.0.100", "192.0.2.9", nil, []byte("renew"))))
	if d, kind := l.nextFrame(c); string(d.Payload) != "renew" || d.Destination.Addr().String() != "192.0.2.9" || kind != unix.PACKET_HOST {
		t.Errorf("%v, packet type %d", d, kind)
	}
	l.station().send(packetOf("192.0.2.9:67", "10.77.0.100:68", reply(macC, 5)), macC)
	if d := receive(t, got); binary.BigEndian.Uint32(d.Message[4:]) != 5 || len(d.Message) != 300 {
		t.Errorf("another message: %x", d.Message)
	}
	l.Must(l.send(l.c0(), transmit("10.77.0.100", "192.0.2.9", nil, []byte("release"))))
	if d, _ := l.nextFrame(c); string(d.Payload) != "release" {
		t.Errorf("%v", d)
	}
}
