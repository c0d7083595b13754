//go:build linux

package poll

import (
	"fmt"
	"math"
	"sync"
	"time"

	"github.com/lessee/lessee/boottime"
	"golang.org/x/sys/unix"
)

// A timer is a descriptor that can be read from an instant on.
type timer struct {
	fd    int
	armed bool
	at    boottime.Instant // where armed
	fired bool             // it can be read
}

// latest is the last instant that every kernel can set a timer to.
const latest = boottime.Instant(math.MaxInt32 * int64(time.Second))

// arm sets the timer, unless it goes off before that anyway: a Wait that returns too
// early does no harm, and most instants are moved to a later one before they come.
func (t *timer) arm(until boottime.Instant, set bool) error {
	until = min(until, latest)
	if !t.fired && (!set || t.armed && t.at <= until) {
		return nil
	}
	var spec unix.ItimerSpec // disarms it
	if set {
		spec.Value = unix.NsecToTimespec(max(int64(until), 1))
	}
	// Afterwards it cannot be read, even if it fired before.
	if err := unix.TimerfdSettime(t.fd, unix.TFD_TIMER_ABSTIME, &spec, nil); err != nil {
		return fmt.Errorf("set the timer: %w", err)
	}
	t.armed, t.at, t.fired = set, until, false
	return nil
}

// A wake is a descriptor that other goroutines make readable.
type wake struct {
	mu  sync.Mutex
	fd  int
	set bool // the poller has not seen the last send
}

var one = [8]byte{1} // whichever byte order, it is not zero

func (w *wake) send() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.set || w.fd < 0 {
		return
	}
	// It is never read: the count has room for centuries of this.
	_, err := unix.Write(w.fd, one[:])
	w.set = err == nil
}

// receive is called when the poller has seen a send, and makes send work again. Who
// sends from now on wakes the next Wait, who did before woke this one.
func (w *wake) receive() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set = false
}

func (w *wake) close() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.fd >= 0 {
		_ = unix.Close(w.fd)
		w.fd = -1
	}
}
