package dhcp4

import (
	"bytes"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// receive takes a datagram.
func (c *Client) receive(now boottime.Instant, d Datagram) {
	p, err := wire.Parse(d.Message)
	if err != nil {
		c.reject(rejectionOf(err))
		return
	}
	x := c.state.awaited()
	switch {
	case p.Op() != wire.OpReply:
		c.reject(RejectNotReply)
	case !bytes.Equal(p.HardwareAddr(), c.chaddr()):
		c.reject(RejectForeignHardwareAddr)
	case x == nil:
		c.reject(RejectNotAwaited)
	case p.XID() != x.xid:
		c.reject(RejectForeignXID)
	default:
		if r := c.converse(now, message{Packet: p, link: d.Link}, x); r != accepted {
			c.reject(r)
		}
	}
}

// converse takes a message of our own exchange.
func (c *Client) converse(now boottime.Instant, m message, x *exchange) Rejection {
	// RFC 6842, section 3: a server returns the client identifier, and a client
	// silently discards what has another one than it sent.
	if id, ok := m.Option(wire.OptionClientID); ok && len(x.clientID) > 0 && !bytes.Equal(id, x.clientID) {
		return RejectClientID
	}
	switch t := m.MessageType(); t {
	case wire.Offer, wire.ACK, wire.NAK:
	case 0:
		return RejectNoMessageType
	case wire.Discover, wire.Request, wire.Decline, wire.Release, wire.Inform, wire.ForceRenew:
		return RejectMessageType
	default:
		return RejectMessageType
	}
	server, named := m.Addr(wire.OptionServerID)
	r := Received{Type: m.MessageType(), Server: server, Your: m.YourAddr()}
	if text, ok := m.Text(wire.OptionMessage); ok {
		r.Text = wire.Printable(text)
	}
	c.counters.countReceived(r.Type)
	c.emit(r)
	if named {
		if !isHost(server) {
			return RejectBadServerID
		}
		m.server = server
	}
	return c.state.answer(c, now, m)
}

func (c *Client) reject(why Rejection) {
	c.counters.rejected[why]++
	c.emit(droppedOutputs[why])
}

// chaddr is what stands in the header of our messages (RFC 4390 section 2.1).
func (c *Client) chaddr() []byte {
	if len(c.hardwareAddr) > maxChaddr {
		return nil
	}
	return c.hardwareAddr
}
