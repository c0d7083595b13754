package dhcp4

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// An exchange is a message that is repeated until it is answered.
type exchange struct {
	xid uint32
	// clientID is option 61 as sent, to compare with.
	clientID []byte
	// began is when the client began to try; field secs counts from there.
	began boottime.Instant
	// sent is when the first message with this xid left: a lease granted in
	// answer counts from there.
	sent boottime.Instant
	// last is when the last message left, next when it is to be repeated or
	// given up.
	last, next boottime.Instant
}

// A message is a well-formed answer in our exchange.
type message struct {
	wire.Packet
	server netip.Addr // option 54, not valid where absent
	from   netip.Addr // the IP source address
	link   []byte     // where the frame came from, nil if unknown
}

const (
	// pace is the least time between two messages that nothing but our own
	// impatience calls for.
	pace = time.Second
	// distinct is the wait from which on a repeated REQUEST gets an xid of its
	// own, so that its answer tells when the lease begins. After a shorter wait
	// the answer to the one before may still be on its way.
	distinct = 4 * time.Second
)

func (c *Client) newExchange(now boottime.Instant, clientID []byte) exchange {
	return exchange{xid: c.newXID(), clientID: clientID, began: now, sent: now, last: now, next: now}
}

func (c *Client) newXID() uint32 { return uint32(c.random.Uint64() >> 32) }

// secs is the header's field of that name.
func (x *exchange) secs(now boottime.Instant) uint16 {
	return uint16(min(max(now.Sub(x.began)/time.Second, 0), 0xffff))
}

// awaited makes a state that has an exchange await its answers.
func (x *exchange) awaited() *exchange { return x }

// hurry brings the next message forward as far as the pace allows. It reports
// whether that is now; if not, the message is due at next.
func (x *exchange) hurry(now boottime.Instant) bool {
	x.next = min(x.next, x.last.Add(pace))
	return !now.Before(x.next)
}

// rest returns how long another kind of message has to wait.
func (x *exchange) rest(now boottime.Instant) time.Duration {
	return max(x.last.Add(pace).Sub(now), 0)
}

// within returns a random duration from lo to hi.
func (c *Client) within(lo, hi time.Duration) time.Duration {
	return lo + time.Duration(c.random.Uint64()%uint64(hi-lo+1))
}

// jitter returns d give or take a random amount.
//
// RFC 2131, section 4.1: "randomized by the value of a uniform random number
// chosen from the range -1 to +1". Waits under 4 s vary by up to a quarter and
// never become shorter than a second.
//
// Deviation: "First retry" in docs/deviations.md.
func (c *Client) jitter(d time.Duration) time.Duration {
	by := min(time.Second, d/4)
	return c.within(max(d-by, pace), d+by)
}

// backOff returns the wait after a message has been sent n times, n >= 1.
func (c *Client) backOff(n int) time.Duration {
	d := c.timing.FirstRetry
	for ; n > 1 && d < c.timing.MaxRetry; n-- {
		d *= 2
	}
	return c.jitter(min(d, c.timing.MaxRetry))
}

// flapsAtOnce is how many attempts a bouncing link may begin one upon another;
// from then on there is one per pace.
const flapsAtOnce = 8

// flapDelay returns how long an attempt begun by LinkUp is to wait.
func (c *Client) flapDelay(now boottime.Instant) time.Duration {
	if c.flaps.Before(now) {
		c.flaps = now
	}
	wait := max(c.flaps.Sub(now)-(flapsAtOnce-1)*pace, 0)
	// A storm of flaps is not held against the link for long: a pause that the
	// next flap cut short sent nothing.
	c.flaps = min(c.flaps.Add(pace), now.Add(flapsAtOnce*pace))
	return wait
}
