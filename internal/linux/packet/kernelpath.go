//go:build linux

package packet

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/internal/netconf"
	"golang.org/x/sys/unix"
)

// openKernelPath opens a socket that sends by the kernel's routing and ARP from the
// leased address, and swallows what arrives for it: the packet socket has that already.
func (n *Transport) openKernelPath(link netconf.Link, source netip.Addr) (fd int, err error) {
	if fd, err = n.openSocket(unix.AF_INET, unix.SOCK_DGRAM); err != nil {
		return -1, fmt.Errorf("open a UDP socket: %w", err)
	}
	if err := bindKernelPath(fd, link, source); err != nil {
		_ = unix.Close(fd)
		if errors.Is(err, unix.EADDRINUSE) {
			err = fmt.Errorf("another program has UDP port %d open: %w", clientPort, err)
		}
		return -1, err
	}
	return fd, nil
}

func bindKernelPath(fd int, link netconf.Link, source netip.Addr) error {
	// Filter first: nothing is ever queued.
	if err := attachFilter(fd, dropAll()); err != nil {
		return fmt.Errorf("set the filter of the UDP socket: %w", err)
	}
	// Others may hold the port as well, if they allow it.
	if err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return fmt.Errorf("set up the UDP socket: %w", err)
	}
	err := unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, link.Index)
	if errors.Is(err, unix.ENOPROTOOPT) { // before Linux 5.1
		err = unix.SetsockoptString(fd, unix.SOL_SOCKET, unix.SO_BINDTODEVICE, link.Name)
	}
	if err != nil {
		return fmt.Errorf("bind the UDP socket to the interface: %w", err)
	}
	if err := unix.Bind(fd, &unix.SockaddrInet4{Port: clientPort, Addr: source.As4()}); err != nil {
		return fmt.Errorf("bind to %v port %d: %w", source, clientPort, err)
	}
	return nil
}

// sendKernelPath sends t by a socket of openKernelPath.
func (n *Transport) sendKernelPath(fd int, t Transmit) error {
	n.to4.Port, n.to4.Addr = serverPort, t.Destination.As4()
	return unix.Sendto(fd, t.Message, 0, &n.to4)
}
