package daemon

import (
	"errors"
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// A PermissionError says which capabilities the process lacks.
type PermissionError struct{ Missing []string }

func (e *PermissionError) Error() string {
	return fmt.Sprintf("the daemon may not configure adapters: it lacks %s; run it as root, or by the systemd unit",
		strings.Join(e.Missing, ", "))
}

// Is makes errors.Is(err, fs.ErrPermission) hold.
func (e *PermissionError) Is(target error) bool { return errors.Is(unix.EPERM, target) }

// needed are the capabilities without which no lease can be had. Whether port 68
// takes one, too, is the system's choice (ip_unprivileged_port_start).
var needed = []struct {
	name string
	bit  uint
}{
	{"CAP_NET_ADMIN", unix.CAP_NET_ADMIN},
	{"CAP_NET_RAW", unix.CAP_NET_RAW},
}

// permitted fails if the process lacks a capability that it needs. Without this
// look a daemon without privilege would start, and fail at each packet.
func permitted() error {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return nil //nolint:nilerr // Not known; what fails for lack of one says so itself.
	}
	return missing(uint64(data[1].Effective)<<32 | uint64(data[0].Effective))
}

// missing is the error for this set of effective capabilities, nil if it is enough.
func missing(effective uint64) error {
	var names []string
	for _, c := range needed {
		if effective&(1<<c.bit) == 0 {
			names = append(names, c.name)
		}
	}
	if names == nil {
		return nil
	}
	return &PermissionError{Missing: names}
}
