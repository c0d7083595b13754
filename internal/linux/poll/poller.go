//go:build linux

package poll

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/lessee/lessee/boottime"
	"golang.org/x/sys/unix"
)

// batch is how many ready descriptors one Wait finds at most. The kernel takes turns
// among the others.
const batch = 128

// A Poller waits for descriptors, for an instant and for [Poller.Wake]. All methods
// except Wake are called on one goroutine.
//
// The goroutine waits in the runtime's own poller for an epoll descriptor that has
// everything in it: no thread blocks.
type Poller struct {
	file *os.File        // the epoll descriptor
	conn syscall.RawConn // the same, to wait for it
	fd   int             // the same, as a number

	sources map[int]source
	added   int32 // counts the calls of Add

	// A Wait takes the events from the kernel, once at least, and leaves those of the
	// sources in events[:found].
	take    func(fd uintptr) bool
	events  [batch]unix.EpollEvent
	found   int
	took    bool
	waitErr error

	timer timer
	wake  wake
}

// A source is a descriptor of Add.
type source struct {
	ready func()
	// number distinguishes it from an earlier source with the same descriptor. The
	// kernel returns it with each event.
	number int32
}

// New returns a Poller that waits for nothing yet.
func New() (*Poller, error) {
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("open an epoll descriptor: %w", err)
	}
	p := &Poller{fd: fd, sources: make(map[int]source), timer: timer{fd: -1}}
	if err := p.open(); err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

func (p *Poller) open() error {
	// The runtime waits only for descriptors that do not block.
	err := unix.SetNonblock(p.fd, true)
	p.file = os.NewFile(uintptr(p.fd), "epoll")
	if err != nil {
		return fmt.Errorf("set up the epoll descriptor: %w", err)
	}
	if p.conn, err = p.file.SyscallConn(); err == nil {
		p.wake.file = p.file
		err = p.file.SetReadDeadline(time.Time{}) // fails where the runtime cannot wait for it
	}
	if err != nil {
		return fmt.Errorf("set up the epoll descriptor: %w", err)
	}
	p.take = p.takeEvents
	if p.timer.fd, err = unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC); err != nil {
		return fmt.Errorf("open a timer: %w", err)
	}
	return p.watch(p.timer.fd, unix.EPOLLIN, 0)
}

// Close closes the Poller's own descriptors. Wait fails from then on, Wake does nothing.
func (p *Poller) Close() error {
	if p.timer.fd >= 0 {
		_ = unix.Close(p.timer.fd)
		p.timer.fd = -1
	}
	clear(p.sources)
	p.found, p.fd = 0, -1
	return p.file.Close()
}

// Add makes Dispatch call ready whenever a Wait has found that the descriptor can be
// read, or has an error, until Remove.
func (p *Poller) Add(fd int, ready func()) error {
	p.added++
	// It is level triggered: what ready leaves unread is found again.
	if err := p.watch(fd, unix.EPOLLIN, p.added); err != nil {
		return err
	}
	p.sources[fd] = source{ready, p.added}
	return nil
}

func (p *Poller) watch(fd int, events uint32, number int32) error {
	e := unix.EpollEvent{Events: events, Fd: int32(fd), Pad: number} //nolint:gosec // a descriptor has 31 bits
	if err := unix.EpollCtl(p.fd, unix.EPOLL_CTL_ADD, fd, &e); err != nil {
		return fmt.Errorf("wait for a descriptor: %w", err)
	}
	return nil
}

// Remove ends what Add began. It must be called before the descriptor is closed: a
// duplicate elsewhere would keep it in the set.
func (p *Poller) Remove(fd int) {
	if _, ok := p.sources[fd]; !ok {
		return
	}
	delete(p.sources, fd)
	_ = unix.EpollCtl(p.fd, unix.EPOLL_CTL_DEL, fd, nil)
}

// Wait returns when a source is ready, after Wake, and, if set, at the instant until.
// It may return earlier, with n = 0. n is the number of sources that Dispatch will
// call; between the two the caller reads the clock.
func (p *Poller) Wait(until boottime.Instant, set bool) (n int, err error) {
	if p.fd < 0 {
		return 0, fmt.Errorf("wait for descriptors: %w", os.ErrClosed)
	}
	if err := p.timer.arm(until, set); err != nil {
		return 0, err
	}
	p.found, p.took, p.waitErr = 0, false, nil
	err = p.conn.Read(p.take)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		if err = p.wake.receive(); err == nil && !p.took {
			p.takeEvents(uintptr(p.fd)) // however often it is woken, the sources have their turn
		}
	}
	if err != nil {
		return 0, fmt.Errorf("wait for descriptors: %w", err)
	}
	return p.found, p.waitErr
}

// takeEvents asks for events without waiting; false if there are none.
func (p *Poller) takeEvents(fd uintptr) bool {
	p.took = true
	n, err := unix.EpollWait(int(fd), p.events[:], 0)
	for err == unix.EINTR {
		n, err = unix.EpollWait(int(fd), p.events[:], 0)
	}
	if err != nil {
		p.waitErr = fmt.Errorf("wait for descriptors: %w", err)
		return true
	}
	for _, e := range p.events[:n] {
		if int(e.Fd) == p.timer.fd {
			p.timer.fired = true
			continue
		}
		p.events[p.found] = e
		p.found++
	}
	return n > 0
}

// Dispatch calls ready of the sources that the last Wait has found. It skips one that
// was removed meanwhile, even if its descriptor is in use again.
func (p *Poller) Dispatch() {
	found := p.found
	p.found = 0
	for _, e := range p.events[:found] {
		if s, ok := p.sources[int(e.Fd)]; ok && s.number == e.Pad {
			s.ready()
		}
	}
}

// Wake makes the present or the next Wait return. It may be called from any goroutine.
func (p *Poller) Wake() { p.wake.send() }
