//go:build linux

package host

import (
	"fmt"
	"net"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"
)

// Send implements [driver.Network]. One socket, which receives nothing, serves
// all adapters. The packet does not pass the kernel's routing: it leaves from
// t.Source even if the adapter has lost that address.
func (n *Network) Send(link netconf.Link, t dhcp4.Transmit) error {
	return failed(link.Name, fmt.Sprintf("send %v to %v", t.Type, t.Destination), n.send(link, t))
}

func (n *Network) send(link netconf.Link, t dhcp4.Transmit) error {
	c, err := n.sender()
	if err != nil {
		return fmt.Errorf("open a packet socket: %w", err)
	}
	var to net.HardwareAddr
	switch {
	case t.Link != nil:
		to = t.Link
		// The server may have moved since it gave the lease; the kernel knows
		// if somebody has talked to it.
		if now, ok := n.neighbourIn(link, t.Destination, unix.NUD_REACHABLE|unix.NUD_PERMANENT); ok {
			to = now
		}
	case t.Destination == broadcast4:
		to = broadcastAddr(link)
	default:
		if err := running(c, link.Index); err != nil {
			return err
		}
		if to, err = n.resolve(link, n.nextHop(link, t.Destination)); err != nil {
			return err
		}
	}
	return sendFrame(c, link, t, to)
}

func (n *Network) sender() (*socket.Conn, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.tx == nil {
		c, err := n.openPacket()
		if err != nil {
			return nil, err
		}
		n.tx = c
	}
	return n.tx, nil
}
