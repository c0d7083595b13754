//go:build linux

package packet

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"

	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/wire/udp4"
	"golang.org/x/sys/unix"
)

// Open begins an exchange: a filtered packet socket on the interface. Well-formed UDP
// datagrams for port 68 that carry the link's hardware address are delivered until it
// is closed; the messages are the receiver's to keep. What passed the kernel's filter
// and is not delivered is reported to refused with its number, once more after Close.
func (n *Transport) Open(link netconf.Link, deliver func(Datagram), refused func(Refusal, uint64)) (Exchange, error) {
	x := &exchange{n: n, link: link, udp: -1, deliver: deliver, refused: refused}
	if err := x.open(); err != nil {
		return nil, syserr.Wrap(link.Name, "open a packet socket", err)
	}
	if !n.headed {
		n.headed = true
		n.loop.Aside(func() { arpHeadExact() }) // a lease will need it
	}
	return x, nil
}

// An exchange is a packet socket of one adapter.
type exchange struct {
	n       *Transport
	link    netconf.Link
	fd      int
	closed  bool
	deliver func(Datagram)
	refused func(Refusal, uint64)
	// lost is how many packets the socket's queue had no room for, as reported.
	lost uint32

	// udp sends by the kernel's routing, from the address udpSource. The first
	// unicast opens it; -1 before that.
	udp       int
	udpSource netip.Addr
}

var errClosed = fmt.Errorf("the exchange is closed: %w", os.ErrClosed)

func (x *exchange) open() error {
	fd, err := x.n.openPacket()
	if err != nil {
		return err
	}
	if err = listen(fd, x.link); err == nil {
		err = x.n.loop.Add(fd, x.receive)
	}
	if err != nil {
		x.n.closePacket(fd)
		return err
	}
	x.fd = fd
	return nil
}

// Send implements [Exchange].
func (x *exchange) Send(link netconf.Link, t Transmit) error {
	x.link = link
	return wrapSend(x.link, t, x.send(t))
}

func (x *exchange) send(t Transmit) error {
	if x.closed {
		return errClosed
	}
	if err := running(x.link); err != nil {
		return err
	}
	if t.Link != nil || t.Destination == broadcast4 {
		return x.n.sendFrame(x.fd, x.link, t)
	}
	if err := x.unicast(t); err != nil {
		return x.direct(t, err)
	}
	return nil
}

// unicast sends by the kernel's routing and ARP, from a socket that is kept
// until the exchange ends: without it the kernel would answer the reply with an
// ICMP port unreachable.
func (x *exchange) unicast(t Transmit) error {
	if x.udpSource != t.Source {
		x.closeUDP()
	}
	if x.udp < 0 {
		udp, err := x.n.openKernelPath(x.link, t.Source)
		if err != nil {
			return err
		}
		x.udp, x.udpSource = udp, t.Source
	}
	if _, ok := x.n.kernel.Hop(x.link, t.Destination); !ok {
		return unix.ENETUNREACH
	}
	return x.n.sendKernelPath(x.udp, t)
}

// direct is for when the kernel has no way to t's destination, as where the adapter's
// routes are in a table that no rule leads to, no address to send from, or another
// program has the port: a neighbour can be reached all the same. The error wraps a
// [netconf.UnresolvedError] if the neighbour's link address is what is missing.
func (x *exchange) direct(t Transmit, err error) error {
	if !slices.ContainsFunc(withoutKernel, func(errno unix.Errno) bool { return errors.Is(err, errno) }) {
		return err
	}
	to, unresolved := x.n.nextHop(x.link, t.Destination)
	if unresolved != nil {
		return fmt.Errorf("%w; %w", err, unresolved)
	}
	t.Link = to
	return x.n.sendFrame(x.fd, x.link, t)
}

// withoutKernel are the errors of the kernel's way after which a frame is sent directly.
var withoutKernel = []unix.Errno{unix.ENETUNREACH, unix.EHOSTUNREACH, unix.EADDRNOTAVAIL, unix.EADDRINUSE}

func (x *exchange) closeUDP() {
	if x.udp >= 0 {
		_ = unix.Close(x.udp)
		x.udp = -1
	}
}

// Close implements [Exchange].
func (x *exchange) Close() error {
	if x.closed {
		return nil
	}
	x.closed = true
	n, fd, udp, lost := x.n, x.fd, x.udp, x.lost
	x.udp = -1
	n.loop.Remove(fd)
	// The kernel lets a socket's owner wait tens of milliseconds.
	n.loop.Aside(func() {
		if udp >= 0 {
			_ = unix.Close(udp)
		}
		st, err := unix.GetsockoptTpacketStats(fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
		_ = unix.Close(fd)
		if err == nil && st.Drops > lost {
			n.loop.Do(func() { x.refused(RefuseOverflow, uint64(st.Drops-lost)) })
		}
	})
	return nil
}

// receive takes the packets that the socket has, but no more than a few: the other
// sockets have their turn.
func (x *exchange) receive() {
	// The link's MTU bounds what can come; a loopback's is 64 KiB.
	size := max(x.link.MTU, 2048)
	for range packetsAtOnce {
		in, err := x.n.in.receive(x.fd, size)
		switch {
		case err == nil:
			x.take(in)
		case errors.Is(err, unix.EAGAIN):
			return
		}
		// ENETDOWN reports once that the link went down, ENOBUFS that the queue was
		// full: the socket lives on.
		if x.closed {
			return
		}
	}
}

// take delivers a packet or refuses it. Both may close the exchange.
func (x *exchange) take(in received) {
	aux := parseAuxdata(in.control)
	if aux.drops != x.lost {
		more := aux.drops - x.lost
		x.lost = aux.drops
		if x.refused(RefuseOverflow, uint64(more)); x.closed {
			return
		}
	}
	d, why, ok := accept(in.packet, aux, in.flags)
	switch {
	case !ok:
		x.refused(why, 1)
	case x.n.elsewhere(x.link, d):
	default:
		x.deliver(Datagram{Message: slices.Clone(d.Payload), From: d.Source.Addr(), Link: slices.Clone(in.link())})
	}
}

// accept checks what the filter let through. The payload is part of the packet.
func accept(packet []byte, aux auxdata, flags int) (_ udp4.Datagram, why Refusal, ok bool) {
	if flags&unix.MSG_TRUNC != 0 {
		return udp4.Datagram{}, RefuseTruncate, false
	}
	if aux.vlan() {
		return udp4.Datagram{}, RefuseVLAN, false
	}
	d, err := udp4.Parse(packet, aux.partialChecksum())
	if err != nil {
		return udp4.Datagram{}, refusalOf(err), false
	}
	return d, 0, true
}

// refusalOf sorts the reasons of udp4.
func refusalOf(err error) Refusal {
	e, ok := errors.AsType[*udp4.Error](err)
	if !ok {
		return RefuseOther
	}
	switch e.Reason {
	case udp4.ReasonHeaderChecksum, udp4.ReasonUDPChecksum:
		return RefuseChecksum
	case udp4.ReasonTooShort, udp4.ReasonHeaderLength, udp4.ReasonTotalLength, udp4.ReasonUDPLength, udp4.ReasonTooLong:
		return RefuseLength
	case udp4.ReasonNotIPv4, udp4.ReasonFragment, udp4.ReasonNotUDP:
		return RefuseOther
	}
	return RefuseOther
}
