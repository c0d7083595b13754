//go:build linux

package netlink

import (
	"github.com/lessee/lessee/internal/linux/netns"
	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
)

// Options configure a [Kernel].
type Options struct {
	// ClaimsDir is where daemons see each other's claims; "" is /run/lessee.
	ClaimsDir string
}

// A Kernel is the network configuration of one network namespace. Its methods
// may be called from any goroutine, except Watch and WatchNeighbours, which belong to
// the loop's; their errors say what failed and why, and wrap the errno.
type Kernel struct {
	opt   Options
	space *netns.Namespace
	// change reads and changes the configuration of adapters; ask does what
	// may take longer, and must not hold that up.
	change, ask *conn
	// state, errs and adapter are kept for the next use of change.
	state   netconf.State
	errs    []error
	adapter adapter
	ahead   ahead

	claims claims
}

// New opens the sockets in the namespace, which has to stay open as long.
func New(space *netns.Namespace, opt Options) (*Kernel, error) {
	n := &Kernel{opt: opt, space: space}
	var err error
	if n.change, err = open(space); err == nil {
		n.ask, err = open(space)
	}
	if err != nil {
		n.Close()
		return nil, syserr.Wrap("", "open a netlink socket", err)
	}
	return n, nil
}

// Close closes the sockets and ends the claims. Watches that are open stay so.
func (n *Kernel) Close() {
	n.change.close()
	n.ask.close()
	n.claims.close()
}
