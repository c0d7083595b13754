//go:build linux

package packet

import (
	"fmt"
	"net"
	"net/netip"

	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/mdlayher/socket"
)

// Send sends a message that awaits no answer. It returns when the frame has been
// handed to the interface. One socket, which receives nothing, serves
// all adapters. The packet does not pass the kernel's routing: it leaves from
// t.Source even if the adapter has lost that address.
func (n *Transport) Send(link netconf.Link, t Transmit) error {
	return syserr.Wrap(link.Name, fmt.Sprintf("send %v to %v", t.Type, t.Destination), n.send(link, t))
}

func (n *Transport) send(link netconf.Link, t Transmit) error {
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
		if now, ok := n.kernel.Confirmed(link, t.Destination); ok {
			to = now
		}
	case t.Destination == broadcast4:
		to = broadcastAddr(link)
	default:
		if err := running(c, link.Index); err != nil {
			return err
		}
		if to, err = n.nextHop(link, t.Destination); err != nil {
			return err
		}
	}
	return sendFrame(c, link, t, to)
}

// nextHop returns the link address of the next hop to dst; a
// [netconf.UnresolvedError] where the kernel does not know it.
func (n *Transport) nextHop(link netconf.Link, dst netip.Addr) (net.HardwareAddr, error) {
	hop := n.kernel.NextHop(link, dst)
	if to, ok := n.kernel.Neighbour(link, hop); ok {
		return to, nil
	}
	return nil, &netconf.UnresolvedError{Hop: hop}
}

func (n *Transport) sender() (*socket.Conn, error) {
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
