//go:build linux

package packet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/wire/arp"
	"github.com/mdlayher/socket"
	"github.com/vishvananda/netlink"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

var (
	hwC = arp.HardwareAddr(macC)
	hwP = arp.HardwareAddr(macP)
)

// say sends an ARP packet from p0.
func (s *station) say(packet []byte, to net.HardwareAddr) {
	s.l.T.Helper()
	sa := &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ARP), Ifindex: s.l.Link("p0").Attrs().Index, Halen: 6}
	copy(sa.Addr[:], to)
	s.l.Must(s.c.Sendto(s.l.T.Context(), packet, 0, sa))
}

func (l *lab) listen(link netconf.Link, addresses ...netip.Addr) chan ARP {
	l.T.Helper()
	got := make(chan ARP, 64)
	l.Must(l.listenARP(link, addresses, func(a ARP) { got <- a }))
	return got
}

// heard awaits a packet and returns whom it asks for.
func heard(t *testing.T, got <-chan ARP) arp.Packet {
	t.Helper()
	select {
	case a := <-got:
		p, err := arp.Parse(a.Packet)
		if err != nil {
			t.Fatal(err)
		}
		if len(a.Packet) != arp.Length || !slices.Equal(a.From, macP) {
			t.Errorf("%d bytes from %v", len(a.Packet), net.HardwareAddr(a.From))
		}
		return p
	case <-time.After(10 * time.Second):
		t.Fatal("nothing was heard")
		return arp.Packet{}
	}
}

// settle awaits that the kernel's filter is as wanted.
func (l *lab) settle() { l.loop.Call(func() {}) }

// passed returns how many packets the kernel has queued since the last call.
func (l *lab) passed() uint32 {
	l.T.Helper()
	var all uint32
	for _, at := range []*listeners[ARP]{&l.n.arp.first, &l.n.arp.others} {
		if at.fd >= 0 {
			all += l.queued(at.fd)
		}
	}
	return all
}

func at(last byte) netip.Addr { return netip.AddrFrom4([4]byte{10, 77, 0, last}) }

func TestListen(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	got := l.listen(l.c0(), at(100), at(200))
	s := l.station()

	change := func(p arp.Packet, f func(b []byte)) []byte {
		b := arp.Append(nil, p)
		f(b)
		return b
	}
	ours := arp.Announcement(hwP, at(100))
	foreign := map[string][]byte{
		"another host's":               arp.Append(nil, arp.Announcement(hwP, at(101))),
		"a probe for another address":  arp.Append(nil, arp.Probe(hwP, at(101))),
		"a request for ours":           arp.Append(nil, arp.Packet{Op: arp.OpRequest, SenderHardware: hwP, Sender: at(1), Target: at(100)}),
		"a reply from nowhere":         arp.Append(nil, arp.Packet{Op: arp.OpReply, SenderHardware: hwP, Target: at(100)}),
		"a probe for nothing":          arp.Append(nil, arp.Probe(hwP, netip.IPv4Unspecified())),
		"the sum of two addresses":     arp.Append(nil, arp.Announcement(hwP, netip.AddrFrom4([4]byte{20, 154, 1, 44}))),
		"not for Ethernet":             change(ours, func(b []byte) { b[1] = 6 }),
		"not for IPv4":                 change(ours, func(b []byte) { b[2], b[3] = 0x86, 0xdd }),
		"hardware address of 7 bytes":  change(ours, func(b []byte) { b[4] = 7 }),
		"protocol address of 16 bytes": change(ours, func(b []byte) { b[5] = 16 }),
		"RARP":                         change(ours, func(b []byte) { b[7] = 3 }),
		"cut short":                    arp.Append(nil, ours)[:17],
		"a probe cut short":            arp.Append(nil, arp.Probe(hwP, at(100)))[:27],
		"empty":                        {},
	}
	for range 20 {
		for _, b := range foreign {
			s.say(b, broadcastMAC)
		}
	}
	// To another station: overheard, if at all.
	s.say(arp.Append(nil, ours), net.HardwareAddr{2, 0, 0, 0, 0, 9})
	// What we send ourselves.
	l.Must(l.sendARP(l.c0(), arp.Append(nil, arp.Announcement(hwC, at(100))), nil))
	l.Must(l.sendARP(l.c0(), arp.Append(nil, arp.Probe(hwC, at(200))), nil))
	if n := l.passed(); n != 0 {
		t.Errorf("%d foreign packets passed the filter", n)
	}

	for _, p := range []arp.Packet{
		ours,
		arp.Probe(hwP, at(200)),
		{Op: arp.OpReply, SenderHardware: hwP, Sender: at(200), TargetHardware: hwC, Target: at(7)},
		{Op: arp.OpRequest, SenderHardware: hwP, Sender: at(100), Target: at(9)},
	} {
		s.say(arp.Append(nil, p), macC)
		if in := heard(t, got); in != p {
			t.Errorf("heard %v, want %v", in, p)
		}
	}
	if n := l.passed(); n != 4 || len(got) != 0 {
		t.Errorf("%d packets passed the filter, %d are left", n, len(got))
	}
}

