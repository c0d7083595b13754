//go:build linux

package packet

import (
	"bytes"
	"encoding/binary"
	"errors"
	"net"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lessee/lessee/internal/linux/linuxtest"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/wire/udp4"
	"github.com/mdlayher/socket"
	"github.com/vishvananda/netlink"
	"golang.org/x/sys/unix"
)

// reply is the least that passes the filter.
func reply(chaddr net.HardwareAddr, xid uint32) []byte {
	b := make([]byte, 300)
	b[0], b[1], b[2] = bootReply, 1, 6
	binary.BigEndian.PutUint32(b[4:], xid)
	copy(b[28:], chaddr)
	binary.BigEndian.PutUint32(b[236:], magicCookie)
	copy(b[240:], []byte{53, 1, 2, 255})
	return b
}

// A station is the other end of the cable: it sends what it likes.
type station struct {
	l *lab
	c *socket.Conn
}

func (l *lab) station() *station {
	l.T.Helper()
	return &station{l, l.rawSocket()}
}

func (s *station) send(packet []byte, to net.HardwareAddr) {
	s.l.T.Helper()
	sa := &unix.SockaddrLinklayer{Protocol: etherIPv4(), Ifindex: s.l.Link("p0").Attrs().Index, Halen: 6}
	copy(sa.Addr[:], to)
	s.l.Must(s.c.Sendto(s.l.T.Context(), packet, 0, sa))
}

func packetOf(src, dst string, payload []byte) []byte {
	b, err := udp4.Append(nil, udp4.Datagram{
		Source: netip.MustParseAddrPort(src), Destination: netip.MustParseAddrPort(dst), Payload: payload,
	})
	if err != nil {
		panic(err)
	}
	return b
}

var broadcastMAC = net.HardwareAddr{255, 255, 255, 255, 255, 255}

func (l *lab) exchange() (onLoop, chan Datagram) {
	l.T.Helper()
	got := make(chan Datagram, 64)
	return l.open(l.c0(), func(d Datagram) { got <- d }, func(why Refusal, n uint64) {
		if l.refused != nil {
			l.refused(why, n)
		}
	}), got
}

func receive(t *testing.T, got <-chan Datagram) Datagram {
	t.Helper()
	select {
	case d := <-got:
		return d
	case <-time.After(10 * time.Second):
		t.Fatal("nothing arrived")
		return Datagram{}
	}
}

func TestFilter(t *testing.T) {
	t.Parallel()
	refused := make(chan Refusal, 64)
	l := newLab(t)
	l.refused = func(why Refusal, _ uint64) { refused <- why }
	x, got := l.exchange()
	s := l.station()
	const server, all = "10.77.0.1:67", "255.255.255.255:68"
	good := packetOf(server, all, reply(macC, 1))

	change := func(f func(b []byte)) []byte {
		b := slices.Clone(good)
		f(b)
		return b
	}
	foreign := map[string][]byte{
		"another host's":       packetOf(server, all, reply(macP, 2)),
		"last byte differs":    packetOf(server, all, reply(net.HardwareAddr{2, 0, 0, 0, 0, 3}, 2)),
		"first fragment":       change(func(b []byte) { b[6] = 0x20 }),
		"later fragment":       change(func(b []byte) { b[6], b[7] = 0, 185 }),
		"port 69":              packetOf(server, "255.255.255.255:69", reply(macC, 2)),
		"a request":            change(func(b []byte) { b[28] = 1 }),
		"without magic cookie": change(func(b []byte) { b[28+236] = 0 }),
		"TCP":                  change(func(b []byte) { b[9] = 6 }),
		"IP version 6":         change(func(b []byte) { b[0] = 0x65 }),
		"cut short":            good[:200],
		"empty":                {},
	}
	for range 20 {
		for _, b := range foreign {
			s.send(b, broadcastMAC)
		}
	}
	// Overheard: addressed to another station.
	s.send(good, net.HardwareAddr{2, 0, 0, 0, 0, 9})
	// A header with options is longer; the filter has to find what follows it.
	long := slices.Concat([]byte{0x46}, good[1:20], []byte{1, 1, 1, 0}, good[20:])
	binary.BigEndian.PutUint16(long[2:], uint16(len(long)))
	long[10], long[11] = 0, 0
	binary.BigEndian.PutUint16(long[10:], ipChecksum(long[:24]))
	s.send(long, macC)
	// It passes the filter, not the check.
	s.send(change(func(b []byte) { b[299]++ }), macC)
	s.send(good, broadcastMAC)

	for i, want := range []uint32{1, 1} {
		d := receive(t, got)
		if xid := binary.BigEndian.Uint32(d.Message[4:]); xid != want || len(d.Message) != 300 {
			t.Errorf("datagram %d: xid %d, %d bytes", i, xid, len(d.Message))
		}
		if d.From.String() != "10.77.0.1" || !bytes.Equal(d.Link, macP) {
			t.Errorf("datagram %d is from %v %v", i, d.From, net.HardwareAddr(d.Link))
		}
	}
	select {
	case why := <-refused:
		if why != RefuseChecksum {
			t.Errorf("refused for %v", why)
		}
	case <-time.After(10 * time.Second):
		t.Error("the damaged packet was not refused")
	}
	// The kernel's own count of what it queued: each of the others would have woken us.
	if n := l.queued(x.x.fd); n != 3 || len(got) != 0 || len(refused) != 0 {
		t.Errorf("%d packets passed the filter, want 3", n)
	}
}

