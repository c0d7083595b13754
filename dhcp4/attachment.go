package dhcp4

import (
	"github.com/lessee/lessee/boottime"
)

// What the client does with news about the network it is attached to: which of
// several remembered leases may be this link's, and which one is.

// remember takes another lease to verify first.
func (c *Client) remember(now boottime.Instant, in Remember) {
	l := in.Lease
	if c.lease != nil || l != nil && !c.usable(now, l) {
		return
	}
	switch s := c.state.(type) {
	case *initUnlinked, *rebootUnlinked:
		c.recall(l)
		c.unlink(now)
	case *initPaused:
		if c.recall(l); l != nil {
			c.move(now, &rebootPaused{until: s.soonest})
		}
	case *rebootPaused:
		if c.recall(l); l == nil {
			c.pauseInit(now, s.until.Sub(now), s.until.Sub(now))
		}
	}
}

func (c *Client) recall(l *Lease) {
	c.remembered, c.hint = l, [4]byte{}
	if l != nil {
		c.hint = l.Address.Addr().As4()
	}
}

// usable reports whether a lease that was handed in can be held now. An address
// that was refused on this link cannot.
func (c *Client) usable(now boottime.Instant, l *Lease) bool {
	end, ends := l.Expires()
	return l.sane() && !c.revealing(l) && (!ends || now.Before(end)) && l.Address.Addr().As4() != c.denied
}

// confirmed takes a lease into use on a network that was recognized as its own,
// while the servers are asked.
//
// RFC 2131, section 3.2, step 3: "the client MAY choose to use the previously
// allocated network address and configuration parameters for the remainder of
// the unexpired lease." RFC 4436 has the client do so where its router answers,
// and has what a server says go before that: a NAK takes the lease away, and
// where it came first the lease does not come into use.
func (c *Client) confirmed(now boottime.Instant, in Confirmed) {
	l := in.Lease
	if !c.link || l == nil || !c.usable(now, l) {
		return
	}
	var until boottime.Instant
	switch s := c.state.(type) {
	case *initPaused:
		until = s.soonest
	case *rebootPaused:
		until = s.until
	case *selecting:
		until = now.Add(s.rest(now))
	case *rebooting:
		if c.known().Address.Addr() == l.Address.Addr() {
			s.confirmed = true
			c.use(l)
			return
		}
		until = now.Add(s.rest(now))
	default:
		return
	}
	c.use(l)
	c.move(now, &rebootPaused{until: until, confirmed: true})
	if !now.Before(until) {
		c.reboot(now, true)
	}
}

// use takes a lease into use that no server has confirmed.
func (c *Client) use(l *Lease) {
	if old := c.lease; old != nil {
		if old.Address.Addr() == l.Address.Addr() {
			return
		}
		c.emit(Lost{old, LossReplaced})
	}
	c.lease, c.remembered, c.replay = l, nil, 0
	c.hint = l.Address.Addr().As4()
	c.emit(Acquired{l, false})
}

// deny notes that an address is not ours on this link, whatever else speaks
// for it.
func (c *Client) deny(l *Lease) {
	if l != nil {
		c.denied = l.Address.Addr().As4()
	}
}