// c1 adds another adapter and returns it and the other end of its cable.
func (l *lab) c1() (link netconf.Link, peer *socket.Conn, index int) {
	l.T.Helper()
	l.Must(l.H.LinkAdd(&netlink.Veth{LinkAttrs: netlink.LinkAttrs{Name: "c1"}, PeerName: "p1"}))
	l.Must(l.H.LinkSetUp(l.Link("p1")))
	l.Must(l.H.LinkSetUp(l.Link("c1")))
	return l.link("c1"), l.station().c, l.Link("p1").Attrs().Index
}

func TestListenIsPerAdapter(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	c1, peer, p1 := l.c1()
	s := l.station()
	other := func(p arp.Packet) {
		sa := &unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ARP), Ifindex: p1, Halen: 6, Addr: [8]byte{255, 255, 255, 255, 255, 255}}
		l.Must(peer.Sendto(t.Context(), arp.Append(nil, p), 0, sa))
	}
	got := l.listen(l.c0(), at(100))
	other(arp.Announcement(hwP, at(100)))
	if l.passed() != 0 {
		t.Error("heard from another adapter")
	}
	got1 := l.listen(c1, at(101))
	s.say(arp.Append(nil, arp.Announcement(hwP, at(101))), macC)
	other(arp.Announcement(hwP, at(100)))
	if l.passed() != 0 {
		t.Error("heard from the wrong adapter")
	}
	s.say(arp.Append(nil, arp.Announcement(hwP, at(100))), macC)
	heard(t, got)
	other(arp.Announcement(hwP, at(101)))
	if a := <-got1; len(a.Packet) != arp.Length {
		t.Errorf("%x", a.Packet)
	}
	// Another address takes the place of the first.
	l.listen(l.c0(), at(102))
	s.say(arp.Append(nil, arp.Announcement(hwP, at(100))), macC)
	if n := l.passed(); n != 2 {
		t.Errorf("%d packets passed the filter, want the 2 from before", n)
	}
}

func TestListenEnds(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := l.station()
	l.Must(l.listenARP(l.c0(), nil, nil))
	for range 20 {
		got := l.listen(l.c0(), at(100))
		fd := l.n.arp.first.fd
		s.say(arp.Append(nil, arp.Announcement(hwP, at(100))), macC)
		heard(t, got)
		// It is another one's number after it is closed.
		cookie, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE)
		l.Must(err)
		l.Must(l.listenARP(l.c0(), nil, nil))
		l.settle()
		if l.n.arp.first.fd >= 0 {
			t.Fatal("the socket is kept")
		}
		l.loop.Settle()
		if now, err := unix.GetsockoptUint64(fd, unix.SOL_SOCKET, unix.SO_COOKIE); err == nil && now == cookie {
			t.Fatal("the socket is not closed")
		}
	}
}