func ipChecksum(b []byte) uint16 {
	var sum uint32
	for i := 0; i < len(b); i += 2 {
		sum += uint32(binary.BigEndian.Uint16(b[i:]))
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

// udpAt opens a UDP socket of the kernel's on p0.
func (l *lab) udpAt(addr netip.AddrPort) *socket.Conn {
	l.T.Helper()
	c := l.socket(unix.AF_INET)
	l.Must(c.SetsockoptInt(unix.SOL_SOCKET, unix.SO_BROADCAST, 1))
	l.Must(c.SetsockoptString(unix.SOL_SOCKET, unix.SO_BINDTODEVICE, "p0"))
	l.Must(c.Bind(&unix.SockaddrInet4{Port: int(addr.Port()), Addr: addr.Addr().As4()}))
	return c
}

func TestPartialChecksum(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.Must(l.H.AddrAdd(l.Link("p0"), &netlink.Addr{IPNet: linuxtest.IPNet(netip.MustParsePrefix("10.77.0.1/24"))}))
	_, got := l.exchange()
	// A sniffer beside it shows that the kernel did leave the checksum out.
	sniffer := l.rawSocket()
	control(t, sniffer, func(fd int) error { return listen(fd, l.c0()) })

	c := l.udpAt(netip.MustParseAddrPort("10.77.0.1:67"))
	l.Must(c.Sendto(t.Context(), reply(macC, 7), 0, &unix.SockaddrInet4{Port: 68, Addr: [4]byte{255, 255, 255, 255}}))
	if d := receive(t, got); binary.BigEndian.Uint32(d.Message[4:]) != 7 {
		t.Errorf("another message: %x", d.Message)
	}
	buf, oob := make([]byte, 2048), make([]byte, 128)
	n, oobn, _, _, err := sniffer.Recvmsg(t.Context(), buf, oob, 0)
	l.Must(err)
	if !parseAuxdata(oob[:oobn]).partialChecksum() {
		t.Error("the kernel did not mark the checksum as partial")
	}
	if _, err := udp4.Parse(buf[:n], false); err == nil {
		t.Error("the checksum is complete: the test shows nothing")
	}
}

// control has f do something with the descriptor.
func control(t *testing.T, c *socket.Conn, f func(fd int) error) {
	t.Helper()
	rc, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	if refused := rc.Control(func(fd uintptr) { err = f(int(fd)) }); refused != nil || err != nil {
		t.Fatal(refused, err)
	}
}

// sniff returns the frames that arrive at p0 as IP packets.
func (l *lab) sniff() *socket.Conn {
	l.T.Helper()
	c := l.rawSocket()
	l.Must(c.Bind(&unix.SockaddrLinklayer{Protocol: etherIPv4(), Ifindex: l.Link("p0").Attrs().Index}))
	return c
}

func (l *lab) nextFrame(c *socket.Conn) (udp4.Datagram, uint8) {
	l.T.Helper()
	buf := make([]byte, 2048)
	l.Must(c.SetReadDeadline(time.Now().Add(10 * time.Second)))
	for {
		n, from, err := c.Recvfrom(l.T.Context(), buf, 0)
		l.Must(err)
		d, err := udp4.Parse(buf[:n], true)
		if err == nil && d.Destination.Port() == serverPort {
			return d, from.(*unix.SockaddrLinklayer).Pkttype
		}
	}
}

func transmit(src, dst string, link net.HardwareAddr, message []byte) Transmit {
	return Transmit{Message: message, Source: netip.MustParseAddr(src), Destination: netip.MustParseAddr(dst), Link: link}
}

func TestExchangeSend(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	p0 := netip.MustParsePrefix("10.77.0.1/24")
	x, got := l.exchange()
	c := l.sniff()

	l.Must(x.Send(transmit("0.0.0.0", "255.255.255.255", nil, []byte("discover"))))
	if d, kind := l.nextFrame(c); string(d.Payload) != "discover" || d.Source.String() != "0.0.0.0:68" || kind != unix.PACKET_BROADCAST {
		t.Errorf("broadcast: %v, packet type %d", d, kind)
	}
	l.Must(x.Send(transmit("10.77.0.100", "10.77.0.1", macP, []byte("direct"))))
	if d, kind := l.nextFrame(c); string(d.Payload) != "direct" || d.Source.String() != "10.77.0.100:68" || kind != unix.PACKET_HOST {
		t.Errorf("direct: %v, packet type %d", d, kind)
	}

	// The kernel's way needs the address; the neighbour is given so that both
	// ends can be in one namespace.
	l.lease(nil, desire(addrA, 0))
	l.Must(l.H.NeighAdd(&netlink.Neigh{LinkIndex: l.c0().Index, IP: p0.Addr().AsSlice(), HardwareAddr: macP, State: unix.NUD_PERMANENT}))
	l.Must(x.Send(transmit("10.77.0.100", "10.77.0.1", nil, []byte("renew"))))
	if d, _ := l.nextFrame(c); string(d.Payload) != "renew" || d.Source.String() != "10.77.0.100:68" {
		t.Errorf("unicast: %v", d)
	}
	// The answer comes to the packet socket; nothing complains about port 68.
	l.station().send(packetOf("10.77.0.1:67", "10.77.0.100:68", reply(macC, 5)), macC)
	if d := receive(t, got); binary.BigEndian.Uint32(d.Message[4:]) != 5 {
		t.Errorf("another message: %x", d.Message)
	}

	// Without the address the neighbour is reached all the same.
	l.lease([]netip.Prefix{addrA}, desire(addrB, 0))
	x2, _ := l.exchange()
	l.Must(x2.Send(transmit("10.77.0.100", "10.77.0.1", nil, []byte("fallback"))))
	if d, _ := l.nextFrame(c); string(d.Payload) != "fallback" || d.Source.String() != "10.77.0.100:68" {
		t.Errorf("fallback: %v", d)
	}
}

// TestPort68Taken has another program hold the port: the neighbour is reached by a
// frame, once its link address is known.
func TestPort68Taken(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.lease(nil, desire(addrA, 0))
	l.Must(l.socket(unix.AF_INET).Bind(&unix.SockaddrInet4{Port: 68}))
	x, _ := l.exchange()
	renew := transmit("10.77.0.100", "10.77.0.1", nil, []byte("renew"))
	err := x.Send(renew)
	if e, ok := errors.AsType[*netconf.UnresolvedError](err); !ok || e.Hop != gw {
		t.Errorf("error %v, want an UnresolvedError", err)
	}
	if !errors.Is(err, unix.EADDRINUSE) || !strings.Contains(err.Error(), "UDP port 68") {
		t.Errorf("error %v does not name the port", err)
	}
	c := l.sniff()
	resolved := renew
	resolved.Link = macP
	l.Must(x.Send(resolved))
	l.Must(l.H.NeighAdd(&netlink.Neigh{LinkIndex: l.c0().Index, IP: gw.AsSlice(), HardwareAddr: macP, State: unix.NUD_PERMANENT}))
	l.Must(x.Send(renew))
	for range 2 {
		if d, kind := l.nextFrame(c); string(d.Payload) != "renew" || d.Source.String() != "10.77.0.100:68" || kind != unix.PACKET_HOST {
			t.Errorf("%v, packet type %d", d, kind)
		}
	}
}

func TestSendAwaitsNoAnswer(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	c := l.sniff()
	// RELEASE: the address is gone already, the frame leaves from it.
	l.Must(l.send(l.c0(), transmit("10.77.0.100", "10.77.0.1", macP, []byte("release"))))
	if d, kind := l.nextFrame(c); string(d.Payload) != "release" || d.Source.String() != "10.77.0.100:68" || kind != unix.PACKET_HOST {
		t.Errorf("%v, packet type %d", d, kind)
	}
	l.Must(l.send(l.c0(), transmit("0.0.0.0", "255.255.255.255", nil, []byte("decline"))))
	if d, kind := l.nextFrame(c); string(d.Payload) != "decline" || kind != unix.PACKET_BROADCAST {
		t.Errorf("%v, packet type %d", d, kind)
	}
	// Through a router whose link address the kernel knows.
	l.lease(nil, desire(addrA, 0))
	l.Must(l.H.NeighAdd(&netlink.Neigh{LinkIndex: l.c0().Index, IP: gw.AsSlice(), HardwareAddr: macP, State: unix.NUD_PERMANENT}))
	l.Must(l.send(l.c0(), transmit("10.77.0.100", "192.0.2.9", nil, []byte("routed"))))
	if d, kind := l.nextFrame(c); string(d.Payload) != "routed" || d.Destination.Addr().String() != "192.0.2.9" || kind != unix.PACKET_HOST {
		t.Errorf("%v, packet type %d", d, kind)
	}
	err := l.send(l.c0(), transmit("10.77.0.100", "10.77.0.9", nil, nil))
	if e, ok := errors.AsType[*netconf.UnresolvedError](err); !ok || e.Hop.String() != "10.77.0.9" || !strings.Contains(err.Error(), "c0: ") {
		t.Errorf("error %v, want an UnresolvedError", err)
	}
	link := l.c0()
	x, _ := l.exchange()
	l.Must(l.H.LinkSetDown(l.Link("p0")))
	l.Await("c0 loses its carrier", func() bool { return !l.c0().Carrier })
	if err := x.sendOn(l.c0(), transmit("0.0.0.0", "255.255.255.255", nil, nil)); !errors.Is(err, unix.ENETDOWN) {
		t.Errorf("an exchange without a carrier: %v", err)
	}
	if err := l.send(l.c0(), transmit("10.77.0.100", "10.77.0.1", macP, nil)); !errors.Is(err, unix.ENETDOWN) || !strings.Contains(err.Error(), "c0: ") {
		t.Errorf("without a carrier: %v", err)
	}
	l.Must(l.H.LinkSetDown(l.Link("c0")))
	if err := l.send(link, transmit("10.77.0.100", "10.77.0.1", macP, nil)); !errors.Is(err, unix.ENETDOWN) {
		t.Errorf("down: %v", err)
	}
	l.Must(l.H.LinkDel(l.Link("c0")))
	if err := l.send(link, transmit("10.77.0.100", "10.77.0.1", macP, nil)); !errors.Is(err, netconf.ErrNoLink) {
		t.Errorf("gone: %v", err)
	}
}

// TestSendToResolved sends to a neighbour that the kernel has to ask for.
func TestSendToResolved(t *testing.T) {
	t.Parallel()
	server, client := newLab(t), newLab(t)
	// p0 of the client's cable goes into the server's namespace.
	server.Must(server.H.LinkDel(server.Link("c0"))) // its own cable
	var space int
	var err error
	server.Do(func() { space, err = unix.Open("/proc/thread-self/ns/net", unix.O_RDONLY|unix.O_CLOEXEC, 0) })
	server.Must(err)
	defer unix.Close(space)
	client.Must(client.H.LinkSetNsFd(client.Link("p0"), space))
	server.Await("the cable", func() bool { _, err := server.H.LinkByName("p0"); return err == nil })
	server.Must(server.H.AddrAdd(server.Link("p0"), &netlink.Addr{IPNet: linuxtest.IPNet(netip.MustParsePrefix("10.77.0.1/24"))}))
	server.Must(server.H.LinkSetUp(server.Link("p0")))
	client.Await("a carrier", func() bool { return client.c0().Carrier })
	client.lease(nil, desire(addrA, 0))
	c := server.sniff()
	link, message := client.c0(), transmit("10.77.0.100", "10.77.0.1", nil, []byte("asked"))
	err = client.send(link, message)
	if e, ok := errors.AsType[*netconf.UnresolvedError](err); !ok || e.Hop != gw {
		t.Fatalf("error %v, want an UnresolvedError", err)
	}
	client.Must(client.H.NeighAdd(&netlink.Neigh{LinkIndex: link.Index, IP: gw.AsSlice(), Flags: netlink.NTF_USE}))
	client.Await("the ARP answer", func() bool {
		return on(client, func() bool { _, ok := client.k.Neighbour(link, gw); return ok })
	})
	client.Must(client.send(link, message))
	// What the kernel has confirmed counts more than what the caller says.
	message.Link = net.HardwareAddr{2, 0, 0, 0, 0, 9}
	client.Must(client.send(link, message))
	for range 2 {
		if d, kind := server.nextFrame(c); string(d.Payload) != "asked" || kind != unix.PACKET_HOST {
			t.Errorf("%v, packet type %d", d, kind)
		}
	}
}

func TestExchangeClose(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	x, got := l.exchange()
	// Close does not wait for the kernel: that is done aside.
	hold := make(chan struct{})
	l.loop.Call(func() { l.loop.Aside(func() { <-hold }) })
	l.Must(x.Close())
	l.Must(x.Close())
	cookie, err := unix.GetsockoptUint64(x.x.fd, unix.SOL_SOCKET, unix.SO_COOKIE)
	l.Must(err)
	close(hold)
	l.loop.Settle()
	if now, err := unix.GetsockoptUint64(x.x.fd, unix.SOL_SOCKET, unix.SO_COOKIE); err == nil && now == cookie {
		t.Error("the socket is not closed")
	}
	if err := x.Send(transmit("0.0.0.0", "255.255.255.255", nil, nil)); !errors.Is(err, os.ErrClosed) {
		t.Errorf("Send after Close: %v", err)
	}
	// Another exchange shows when the frame has arrived.
	_, other := l.exchange()
	l.station().send(packetOf("10.77.0.1:67", "255.255.255.255:68", reply(macC, 9)), broadcastMAC)
	receive(t, other)
	if len(got) != 0 {
		t.Error("delivered after Close")
	}
}

func TestExchangeSurvivesLinkDown(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	_, got := l.exchange()
	l.Must(l.H.LinkSetDown(l.Link("c0")))
	l.Must(l.H.LinkSetUp(l.Link("c0")))
	l.Await("a carrier", func() bool { return l.c0().Carrier })
	l.station().send(packetOf("10.77.0.1:67", "255.255.255.255:68", reply(macC, 3)), broadcastMAC)
	receive(t, got)
}

// TestRefusals sends what passes the filter and is refused for each reason, and
// more than the queue holds: every packet is accounted for.
func TestRefusals(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	// Both are the loop's.
	refused := map[Refusal]uint64{}
	delivered := uint64(0)
	again := make(chan struct{}, 1)
	x := l.open(l.c0(), func(Datagram) {
		delivered++
		select {
		case again <- struct{}{}:
		default:
		}
	}, func(why Refusal, n uint64) { refused[why] += n })
	s := l.station()
	good := packetOf("10.77.0.1:67", "255.255.255.255:68", reply(macC, 1))
	change := func(f func(b []byte)) []byte {
		b := slices.Clone(good)
		f(b)
		return b
	}
	bad := map[Refusal][][]byte{
		RefuseChecksum: {change(func(b []byte) { b[299]++ }), change(func(b []byte) { b[8]-- })},
		RefuseLength:   {good[:len(good)-20], change(func(b []byte) { b[24]++ }), change(func(b []byte) { b[24], b[25] = 0, 7 })},
	}
	want := map[Refusal]uint64{}
	for why, packets := range bad {
		for _, p := range packets {
			s.send(p, macC)
			want[why]++
		}
	}
	// The loop is busy while they come.
	const flood = 3000
	release := l.hold(func() {})
	for range flood {
		s.send(good, macC)
	}
	release()
	// The kernel tells what it dropped with the next packet that it queues.
	for sent := uint64(flood); ; {
		s.send(good, macC)
		sent++
		select {
		case <-again:
		case <-time.After(10 * time.Second):
			t.Fatal("nothing arrived")
		}
		var counted, lost uint64
		l.loop.Call(func() { lost = refused[RefuseOverflow]; counted = delivered + lost })
		if counted == sent && lost > 0 {
			break
		}
		if sent > 10*flood {
			t.Fatalf("%d of %d packets are accounted for, %d were lost", counted, sent, lost)
		}
	}
	for why, n := range want {
		if got := on(l, func() uint64 { return refused[why] }); got != n {
			t.Errorf("%v: %d, want %d", why, got, n)
		}
	}

	// What was dropped before the end is told after it.
	before := on(l, func() uint64 { return refused[RefuseOverflow] })
	release = l.hold(func() { _ = x.x.Close() })
	for range flood {
		s.send(good, macC)
	}
	release()
	l.loop.Settle()
	if after := on(l, func() uint64 { return refused[RefuseOverflow] }); after == before {
		t.Error("nothing is said of what was dropped before Close")
	}
}

// TestTurns: a socket with many packets leaves the loop to the others after a few.
func TestTurns(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	// It is older than the exchange, so the kernel gives it each packet later.
	sniffer := l.rawSocket()
	control(t, sniffer, func(fd int) error { return listen(fd, l.c0()) })
	x, got := l.exchange()
	first := make(chan int, 1)
	release := l.hold(func() {
		x.x.receive()
		first <- len(got)
	})
	s := l.station()
	const packets = 40
	good, buf := packetOf("10.77.0.1:67", "255.255.255.255:68", reply(macC, 1)), make([]byte, 2048)
	l.Must(sniffer.SetReadDeadline(time.Now().Add(10 * time.Second)))
	for range packets {
		s.send(good, macC)
		_, _, err := sniffer.Recvfrom(t.Context(), buf, 0)
		l.Must(err)
	}
	release()
	if n := <-first; n != packetsAtOnce {
		t.Errorf("%d packets at once, want %d", n, packetsAtOnce)
	}
	for range packets {
		receive(t, got)
	}
}

// TestCloseWhileReceiving: a callback closes its exchange, and nothing more comes.
func TestCloseWhileReceiving(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for _, damaged := range []byte{0, 1} {
		calls := make(chan struct{}, 64)
		var x onLoop
		end := func() {
			calls <- struct{}{}
			_ = x.x.Close()
		}
		x = l.open(l.c0(), func(Datagram) { end() }, func(Refusal, uint64) { end() })
		release := l.hold(func() {})
		packet := packetOf("10.77.0.1:67", "255.255.255.255:68", reply(macC, 1))
		packet[299] += damaged
		s := l.station()
		for range 8 {
			s.send(packet, macC)
		}
		release()
		<-calls
		l.loop.Settle()
		if len(calls) != 0 {
			t.Errorf("%d calls after Close", len(calls))
		}
	}
}
