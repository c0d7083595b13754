//go:build linux

package netlink

import (
	"fmt"
	"io"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/linux/linuxtest"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// watchNeighbours watches; each report is a line.
func (l *lab) watchNeighbours(first func()) (lines chan string, s *subscription) {
	l.T.Helper()
	lines = make(chan string, 100000)
	_, c := l.open(func(p *testLoop) (io.Closer, error) {
		return l.n.WatchNeighbours(p, func(index int, host netip.Addr, link []byte) {
			if first != nil {
				first()
				first = nil
			}
			lines <- fmt.Sprintf("%d %v %v", index, host, net.HardwareAddr(link))
		})
	})
	return lines, c.(*subscription)
}

// until returns the reports up to the last one.
func (l *lab) until(lines chan string, last string) (before []string) {
	l.T.Helper()
	for {
		select {
		case s := <-lines:
			if s == last {
				return before
			}
			before = append(before, s)
		case <-time.After(10 * time.Second):
			l.T.Fatalf("reported %q, not %q", before, last)
		}
	}
}

func (l *lab) neighbour(host string, hw net.HardwareAddr, state int) {
	l.T.Helper()
	l.Must(l.H.NeighSet(&netlink.Neigh{LinkIndex: l.c0().Index, IP: netip.MustParseAddr(host).AsSlice(), HardwareAddr: hw, State: state}))
}

func TestWatchNeighbours(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	lines, _ := l.watchNeighbours(nil)
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 7}
	l.neighbour("10.77.0.7", mac, unix.NUD_STALE)
	l.neighbour("10.77.0.8", mac, unix.NUD_FAILED)
	l.neighbour("fe80::7", mac, unix.NUD_REACHABLE)
	l.Must(l.H.NeighDel(&netlink.Neigh{LinkIndex: l.c0().Index, IP: net.IP{10, 77, 0, 7}}))
	l.neighbour("10.77.0.9", mac, unix.NUD_PERMANENT)
	index := l.c0().Index
	got := l.until(lines, fmt.Sprintf("%d 10.77.0.9 %v", index, mac))
	want := []string{fmt.Sprintf("%d 10.77.0.7 %v", index, mac), fmt.Sprintf("%d fe80::7 %v", index, mac)}
	if !slices.Equal(got, want) {
		t.Errorf("reported %q, want %q", got, want)
	}
	for host, known := range map[string]bool{"10.77.0.7": false, "10.77.0.8": false, "10.77.0.9": true} {
		if hw, ok := l.n.Neighbour(l.c0(), netip.MustParseAddr(host)); ok != known || known && hw.String() != mac.String() {
			t.Errorf("%s: %v, %v", host, hw, ok)
		}
	}
}

// TestSolicit has the kernel ask a host at the other end of the cable.
func TestSolicit(t *testing.T) {
	t.Parallel()
	server, client := newLab(t, Options{}), newLab(t, Options{})
	server.Must(server.H.LinkDel(server.Link("c0"))) // its own cable
	var space int
	var err error
	server.Do(func() { space, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	server.Must(err)
	defer unix.Close(space)
	client.Must(client.H.LinkSetNsFd(client.Link("p0"), space))
	server.Must(server.H.AddrAdd(server.Link("p0"), &netlink.Addr{IPNet: linuxtest.IPNet(netip.PrefixFrom(gw, 24))}))
	server.Must(server.H.LinkSetUp(server.Link("p0")))
	client.Await("a carrier", func() bool { return client.c0().Carrier })
	client.Must(client.n.Apply(client.c0(), nil, desire(addrA, gw, 100, time.Hour)).Err())

	c0 := client.c0()
	lines, _ := client.watchNeighbours(nil)
	hop := client.n.NextHop(c0, netip.MustParseAddr("192.0.2.1"))
	client.Must(client.n.Solicit(c0, hop))
	client.until(lines, fmt.Sprintf("%d %v %v", c0.Index, gw, linuxtest.MacP))
	if hw, ok := client.n.Confirmed(c0, gw); !ok || hw.String() != linuxtest.MacP.String() {
		t.Errorf("%v, %v", hw, ok)
	}
}

func TestNeighboursAfterOverrun(t *testing.T) {
	t.Parallel()
	l := newLab(t, Options{})
	held, release := make(chan struct{}), make(chan struct{})
	lines, s := l.watchNeighbours(func() {
		close(held)
		<-release
	})
	l.Must(unix.SetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_RCVBUF, 2048))
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 7}
	l.neighbour("10.77.1.1", mac, unix.NUD_STALE)
	<-held
	for i := range 100 {
		l.neighbour(fmt.Sprintf("10.77.2.%d", i), mac, unix.NUD_STALE)
	}
	close(release)
	l.until(lines, "0 invalid IP ")
	l.neighbour("10.77.1.2", mac, unix.NUD_STALE)
	l.until(lines, fmt.Sprintf("%d 10.77.1.2 %v", l.c0().Index, mac))
}