// TestListenChanges has one adapter change its mind while another listens: the
// other must miss nothing, and nobody hears what he does not want.
func TestListenChanges(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	c1, _, _ := l.c1()
	s := l.station()
	var count, wrong atomic.Int32
	heardAll := make(chan struct{})
	const packets = 2000
	room := make(chan struct{}, 50) // the socket's queue is bounded
	l.Must(l.listenARP(l.c0(), []netip.Addr{at(100)}, func(a ARP) {
		<-room
		if p, err := arp.Parse(a.Packet); err != nil || p.Sender != at(100) {
			wrong.Add(1)
		}
		if count.Add(1) == packets {
			close(heardAll)
		}
	}))
	stop, stopped := make(chan struct{}), make(chan error, 1)
	go func() {
		var err error
		for i := 0; err == nil; i++ {
			select {
			case <-stop:
				stopped <- nil
				return
			default:
			}
			var want []netip.Addr
			for j := range i % 40 {
				want = append(want, at(byte(101+j)))
			}
			err = l.listenARP(c1, want, func(ARP) { wrong.Add(1) })
		}
		stopped <- err
	}()
	for i := range packets {
		select {
		case room <- struct{}{}:
		case <-time.After(10 * time.Second):
			t.Fatalf("heard %d of %d", count.Load(), i)
		}
		s.say(arp.Append(nil, arp.Announcement(hwP, at(100))), macC)
		s.say(arp.Append(nil, arp.Announcement(hwP, at(byte(101+i%40)))), macC)
	}
	select {
	case <-heardAll:
	case <-time.After(10 * time.Second):
		t.Errorf("heard %d of %d", count.Load(), packets)
	}
	close(stop)
	l.Must(<-stopped)
	if n := wrong.Load(); n != 0 {
		t.Errorf("heard %d that nobody wants", n)
	}
}

// TestForeignARP floods the link with ARP of others. None of it may wake us.
func TestForeignARP(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.listen(l.c0(), at(100))
	frames := 1_000_000
	if testing.Short() {
		frames = 20_000
	}
	packets := make([][]byte, 64)
	for i := range packets {
		packets[i] = arp.Append(nil, arp.Packet{Op: arp.OpRequest, SenderHardware: hwP, Sender: at(byte(1 + i)), Target: at(100)})
	}
	l.flood(networkOrder(unix.ETH_P_ARP), frames, packets)
	if n := l.passed(); n != 0 {
		t.Errorf("%d of %d foreign frames passed the filter", n, frames)
	}
}

// flood sends that many frames from p0 as fast as the machine can.
func (l *lab) flood(proto uint16, frames int, packets [][]byte) {
	l.T.Helper()
	fd := -1
	var err error
	l.Do(func() { fd, err = unix.Socket(unix.AF_PACKET, unix.SOCK_DGRAM, 0) })
	l.Must(err)
	defer unix.Close(fd)
	sa := &unix.SockaddrLinklayer{Protocol: proto, Ifindex: l.Link("p0").Attrs().Index, Halen: 6, Addr: [8]byte{255, 255, 255, 255, 255, 255}}
	for i := 0; i < frames; {
		switch err := unix.Sendto(fd, packets[i%len(packets)], 0, sa); err {
		case nil:
			i++
		case unix.ENOBUFS, unix.EAGAIN, unix.EINTR:
		default:
			l.Must(err)
		}
	}
}

// run interprets a tree as the kernel would.
func run(f []bpf.RawInstruction, a uint32) (accepted bool, steps int) {
	for i := 0; i < len(f); i++ {
		steps++
		in := f[i]
		jump := func(cond bool) {
			if cond {
				i += int(in.Jt)
			} else {
				i += int(in.Jf)
			}
		}
		switch in.Op {
		case opReturn:
			return in.K != 0, steps
		case opJump:
			i += int(in.K)
		case opIfEqual:
			jump(a == in.K)
		case opIfAbove:
			jump(a > in.K)
		case opIfFrom:
			jump(a >= in.K)
		}
	}
	panic("fell off the end")
}

