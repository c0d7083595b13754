package dhcp4

import (
	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// The states that verify a lease: INIT-REBOOT, REBOOTING. The lease is in use
// already, after a link flap, or remembered, after a start.

// rebootUnlinked is INIT-REBOOT without a link.
type rebootUnlinked struct {
	quiet
	untimed
}

func (*rebootUnlinked) name() State                             { return StateInitReboot }
func (*rebootUnlinked) linkUp(c *Client, now boottime.Instant)  { c.enterInitReboot(now) }
func (*rebootUnlinked) linkDown(*Client, boottime.Instant)      {}
func (*rebootUnlinked) renew(*Client, boottime.Instant)         {}
func (*rebootUnlinked) expired(c *Client, now boottime.Instant) { c.enterInit(now, 0) }

// rebootPaused is INIT-REBOOT with a link that came up too often of late, or
// on which something else was asked a moment ago.
type rebootPaused struct {
	quiet
	until boottime.Instant
	// confirmed says that the network is known to be the lease's.
	confirmed bool
}

func (*rebootPaused) name() State { return StateInitReboot }

func (s *rebootPaused) timer(*Client) (boottime.Instant, Timer, bool) {
	return s.until, TimerBegin, true
}

func (s *rebootPaused) timeout(c *Client, now boottime.Instant) {
	c.reboot(now, s.confirmed)
}

func (*rebootPaused) linkUp(*Client, boottime.Instant)         {}
func (*rebootPaused) linkDown(c *Client, now boottime.Instant) { c.unlink(now) }
func (*rebootPaused) renew(*Client, boottime.Instant)          {}
func (*rebootPaused) expired(c *Client, now boottime.Instant)  { c.enterInit(now, 0) }

// enterInitReboot goes to INIT-REBOOT and, if there is a link, on to REBOOTING.
func (c *Client) enterInitReboot(now boottime.Instant) {
	if !c.link {
		c.move(now, &rebootUnlinked{})
		return
	}
	pause := c.flapDelay(now)
	c.move(now, &rebootPaused{until: now.Add(pause)})
	if pause <= 0 {
		c.reboot(now, false)
	}
}

// rebooting is REBOOTING: all servers are asked whether the lease still holds.
type rebooting struct {
	exchange
	tries int // how often the REQUEST was sent
	// confirmed is as in rebootPaused.
	confirmed bool
}

func (c *Client) reboot(now boottime.Instant, confirmed bool) {
	s := &rebooting{exchange: c.newExchange(now, c.known().ClientID), confirmed: confirmed}
	c.move(now, s)
	s.send(c, now)
}

func (s *rebooting) send(c *Client, now boottime.Instant) {
	s.repeat(c, now)
	c.sendReboot(now, &s.exchange, c.known())
	s.tries++
	s.next = now.Add(c.backOff(s.tries))
}

func (*rebooting) name() State { return StateRebooting }

func (s *rebooting) timer(*Client) (boottime.Instant, Timer, bool) {
	return s.next, TimerRetransmit, true
}

// timeout repeats the REQUEST, or looks for a server that knows nothing of the
// lease. The lease itself is kept as long as it lasts; where the network is
// known to be the right one there is nothing to look for, and T1 comes soon
// enough.
//
// Deviation: "Bounded INIT-REBOOT" in docs/deviations.md: RFC 2131 has the
// client wait for about 60 s here and then go back to BOUND.
func (s *rebooting) timeout(c *Client, now boottime.Instant) {
	if s.tries < c.timing.RebootTries {
		s.send(c, now)
		return
	}
	t2, rebinds := c.known().RebindsAt()
	switch {
	case !s.confirmed:
		c.enterInit(now, 0)
	case c.asked && rebinds && !now.Before(t2):
		c.rebind(now, burst)
	case c.asked:
		c.extend(now, burst)
	default:
		b := &bound{since: now}
		c.move(now, b)
		b.timeout(c, now)
	}
}

// answer takes an ACK or NAK of any server.
func (s *rebooting) answer(c *Client, now boottime.Instant, m message) Rejection {
	switch m.MessageType() {
	case wire.ACK:
		if c.withoutIPv4(now, m) {
			return accepted
		}
		return c.granted(now, m, &s.exchange)
	case wire.NAK:
		return c.refused(now)
	default:
		return RejectUnexpected
	}
}

func (*rebooting) linkUp(*Client, boottime.Instant)         {}
func (*rebooting) linkDown(c *Client, now boottime.Instant) { c.unlink(now) }

func (s *rebooting) expired(c *Client, now boottime.Instant) { c.enterInit(now, s.rest(now)) }

// renew repeats the REQUEST now; how often it is sent stays bounded.
func (s *rebooting) renew(c *Client, now boottime.Instant) {
	if s.tries < c.timing.RebootTries && s.hurry(now) {
		s.send(c, now)
	}
}
