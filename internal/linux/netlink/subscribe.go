//go:build linux

package netlink

import (
	"fmt"
	"unsafe"

	"github.com/lessee/lessee/internal/linux/poll"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// A subscription is a socket that receives the kernel's notifications. Apart from
// its opening it belongs to the loop's goroutine.
type subscription struct {
	loop poll.Loop
	fd   int // -1 when it is closed
	buf  []byte
	from unix.RawSockaddrNetlink
	// take gets each notification. It may close the subscription.
	take func(message)
	// overrun is called when the kernel has dropped notifications and the queue is
	// empty: no notification comes later that is older than what is asked for
	// from now on. It is also the last call for a socket that has failed.
	overrun func()
	// dropped says that the kernel has dropped notifications: those that are
	// still in the queue are discarded.
	dropped bool
	again   func() // ready
}

// subscribe opens a socket that receives the notifications of the groups, as far as
// they pass the filter. It is connected to the kernel: an unprivileged process cannot
// send to it.
func (n *Kernel) subscribe(loop poll.Loop, filter []bpf.RawInstruction, take func(message), overrun func(), groups ...int) (*subscription, error) {
	s := &subscription{loop: loop, fd: -1, buf: make([]byte, answerSize), take: take, overrun: overrun}
	s.again = s.ready
	s.buf[0] = 1 // the first notification waits for no page fault
	err := n.space.Do(func() (err error) {
		s.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC|unix.SOCK_NONBLOCK, unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	if err = s.setUp(filter, groups); err == nil {
		err = loop.Add(s.fd, s.again)
	}
	if err != nil {
		_ = unix.Close(s.fd)
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	return s, nil
}

func (s *subscription) setUp(filter []bpf.RawInstruction, groups []int) error {
	kernel := &unix.SockaddrNetlink{Family: unix.AF_NETLINK}
	if err := unix.Bind(s.fd, kernel); err != nil {
		return err
	}
	if err := unix.Connect(s.fd, kernel); err != nil {
		return err
	}
	// First the filter: nothing is queued that does not pass it.
	if len(filter) > 0 {
		f := make([]unix.SockFilter, 0, len(filter))
		for _, i := range filter {
			f = append(f, unix.SockFilter{Code: i.Op, Jt: i.Jt, Jf: i.Jf, K: i.K})
		}
		program := &unix.SockFprog{Len: uint16(len(f)), Filter: &f[0]} //nolint:gosec // a filter is short
		if err := unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, program); err != nil {
			return err
		}
	}
	for _, g := range groups {
		if err := unix.SetsockoptInt(s.fd, unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, g); err != nil {
			return err
		}
	}
	return nil
}

// burst bounds how many datagrams are read before the loop sees to its other sockets.
const burst = 16

// ready reads what waits in the queue.
func (s *subscription) ready() {
	for range burst {
		if s.fd < 0 {
			return
		}
		n, errno := s.receive()
		switch {
		case errno == unix.EAGAIN:
			if s.dropped {
				s.dropped = false
				s.overrun()
			}
			return
		case errno == unix.ENOBUFS:
			s.dropped = true
		case errno == unix.EINTR:
		case errno != 0:
			// That takes more than the network to bring about.
			_ = s.Close()
			s.overrun()
			return
		case s.dropped, s.from.Pid != 0:
			// A process with CAP_NET_ADMIN can send to a group, too.
		default:
			for m := range messages(s.buf[:n]) {
				if s.fd >= 0 {
					s.take(m)
				}
			}
		}
	}
	if s.dropped {
		s.loop.Do(s.again) // an empty queue is not reported as ready
	}
}

// receive reads a datagram and its sender. Unlike [unix.Recvfrom] it allocates nothing.
func (s *subscription) receive() (int, unix.Errno) {
	size := uint32(unix.SizeofSockaddrNetlink)
	n, _, errno := unix.Syscall6(unix.SYS_RECVFROM, uintptr(s.fd),
		uintptr(unsafe.Pointer(&s.buf[0])), uintptr(len(s.buf)), 0,
		uintptr(unsafe.Pointer(&s.from)), uintptr(unsafe.Pointer(&size)))
	return int(n), errno
}

// Close ends the subscription: nothing is called any more.
func (s *subscription) Close() error {
	if s.fd < 0 {
		return nil
	}
	s.loop.Remove(s.fd)
	err := unix.Close(s.fd)
	s.fd = -1
	return err
}
