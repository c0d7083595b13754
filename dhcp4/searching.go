package dhcp4

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// The states without a lease of their own: INIT, SELECTING, REQUESTING. A lease
// may still be in use meanwhile, one that no server confirmed after the link
// came back; when it ends, the search goes on.

// initUnlinked is INIT without a link.
type initUnlinked struct {
	quiet
	untimed
}

func (*initUnlinked) name() State                        { return StateInit }
func (*initUnlinked) linkDown(*Client, boottime.Instant) {}
func (*initUnlinked) renew(*Client, boottime.Instant)    {}
func (*initUnlinked) expired(*Client, boottime.Instant)  {}
func (*initUnlinked) linkUp(c *Client, now boottime.Instant) {
	c.enterInitFresh(now)
}

// initPaused is INIT with a link: a pause runs before the first DISCOVER.
type initPaused struct {
	quiet
	until boottime.Instant
	// soonest is when a Renew may cut the pause short.
	soonest boottime.Instant
}

func (*initPaused) name() State { return StateInit }

func (s *initPaused) timer(*Client) (boottime.Instant, Timer, bool) {
	return s.until, TimerBegin, true
}

func (*initPaused) timeout(c *Client, now boottime.Instant) { c.discover(now) }
func (*initPaused) linkUp(*Client, boottime.Instant)        {}
func (*initPaused) expired(*Client, boottime.Instant)       {}

func (*initPaused) linkDown(c *Client, now boottime.Instant) { c.unlink(now) }

func (s *initPaused) renew(c *Client, now boottime.Instant) {
	if s.soonest.Before(s.until) {
		s.until = s.soonest
	}
	if !now.Before(s.until) {
		c.discover(now)
	}
}

// enterInit goes to INIT after another exchange and, once the pause is over,
// on to SELECTING.
func (c *Client) enterInit(now boottime.Instant, pause time.Duration) {
	c.pauseInit(now, pause, min(pause, pace))
}

// enterInitFresh goes to INIT as the first thing on a link.
//
// RFC 2131, section 4.4.1: "The client SHOULD wait a random time between one
// and ten seconds to desynchronize the use of DHCP at startup."
//
// Deviation: "Start delay" in docs/deviations.md: only if the Timing has it.
func (c *Client) enterInitFresh(now boottime.Instant) {
	if !c.link {
		c.pauseInit(now, 0, 0)
		return
	}
	flap := c.flapDelay(now)
	c.pauseInit(now, max(flap, c.within(c.timing.StartDelayMin, c.timing.StartDelayMax)), flap)
}

// pauseInit waits in INIT for pause, or if a Renew comes for least only.
//
// Deviation: "Pause after DECLINE" in docs/deviations.md: that one too.
func (c *Client) pauseInit(now boottime.Instant, pause, least time.Duration) {
	if !c.link {
		c.move(now, &initUnlinked{})
		return
	}
	c.move(now, &initPaused{until: now.Add(pause), soonest: now.Add(least)})
	if pause <= 0 {
		c.discover(now)
	}
}

// unlink takes an exchange or pause back: there is no link any more.
func (c *Client) unlink(now boottime.Instant) {
	if c.known() != nil {
		c.move(now, &rebootUnlinked{})
		return
	}
	c.move(now, &initUnlinked{})
}

// selecting is SELECTING: DISCOVER is repeated until an offer comes. All have
// one xid, so that an offer that took its time is still used; but where the
// answer may be an ACK, one that comes after a long wait has its own, so that
// the ACK tells when the lease begins.
type selecting struct {
	exchange
	// rapid says that the last DISCOVER asked for an ACK.
	rapid bool
	// sentSince is how often DISCOVER was sent since the wait was the shortest.
	sentSince int
	// secsSent is what field secs of the last DISCOVER said.
	secsSent uint16
}

func (c *Client) discover(now boottime.Instant) {
	s := &selecting{exchange: c.newExchange(now, c.clientID)}
	c.move(now, s)
	s.send(c, now)
}

func (s *selecting) send(c *Client, now boottime.Instant) {
	s.secsSent = s.secs(now)
	if c.is(rapidCommit) {
		// Deviation: "Rapid commit by turns" in docs/deviations.md.
		s.rapid = !s.rapid
		s.repeat(c, now)
	}
	c.sendDiscover(now, &s.exchange, s.rapid)
	s.sentSince++
	s.last = now
	s.next = now.Add(c.backOff(s.sentSince))
}

func (*selecting) name() State { return StateSelecting }

func (s *selecting) timer(*Client) (boottime.Instant, Timer, bool) {
	return s.next, TimerRetransmit, true
}

