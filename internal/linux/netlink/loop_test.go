//go:build linux

package netlink

import (
	"encoding/binary"
	"errors"
	"io"
	"sync"
	"testing"

	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// A testLoop is a poll.Loop on a goroutine of its own.
type testLoop struct {
	t          testing.TB
	epoll, fd  int // fd wakes the loop
	ready      map[int]func()
	mu         sync.Mutex
	todo       []func()
	stop, done chan struct{}
}

// loop begins a loop that ends with the test.
func (l *lab) loop() *testLoop {
	l.T.Helper()
	p := &testLoop{t: l.T, ready: map[int]func(){}, stop: make(chan struct{}), done: make(chan struct{})}
	var err error
	p.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	l.Must(err)
	p.fd, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	l.Must(err)
	l.Must(p.Add(p.fd, p.carryOut))
	go p.run()
	l.T.Cleanup(func() {
		p.Do(func() { close(p.stop) })
		<-p.done
		if len(p.ready) != 1 {
			l.T.Errorf("%d sockets are left", len(p.ready)-1)
		}
		_ = unix.Close(p.epoll)
		_ = unix.Close(p.fd)
	})
	return p
}

func (p *testLoop) run() {
	defer close(p.done)
	events := make([]unix.EpollEvent, 8)
	for {
		n, err := unix.EpollWait(p.epoll, events, -1)
		if err != nil && !errors.Is(err, unix.EINTR) {
			p.t.Error(err)
			return
		}
		for _, e := range events[:max(n, 0)] {
			if ready := p.ready[int(e.Fd)]; ready != nil {
				ready()
			}
			select {
			case <-p.stop:
				return
			default:
			}
		}
	}
}

func (p *testLoop) carryOut() {
	var b [8]byte
	_, _ = unix.Read(p.fd, b[:])
	p.mu.Lock()
	todo := p.todo
	p.todo = nil
	p.mu.Unlock()
	for _, f := range todo {
		f()
	}
}

func (p *testLoop) Add(fd int, ready func()) error {
	p.ready[fd] = ready
	return unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(fd)})
}

func (p *testLoop) Remove(fd int) {
	delete(p.ready, fd)
	if err := unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, fd, nil); err != nil {
		p.t.Error(err)
	}
}

func (p *testLoop) Aside(func()) { p.t.Error("nothing here takes long") }

func (p *testLoop) Do(f func()) {
	p.mu.Lock()
	p.todo = append(p.todo, f)
	p.mu.Unlock()
	var one [8]byte
	binary.NativeEndian.PutUint64(one[:], 1)
	_, _ = unix.Write(p.fd, one[:])
}

// wait runs f on the loop's goroutine.
func (p *testLoop) wait(f func()) {
	done := make(chan struct{})
	p.Do(func() { defer close(done); f() })
	<-done
}

// open opens a watch on a loop of its own. It is closed when the test ends.
func (l *lab) open(open func(*testLoop) (io.Closer, error)) (p *testLoop, c io.Closer) {
	l.T.Helper()
	p = l.loop()
	var err error
	p.wait(func() { c, err = open(p) })
	l.Must(err)
	l.T.Cleanup(func() { p.wait(func() { _ = c.Close() }) })
	return p, c
}

// watch watches with a kernel on a loop of its own.
func (l *lab) watch(n *Kernel, notify func(netconf.Notice)) (*testLoop, *watch) {
	l.T.Helper()
	p, c := l.open(func(p *testLoop) (io.Closer, error) { return n.Watch(p, notify) })
	return p, c.(*watch)
}
