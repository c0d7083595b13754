//go:build linux

package packet

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/wire/udp4"
	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"
)

// Open implements driver.Transport. The messages that deliver gets are the
// receiver's to keep.
func (n *Transport) Open(link netconf.Link, deliver func(Datagram), refused func(Refusal, uint64)) (Exchange, error) {
	c, err := n.openPacket()
	if err != nil {
		return nil, syserr.Wrap(link.Name, "open a packet socket", err)
	}
	if err := listen(c, link); err != nil {
		c.Close()
		return nil, syserr.Wrap(link.Name, "open a packet socket", err)
	}
	x := &exchange{n: n, link: link, c: c, deliver: deliver, refused: refused}
	go x.run()
	return x, nil
}

type exchange struct {
	n       *Transport
	link    netconf.Link
	c       *socket.Conn
	deliver func(Datagram)
	refused func(Refusal, uint64)

	mu     sync.Mutex
	closed bool
	udp    *kernelPath // opened by the first unicast
}

var errClosed = fmt.Errorf("the exchange is closed: %w", os.ErrClosed)

// Send implements [Exchange].
func (x *exchange) Send(t Transmit) error {
	x.mu.Lock()
	defer x.mu.Unlock()
	var err error
	switch {
	case x.closed:
		err = errClosed
	case t.Link != nil:
		err = sendFrame(x.c, x.link, t, t.Link)
	case t.Destination == broadcast4:
		err = sendFrame(x.c, x.link, t, broadcastAddr(x.link))
	default:
		err = x.unicast(t)
	}
	return syserr.Wrap(x.link.Name, fmt.Sprintf("send %v to %v", t.Type, t.Destination), err)
}

// unicast sends by the kernel's routing and ARP, from a socket that is kept
// until the exchange ends: without it the kernel would answer the reply with an
// ICMP port unreachable.
func (x *exchange) unicast(t Transmit) error {
	if err := running(x.c, x.link.Index); err != nil {
		return err
	}
	if x.udp != nil && x.udp.source != t.Source {
		x.udp.close()
		x.udp = nil
	}
	if x.udp == nil {
		udp, err := x.n.openKernelPath(x.link, t.Source)
		if err != nil {
			return x.direct(t, err)
		}
		x.udp = udp
	}
	if _, ok := x.n.kernel.Hop(x.link, t.Destination); !ok {
		return x.direct(t, unix.ENETUNREACH)
	}
	if err := x.udp.send(t); err != nil {
		return x.direct(t, err)
	}
	return nil
}

// direct is for when the kernel has no way to t's destination or no address to
// send from, as where the adapter's routes are in a table that no rule leads to:
// a neighbour can be reached all the same.
func (x *exchange) direct(t Transmit, err error) error {
	if !errors.Is(err, unix.ENETUNREACH) && !errors.Is(err, unix.EHOSTUNREACH) && !errors.Is(err, unix.EADDRNOTAVAIL) {
		return err
	}
	to, err := x.n.nextHop(x.link, t.Destination)
	if err != nil {
		return err
	}
	return sendFrame(x.c, x.link, t, to)
}

// Close implements [Exchange]. A delivery that is under way may still
// finish after it. The reading goroutine closes the socket, because that waits
// tens of milliseconds for the kernel.
func (x *exchange) Close() error {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.closed {
		return nil
	}
	x.closed = true
	if x.udp != nil {
		x.udp.close()
		x.udp = nil
	}
	return x.c.SetReadDeadline(time.Unix(1, 0)) // in the past: wakes the reader for good
}

func (x *exchange) open() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return !x.closed
}

func (x *exchange) run() {
	defer x.c.Close()
	// The link's MTU bounds what can come; a loopback's is 64 KiB.
	buf := make([]byte, max(x.link.MTU, 2048))
	oob := make([]byte, unix.CmsgSpace(sizeofAuxdata)+unix.CmsgSpace(sizeofDrops))
	var lost uint32 // as the kernel counts them
	defer func() {
		if st, err := x.c.GetsockoptTpacketStats(unix.SOL_PACKET, unix.PACKET_STATISTICS); err == nil && st.Drops > lost {
			x.refused(RefuseOverflow, uint64(st.Drops-lost))
		}
	}()
	for {
		n, oobn, flags, from, err := x.c.Recvmsg(context.Background(), buf, oob, 0)
		if !x.open() {
			return
		}
		switch {
		case err == nil:
		case errors.Is(err, os.ErrClosed), errors.Is(err, unix.EBADF):
			return
		default:
			// ENETDOWN tells once that the link went down, ENOBUFS that the
			// queue was full: the socket lives on.
			continue
		}
		aux := parseAuxdata(oob[:oobn])
		if aux.drops != lost {
			x.refused(RefuseOverflow, uint64(aux.drops-lost))
			lost = aux.drops
		}
		d, why, ok := accept(buf[:n], aux, flags)
		switch {
		case !ok:
			x.refused(why, 1)
		case x.n.elsewhere(x.link, d):
		default:
			out := Datagram{Message: slices.Clone(d.Payload), From: d.Source.Addr()}
			if ll, ok := from.(*unix.SockaddrLinklayer); ok && ll.Halen > 0 && int(ll.Halen) <= len(ll.Addr) {
				out.Link = slices.Clone(ll.Addr[:ll.Halen])
			}
			x.deliver(out)
		}
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
