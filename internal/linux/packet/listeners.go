//go:build linux

package packet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/lessee/lessee/internal/netconf"
	"github.com/mdlayher/socket"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// listeners share one packet socket that receives packets of one kind, T, about certain
// addresses, for all adapters. The socket exists while one of them listens.
type listeners[T any] struct {
	kind packetKind[T]
	// setting is held while the socket is made to fit what is wanted.
	setting sync.Mutex

	mu     sync.Mutex
	wanted map[uint32]listener[T] // by interface index
	asked  uint64                 // counts the changes of wanted
	fits   uint64                 // the change that the socket fits
	c      *socket.Conn
}

// A listener is an adapter that wants to hear.
type listener[T any] struct {
	addresses []uint32 // sorted
	deliver   func(T)
}

// A packetKind says which packets a socket of listeners receives.
type packetKind[T any] struct {
	// protocol is that of the link, size how many bytes of a packet are read.
	protocol uint16
	size     int
	// head is what the filter begins with: it drops what is of another kind and
	// leaves the key of the address in A.
	head func(byInterface bool) []bpf.RawInstruction
	// about returns the address that a packet is about. What it gets has passed
	// the filter's head and is not longer than size.
	about func(packet []byte) (uint32, bool)
	// take makes of a packet what is delivered.
	take func(packet []byte, aux auxdata, from origin) (T, bool)
}

// listen replaces the addresses that an adapter wants to hear about. When it
// returns, they are heard. Those that are not wanted any more are not delivered
// from then on, except in a delivery that is under way; the kernel's filter learns
// of that a moment later.
func (e *listeners[T]) listen(n *Transport, link netconf.Link, addresses []netip.Addr, deliver func(T)) error {
	numbers := make([]uint32, 0, len(addresses))
	for _, a := range addresses {
		if a = a.Unmap(); a.Is4() && !a.IsUnspecified() {
			numbers = append(numbers, number(a))
		}
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)

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
			e.wanted = make(map[uint32]listener[T])
		}
		e.wanted[index] = listener[T]{numbers, deliver}
	}
	mine := e.asked
	heard := e.fits == mine
	e.mu.Unlock()
	switch {
	case heard:
		return nil
	case more:
		return e.fit(n, mine)
	}
	// Whoever wants less has no reason to wait for the kernel. A filter that
	// lets through too much does no harm, and the next one is right.
	go func() { _ = e.fit(n, mine) }()
	return nil
}

// fit makes the socket fit what is wanted since the change of that number.
// Those who ask at the same time share the work.
func (e *listeners[T]) fit(n *Transport, mine uint64) error {
	e.setting.Lock()
	defer e.setting.Unlock()
	e.mu.Lock()
	c, now := e.c, e.asked
	if e.fits >= mine {
		e.mu.Unlock()
		return nil
	}
	all := make([]subject, 0, len(e.wanted))
	for index, l := range e.wanted {
		for _, a := range l.addresses {
			all = append(all, subject{index, a})
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
		if err := e.setFilter(c, all); err != nil {
			return err
		}
	default:
		var err error
		if c, err = e.open(n, all); err != nil {
			return err
		}
		e.mu.Lock()
		e.c = c
		e.mu.Unlock()
		go e.run(c)
	}
	e.mu.Lock()
	e.fits = now
	e.mu.Unlock()
	return nil
}

// open opens the socket; as with those of the exchanges, no frame gets in
// unfiltered.
func (e *listeners[T]) open(n *Transport, all []subject) (*socket.Conn, error) {
	c, err := n.openPacket()
	if err != nil {
		return nil, fmt.Errorf("open a packet socket: %w", err)
	}
	if err := e.setFilter(c, all); err != nil {
		c.Close()
		return nil, err
	}
	if err := c.SetsockoptInt(unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
		c.Close()
		return nil, fmt.Errorf("ask for the checksum state: %w", err)
	}
	if err := c.Bind(&unix.SockaddrLinklayer{Protocol: networkOrder(e.kind.protocol)}); err != nil {
		c.Close()
		return nil, fmt.Errorf("bind: %w", err)
	}
	return c, nil
}

// setFilter replaces the socket's filter: a frame meets the old one or the
// new one. Where the kernel has no room for it, net.core.optmem_max, it is made
// coarser, and what it lets through too much is sorted out here.
func (e *listeners[T]) setFilter(c *socket.Conn, all []subject) error {
	for limit := maxSpans; ; limit /= 4 {
		spans, byInterface := toSpans(all, max(limit, 1))
		err := c.SetBPF(spanFilter(e.kind.head(byInterface), spans))
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.ENOMEM) || limit == 0 {
			return fmt.Errorf("set the packet filter: %w", err)
		}
	}
}

// An origin says where a packet came from, and whether it was for us alone.
type origin struct {
	link    []byte
	unicast bool
}

// run delivers what the socket hears until it is not wanted any more.
func (e *listeners[T]) run(c *socket.Conn) {
	defer c.Close()
	buf := make([]byte, e.kind.size)
	oob := make([]byte, unix.CmsgSpace(sizeofAuxdata))
	for {
		size, oobn, _, from, err := c.Recvmsg(context.Background(), buf, oob, 0)
		switch {
		case err == nil:
		case errors.Is(err, os.ErrDeadlineExceeded), errors.Is(err, os.ErrClosed), errors.Is(err, unix.EBADF):
			return
		default:
			continue // an interface went down: that tells nothing of the others
		}
		ll, ok := from.(*unix.SockaddrLinklayer)
		if !ok {
			continue
		}
		deliver := e.who(ll.Ifindex, buf[:size])
		if deliver == nil {
			continue
		}
		source := origin{unicast: ll.Pkttype == unix.PACKET_HOST}
		if ll.Halen > 0 && int(ll.Halen) <= len(ll.Addr) {
			source.link = slices.Clone(ll.Addr[:ll.Halen])
		}
		if in, ok := e.kind.take(buf[:size], parseAuxdata(oob[:oobn]), source); ok {
			deliver(in)
		}
	}
}

// who returns who wants the packet. The filter may have let through too much,
// or let it through before it was changed.
func (e *listeners[T]) who(index int, packet []byte) func(T) {
	about, ok := e.kind.about(packet)
	if !ok {
		return nil
	}
	return e.wants(index, about)
}

func (e *listeners[T]) wants(index int, about uint32) func(T) {
	e.mu.Lock()
	defer e.mu.Unlock()
	l := e.wanted[uint32(index)] //nolint:gosec // an interface index is positive and 31 bits
	if _, ok := slices.BinarySearch(l.addresses, about); !ok {
		return nil
	}
	return l.deliver
}

// close stops listening.
func (e *listeners[T]) close() {
	e.setting.Lock()
	defer e.setting.Unlock()
	e.mu.Lock()
	defer e.mu.Unlock()
	clear(e.wanted)
	if e.c != nil {
		_ = e.c.SetReadDeadline(time.Unix(1, 0))
		e.c = nil
	}
}
