//go:build linux

package packet

import (
	"errors"
	"fmt"
	"math"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// ears are where the adapters listen to packets of one kind, T. The first one has a socket
// that is bound to its link, so that the frames of other interfaces do not reach it; those
// that come while it listens share another one. To change the socket would miss packets:
// an adapter keeps its own as long as it listens.
type ears[T any] struct{ first, others listeners[T] }

func newEars[T any](n *Transport, kind packetKind[T]) ears[T] {
	return ears[T]{
		first:  listeners[T]{n: n, kind: kind, fd: -1, single: true},
		others: listeners[T]{n: n, kind: kind, fd: -1},
	}
}

// listen is that of the listeners.
func (e *ears[T]) listen(link netconf.Link, addresses []netip.Addr, deliver func(T)) error {
	at := e.at(link.Index)
	err := at.listen(link, addresses, deliver)
	if at == &e.first && errors.Is(err, unix.ENODEV) { // it will be told that the link is gone
		_ = at.listen(link, nil, nil)
		err = e.others.listen(link, addresses, deliver)
	}
	return err
}

// at returns the listeners that a link belongs to.
func (e *ears[T]) at(index int) *listeners[T] {
	if e.first.has(index) || len(e.first.wanted) == 0 && len(e.others.wanted) == 0 {
		return &e.first
	}
	return &e.others
}

// again opens the socket of a link anew if the kernel has taken it off the link: it does
// so when the link is deleted or leaves the namespace, and another one may have its index
// before anybody hears of that.
func (e *ears[T]) again(link netconf.Link) error {
	if !e.first.has(link.Index) || e.first.fd < 0 {
		return nil
	}
	if at, err := unix.Getsockname(e.first.fd); err == nil {
		if ll, is := at.(*unix.SockaddrLinklayer); is && ll.Ifindex == link.Index {
			return nil
		}
	}
	e.first.closeSocket()
	return e.first.fit()
}

func (e *ears[T]) wants(index int, about uint32) func(T) { return e.at(index).wants(index, about) }

func (e *ears[T]) close() {
	e.first.close()
	e.others.close()
}

// listeners share one packet socket that receives packets of one kind, T, about certain
// addresses. The socket exists while one of them listens.
type listeners[T any] struct {
	n    *Transport
	kind packetKind[T]
	// single: at most one adapter listens, and the socket is bound to its link.
	single bool

	wanted map[uint32]listener[T] // by interface index
	fd     int                    // -1 while there is none
	// The socket's filter, if it is not exactly what is wanted: late, fit will be called
	// soon; open, it lets through whatever is of the kind; failed, it may drop what is
	// wanted.
	late, open, failed bool
}

// manyListeners is from how many adapters on the filter is not made anew for each that
// joins them: with thousands that takes milliseconds.
const manyListeners = 100

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
	// take makes of a packet what is delivered, which is the receiver's to keep.
	take func(in received) (T, bool)
}

// listen replaces the addresses that an adapter wants to hear about. When it
// returns, they are heard, and the others are not delivered any more.
func (e *listeners[T]) listen(link netconf.Link, addresses []netip.Addr, deliver func(T)) error {
	numbers := make([]uint32, 0, len(addresses))
	for _, a := range addresses {
		if a = a.Unmap(); a.Is4() && !a.IsUnspecified() {
			numbers = append(numbers, number(a))
		}
	}
	slices.Sort(numbers)
	numbers = slices.Compact(numbers)

	index := uint32(link.Index) //nolint:gosec // an interface index is positive and 31 bits
	had := e.wanted[index].addresses
	if len(numbers) == 0 {
		delete(e.wanted, index)
	} else {
		if e.wanted == nil {
			e.wanted = make(map[uint32]listener[T])
		}
		e.wanted[index] = listener[T]{numbers, deliver}
	}
	isNew := func(a uint32) bool {
		_, ok := slices.BinarySearch(had, a)
		return !ok
	}
	switch {
	case slices.ContainsFunc(numbers, isNew), e.failed && len(numbers) > 0:
		if e.fd < 0 || len(e.wanted) < manyListeners {
			return e.fit()
		}
		return e.openUp()
	case len(numbers) < len(had) && e.single:
		return e.fit() // the next adapter cannot use this socket
	case len(numbers) < len(had):
		e.fitLater()
	}
	return nil
}

// fitLater makes the socket fit once the loop has done what it is at: many adapters
// may change at the same moment. A filter that lets through too much does no harm.
func (e *listeners[T]) fitLater() {
	if e.late {
		return
	}
	e.late = true
	e.n.loop.Do(func() {
		if e.late {
			_ = e.fit()
		}
	})
}

