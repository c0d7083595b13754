package dhcp4

import (
	"time"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// The states that hold a confirmed lease: BOUND, RENEWING, REBINDING.

// bound is BOUND. It has no link only after a start on an adapter that has the
// address, until the first LinkUp or LinkDown: then T1 waits.
type bound struct {
	quiet
	since boottime.Instant
	// forced says that the server wants the lease renewed now.
	forced bool
}

func (*bound) name() State { return StateBound }

func (s *bound) timer(c *Client) (boottime.Instant, Timer, bool) {
	at, renews := c.lease.RenewsAt()
	if soon := s.since.Add(pace); s.forced && (!renews || soon.Before(at)) {
		at, renews = soon, true
	}
	return at, TimerT1, renews && c.link
}

// timeout renews, or rebinds if T2 has passed meanwhile, in suspend perhaps.
func (s *bound) timeout(c *Client, now boottime.Instant) {
	at, _, ok := s.timer(c)
	if !ok || now.Before(at) {
		return
	}
	t2, rebinds := c.lease.RebindsAt()
	switch {
	case rebinds && !now.Before(t2):
		c.rebind(now, 0)
	case s.forced:
		c.extend(now, burst)
	default:
		c.extend(now, 0)
	}
}

func (s *bound) linkUp(c *Client, now boottime.Instant) { s.timeout(c, now) }
func (*bound) linkDown(c *Client, now boottime.Instant) { c.unlink(now) }
func (*bound) renew(c *Client, now boottime.Instant)    { c.extend(now, burst) }
func (*bound) expired(c *Client, now boottime.Instant)  { c.enterInit(now, c.setback()) }

// burst is how often a REQUEST is sent at short intervals because of a Renew:
// somebody waits for the answer. The waits after them are 1, 2, 4 and 8 s.
//
// Deviation: "Renew by call" in docs/deviations.md.
const burst = 4

// renewing is RENEWING: the lease's server is asked to extend it.
type renewing struct {
	exchange
	// left is how many messages of a burst are still to be sent.
	left int
}

func (c *Client) extend(now boottime.Instant, left int) {
	s := &renewing{exchange: c.newExchange(now, c.lease.ClientID), left: left}
	c.move(now, s)
	s.send(c, now)
}

func (s *renewing) send(c *Client, now boottime.Instant) {
	s.repeat(c, now)
	c.sendExtend(now, &s.exchange, c.lease, c.lease.Server)
	t1, renews := c.lease.RenewsAt()
	t2, _ := c.lease.RebindsAt()
	switch {
	case s.left > 0:
		s.next = now.Add(c.burstWait(&s.left))
	default:
		s.next = now.Add(c.halfOf(t2.Sub(now), t2.Sub(t1)))
	}
	if renews {
		s.next = notJustBefore(s.next, t2)
	}
}

func (*renewing) name() State { return StateRenewing }

func (s *renewing) timer(c *Client) (boottime.Instant, Timer, bool) {
	if t2, ok := c.lease.RebindsAt(); ok && !s.next.Before(t2) {
		return t2, TimerT2, true
	}
	return s.next, TimerRetransmit, true
}

// timeout repeats the REQUEST, goes on to REBINDING at T2, or back to BOUND
// after a burst that came before T1 and was not answered.
func (s *renewing) timeout(c *Client, now boottime.Instant) {
	t1, renews := c.lease.RenewsAt()
	t2, _ := c.lease.RebindsAt()
	switch {
	case renews && !now.Before(t2):
		if s.rest(now) == 0 {
			c.rebind(now, s.left)
			return
		}
		// A REQUEST has just left: give its answer a moment.
		next := &rebinding{exchange: s.exchange, left: s.left}
		next.next = now.Add(s.rest(now))
		c.move(now, next)
	case s.left > 0, renews && !now.Before(t1):
		s.send(c, now)
	default:
		c.move(now, &bound{since: now})
	}
}

// answer takes an ACK from whatever address the server uses; a NAK must name
// the lease's server, if it names one, and so must an ACK that gives another
// address: only one server was asked.
//
// Deviation: "NAK of another server" in docs/deviations.md.
func (s *renewing) answer(c *Client, now boottime.Instant, m message) Rejection {
	switch m.MessageType() {
	case wire.ACK:
		if m.server.IsValid() && m.server != c.lease.Server && m.YourAddr() != c.lease.Address.Addr() {
			return RejectOtherServer
		}
		return c.granted(now, m, &s.exchange)
	case wire.NAK:
		if m.server.IsValid() && m.server != c.lease.Server {
			return RejectOtherServer
		}
		return c.refused(now)
	default:
		return RejectUnexpected
	}
}

func (s *renewing) renew(c *Client, now boottime.Instant) {
	s.left = burst
	if s.hurry(now) {
		s.send(c, now)
	}
}

func (*renewing) linkUp(*Client, boottime.Instant)         {}
func (*renewing) linkDown(c *Client, now boottime.Instant) { c.unlink(now) }
func (s *renewing) expired(c *Client, now boottime.Instant) {
	c.enterInit(now, max(s.rest(now), c.setback()))
}

// rebinding is REBINDING: any server is asked to extend the lease.
type rebinding struct {
	exchange
	left int // as in renewing
}

func (c *Client) rebind(now boottime.Instant, left int) {
	s := &rebinding{exchange: c.newExchange(now, c.lease.ClientID), left: left}
	c.move(now, s)
	s.send(c, now)
}

func (s *rebinding) send(c *Client, now boottime.Instant) {
	s.repeat(c, now)
	c.sendExtend(now, &s.exchange, c.lease, broadcast)
	t2, _ := c.lease.RebindsAt()
	end, _ := c.lease.Expires()
	switch {
	case s.left > 0:
		s.next = now.Add(c.burstWait(&s.left))
	default:
		s.next = now.Add(c.halfOf(end.Sub(now), end.Sub(t2)))
	}
	s.next = notJustBefore(s.next, end)
}

func (*rebinding) name() State { return StateRebinding }

func (s *rebinding) timer(*Client) (boottime.Instant, Timer, bool) {
	return s.next, TimerRetransmit, true
}

func (s *rebinding) timeout(c *Client, now boottime.Instant) { s.send(c, now) }

func (s *rebinding) answer(c *Client, now boottime.Instant, m message) Rejection {
	switch m.MessageType() {
	case wire.ACK:
		return c.granted(now, m, &s.exchange)
	case wire.NAK:
		return c.refused(now)
	default:
		return RejectUnexpected
	}
}

func (s *rebinding) renew(c *Client, now boottime.Instant) {
	s.left = burst
	if s.hurry(now) {
		s.send(c, now)
	}
}

func (*rebinding) linkUp(*Client, boottime.Instant)         {}
func (*rebinding) linkDown(c *Client, now boottime.Instant) { c.unlink(now) }

func (s *rebinding) expired(c *Client, now boottime.Instant) {
	c.enterInit(now, max(s.rest(now), c.setback()))
}

// repeat notes that a REQUEST leaves now, with an xid of its own if the one
// before has been given time to be answered.
func (x *exchange) repeat(c *Client, now boottime.Instant) {
	if now.Sub(x.last) >= distinct {
		x.xid, x.sent = c.newXID(), now
	}
	x.last = now
}

// burstWait returns the wait after a message of a burst.
func (c *Client) burstWait(left *int) time.Duration {
	d := time.Second << (burst - *left)
	*left--
	return c.jitter(d)
}

// halfOf returns the wait between REQUESTs.
//
// RFC 2131, section 4.4.5: "the client SHOULD wait one-half of the remaining
// time until T2 (in RENEWING state) and one-half of the remaining lease time
// (in REBINDING state), down to a minimum of 60 seconds".
//
// Deviation: "Renewal of short leases" in docs/deviations.md: the minimum is
// lower for them.
func (c *Client) halfOf(remaining, window time.Duration) time.Duration {
	floor := c.timing.RenewalFloor
	if c.timing.ShortenFloor && window < 2*floor {
		floor = max(window/8, pace)
	}
	return max(remaining/2, floor)
}

// notJustBefore puts a message that would leave shortly before one that is due
// anyway, or after it, off to that one.
func notJustBefore(at, due boottime.Instant) boottime.Instant {
	if at.Add(pace).After(due) {
		return due
	}
	return at
}
