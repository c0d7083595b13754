package dhcp4

import "github.com/lessee/lessee/boottime"

// quiet is part of the states in which no answer is awaited.
type quiet struct{}

func (quiet) awaited() *exchange { return nil }

func (quiet) answer(*Client, boottime.Instant, message) Rejection { return RejectNotAwaited }

// untimed is part of the states that wait for inputs only.
type untimed struct{}

func (untimed) timer(*Client) (boottime.Instant, Timer, bool) { return 0, TimerBegin, false }
func (untimed) timeout(*Client, boottime.Instant)             {}

// stopped is before Start and after Stop: nothing but these is heard, and the
// link's state noted.
type stopped struct {
	quiet
	untimed
}

func (*stopped) name() State                        { return StateInit }
func (*stopped) linkUp(*Client, boottime.Instant)   {}
func (*stopped) linkDown(*Client, boottime.Instant) {}
func (*stopped) renew(*Client, boottime.Instant)    {}
func (*stopped) expired(*Client, boottime.Instant)  {}

// released is RELEASED: the lease was given back, and nobody asked for another.
//
// Deviation: "Released" in docs/deviations.md: RFC 2131 has no such state.
type released struct {
	quiet
	untimed
	// unsent is a lease that was given back in an earlier life, and its RELEASE
	// may not have left; nil if there is none.
	unsent *Lease
}

func (*released) name() State                        { return StateReleased }
func (*released) linkDown(*Client, boottime.Instant) {}
func (*released) expired(*Client, boottime.Instant)  {}

// linkUp sends a RELEASE that may not have left (RFC 2131 section 4.4.6). A
// server that has it already finds no such lease.
func (s *released) linkUp(c *Client, now boottime.Instant) {
	l := s.unsent
	if l == nil {
		return
	}
	s.unsent = nil
	if end, ends := l.Expires(); l.sane() && (!ends || now.Before(end)) {
		c.sendRelease(l)
	}
}

// renew is a fresh start: any server may answer. The address given back is
// asked for, as a wish.
func (*released) renew(c *Client, now boottime.Instant) { c.enterInit(now, 0) }
