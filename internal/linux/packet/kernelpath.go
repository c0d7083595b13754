//go:build linux

package packet

import (
	"context"
	"errors"
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/internal/netconf"
	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"
)

// A kernelPath sends by the kernel's routing and ARP from the leased address,
// and swallows what arrives for it: the packet socket has that already.
type kernelPath struct {
	c      *socket.Conn
	source netip.Addr
}

func (n *Transport) openKernelPath(link netconf.Link, source netip.Addr) (*kernelPath, error) {
	var c *socket.Conn
	err := n.space.Do(func() (err error) {
		c, err = socket.Socket(unix.AF_INET, unix.SOCK_DGRAM, 0, "udp", nil)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("open a UDP socket: %w", err)
	}
	if err := bindKernelPath(c, link, source); err != nil {
		c.Close()
		if errors.Is(err, unix.EADDRINUSE) {
			if who := n.portHolder(clientPort); who != "" {
				return nil, fmt.Errorf("%s has UDP port %d open: %w", who, clientPort, err)
			}
			return nil, fmt.Errorf("another program has UDP port %d open: %w", clientPort, err)
		}
		return nil, err
	}
	return &kernelPath{c: c, source: source}, nil
}

func bindKernelPath(c *socket.Conn, link netconf.Link, source netip.Addr) error {
	// Filter first: nothing is ever queued.
	if err := c.SetBPF(dropAll()); err != nil {
		return fmt.Errorf("set the filter of the UDP socket: %w", err)
	}
	// Others may hold the port as well, if they allow it.
	if err := c.SetsockoptInt(unix.SOL_SOCKET, unix.SO_REUSEADDR, 1); err != nil {
		return fmt.Errorf("set up the UDP socket: %w", err)
	}
	err := c.SetsockoptInt(unix.SOL_SOCKET, unix.SO_BINDTOIFINDEX, link.Index)
	if errors.Is(err, unix.ENOPROTOOPT) { // before Linux 5.1
		err = c.SetsockoptString(unix.SOL_SOCKET, unix.SO_BINDTODEVICE, link.Name)
	}
	if err != nil {
		return fmt.Errorf("bind the UDP socket to the interface: %w", err)
	}
	if err := c.Bind(&unix.SockaddrInet4{Port: clientPort, Addr: source.As4()}); err != nil {
		return fmt.Errorf("bind to %v port %d: %w", source, clientPort, err)
	}
	return nil
}

func (k *kernelPath) send(t Transmit) error {
	return k.c.Sendto(context.Background(), t.Message, 0,
		&unix.SockaddrInet4{Port: serverPort, Addr: t.Destination.As4()})
}

func (k *kernelPath) close() { _ = k.c.Close() }
