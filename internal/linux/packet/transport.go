//go:build linux

package packet

import (
	"sync"

	"github.com/mdlayher/socket"

	"github.com/lessee/lessee/internal/linux/netlink"
	"github.com/lessee/lessee/internal/linux/netns"
)

// A Transport sends and receives in one network namespace. Its methods may be
// called from any goroutine; their errors say what failed and why, and wrap the
// errno.
type Transport struct {
	space  *netns.Namespace
	kernel *netlink.Kernel

	arp   listeners[ARP]
	force listeners[Datagram]

	mu sync.Mutex
	tx *socket.Conn // sends frames for all adapters, receives none; opened when first used
}

// New returns the transport of the namespace, whose neighbours and routes kernel
// knows. Both have to stay open as long.
func New(space *netns.Namespace, kernel *netlink.Kernel) *Transport {
	return &Transport{
		space:  space,
		kernel: kernel,
		arp:    listeners[ARP]{kind: arpKind},
		force:  listeners[Datagram]{kind: forceRenewKind},
	}
}

// Close closes the sockets that adapters share. Exchanges that are open stay so.
func (n *Transport) Close() {
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
}
