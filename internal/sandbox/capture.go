//go:build linux

package sandbox

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/insomniacslk/dhcp/dhcpv4"
	"github.com/mdlayher/socket"
	"golang.org/x/sys/unix"
)

// A Packet is a DHCP or ARP packet that passed the server's end of a cable.
type Packet struct {
	// Time is the kernel's time stamp.
	Time time.Time
	// Inbound says that it came from the client.
	Inbound bool
	// Source and Destination are IP addresses; of an ARP packet the sender's
	// and the target's protocol address.
	Source, Destination netip.Addr
	// Broadcast says that the frame went to everybody on the link.
	Broadcast bool
	// DHCP is nil for an ARP packet; then ARP is 1 for a request, 2 for a reply.
	DHCP *dhcpv4.DHCPv4
	ARP  uint16
}

// Type names the DHCP message, such as "DISCOVER"; "" for an ARP packet.
func (p Packet) Type() string {
	if p.DHCP == nil {
		return ""
	}
	return p.DHCP.MessageType().String()
}

// Grant returns the address that the server gives (yiaddr) and for how long;
// not valid in other messages.
func (p Packet) Grant() (netip.Addr, time.Duration) {
	if p.DHCP == nil {
		return netip.Addr{}, 0
	}
	return addr(p.DHCP.YourIPAddr), p.DHCP.IPAddressLeaseTime(0)
}

// Asks returns the address that the client asks for (option 50), not valid if
// it asks for none, and the one that it says it has (ciaddr).
func (p Packet) Asks() (wanted, has netip.Addr) {
	if p.DHCP == nil {
		return netip.Addr{}, netip.Addr{}
	}
	return addr(p.DHCP.RequestedIPAddress()), addr(p.DHCP.ClientIPAddr)
}

// A Capture records what passes the server's end of a cable.
type Capture struct {
	conn *socket.Conn
	stop context.CancelFunc
	done chan struct{}

	mu      sync.Mutex
	packets []Packet
	// grown is closed and replaced when packets has grown.
	grown chan struct{}
}

// Capture starts to record.
func (n *Network) Capture() (*Capture, error) {
	c := &Capture{done: make(chan struct{}), grown: make(chan struct{})}
	err := n.Do(func() error {
		ifi, err := net.InterfaceByName(n.conf.Server)
		if err != nil {
			return err
		}
		// Protocol 0 receives nothing before bind names the interface.
		if c.conn, err = socket.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0, "capture", nil); err != nil {
			return err
		}
		if err := c.conn.SetsockoptInt(unix.SOL_SOCKET, unix.SO_TIMESTAMPNS, 1); err != nil {
			return err
		}
		all := binary.NativeEndian.Uint16([]byte{unix.ETH_P_ALL >> 8, unix.ETH_P_ALL & 0xff})
		return c.conn.Bind(&unix.SockaddrLinklayer{Protocol: all, Ifindex: ifi.Index})
	})
	if err != nil {
		if c.conn != nil {
			_ = c.conn.Close()
		}
		return nil, fmt.Errorf("sandbox: capture on %s: %w", n.conf.Server, err)
	}
	ctx, stop := context.WithCancel(context.Background())
	c.stop = stop
	go c.run(ctx)
	return c, nil
}

// Take returns the packets recorded since the last Take, in order. A packet is
// on the cable a moment before it is on record, so Take waits until enough
// says that the packets are complete, or ctx ends.
func (c *Capture) Take(ctx context.Context, enough func([]Packet) bool) []Packet {
	for {
		c.mu.Lock()
		grown := c.grown
		if enough(c.packets) || ctx.Err() != nil {
			defer c.mu.Unlock()
			p := c.packets
			c.packets = nil
			return p
		}
		c.mu.Unlock()
		select {
		case <-grown:
		case <-ctx.Done():
		case <-c.done:
			return nil
		}
	}
}

// Close ends the recording.
func (c *Capture) Close() error {
	c.stop()
	<-c.done
	return c.conn.Close()
}

func (c *Capture) run(ctx context.Context) {
	defer close(c.done)
	buf, oob := make([]byte, 64<<10), make([]byte, 256)
	for {
		n, oobn, _, from, err := c.conn.Recvmsg(ctx, buf, oob, 0)
		if ctx.Err() != nil {
			return
		}
		if err != nil {
			if errors.Is(err, unix.ENETDOWN) { // the interface went down; it may come back
				continue
			}
			return
		}
		p, ok := dissect(buf[:n])
		if !ok {
			continue
		}
		if ll, ok := from.(*unix.SockaddrLinklayer); ok {
			p.Inbound = ll.Pkttype != unix.PACKET_OUTGOING
		}
		p.Time = stamp(oob[:oobn])
		c.mu.Lock()
		c.packets = append(c.packets, p)
		close(c.grown)
		c.grown = make(chan struct{})
		c.mu.Unlock()
	}
}

// stamp returns the kernel's time stamp, the present time if there is none.
func stamp(oob []byte) time.Time {
	messages, err := unix.ParseSocketControlMessage(oob)
	if err != nil {
		return time.Now()
	}
	for _, m := range messages {
		if m.Header.Level == unix.SOL_SOCKET && m.Header.Type == unix.SO_TIMESTAMPNS && len(m.Data) >= 16 {
			sec, nsec := binary.NativeEndian.Uint64(m.Data), binary.NativeEndian.Uint64(m.Data[8:])
			return time.Unix(int64(sec), int64(nsec)) //nolint:gosec // the kernel's clock fits
		}
	}
	return time.Now()
}

// dissect takes an Ethernet frame apart; false if it is neither DHCP nor ARP.
func dissect(frame []byte) (Packet, bool) {
	var p Packet
	if len(frame) < 14 {
		return p, false
	}
	p.Broadcast = [6]byte(frame) == [6]byte{255, 255, 255, 255, 255, 255}
	body := frame[14:]
	switch binary.BigEndian.Uint16(frame[12:]) {
	case unix.ETH_P_ARP:
		if len(body) < 28 {
			return p, false
		}
		p.ARP = binary.BigEndian.Uint16(body[6:])
		p.Source, p.Destination = netip.AddrFrom4([4]byte(body[14:])), netip.AddrFrom4([4]byte(body[24:]))
		return p, true
	case unix.ETH_P_IP:
		if len(body) < 20 || body[9] != unix.IPPROTO_UDP {
			return p, false
		}
		p.Source, p.Destination = netip.AddrFrom4([4]byte(body[12:])), netip.AddrFrom4([4]byte(body[16:]))
		header := int(body[0]&15) * 4
		if header < 20 || len(body) < header+8 {
			return p, false
		}
		udp := body[header:]
		from, to := binary.BigEndian.Uint16(udp), binary.BigEndian.Uint16(udp[2:])
		if (from != 67 && from != 68) || (to != 67 && to != 68) {
			return p, false
		}
		m, err := dhcpv4.FromBytes(udp[8:min(len(udp), max(8, int(binary.BigEndian.Uint16(udp[4:]))))])
		p.DHCP = m
		return p, err == nil
	}
	return p, false
}
