//go:build linux

package host

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/driver"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/mdlayher/socket"
	"github.com/vishvananda/netlink"
	"github.com/vishvananda/netlink/nl"
	"golang.org/x/sys/unix"
)

var _ driver.Network = (*Network)(nil)

// Options say what a [Network] tells its owner. The zero Options tell nothing.
type Options struct {
	// ClaimsDir is where daemons see each other's claims; "" is /run/lessee.
	ClaimsDir string
}

// A Network is the kernel of one network namespace.
type Network struct {
	opt Options
	// space is the namespace, held so that sockets can be opened in it later.
	space *os.File
	id    fileID
	// link asks and changes the kernel; raw does so where the library's own
	// requests ask for too much. Both are one netlink socket each, locked per request.
	link *netlink.Handle
	raw  *nl.SocketHandle

	claims claims
	arp    ears[tenancy.ARP]
	force  ears[dhcp4.Datagram]

	mu sync.Mutex
	tx *socket.Conn // sends frames for all adapters, receives none; opened when first used
}

const netlinkPatience = 10 * time.Second

// New opens the network namespace of the calling thread.
func New(opt Options) (*Network, error) {
	space, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		return nil, failed("", "open the network namespace", err)
	}
	n := &Network{
		opt:   opt,
		space: space,
		arp:   ears[tenancy.ARP]{kind: arpHearing},
		force: ears[dhcp4.Datagram]{kind: forceHearing},
	}
	if n.id, err = idOf(fmt.Sprintf("/proc/self/fd/%d", space.Fd())); err != nil {
		space.Close()
		return nil, failed("", "identify the network namespace", err)
	}
	if n.link, err = netlink.NewHandle(unix.NETLINK_ROUTE); err != nil {
		space.Close()
		return nil, failed("", "open a netlink socket", err)
	}
	if err := n.link.SetSocketTimeout(netlinkPatience); err != nil {
		n.Close()
		return nil, failed("", "set up the netlink socket", err)
	}
	// Kernels before 4.20 have no strict checking; then they do not filter
	// dumps, and what they send too much is ignored here.
	_ = n.link.SetStrictCheck(true)
	if n.raw, err = openRaw(); err != nil {
		n.Close()
		return nil, failed("", "open a netlink socket", err)
	}
	return n, nil
}

// Close closes the sockets. Exchanges and watches that are open stay so.
func (n *Network) Close() error {
	if n.link != nil {
		n.link.Close()
	}
	if n.raw != nil {
		n.raw.Close()
	}
	n.claims.close()
	n.arp.close()
	n.force.close()
	n.mu.Lock()
	tx := n.tx
	n.tx = nil
	n.mu.Unlock()
	if tx != nil {
		// It never received, so the kernel has nobody to wait for.
		_ = tx.Close()
	}
	return n.space.Close()
}

// in runs f on a thread that is in the network's namespace.
func (n *Network) in(f func() error) error {
	runtime.LockOSThread()
	if id, err := idOf("/proc/thread-self/ns/net"); err == nil && id == n.id {
		defer runtime.UnlockOSThread()
		return f()
	}
	runtime.UnlockOSThread()

	done := make(chan error, 1)
	go func() {
		runtime.LockOSThread()
		back, err := os.Open("/proc/thread-self/ns/net")
		if err == nil {
			err = unix.Setns(int(n.space.Fd()), unix.CLONE_NEWNET)
		}
		if err != nil {
			runtime.UnlockOSThread()
			done <- fmt.Errorf("enter the network namespace: %w", err)
			return
		}
		err = f()
		// A thread that cannot go back is not given back: it ends with the goroutine.
		if unix.Setns(int(back.Fd()), unix.CLONE_NEWNET) == nil {
			runtime.UnlockOSThread()
		}
		back.Close()
		done <- err
	}()
	return <-done
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
