//go:build linux

package host

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math/bits"
	"net"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/lessee/lessee/internal/driver"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/wire/arp"
	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"
)

// ears are the one packet socket that hears ARP for all adapters of a network.
// It exists while somebody listens.
type ears struct {
	// setting is held while the socket is made to fit what is wanted.
	setting sync.Mutex

	mu     sync.Mutex
	wanted map[uint32]listener // by interface index
	asked  uint64              // counts the changes of wanted
	fits   uint64              // the change that the socket fits
	c      *socket.Conn
}

// A listener is an adapter that wants to hear.
type listener struct {
	addresses []uint32
	deliver   func(tenancy.ARP)
}

// Listen implements [driver.Network]. When it returns, the addresses are heard.
// Those that are not wanted any more are not delivered from then on, but for a
// delivery that is under way; the kernel's filter learns of that a moment later.
// What deliver gets is the receiver's to keep.
func (n *Network) Listen(link driver.Link, addresses []netip.Addr, deliver func(tenancy.ARP)) error {
	numbers := make([]uint32, 0, len(addresses))
	for _, a := range addresses {
		if a = a.Unmap(); a.Is4() && !a.IsUnspecified() {
			numbers = append(numbers, number(a))
		}
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)

	e := &n.ears
	index := uint32(link.Index) //nolint:gosec // an interface index is positive and 31 bits
	e.mu.Lock()
	more := false
	if had := e.wanted[index].addresses; !slices.Equal(had, numbers) {
		e.asked++
		more = slices.ContainsFunc(numbers, func(a uint32) bool { return !slices.Contains(had, a) })
	}
	if len(numbers) == 0 {
		delete(e.wanted, index)
	} else {
		if e.wanted == nil {
			e.wanted = make(map[uint32]listener)
		}
		e.wanted[index] = listener{numbers, deliver}
	}
	mine := e.asked
	heard := e.fits == mine
	e.mu.Unlock()
	switch {
	case heard:
		return nil
	case more:
		return failed(link.Name, "listen to ARP", n.hear(mine))
	}
	// Whoever wants less has no reason to wait for the kernel. A filter that
	// lets through too much does no harm, and the next one is right.
	go func() { _ = n.hear(mine) }()
	return nil
}

// hear makes the socket fit what is wanted since the change of that number.
// Those who ask at the same time share the work.
func (n *Network) hear(mine uint64) error {
	e := &n.ears
	e.setting.Lock()
	defer e.setting.Unlock()
	e.mu.Lock()
	c, now := e.c, e.asked
	if e.fits >= mine {
		e.mu.Unlock()
		return nil
	}
	all := make([]audible, 0, len(e.wanted))
	for index, l := range e.wanted {
		for _, a := range l.addresses {
			all = append(all, audible{index, a})
		}
	}
	if len(all) == 0 {
		e.c = nil
	}
	e.mu.Unlock()

	switch {
	case len(all) == 0 && c == nil:
	case len(all) == 0:
		// The reading goroutine closes it, because that waits for the kernel.
		_ = c.SetReadDeadline(time.Unix(1, 0))
	case c != nil:
		if err := setARPFilter(c, all); err != nil {
			return err
		}
	default:
		var err error
		if c, err = n.openEars(all); err != nil {
			return err
		}
		e.mu.Lock()
		e.c = c
		e.mu.Unlock()
		go n.listen(c)
	}
	e.mu.Lock()
	e.fits = now
	e.mu.Unlock()
	return nil
}

// openEars opens the socket; as with those of the exchanges, no frame gets in
// unfiltered.
func (n *Network) openEars(all []audible) (*socket.Conn, error) {
	c, err := n.openPacket()
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	if err := setARPFilter(c, all); err != nil {
		c.Close()
		return nil, err
	}
	if err := c.Bind(&unix.SockaddrLinklayer{Protocol: etherARP()}); err != nil {
		c.Close()
		return nil, fmt.Errorf("bind: %w", err)
	}
	return c, nil
}

// setARPFilter replaces the socket's filter: a frame meets the old one or the
// new one. Where the kernel has no room for it, net.core.optmem_max, it is made
// coarser, and what it lets through too much is sorted out here.
func setARPFilter(c *socket.Conn, all []audible) error {
	for limit := maxSpans; ; limit /= 4 {
		err := c.SetBPF(arpFilter(arpSpans(all, max(limit, 1))))
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.ENOMEM) || limit == 0 {
			return fmt.Errorf("set the packet filter: %w", err)
		}
	}
}

// etherARP is ETH_P_ARP as sockaddr_ll wants it: in network byte order.
func etherARP() uint16 {
	if binary.NativeEndian.Uint16([]byte{0, 1}) == 1 {
		return unix.ETH_P_ARP
	}
	return bits.ReverseBytes16(unix.ETH_P_ARP)
}

// listen delivers what the socket hears until it is not wanted any more.
func (n *Network) listen(c *socket.Conn) {
	defer c.Close()
	buf := make([]byte, 64)
	for {
		size, from, err := c.Recvfrom(context.Background(), buf, 0)
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, os.ErrClosed), errors.Is(err, unix.EBADF):
			return
		default:
			continue // an interface went down: that tells nothing of the others
		}
		ll, ok := from.(*unix.SockaddrLinklayer)
		if !ok || size < arp.Length {
			continue
		}
		deliver := n.ears.who(ll.Ifindex, buf[:size])
		if deliver == nil {
			continue
		}
		in := tenancy.ARP{Packet: slices.Clone(buf[:arp.Length])}
		if ll.Halen > 0 && int(ll.Halen) <= len(ll.Addr) {
			in.From = slices.Clone(ll.Addr[:ll.Halen])
		}
		deliver(in)
	}
}

// who returns who wants the packet. The filter may have let through too much,
// or let it through before it was changed.
func (e *ears) who(index int, packet []byte) func(tenancy.ARP) {
	about := binary.BigEndian.Uint32(packet[atSender:])
	if about == 0 {
		if binary.BigEndian.Uint32(packet[atARPOp:]) != arpRequest {
			return nil
		}
		about = binary.BigEndian.Uint32(packet[atTarget:])
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.wanted[uint32(index)] //nolint:gosec // an interface index is positive and 31 bits
	if _, ok := slices.BinarySearch(l.addresses, about); !ok {
		return nil
	}
	return l.deliver
}

// close stops listening.
func (e *ears) close() {
	e.setting.Lock()
	defer e.setting.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	maps.DeleteFunc(e.wanted, func(uint32, listener) bool { return true })
	if e.c != nil {
		_ = e.c.SetReadDeadline(time.Unix(1, 0))
		e.c = nil
	}
}

// SendARP implements [driver.Network].
func (n *Network) SendARP(link driver.Link, packet, to []byte) error {
	return failed(link.Name, "send ARP", n.sendARP(link, packet, to))
}

func (n *Network) sendARP(link driver.Link, packet []byte, to net.HardwareAddr) error {
	c, err := n.sender()
	if err != nil {
		return fmt.Errorf("open a packet socket: %w", err)
	}
	if to == nil {
		to = broadcastAddr(link)
	}
	if len(to) > 8 {
		return errLongHardwareAddr
	}
	if err := running(c, link.Index); err != nil {
		return err
	}
	sa := &unix.SockaddrLinklayer{Protocol: etherARP(), Ifindex: link.Index, Halen: uint8(len(to))}
	copy(sa.Addr[:], to)
	return c.Sendto(context.Background(), packet, 0, sa)
}