// timeout repeats the DISCOVER. A remembered lease comes into use now.
//
// RFC 2131, section 3.2, step 3: "If the client receives neither a DHCPACK or a
// DHCPNAK message after employing the retransmission algorithm, the client MAY
// choose to use the previously allocated network address and configuration
// parameters for the remainder of the unexpired lease."
func (s *selecting) timeout(c *Client, now boottime.Instant) {
	if l := c.remembered; l != nil {
		c.lease, c.remembered = l, nil
		c.emit(Acquired{l, false})
	}
	s.send(c, now)
}

// answer takes the first acceptable offer.
//
// Deviation: "First offer" in docs/deviations.md: the others are not waited for.
func (s *selecting) answer(c *Client, now boottime.Instant, m message) Rejection {
	switch m.MessageType() {
	case wire.Offer:
	case wire.ACK:
		return s.committed(c, now, m)
	default:
		return RejectUnexpected
	}
	if c.withoutIPv4(now, m) {
		return accepted
	}
	if !m.server.IsValid() {
		return RejectNoServerID
	}
	if m.YourAddr() == unspecified && c.autoConfigured(m) {
		return accepted
	}
	t, r := termsOf(m)
	if r != accepted {
		return r
	}
	next := &requesting{exchange: s.exchange, server: m.server, address: m.YourAddr(), discovered: s.secsSent}
	next.sent = now
	c.move(now, next)
	next.send(c, now)
	c.emit(Offered{c.leaseOf(t, m, &next.exchange)})
	return accepted
}

// committed takes an ACK without an OFFER.
//
// RFC 4039, section 4: "A server MUST include this option in a DHCPACK message
// sent in a response to a DHCPDISCOVER message when completing the
// DHCPDISCOVER-DHCPACK message exchange." An OFFER goes the usual way, option 80
// in it or not.
func (s *selecting) committed(c *Client, now boottime.Instant, m message) Rejection {
	if _, rapid := m.Option(wire.OptionRapidCommit); !rapid || !c.is(rapidCommit) {
		return RejectUnexpected
	}
	if !m.server.IsValid() {
		return RejectNoServerID
	}
	if c.withoutIPv4(now, m) {
		return accepted
	}
	return c.granted(now, m, &s.exchange)
}

func (*selecting) linkUp(*Client, boottime.Instant)         {}
func (*selecting) expired(*Client, boottime.Instant)        {}
func (*selecting) linkDown(c *Client, now boottime.Instant) { c.unlink(now) }

// renew begins the back-off anew.
func (s *selecting) renew(c *Client, now boottime.Instant) {
	s.sentSince = 0
	if s.hurry(now) {
		s.send(c, now)
	}
}

// requesting is REQUESTING: the chosen server is asked for what it offered.
type requesting struct {
	exchange
	server     netip.Addr
	address    netip.Addr
	discovered uint16 // field secs of the DISCOVER
	tries      int    // how often the REQUEST was sent
}

func (s *requesting) send(c *Client, now boottime.Instant) {
	c.sendSelect(s)
	s.tries++
	s.last = now
	s.next = now.Add(c.backOff(s.tries))
}

func (*requesting) name() State { return StateRequesting }

func (s *requesting) timer(*Client) (boottime.Instant, Timer, bool) {
	return s.next, TimerRetransmit, true
}

// timeout repeats the REQUEST, or begins anew with another DISCOVER.
func (s *requesting) timeout(c *Client, now boottime.Instant) {
	if s.tries < c.timing.RequestTries {
		s.send(c, now)
		return
	}
	c.enterInit(now, c.setback())
}

func (s *requesting) answer(c *Client, now boottime.Instant, m message) Rejection {
	t := m.MessageType()
	switch {
	case t != wire.ACK && t != wire.NAK:
		return RejectUnexpected
	case !m.server.IsValid():
		return RejectNoServerID
	case m.server != s.server:
		return RejectOtherServer
	case t == wire.NAK && c.known() != nil && c.known().Address.Addr() == s.address:
		return c.refused(now)
	case t == wire.NAK:
		// It takes the offer back. Of a lease of another address it says nothing.
		c.hint = [4]byte{}
		c.enterInit(now, c.setback())
		return accepted
	case m.YourAddr() != s.address:
		return RejectOtherAddress
	}
	return c.granted(now, m, &s.exchange)
}

func (*requesting) linkUp(*Client, boottime.Instant)         {}
func (*requesting) expired(*Client, boottime.Instant)        {}
func (*requesting) linkDown(c *Client, now boottime.Instant) { c.unlink(now) }

// renew repeats the REQUEST now; how often it is sent stays bounded.
func (s *requesting) renew(c *Client, now boottime.Instant) {
	if s.tries < c.timing.RequestTries && s.hurry(now) {
		s.send(c, now)
	}
}
