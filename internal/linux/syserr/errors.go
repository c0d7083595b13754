//go:build linux

// Package syserr has the errors of the packages that ask the kernel: what was to be
// done, on which adapter, and why it failed.
package syserr

import (
	"errors"
	"fmt"
	"strings"

	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// An Error says what could not be done, on which adapter, and why. It unwraps to
// the kernel's errno, so errors.Is(err, unix.ENETDOWN) and the like work:
//
//   - ENETDOWN: the adapter is administratively down, or has no carrier;
//   - ENODEV (also [netconf.ErrNoLink]): the adapter is gone;
//   - EPERM: the process lacks a capability;
//   - EEXIST: a route of somebody else is in the way;
//   - EADDRINUSE: another program has UDP port 68.
type Error struct {
	// Op is what was to be done, such as "add route 0.0.0.0/0 via 10.0.0.1".
	Op string
	// Adapter is the adapter's name, "" where it concerns none.
	Adapter string
	// Hint says what an administrator can do; mostly absent.
	Hint string
	Err  error
}

func (e *Error) Error() string {
	var b strings.Builder
	if e.Adapter != "" {
		b.WriteString(e.Adapter)
		b.WriteString(": ")
	}
	b.WriteString(e.Op)
	b.WriteString(": ")
	b.WriteString(e.Err.Error())
	if e.Hint != "" {
		b.WriteString(" (")
		b.WriteString(e.Hint)
		b.WriteString(")")
	}
	return b.String()
}

func (e *Error) Unwrap() error { return e.Err }

// Wrap wraps err and adds the hint that its errno deserves.
func Wrap(adapter, op string, err error) error {
	if err == nil {
		return nil
	}
	e := &Error{Op: op, Adapter: adapter, Err: err}
	switch {
	case errors.Is(err, unix.EPERM), errors.Is(err, unix.EACCES):
		e.Hint = "run as root, or with the capabilities CAP_NET_ADMIN, CAP_NET_RAW and CAP_NET_BIND_SERVICE"
	case errors.Is(err, unix.ENODEV), errors.Is(err, unix.ENXIO):
		e.Err = fmt.Errorf("%w (%w)", netconf.ErrNoLink, err)
	}
	return e
}
