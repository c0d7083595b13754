package dhcp4

import (
	"bytes"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/names"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// receive takes a datagram.
func (c *Client) receive(now boottime.Instant, d Datagram) {
	x := c.state.awaited()
	m, r := c.addressed(d)
	switch {
	case r != accepted:
	case m.MessageType() == wire.ForceRenew:
		r = c.forced(now, m)
	default:
		if r = m.inExchange(x); r == accepted {
			r = c.converse(now, m, x)
		}
	}
	if r != accepted {
		c.reject(r)
	}
}

// addressed returns the message in a datagram from a server to this client.
func (c *Client) addressed(d Datagram) (message, Rejection) {
	p, err := wire.Parse(d.Message)
	switch {
	case err != nil:
		return message{}, rejectionOf(err)
	case p.Op() != wire.OpReply:
		return message{}, RejectNotReply
	case !bytes.Equal(p.HardwareAddr(), c.chaddr()):
		return message{}, RejectForeignHardwareAddr
	}
	return message{Packet: p, from: d.From, link: d.Link}, accepted
}

// inExchange reports whether the message answers exchange x, nil for none.
func (m *message) inExchange(x *exchange) Rejection {
	switch {
	case x == nil:
		return RejectNotAwaited
	case m.XID() != x.xid:
		return RejectForeignXID
	}
	return accepted
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
		r.Text = names.CleanText(text)
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
	c.counters.countRejected(why)
	c.emit(droppedOutputs[why])
}

// chaddr is what stands in the header of our messages (RFC 4390 section 2.1).
func (c *Client) chaddr() []byte {
	if len(c.hardwareAddr) > maxChaddr {
		return nil
	}
	return c.hardwareAddr
}