func TestARPTree(t *testing.T) {
	t.Parallel()
	rng := rand.New(rand.NewPCG(1, 2))
	for _, n := range []int{0, 1, 2, 7, 8, 9, 16, 17, 100, 1000, maxSpans, 20000} {
		for _, wide := range []bool{false, true} {
			all := make([]subject, n)
			for i := range all {
				all[i] = subject{index: 1 + uint32(i), address: rng.Uint32()}
				if !wide {
					all[i].address = 10<<24 | rng.Uint32N(1<<17)
				}
			}
			spans, byInterface := toSpans(all, maxSpans)
			if n <= maxSpans && !byInterface || len(spans) > maxSpans {
				t.Fatalf("%d addresses: %d spans, by interface: %v", n, len(spans), byInterface)
			}
			whole := spanFilter(arpHead(byInterface), spans)
			if len(whole) > 4096 {
				t.Errorf("%d addresses: %d instructions", n, len(whole))
			}
			f := tree(nil, spans)
			deepest := 0
			for _, a := range all {
				key := a.address
				if byInterface {
					key = a.key()
				}
				ok, steps := run(f, key)
				if !ok {
					t.Fatalf("%d addresses: %v is not heard", n, a)
				}
				deepest = max(deepest, steps)
			}
			if deepest > 80 {
				t.Errorf("%d addresses: %d steps", n, deepest)
			}
			for range 10000 {
				x := rng.Uint32()
				in := slices.ContainsFunc(spans, func(s span) bool { return s.lo <= x && x <= s.hi })
				if ok, _ := run(f, x); ok != in {
					t.Fatalf("%d addresses: key %x: %v, want %v", n, x, ok, in)
				}
			}
		}
	}
}

// TestListenToMany asks for more than a filter can tell apart.
func TestListenToMany(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	addresses := make([]netip.Addr, 20000)
	for i := range addresses {
		var b [4]byte
		binary.BigEndian.PutUint32(b[:], 10<<24|uint32(i*7))
		addresses[i] = netip.AddrFrom4(b)
	}
	got := l.listen(l.c0(), addresses...)
	s := l.station()
	for _, i := range []int{1, 777, 19999} {
		// One beside it may pass the filter and is not delivered.
		beside := arp.Announcement(hwP, addresses[i].Next())
		s.say(arp.Append(nil, beside), macC)
		s.say(arp.Append(nil, arp.Announcement(hwP, addresses[i])), macC)
		if p := heard(t, got); p.Sender != addresses[i] {
			t.Errorf("heard %v", p.Sender)
		}
	}
}

// TestManyListen has so many adapters listen that the filter is opened for a moment.
func TestManyListen(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	s := l.station()
	got := make(chan ARP, 64)
	link := l.c0()
	other := arp.Append(nil, arp.Announcement(hwP, at(200)))
	joined := make(chan error, 1)
	l.loop.Do(func() {
		var err error
		for i := range 2 * manyListeners {
			err = errors.Join(err, l.n.Listen(netconf.Link{Index: 1000 + i}, []netip.Addr{at(byte(i))}, nil))
		}
		joined <- errors.Join(err, l.n.Listen(link, []netip.Addr{at(100)}, func(a ARP) { got <- a }))
	})
	l.Must(<-joined)
	s.say(arp.Append(nil, arp.Announcement(hwP, at(100))), macC)
	heard(t, got)
	l.settle()
	l.passed()
	s.say(other, macC)
	if n := l.passed(); n != 0 {
		t.Errorf("%d foreign packets passed the filter", n)
	}
	// One that joins hears at once, and the filter is exact again.
	var open bool
	l.Must(on(l, func() error {
		err := l.n.Listen(link, []netip.Addr{at(101)}, func(a ARP) { got <- a })
		open = l.n.arp.others.open
		return err
	}))
	s.say(arp.Append(nil, arp.Announcement(hwP, at(101))), macC)
	if p := heard(t, got); p.Sender != at(101) || !open {
		t.Errorf("heard %v, open %v", p.Sender, open)
	}
	l.settle()
	l.passed()
	s.say(other, macC)
	s.say(arp.Append(nil, arp.Announcement(hwP, at(100))), macC)
	if n := l.passed(); n != 0 || on(l, func() bool { return l.n.arp.others.open }) {
		t.Errorf("%d foreign packets passed the filter", n)
	}
}

