package dhcp4

import (
	"net/netip"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// The states of a client that has an address by other means and asks for
// parameters only (RFC 2131 section 3.4): INFORMING, INFORMED. There is no
// lease in them.

// informUnlinked is INFORMING without a link.
type informUnlinked struct {
	quiet
	untimed
	address netip.Prefix
}

func (*informUnlinked) name() State                        { return StateInforming }
func (*informUnlinked) linkDown(*Client, boottime.Instant) {}
func (*informUnlinked) renew(*Client, boottime.Instant)    {}
func (*informUnlinked) expired(*Client, boottime.Instant)  {}

func (s *informUnlinked) linkUp(c *Client, now boottime.Instant) {
	c.inform(now, s.address, now.Add(c.flapDelay(now)))
}

// informing is INFORMING: INFORM is repeated until a server answers. All have
// one xid, so that an answer that took its time is still used.
type informing struct {
	exchange
	address netip.Prefix
	sent    bool
	// sentSince is how often INFORM was sent since the wait was the shortest.
	sentSince int
}

// inform asks for parameters, not before the given instant.
func (c *Client) inform(now boottime.Instant, address netip.Prefix, at boottime.Instant) {
	if !c.link {
		c.move(now, &informUnlinked{address: address})
		return
	}
	s := &informing{exchange: c.newExchange(now, c.clientID), address: address}
	s.next = at
	c.move(now, s)
	if !now.Before(at) {
		s.send(c, now)
	}
}

func (s *informing) send(c *Client, now boottime.Instant) {
	c.sendInform(now, &s.exchange, s.address.Addr())
	s.sent = true
	s.sentSince++
	s.last = now
	s.next = now.Add(c.backOff(s.sentSince))
}

func (*informing) name() State { return StateInforming }

func (s *informing) timer(*Client) (boottime.Instant, Timer, bool) {
	if !s.sent {
		return s.next, TimerBegin, true
	}
	return s.next, TimerRetransmit, true
}

func (s *informing) timeout(c *Client, now boottime.Instant) { s.send(c, now) }

func (s *informing) awaited() *exchange {
	if !s.sent {
		return nil
	}
	return &s.exchange
}

// answer takes any server's ACK.
//
// RFC 2131, section 4.4.3: "Once a DHCPACK message with an 'xid' field matching
// that in the client's DHCPINFORM message arrives from any server, the client
// is initialized." Section 4.3.5: the server "MUST NOT send a lease expiration
// time to the client and SHOULD NOT fill in 'yiaddr'": what stands there means
// nothing.
func (s *informing) answer(c *Client, now boottime.Instant, m message) Rejection {
	if m.MessageType() != wire.ACK {
		return RejectUnexpected
	}
	l := &Lease{
		Address:    s.address,
		Server:     m.server,
		ServerLink: c.linkOf(m),
		ClientID:   s.clientID,
		Start:      s.last,
		Infinite:   true,
	}
	if relay := m.Relay(); isHost(relay) {
		l.Relay = relay
	}
	setParameters(l, m)
	c.emit(Informed{l})
	c.move(now, &informed{address: s.address, at: now})
	c.answerRenew(nil)
	return accepted
}

func (*informing) linkUp(*Client, boottime.Instant)  {}
func (*informing) expired(*Client, boottime.Instant) {}

func (s *informing) linkDown(c *Client, now boottime.Instant) {
	c.move(now, &informUnlinked{address: s.address})
}

// renew begins the back-off anew.
func (s *informing) renew(c *Client, now boottime.Instant) {
	s.sentSince = 0
	if s.sent && s.hurry(now) {
		s.send(c, now)
	}
}

// informed is INFORMED: a server has answered.
type informed struct {
	quiet
	untimed
	address netip.Prefix
	at      boottime.Instant
}

func (*informed) name() State                       { return StateInformed }
func (*informed) linkUp(*Client, boottime.Instant)  {}
func (*informed) expired(*Client, boottime.Instant) {}

func (s *informed) linkDown(c *Client, now boottime.Instant) {
	c.move(now, &informUnlinked{address: s.address})
}

// renew asks again, at the usual pace.
func (s *informed) renew(c *Client, now boottime.Instant) {
	c.inform(now, s.address, max(now, s.at.Add(pace)))
}
