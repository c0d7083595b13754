package lab

import (
	enc "encoding/binary"
	"strconv"

	"golang.org/x/sys/unix"
)

const (
	maxTraced = 64 << 10 // bytes of a buffer that are looked at
	maxVector = 64       // buffers of a vector

	// Sizes of 64-bit systems.
	sizeMsghdr  = 56
	sizeMmsghdr = 64
	sizeIovec   = 16
)

// received returns what a system call that returned n has read.
func (tc *tracee) received(th *traceeThread, n int) [][]byte {
	switch th.nr {
	case unix.SYS_READ, unix.SYS_RECVFROM:
		return [][]byte{tc.memory(th.args[1], n)}
	case unix.SYS_RECVMSG:
		return cut(tc.message(th.args[1]), n)
	case unix.SYS_RECVMMSG:
		var out [][]byte
		for i := range min(n, maxVector) {
			at := th.args[1] + uint64(i)*sizeMmsghdr
			length := tc.memory(at+sizeMsghdr, 4)
			if length == nil {
				break
			}
			out = append(out, cut(tc.message(at), int(enc.NativeEndian.Uint32(length)))...)
		}
		return out
	}
	return nil
}

// sent returns what a system call that is entered will write.
func (tc *tracee) sent(th *traceeThread) [][]byte {
	switch th.nr {
	case unix.SYS_WRITE, unix.SYS_SENDTO:
		return [][]byte{tc.memory(th.args[1], int(th.args[2]))}
	case unix.SYS_WRITEV:
		return tc.vector(th.args[1], th.args[2])
	case unix.SYS_SENDMSG:
		return tc.message(th.args[1])
	case unix.SYS_SENDMMSG:
		var out [][]byte
		for i := range min(th.args[2], maxVector) {
			out = append(out, tc.message(th.args[1]+i*sizeMmsghdr)...)
		}
		return out
	}
	return nil
}

// cut cuts the buffers to n bytes altogether.
func cut(buffers [][]byte, n int) [][]byte {
	for i, b := range buffers {
		buffers[i] = b[:min(len(b), n)]
		n -= len(buffers[i])
	}
	return buffers
}

// message reads the buffers of a struct msghdr.
func (tc *tracee) message(at uint64) [][]byte {
	h := tc.memory(at, sizeMsghdr)
	if h == nil {
		return nil
	}
	return tc.vector(enc.NativeEndian.Uint64(h[16:]), enc.NativeEndian.Uint64(h[24:]))
}

// vector reads the buffers of an array of struct iovec.
func (tc *tracee) vector(at, n uint64) [][]byte {
	v := tc.memory(at, int(min(n, maxVector))*sizeIovec)
	var out [][]byte
	for ; len(v) >= sizeIovec; v = v[sizeIovec:] {
		out = append(out, tc.memory(enc.NativeEndian.Uint64(v), int(enc.NativeEndian.Uint64(v[8:]))))
	}
	return out
}

// memory reads memory of the process, maxTraced bytes at most; nil if it cannot
// be read.
func (tc *tracee) memory(at uint64, n int) []byte {
	if n <= 0 {
		return nil
	}
	b := make([]byte, min(n, maxTraced))
	local := []unix.Iovec{{Base: &b[0]}}
	local[0].SetLen(len(b))
	read, err := unix.ProcessVMReadv(tc.pid, local, []unix.RemoteIovec{{Base: uintptr(at), Len: len(b)}}, 0)
	if err != nil || read < len(b) {
		return nil
	}
	return b
}

// syscallNames are those that the daemon makes; the numbers differ between
// architectures.
var syscallNames = map[uint64]string{
	unix.SYS_BIND: "bind", unix.SYS_CLOCK_GETTIME: "clock_gettime", unix.SYS_CLONE: "clone", unix.SYS_CLOSE: "close",
	unix.SYS_CONNECT: "connect", unix.SYS_EPOLL_CTL: "epoll_ctl", unix.SYS_EPOLL_PWAIT: "epoll_pwait",
	unix.SYS_FCHMOD: "fchmod", unix.SYS_FCNTL: "fcntl", unix.SYS_FDATASYNC: "fdatasync", unix.SYS_FSYNC: "fsync",
	unix.SYS_FTRUNCATE: "ftruncate", unix.SYS_FUTEX: "futex", unix.SYS_GETPID: "getpid", unix.SYS_GETRANDOM: "getrandom",
	unix.SYS_GETSOCKNAME: "getsockname", unix.SYS_GETSOCKOPT: "getsockopt", unix.SYS_MADVISE: "madvise", unix.SYS_MMAP: "mmap",
	unix.SYS_MUNMAP: "munmap", unix.SYS_NANOSLEEP: "nanosleep", unix.SYS_NEWFSTATAT: "newfstatat", unix.SYS_OPENAT: "openat",
	unix.SYS_PREAD64: "pread64", unix.SYS_PWRITE64: "pwrite64", unix.SYS_READ: "read", unix.SYS_RECVFROM: "recvfrom",
	unix.SYS_RECVMSG: "recvmsg", unix.SYS_RENAMEAT: "renameat", unix.SYS_RENAMEAT2: "renameat2", unix.SYS_RT_SIGRETURN: "rt_sigreturn",
	unix.SYS_SCHED_YIELD: "sched_yield", unix.SYS_SENDMSG: "sendmsg", unix.SYS_SENDTO: "sendto", unix.SYS_SETSOCKOPT: "setsockopt",
	unix.SYS_SHUTDOWN: "shutdown", unix.SYS_SOCKET: "socket", unix.SYS_TGKILL: "tgkill", unix.SYS_UNLINKAT: "unlinkat",
	unix.SYS_WRITE: "write", unix.SYS_WRITEV: "writev", unix.SYS_TIMERFD_SETTIME: "timerfd_settime",
}

func syscallName(nr uint64) string {
	if name, ok := syscallNames[nr]; ok {
		return name
	}
	return "syscall " + strconv.FormatUint(nr, 10)
}
