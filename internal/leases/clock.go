//go:build linux

package leases

import (
	"os"
	"strings"
	"time"

	"github.com/lessee/lessee/boottime"
	"golang.org/x/sys/unix"
)

// A Clock tells the time by both clocks.
type Clock struct {
	// Boot is the time since boot, suspended time included.
	Boot func() boottime.Instant
	// BootID is another text after each boot; "" means that it is not known,
	// and every Load is then like one after a reboot.
	BootID string
	// Wall is the wall clock; nil is time.Now.
	Wall func() time.Time
}

// SystemClock returns the clocks of this system.
func SystemClock() Clock {
	id, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		id = nil // without /proc, the wall clock has to do
	}
	return Clock{
		Boot: func() boottime.Instant {
			var ts unix.Timespec
			_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts) // every Linux has it
			return boottime.Instant(ts.Nano())
		},
		BootID: strings.TrimSpace(string(id)),
	}
}

func (c Clock) now() moment {
	wall := time.Now
	if c.Wall != nil {
		wall = c.Wall
	}
	return moment{boot: c.Boot(), bootID: c.BootID, wall: wall()}
}
