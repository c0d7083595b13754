//go:build linux

package packet

import (
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// This file has what golang.org/x/sys/unix does not do without allocating, or not at
// all, and so all that is unsafe.

// A receiver has the buffers that packets are received in.
type receiver struct {
	message unix.Msghdr
	part    unix.Iovec
	from    unix.RawSockaddrLinklayer
	packet  [64 << 10]byte
	control [256]byte
}

// received is a packet in the buffers of a receiver.
type received struct {
	packet  []byte
	control []byte
	flags   int
	from    *unix.RawSockaddrLinklayer
}

// receive reads a packet of at most size bytes.
func (r *receiver) receive(fd, size int) (received, error) {
	r.part.Base = &r.packet[0]
	r.part.SetLen(min(size, len(r.packet)))
	r.from = unix.RawSockaddrLinklayer{}
	r.message = unix.Msghdr{
		Name:    (*byte)(unsafe.Pointer(&r.from)),
		Namelen: uint32(unsafe.Sizeof(r.from)),
		Iov:     &r.part,
		Control: &r.control[0],
	}
	r.message.SetIovlen(1)
	r.message.SetControllen(len(r.control))
	for {
		n, _, errno := unix.Syscall(unix.SYS_RECVMSG, uintptr(fd), uintptr(unsafe.Pointer(&r.message)), 0)
		if errno == unix.EINTR {
			continue
		}
		if errno != 0 {
			return received{}, errno
		}
		return received{
			packet:  r.packet[:n],
			control: r.control[:r.message.Controllen],
			flags:   int(r.message.Flags),
			from:    &r.from,
		}, nil
	}
}

// link returns the link address the packet came from; nil if there is none.
func (in *received) link() []byte {
	if n := int(in.from.Halen); n > 0 && n <= len(in.from.Addr) {
		return in.from.Addr[:n]
	}
	return nil
}

// attachFilter replaces the socket's filter: a frame meets the old one or the new one.
func attachFilter(fd int, f []bpf.RawInstruction) error {
	if len(f) == 0 {
		return unix.EINVAL
	}
	// A RawInstruction is laid out as struct sock_filter of linux/filter.h is.
	program := unix.SockFprog{Len: uint16(len(f)), Filter: (*unix.SockFilter)(unsafe.Pointer(&f[0]))} //nolint:gosec // up to 4096
	return unix.SetsockoptSockFprog(fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER, &program)
}
