//go:build linux

package netlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"unsafe"

	"golang.org/x/sys/unix"
)

// answerSize is what the kernel puts into one datagram of a dump at most.
const answerSize = 32 << 10

// atOnce is how many datagrams are read with one system call: a link, a dump of
// something else, and the end of that.
const atOnce = 3

// A room is what a conn receives in: the datagrams that were read with one system call.
type room struct {
	datagrams   [atOnce][answerSize]byte
	parts       [atOnce]unix.Iovec
	headers     [atOnce]mmsghdr
	taken, read int // how many of them were taken, how many there are
}

// mmsghdr is struct mmsghdr of sys/socket.h, which package unix does not have.
type mmsghdr struct {
	header unix.Msghdr
	n      uint32
}

// rooms are free. A conn holds a room only while it is locked, so a few are enough for all
// namespaces. They are kept, so that no answer waits for a page fault.
var rooms struct {
	mu   sync.Mutex
	free []*room
}

// roomsKept is how many are kept: one for each conn that is used at the same moment.
const roomsKept = 4

func takeRoom() *room {
	rooms.mu.Lock()
	defer rooms.mu.Unlock()
	last := len(rooms.free) - 1
	if last < 0 {
		return newRoom()
	}
	r := rooms.free[last]
	rooms.free = rooms.free[:last]
	return r
}

func newRoom() *room {
	r := new(room)
	for i := range r.headers {
		r.parts[i].Base = &r.datagrams[i][0]
		r.parts[i].SetLen(answerSize)
		r.headers[i].header.Iov = &r.parts[i]
		r.headers[i].header.SetIovlen(1)
	}
	return r
}

func (r *room) leave() {
	rooms.mu.Lock()
	defer rooms.mu.Unlock()
	if r.taken, r.read = 0, 0; len(rooms.free) < roomsKept {
		rooms.free = append(rooms.free, r)
	}
}

// next returns what the kernel sent next to the socket, which it waits for.
func (r *room) next(fd int) ([]byte, error) {
	if r.taken == r.read {
		if err := r.receive(fd); err != nil {
			return nil, err
		}
	}
	n := int(r.headers[r.taken].n)
	b := r.datagrams[r.taken][:n]
	r.taken++
	switch {
	case n == 0:
		return nil, io.ErrUnexpectedEOF // not of a netlink socket: it would spin
	case n >= headerLen && int(binary.NativeEndian.Uint32(b)) > n:
		return nil, fmt.Errorf("the kernel's answer is too long: %w", unix.EMSGSIZE)
	}
	return b, nil
}

// receive waits for a datagram and reads it together with those that follow at once. Each
// one that is read makes the kernel queue the next part of a dump.
func (r *room) receive(fd int) error {
	r.taken, r.read = 0, 0
	for {
		n, _, errno := unix.Syscall6(unix.SYS_RECVMMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.headers[0])), atOnce, unix.MSG_WAITFORONE, 0, 0)
		switch {
		case errno == 0:
			r.read = int(n)
			return nil
		case errno == unix.EINTR:
		case errors.Is(errno, unix.EAGAIN):
			return fmt.Errorf("the kernel does not answer: %w", unix.ETIMEDOUT)
		default:
			return errno
		}
	}
}
