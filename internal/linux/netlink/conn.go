//go:build linux

package netlink

import (
	"encoding/binary"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/lessee/lessee/internal/linux/netns"
	"golang.org/x/sys/unix"
)

// patience is how long an answer is awaited. The kernel has queued it when send
// returns, or when the part before it is read: one that is not there was lost.
const patience = time.Second

// A conn asks the kernel, one request or batch after the other, in buffers
// that are kept: nothing is allocated for a request. Its user has it locked from the
// building of a request to the last use of the answers.
type conn struct {
	mu  sync.Mutex
	fd  int
	tx  builder
	rx  *room // nil while it is not locked
	seq uint32
	// port is the socket's address, which the kernel's notifications of what
	// was done by it carry.
	port uint32
}

// open opens a socket in the namespace. It is connected to the kernel: what
// other processes send to it does not arrive.
func open(space *netns.Namespace) (*conn, error) {
	s := &conn{fd: -1}
	err := space.Do(func() (err error) {
		s.fd, err = unix.Socket(unix.AF_NETLINK, unix.SOCK_RAW|unix.SOCK_CLOEXEC, unix.NETLINK_ROUTE)
		return err
	})
	if err != nil {
		return nil, err
	}
	if err := s.setUp(); err != nil {
		s.close()
		return nil, err
	}
	return s, nil
}

func (s *conn) setUp() error {
	if err := unix.Bind(s.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	if err := unix.Connect(s.fd, &unix.SockaddrNetlink{Family: unix.AF_NETLINK}); err != nil {
		return err
	}
	name, err := unix.Getsockname(s.fd)
	if err != nil {
		return err
	}
	if sa, ok := name.(*unix.SockaddrNetlink); ok {
		s.port = sa.Pid
	}
	tv := unix.NsecToTimeval(patience.Nanoseconds())
	if err := unix.SetsockoptTimeval(s.fd, unix.SOL_SOCKET, unix.SO_RCVTIMEO, &tv); err != nil {
		return err
	}
	// Kernels before 4.20 have no strict checking; then they do not filter
	// dumps, and what they send too much is ignored here. Nor need an older one
	// have the others: why something failed and no copy of what did.
	for _, opt := range []int{unix.NETLINK_GET_STRICT_CHK, unix.NETLINK_EXT_ACK, unix.NETLINK_CAP_ACK} {
		_ = unix.SetsockoptInt(s.fd, unix.SOL_NETLINK, opt, 1)
	}
	return nil
}

func (s *conn) lock() {
	s.mu.Lock()
	s.rx = takeRoom()
}

func (s *conn) unlock() {
	s.rx.leave()
	s.rx = nil
	s.mu.Unlock()
}

// close waits for the answer that is under way.
func (s *conn) close() {
	if s == nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.fd >= 0 {
		_ = unix.Close(s.fd)
		s.fd = -1
	}
}

// begin begins a request and returns its sequence number.
func (s *conn) begin(typ, flags uint16) (*builder, uint32) {
	s.seq++
	s.tx.begin(typ, flags, s.seq)
	return &s.tx, s.seq
}

// send sends what was built since the last send, in one system call.
func (s *conn) send() error {
	for {
		_, err := unix.Write(s.fd, s.tx.b)
		if !errors.Is(err, unix.EINTR) {
			s.tx.reset()
			return err
		}
	}
}

// ask sends the request that was begun as seq and hands each answer of the type
// to take, until the last one. A request without NLM_F_DUMP has NLM_F_ACK only
// where it has no other answer.
func (s *conn) ask(seq uint32, typ uint16, take func(body []byte)) error {
	if err := s.send(); err != nil {
		return err
	}
	return s.answer(seq, typ, take)
}

// answer is ask for a request that was sent.
func (s *conn) answer(seq uint32, typ uint16, take func(body []byte)) error {
	var interrupted error
	for {
		b, err := s.rx.next(s.fd)
		if err != nil {
			return err
		}
		for m := range messages(b) {
			if m.seq != seq {
				continue // of a request that was given up
			}
			if m.flags&unix.NLM_F_DUMP_INTR != 0 {
				interrupted = errInterrupted
			}
			switch m.typ {
			case unix.NLMSG_DONE, unix.NLMSG_ERROR:
				if err := verdict(m); err != nil {
					return err
				}
				return interrupted
			case typ:
				take(m.body)
				if m.flags&unix.NLM_F_MULTI == 0 {
					return nil
				}
			}
		}
	}
}

// errInterrupted says that the kernel's table was changed while it was dumped.
var errInterrupted = errors.New("the table was changed while it was read")

const dumpTries = 8

// dump repeats f until the kernel's tables held still while it ran. A dump that
// was interrupted by a change is complete enough to retry, not to act on.
func dump(f func() error) error {
	var err error
	for range dumpTries {
		if err = f(); !errors.Is(err, errInterrupted) {
			return err
		}
	}
	return err
}

// verdict returns what an NLMSG_ERROR or NLMSG_DONE says: nil, or the errno with
// the kernel's words (NLMSGERR_ATTR_MSG), where it has any.
func verdict(m message) error {
	code := int32(number(m.body)) //nolint:gosec // a negative errno, or 0
	if code >= 0 {
		return nil
	}
	errno := unix.Errno(-code)
	at := 4
	if m.typ == unix.NLMSG_ERROR {
		// struct nlmsgerr has the header of the request; with NETLINK_CAP_ACK
		// nothing else of it.
		at += headerLen
		if m.flags&unix.NLM_F_CAPPED == 0 && len(m.body) >= at {
			at = 4 + int(binary.NativeEndian.Uint32(m.body[4:]))
		}
	}
	if m.flags&unix.NLM_F_ACK_TLVS == 0 || at < 0 || at > len(m.body) {
		return errno
	}
	if words := find(m.body[at:], unix.NLMSGERR_ATTR_MSG); len(words) > 0 {
		return fmt.Errorf("%w: %s", errno, unix.ByteSliceToString(words))
	}
	return errno
}

// batchSize bounds a batch, so that its acknowledgements fit in the socket's queue.
const batchSize = 64

// acknowledged sends the requests since first, all of which ask for an
// acknowledgement, and appends the answers to errs. The kernel carries them out
// in order, also those after one that failed.
func (s *conn) acknowledged(first uint32, errs []error) ([]error, error) {
	n := int(s.seq-first) + 1
	at := len(errs)
	for range n {
		errs = append(errs, nil)
	}
	if err := s.send(); err != nil {
		return errs, err
	}
	for answers := 0; answers < n; {
		b, err := s.rx.next(s.fd)
		if err != nil {
			return errs, err
		}
		for m := range messages(b) {
			if i := int(m.seq - first); m.typ == unix.NLMSG_ERROR && i >= 0 && i < n {
				errs[at+i] = verdict(m)
				answers++
			}
		}
	}
	return errs, nil
}
