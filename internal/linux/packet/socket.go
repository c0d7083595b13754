//go:build linux

package packet

import (
	"fmt"

	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// openSocket opens a socket in the transport's namespace. It does not block.
func (n *Transport) openSocket(family, kind int) (fd int, err error) {
	fd = -1
	err = n.space.Do(func() (err error) {
		fd, err = unix.Socket(family, kind|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		return err
	})
	return fd, err
}

// openPacket opens a packet socket that receives nothing yet: it has protocol 0.
// The kernel makes and strips the link header.
func (n *Transport) openPacket() (fd int, err error) {
	return n.openSocket(unix.AF_PACKET, unix.SOCK_DGRAM)
}

// closePacket closes a packet socket, which waits tens of milliseconds for the kernel.
func (n *Transport) closePacket(fd int) {
	n.loop.Aside(func() { _ = unix.Close(fd) })
}

// listen filters a packet socket and lets it receive from the link, in this order: no
// frame gets in unfiltered.
func listen(fd int, link netconf.Link) error {
	f, err := filter(link)
	if err != nil {
		return fmt.Errorf("assemble the packet filter: %w", err)
	}
	if err := attachFilter(fd, f); err != nil {
		return fmt.Errorf("set the packet filter: %w", err)
	}
	if err := unix.SetsockoptInt(fd, unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
		return fmt.Errorf("ask for the checksum state: %w", err)
	}
	// How many did not fit in the queue is worth knowing, not worth failing for.
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
	if err := unix.Bind(fd, &unix.SockaddrLinklayer{Protocol: etherIPv4(), Ifindex: link.Index}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	return nil
}

// etherIPv4 is ETH_P_IP as sockaddr_ll wants it.
func etherIPv4() uint16 { return networkOrder(unix.ETH_P_IP) }

// packetsAtOnce is how many packets are read from one socket before the others have
// their turn.
const packetsAtOnce = 16
