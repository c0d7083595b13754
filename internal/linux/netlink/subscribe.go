//go:build linux

package netlink

import (
	"context"
	"errors"
	"fmt"

	"github.com/mdlayher/socket"
	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// subscribe opens a socket that hears the kernel's notifications of the groups,
// as far as they pass the filter.
func (n *Kernel) subscribe(filter []bpf.RawInstruction, groups ...int) (*socket.Conn, error) {
	var c *socket.Conn
	err := n.space.Do(func() (err error) {
		c, err = socket.Socket(unix.AF_NETLINK, unix.SOCK_RAW, unix.NETLINK_ROUTE, "netlink", nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	err = c.Bind(&unix.SockaddrNetlink{Family: unix.AF_NETLINK})
	if err == nil && filter != nil {
		// First the filter: nothing is queued that does not pass it.
		err = c.SetBPF(filter)
	}
	for _, g := range groups {
		if err == nil {
			err = c.SetsockoptInt(unix.SOL_NETLINK, unix.NETLINK_ADD_MEMBERSHIP, g)
		}
	}
	if err != nil {
		c.Close()
		return nil, fmt.Errorf("subscribe: %w", err)
	}
	return c, nil
}

// hear hands the notifications of one reading to take. It returns
// [unix.ENOBUFS] where the kernel has dropped some; then the queue is empty:
// what is older than what is asked for from now on does not come after it.
func hear(c *socket.Conn, buf []byte, take func(message)) error {
	n, from, err := c.Recvfrom(context.Background(), buf, 0)
	switch {
	case errors.Is(err, unix.ENOBUFS):
		drain(c, buf)
		return unix.ENOBUFS
	case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
		return nil
	case err != nil:
		return err
	}
	// Other processes can send to the socket, too.
	if sa, ok := from.(*unix.SockaddrNetlink); ok && sa.Pid == 0 {
		for m := range messages(buf[:n]) {
			take(m)
		}
	}
	return nil
}

// drain empties the socket's queue.
func drain(c *socket.Conn, buf []byte) {
	rc, err := c.SyscallConn()
	if err != nil {
		return // closed
	}
	_ = rc.Read(func(fd uintptr) bool {
		for {
			_, _, err := unix.Recvfrom(int(fd), buf, unix.MSG_DONTWAIT)
			if err != nil && !errors.Is(err, unix.ENOBUFS) && !errors.Is(err, unix.EINTR) {
				return true
			}
		}
	})
}
