//go:build linux

package packet

import (
	"sync"

	"github.com/lessee/lessee/internal/linux/netlink"
	"github.com/lessee/lessee/internal/linux/netns"
	"github.com/lessee/lessee/internal/linux/poll"
	"golang.org/x/sys/unix"
)

// A Transport sends and receives in one network namespace. Its methods, and those of
// its exchanges, are called on the loop's goroutine, and call back there; only Capture
// may be called on any. Their errors say what failed and why, and wrap the errno.
type Transport struct {
	space  *netns.Namespace
	kernel *netlink.Kernel
	loop   poll.Loop

	arp   ears[ARP]
	force ears[Datagram]
	// headed says that the filter of arp has been prepared.
	headed bool

	tx int // sends frames for all adapters, receives none; -1 before it is first used

	// Kept, so that to receive and to send does not allocate.
	in    *receiver
	frame []byte
	to    unix.SockaddrLinklayer
	to4   unix.SockaddrInet4
	ifreq *unix.Ifreq
}

// frameSize is how long a frame is that is sent without allocating.
const frameSize = 2048

// New returns the transport of the namespace, whose neighbours and routes kernel
// knows. Both have to stay open as long.
func New(space *netns.Namespace, kernel *netlink.Kernel, loop poll.Loop) *Transport {
	ifreq, _ := unix.NewIfreq("") // it fails only for a name that is too long
	n := &Transport{
		space:  space,
		kernel: kernel,
		loop:   loop,
		tx:     -1,
		frame:  make([]byte, 0, frameSize),
		ifreq:  ifreq,
	}
	// No packet waits for a page fault.
	n.in = receivers.Get().(*receiver) //nolint:errcheck,forcetypeassert // there is nothing else
	n.in.packet[0], n.in.packet[frameSize] = 1, 1
	n.frame[:1][0] = 1
	n.arp = newEars(n, arpKind)
	n.force = newEars(n, forceRenewKind)
	return n
}

// Close closes the sockets that adapters share, after those of the exchanges.
func (n *Transport) Close() {
	n.arp.close()
	n.force.close()
	if n.tx >= 0 {
		n.closePacket(n.tx)
		n.tx = -1
	}
	if n.in != nil {
		receivers.Put(n.in)
		n.in = nil
	}
}

// receivers keeps what was used to receive: namespaces are visited often.
var receivers = sync.Pool{New: func() any { return new(receiver) }}