func TestSendARP(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	c := l.rawSocket()
	l.Must(c.Bind(&unix.SockaddrLinklayer{Protocol: networkOrder(unix.ETH_P_ARP), Ifindex: l.Link("p0").Attrs().Index}))
	l.Must(c.SetReadDeadline(time.Now().Add(10 * time.Second)))
	for _, to := range []net.HardwareAddr{nil, macP} {
		want := arp.Append(nil, arp.Probe(hwC, at(100)))
		l.Must(l.sendARP(l.c0(), want, to))
		buf := make([]byte, 64)
		n, from, err := c.Recvfrom(t.Context(), buf, 0)
		l.Must(err)
		ll := from.(*unix.SockaddrLinklayer)
		kind := uint8(unix.PACKET_HOST)
		if to == nil {
			kind = unix.PACKET_BROADCAST
		}
		if !slices.Equal(buf[:n], want) || ll.Pkttype != kind || !slices.Equal(ll.Addr[:6], macC) {
			t.Errorf("%x from %x, packet type %d", buf[:n], ll.Addr, ll.Pkttype)
		}
	}
	l.Must(l.H.LinkSetDown(l.Link("p0")))
	l.Await("c0 loses its carrier", func() bool { return !l.c0().Carrier })
	if err := l.sendARP(l.c0(), make([]byte, 28), nil); err == nil {
		t.Error("sent without a carrier")
	}
}

func BenchmarkListen(b *testing.B) {
	for _, others := range []int{0, 1, 10, 99, 1000, 10_000} {
		b.Run(fmt.Sprint(others), func(b *testing.B) {
			l := newLab(b)
			link := l.c0()
			for i := range others {
				var a [4]byte
				binary.BigEndian.PutUint32(a[:], 10<<24|uint32(i*7))
				l.Must(l.listenARP(netconf.Link{Index: 1000 + i}, []netip.Addr{netip.AddrFrom4(a)}, nil))
			}
			b.ReportAllocs()
			l.Must(on(l, func() (err error) {
				for b.Loop() && err == nil {
					err = l.n.Listen(link, []netip.Addr{at(100)}, nil)
					b.StopTimer()
					_ = l.n.Listen(link, nil, nil)
					_ = l.n.arp.at(link.Index).fit()
					b.StartTimer()
				}
				return err
			}))
		})
	}
}

func BenchmarkSendARP(b *testing.B) {
	l := newLab(b)
	link, p := l.c0(), arp.Append(nil, arp.Probe(hwC, at(100)))
	b.ReportAllocs()
	l.Must(on(l, func() (err error) {
		for b.Loop() && err == nil {
			err = l.n.SendARP(link, p, nil)
		}
		return err
	}))
}

// TestListenWithLittleRoom has the kernel refuse the filter that is exact: then
// it is made coarser, and what comes too much is sorted out here.
func TestListenWithLittleRoom(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var err error
	l.Do(func() { err = os.WriteFile("/proc/sys/net/core/optmem_max", []byte("2048"), 0) })
	if err != nil {
		t.Logf("the limit is not the namespace's own: %v", err) // before Linux 6.7; the rest holds all the same
	}
	addresses := make([]netip.Addr, 0, 1000)
	for i := range 1000 {
		addresses = append(addresses, netip.AddrFrom4([4]byte{10, 77, byte(i / 100), byte(2 * (i % 100))}))
	}
	got := l.listen(l.c0(), addresses...)
	s := l.station()
	for _, a := range []netip.Addr{addresses[0], addresses[500], addresses[999]} {
		s.say(arp.Append(nil, arp.Announcement(hwP, a.Next())), macC)
		s.say(arp.Append(nil, arp.Announcement(hwP, a)), macC)
		if p := heard(t, got); p.Sender != a {
			t.Errorf("heard %v", p.Sender)
		}
	}
	if n := l.passed(); err == nil && n <= 3 {
		t.Errorf("%d packets passed: the filter is exact, and the test shows nothing", n)
	}
	// With room again it is exact again.
	l.Do(func() { _ = os.WriteFile("/proc/sys/net/core/optmem_max", []byte("131072"), 0) })
	got = l.listen(l.c0(), addresses[:999]...)
	l.settle()
	s.say(arp.Append(nil, arp.Announcement(hwP, addresses[0].Next())), macC)
	s.say(arp.Append(nil, arp.Announcement(hwP, addresses[0])), macC)
	heard(t, got)
	if n := l.passed(); n != 1 {
		t.Errorf("%d packets passed the filter, want 1", n)
	}
}
