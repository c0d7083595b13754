//go:build linux

package packet

import (
	"errors"
	"fmt"
	"net/netip"

	"github.com/lessee/lessee/internal/linux/syserr"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/wire/udp4"
	"golang.org/x/sys/unix"
)

// Send sends a message that awaits no answer. It returns when the frame has been
// handed to the interface. One socket, which receives nothing, serves all adapters.
// The packet does not pass the kernel's routing: it leaves from t.Source even if the
// adapter has lost that address.
//
// The error wraps a [netconf.UnresolvedError] if t.Link is not set and the kernel does
// not know the link address of the next hop. Once that is known, Send is called again
// with t.Link set.
func (n *Transport) Send(link netconf.Link, t Transmit) error {
	return wrapSend(link, t, n.send(link, t))
}

// wrapSend makes an error's text only if there is an error.
func wrapSend(link netconf.Link, t Transmit, err error) error {
	if err == nil {
		return nil
	}
	return syserr.Wrap(link.Name, fmt.Sprintf("send %v to %v", t.Type, t.Destination), err)
}

func (n *Transport) send(link netconf.Link, t Transmit) error {
	fd, err := n.sender()
	if err != nil {
		return err
	}
	if err := running(link); err != nil {
		return err
	}
	switch {
	case t.Link != nil:
		// The server may have moved since it gave the lease; the kernel knows
		// if somebody has talked to it.
		if now, ok := n.kernel.Confirmed(link, t.Destination); ok {
			t.Link = now
		}
	case t.Destination != broadcast4:
		if t.Link, err = n.nextHop(link, t.Destination); err != nil {
			return err
		}
	}
	return n.sendFrame(fd, link, t)
}

// nextHop returns the link address of the host that frames to the destination are
// sent to, or a [netconf.UnresolvedError].
func (n *Transport) nextHop(link netconf.Link, destination netip.Addr) ([]byte, error) {
	hop := n.kernel.NextHop(link, destination)
	if to, ok := n.kernel.Neighbour(link, hop); ok {
		return to, nil
	}
	return nil, &netconf.UnresolvedError{Hop: hop}
}

// sendRoom is how many bytes of frames the socket of all adapters holds until their
// links have sent them: many adapters may release their leases at the same moment.
const sendRoom = 4 << 20

// sender returns the socket that sends for all adapters.
func (n *Transport) sender() (fd int, err error) {
	if n.tx < 0 {
		fd, err := n.openPacket()
		if err != nil {
			return -1, fmt.Errorf("open a packet socket: %w", err)
		}
		// Without the right to it, the usual room has to do.
		_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_SNDBUFFORCE, sendRoom)
		n.tx = fd
	}
	return n.tx, nil
}

var errLongHardwareAddr = errors.New("hardware addresses of more than 8 bytes are not supported")

var broadcast4 = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// sendFrame puts t into an IP packet and sends it to t.Link; nil: to all.
func (n *Transport) sendFrame(fd int, link netconf.Link, t Transmit) error {
	frame, err := udp4.Append(n.frame[:0], udp4.Datagram{
		Source:      netip.AddrPortFrom(t.Source, clientPort),
		Destination: netip.AddrPortFrom(t.Destination, serverPort),
		Payload:     t.Message,
	})
	n.frame = frame[:0]
	if err != nil {
		return err
	}
	return n.sendTo(fd, link, unix.ETH_P_IP, frame, t.Link)
}

// sendTo sends a packet to the link address; nil: to all, and to the other end of a
// link without addresses.
func (n *Transport) sendTo(fd int, link netconf.Link, protocol uint16, packet, to []byte) error {
	size := len(to)
	if to == nil {
		size = len(link.HardwareAddr)
	}
	if size > len(n.to.Addr) {
		return errLongHardwareAddr
	}
	n.to.Protocol, n.to.Ifindex, n.to.Halen = networkOrder(protocol), link.Index, uint8(size) //nolint:gosec // at most 8
	n.to.Addr = [8]byte{}
	if to == nil {
		for i := range size {
			n.to.Addr[i] = 0xff
		}
	}
	copy(n.to.Addr[:], to)
	return unix.Sendto(fd, packet, 0, &n.to)
}

var (
	errDown      = fmt.Errorf("the interface is down: %w", unix.ENETDOWN)
	errNoCarrier = fmt.Errorf("the interface has no carrier: %w", unix.ENETDOWN)
)

// running returns ENETDOWN if the interface would swallow a frame: without a
// carrier the kernel drops it and reports success. What the kernel has told of the link
// is as good as asking it: it tells when it changes what it would answer. A frame that is
// lost because the news is still to be read is as one that left just before.
func running(link netconf.Link) error {
	switch {
	case !link.Up:
		return errDown
	case !link.Carrier:
		return errNoCarrier
	}
	return nil
}

// runningNow is running by what the kernel says now.
func (n *Transport) runningNow(fd, index int) error {
	// The name may have changed; the index tells it, the name the flags.
	n.ifreq.SetUint32(uint32(index)) //nolint:gosec // an interface index is positive and 31 bits
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFNAME, n.ifreq); err != nil {
		return err
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, n.ifreq); err != nil {
		return err
	}
	switch flags := n.ifreq.Uint16(); {
	case flags&unix.IFF_UP == 0:
		return errDown
	case flags&unix.IFF_RUNNING == 0:
		return errNoCarrier
	}
	return nil
}