// openUp lets everything of the kind through, until fitLater.
func (e *listeners[T]) openUp() error {
	if !e.open {
		all := spanFilter(e.kind.head(false), []span{{0, math.MaxUint32}})
		if err := attachFilter(e.fd, all); err != nil {
			e.failed = true
			return fmt.Errorf("set the packet filter: %w", err)
		}
	}
	e.open, e.failed = true, false
	e.fitLater()
	return nil
}

// fit makes the socket fit what is wanted.
func (e *listeners[T]) fit() error {
	all := make([]subject, 0, len(e.wanted))
	for index, l := range e.wanted {
		for _, a := range l.addresses {
			all = append(all, subject{index, a})
		}
	}
	var err error
	switch {
	case len(all) == 0:
		e.closeSocket()
	case e.fd < 0:
		err = e.openSocket(all)
	default:
		err = e.setFilter(e.fd, all)
	}
	// A filter that cannot be set leaves the one before.
	e.late, e.open, e.failed = false, e.open && err != nil, err != nil
	return err
}

func (e *listeners[T]) has(index int) bool {
	_, listens := e.wanted[uint32(index)] //nolint:gosec // an interface index is positive and 31 bits
	return listens
}

// place returns the index of the link to bind the socket to, 0 for all links.
func (e *listeners[T]) place() int {
	if e.single {
		for index := range e.wanted {
			return int(index)
		}
	}
	return 0
}

// openSocket opens the socket; as with those of the exchanges, no frame gets in
// unfiltered.
func (e *listeners[T]) openSocket(all []subject) error {
	fd, err := e.n.openPacket()
	if err != nil {
		return fmt.Errorf("open a packet socket: %w", err)
	}
	if err = e.bind(fd, all); err == nil {
		err = e.n.loop.Add(fd, e.receive)
	}
	if err != nil {
		e.n.closePacket(fd)
		return err
	}
	e.fd = fd
	return nil
}

func (e *listeners[T]) bind(fd int, all []subject) error {
	if err := e.setFilter(fd, all); err != nil {
		return err
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
		return fmt.Errorf("ask for the checksum state: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: networkOrder(e.kind.protocol), Ifindex: e.place()}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	return nil
}

// setFilter replaces the socket's filter: a frame meets the old one or the
// new one. Where the kernel has no room for it, net.core.optmem_max, it is made
// coarser, and what it lets through too much is sorted out here.
func (e *listeners[T]) setFilter(fd int, all []subject) error {
	for limit := maxSpans; ; limit /= 4 {
		spans, byInterface := toSpans(all, max(limit, 1))
		err := attachFilter(fd, spanFilter(e.kind.head(byInterface), spans))
		if err == nil {
			return nil
		}
		if !errors.Is(err, unix.ENOMEM) || limit == 0 {
			return fmt.Errorf("set the packet filter: %w", err)
		}
	}
}

// receive takes the packets that the socket has, but no more than a few: the other
// sockets have their turn.
func (e *listeners[T]) receive() {
	fd := e.fd
	for range packetsAtOnce {
		in, err := e.n.in.receive(fd, e.kind.size)
		switch {
		case err == nil:
			e.take(in)
		case errors.Is(err, unix.EAGAIN):
			return
		}
		// An interface that went down is an error that tells nothing of the others.
		if e.fd != fd {
			return // who was called ended it
		}
	}
}

// take delivers a packet to the adapter that wants it.
func (e *listeners[T]) take(in received) {
	about, ok := e.kind.about(in.packet)
	if !ok {
		return
	}
	// The filter may have let through too much, or let it through before it was changed.
	deliver := e.wants(int(in.from.Ifindex), about)
	if deliver == nil {
		return
	}
	if in, ok := e.kind.take(in); ok {
		deliver(in)
	}
}

// wants returns who wants packets about the address from the interface; nil if nobody does.
func (e *listeners[T]) wants(index int, about uint32) func(T) {
	l := e.wanted[uint32(index)] //nolint:gosec // an interface index is positive and 31 bits
	if _, ok := slices.BinarySearch(l.addresses, about); !ok {
		return nil
	}
	return l.deliver
}

// close stops listening.
func (e *listeners[T]) close() {
	clear(e.wanted)
	e.closeSocket()
}

func (e *listeners[T]) closeSocket() {
	if e.fd >= 0 {
		e.n.loop.Remove(e.fd)
		e.n.closePacket(e.fd)
		e.fd, e.open = -1, false
	}
}
