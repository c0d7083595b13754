//go:build linux

package netlink

import (
	"errors"
	"time"

	"github.com/lessee/lessee/internal/linux/netns"
	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

// Options configure a [Kernel].
type Options struct {
	// ClaimsDir is where daemons see each other's claims; "" is /run/lessee.
	ClaimsDir string
}

// A Kernel is the network configuration of one network namespace. Its methods
// may be called from any goroutine; their errors say what failed and why, and
// wrap the errno.
type Kernel struct {
	opt   Options
	space *netns.Namespace
	// link asks and changes the kernel; raw does so where the library's own
	// requests ask for too much. Both are one netlink socket each, locked per request.
	link *netlink.Handle
	raw  *nl.SocketHandle

	claims claims
}

const patience = 10 * time.Second

// New opens the sockets in the namespace, which has to stay open as long.
func New(space *netns.Namespace, opt Options) (*Kernel, error) {
	n := &Kernel{opt: opt, space: space}
	err := space.Do(func() (err error) {
		if n.link, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
			return err
		}
		n.raw, err = openRaw()
		return err
	})
	if err != nil {
		n.Close()
		return nil, syserr.Wrap("", "open a netlink socket", err)
	}
	if err := n.link.SetSocketTimeout(patience); err != nil {
		n.Close()
		return nil, syserr.Wrap("", "set up the netlink socket", err)
	}
	// Kernels before 4.20 have no strict checking; then they do not filter
	// dumps, and what they send too much is ignored here.
	_ = n.link.SetStrictCheck(true)
	return n, nil
}

// Close closes the sockets and ends the claims. Watches that are open stay so.
func (n *Kernel) Close() {
	if n.link != nil {
		n.link.Close()
	}
	if n.raw != nil {
		n.raw.Close()
	}
	n.claims.close()
}

// dumped says whether a dump may be used. One that was interrupted by a change
// is complete enough to retry, not to act on.
func dumped(err error) (again bool, _ error) {
	if errors.Is(err, netlink.ErrDumpInterrupted) || errors.Is(err, unix.EINTR) {
		return true, err
	}
	return false, err
}

const dumpTries = 8

// dump repeats f until the kernel's tables held still while it ran.
func dump[T any](f func() ([]T, error)) ([]T, error) {
	var err error
	for range dumpTries {
		var list []T
		var again bool
		list, err = f()
		if again, err = dumped(err); !again {
			return list, err
		}
	}
	return nil, err
}
