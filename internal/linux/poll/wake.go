//go:build linux

package poll

import (
	"fmt"
	"math"
	"os"
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

// A wake lets other goroutines end a Wait of a file: by its deadline, which the runtime
// keeps, so that it takes no system call.
type wake struct {
	mu   sync.Mutex
	file *os.File
	set  bool // the poller has not seen the last send
}

// past is a deadline that is over, also where the clock starts with the epoch.
var past = time.Unix(-1, 0)

func (w *wake) send() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.set {
		return
	}
	// An error says that the file is closed.
	w.set = w.file.SetReadDeadline(past) == nil
}

// receive is called when the poller has seen a send, and makes send work again. Who
// sends from now on wakes the next Wait, who did before woke this one.
func (w *wake) receive() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.set = false
	return w.file.SetReadDeadline(time.Time{})
}
