//go:build linux

package clock

import (
	"os"
	"sync"
	"time"

	"github.com/lessee/lessee/boottime"
	"golang.org/x/sys/unix"
)

// NewTimer returns a timer that is not set. It goes off on time after a
// suspend, at once if its time came meanwhile. It holds a descriptor and a
// goroutine until it is closed.
func NewTimer() *Timer {
	t := &Timer{c: make(chan struct{}, 1)}
	fd, err := unix.TimerfdCreate(unix.CLOCK_BOOTTIME, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		// No descriptor left, or a kernel without timerfd. Such a timer does
		// not count suspended time while suspended, but it goes off.
		t.fallback = time.AfterFunc(time.Hour, t.tick)
		t.fallback.Stop()
		return t
	}
	t.file = os.NewFile(uintptr(fd), "timerfd")
	go t.run()
	return t
}

// A Timer fires once per Reset at an absolute instant.
type Timer struct {
	c        chan struct{}
	file     *os.File
	fallback *time.Timer

	mu    sync.Mutex
	at    boottime.Instant
	armed bool
}

// C gets a value when the timer fires.
func (t *Timer) C() <-chan struct{} { return t.c }

// Reset sets the timer; a tick of an earlier setting is taken back.
func (t *Timer) Reset(at boottime.Instant) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drain()
	t.at, t.armed = at, true
	t.set(at)
}

// Stop unsets the timer; a tick of an earlier setting is taken back.
func (t *Timer) Stop() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.drain()
	t.armed = false
	if t.fallback != nil {
		t.fallback.Stop()
		return
	}
	t.settime(unix.ItimerSpec{})
}

// Close ends the timer; it does not fire any more.
func (t *Timer) Close() error {
	t.Stop()
	if t.file != nil {
		return t.file.Close()
	}
	return nil
}

func (t *Timer) drain() {
	select {
	case <-t.c:
	default:
	}
}

func (t *Timer) set(at boottime.Instant) {
	if t.fallback != nil {
		t.fallback.Reset(max(at.Sub(Now()), 0))
		return
	}
	// Zero would disarm it, and what is past is past.
	t.settime(unix.ItimerSpec{Value: unix.NsecToTimespec(max(int64(at), 1))})
}

func (t *Timer) settime(spec unix.ItimerSpec) {
	rc, err := t.file.SyscallConn()
	if err != nil {
		return // closed
	}
	_ = rc.Control(func(fd uintptr) {
		_ = unix.TimerfdSettime(int(fd), unix.TFD_TIMER_ABSTIME, &spec, nil)
	})
}

func (t *Timer) run() {
	var count [8]byte
	for {
		if _, err := t.file.Read(count[:]); err != nil {
			return
		}
		t.tick()
	}
}

func (t *Timer) tick() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.armed {
		return
	}
	if Now().Before(t.at) {
		// An expiry that was read before a Reset and told after it, or a
		// fallback timer that slept through a suspend.
		if t.fallback != nil {
			t.set(t.at)
		}
		return
	}
	t.armed = false
	t.c <- struct{}{} // drained before it was armed, so there is room
}
