//go:build linux

package packet

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"

	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/wire/udp4"
	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"
)

// openPacket opens a packet socket that receives nothing yet: it has protocol 0.
// The kernel makes and strips the link header.
func (n *Transport) openPacket() (*socket.Conn, error) {
	var c *socket.Conn
	err := n.space.Do(func() (err error) {
		c, err = socket.Socket(unix.AF_PACKET, unix.SOCK_DGRAM, 0, "packet", nil)
		return err
	})
	return c, err
}

// listen filters c and lets it receive from the link, in this order: no frame
// gets in unfiltered.
func listen(c *socket.Conn, link netconf.Link) error {
	f, err := filter(link)
	if err != nil {
		return fmt.Errorf("assemble the packet filter: %w", err)
	}
	if err := c.SetBPF(f); err != nil {
		return fmt.Errorf("set the packet filter: %w", err)
	}
	if err := c.SetsockoptInt(unix.SOL_PACKET, unix.PACKET_AUXDATA, 1); err != nil {
		return fmt.Errorf("ask for the checksum state: %w", err)
	}
	// How many did not fit in the queue is worth knowing, not worth failing for.
	_ = c.SetsockoptInt(unix.SOL_SOCKET, unix.SO_RXQ_OVFL, 1)
	if err := c.Bind(&unix.SockaddrLinklayer{Protocol: etherIPv4(), Ifindex: link.Index}); err != nil {
		return fmt.Errorf("bind: %w", err)
	}
	return nil
}

// etherIPv4 is ETH_P_IP as sockaddr_ll wants it.
func etherIPv4() uint16 { return networkOrder(unix.ETH_P_IP) }

var errLongHardwareAddr = errors.New("hardware addresses of more than 8 bytes are not supported")

// sendFrame puts t into an IP packet and sends it to the link address.
func sendFrame(c *socket.Conn, link netconf.Link, t Transmit, to net.HardwareAddr) error {
	if len(to) > 8 {
		return errLongHardwareAddr
	}
	if err := running(c, link.Index); err != nil {
		return err
	}
	packet, err := udp4.Append(make([]byte, 0, udp4.Overhead+len(t.Message)), udp4.Datagram{
		Source:      netip.AddrPortFrom(t.Source, clientPort),
		Destination: netip.AddrPortFrom(t.Destination, serverPort),
		Payload:     t.Message,
	})
	if err != nil {
		return err
	}
	sa := &unix.SockaddrLinklayer{Protocol: etherIPv4(), Ifindex: link.Index, Halen: uint8(len(to))}
	copy(sa.Addr[:], to)
	return c.Sendto(context.Background(), packet, 0, sa)
}

// running returns ENETDOWN if the interface would swallow a frame: without a
// carrier the kernel drops it and reports success.
func running(c *socket.Conn, index int) error {
	ifr, err := unix.NewIfreq("")
	if err != nil {
		return err
	}
	rc, err := c.SyscallConn()
	if err != nil {
		return err
	}
	var ioctl error
	err = rc.Control(func(fd uintptr) {
		// The name may have changed; the index tells it, the name the flags.
		ifr.SetUint32(uint32(index))
		if ioctl = unix.IoctlIfreq(int(fd), unix.SIOCGIFNAME, ifr); ioctl == nil {
			ioctl = unix.IoctlIfreq(int(fd), unix.SIOCGIFFLAGS, ifr)
		}
	})
	switch flags := ifr.Uint16(); {
	case err != nil:
		return err
	case ioctl != nil:
		return ioctl
	case flags&unix.IFF_UP == 0:
		return fmt.Errorf("the interface is down: %w", unix.ENETDOWN)
	case flags&unix.IFF_RUNNING == 0:
		return fmt.Errorf("the interface has no carrier: %w", unix.ENETDOWN)
	}
	return nil
}

var broadcast4 = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// broadcastAddr is the link's broadcast address; nil on a link without addresses.
func broadcastAddr(link netconf.Link) net.HardwareAddr {
	b := make(net.HardwareAddr, len(link.HardwareAddr))
	for i := range b {
		b[i] = 0xff
	}
	return b
}
