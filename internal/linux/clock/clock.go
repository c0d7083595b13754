//go:build linux

package clock

import (
	"os"
	"strings"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/linux/syserr"
	"golang.org/x/sys/unix"
)

// Now returns the time since boot, suspended time included.
func Now() boottime.Instant {
	var ts unix.Timespec
	// It fails only for a clock that the kernel does not have, and it has had
	// this one since 2.6.39.
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &ts)
	return boottime.Instant(ts.Nano())
}

// BootID returns a text that is another after each boot.
func BootID() (string, error) {
	b, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", syserr.Wrap("", "identify this boot", err)
	}
	return strings.TrimSpace(string(b)), nil
}
