package dhcp4

import (
	"errors"
	"math/rand/v2"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/queue"
)

// What a [Done] may carry.
var (
	// ErrNoLease says that there is no lease to give back.
	ErrNoLease = errors.New("dhcp4: there is no lease")
	// ErrNoLink says that nothing can be sent: there is no link.
	ErrNoLink = errors.New("dhcp4: there is no link")
	// ErrIPv6Only says that the network prefers to be used without IPv4 (RFC 8925).
	ErrIPv6Only = errors.New("dhcp4: the network wants no IPv4")
	// ErrStopped says that the client was not started, or was stopped.
	ErrStopped = errors.New("dhcp4: the client is stopped")
)

// A Client holds one lease for one adapter. It does no I/O; see the package
// comment. It is not safe for concurrent use.
type Client struct {
	hardwareType uint8
	broadcast    bool
	link         bool // frames can be sent
	asked        bool // a Renew has not been answered yet
	setbacks     uint8
	traits       traits
	// denied is the address that was refused since the link came up, by a NAK or
	// because another host has it; 0.0.0.0 if none was.
	denied       [4]byte
	hardwareAddr []byte
	clientID     []byte
	hostName     string
	parameters   []byte
	profile      *Profile
	timing       *Timing
	random       rand.PCG

	state state
	// lease is in use, remembered is not: it was handed to Start, and no server
	// has confirmed it. At most one of them is there.
	lease, remembered *Lease
	// hint is the address to ask servers for, 0.0.0.0 if there is none.
	hint [4]byte
	// replay is the greatest replay detection value of an obeyed FORCERENEW.
	replay uint64
	// flaps is the time up to which attempts begun by LinkUp are paid for.
	flaps boottime.Instant

	out      queue.Queue[Output]
	counters tally
}

// traits are switches of the Config.
type traits uint8

const (
	rapidCommit traits = 1 << iota
	ipv6Only
	autoConfigure
	anonymous
	forceRenew
)

func (c *Client) set(t traits, on bool) {
	if on {
		c.traits |= t
	}
}

func (c *Client) is(t traits) bool { return c.traits&t != 0 }

// A state is what the client does with each kind of event while it is in one
// of the states of figure 5. Each owns the data that has a meaning only there.
type state interface {
	name() State
	// timer returns when the state wants timeout to be called. The end of the
	// lease is the client's own.
	timer(c *Client) (boottime.Instant, Timer, bool)
	timeout(c *Client, now boottime.Instant)
	// awaited returns the exchange whose answers are awaited, nil if none are.
	awaited() *exchange
	answer(c *Client, now boottime.Instant, m message) Rejection
	// linkUp follows a time without a link; linkDown may follow another.
	linkUp(c *Client, now boottime.Instant)
	linkDown(c *Client, now boottime.Instant)
	// renew is called with a link only.
	renew(c *Client, now boottime.Instant)
	// expired is called when the lease has just ended.
	expired(c *Client, now boottime.Instant)
}

// Handle tells the client what happened at the instant now, which must not be
// earlier than that of the call before. A nil input is ignored. After each
// Handle the outputs are to be taken with [Client.Poll].
func (c *Client) Handle(now boottime.Instant, in Input) {
	switch in.(type) {
	case LinkDown, Stop:
		c.link = false // no packet leaves for a lease that has ended meanwhile
	}
	c.expire(now)
	switch in := in.(type) {
	case Datagram:
		c.receive(now, in)
	case Start:
		c.start(now, in)
	case StartReleased:
		if c.stopped() {
			c.hint = hostOrNone(in.Last)
			c.move(now, &released{unsent: in.Unsent})
		}
	case StartInform:
		if c.stopped() && isHost(in.Address.Addr()) && in.Address.Bits() > 0 {
			c.inform(now, in.Address, now)
		}
	case Stop:
		c.stop(now)
	case LinkUp:
		if !c.link {
			c.link = true
			c.setbacks = 0 // it may be another network
			c.state.linkUp(c, now)
		}
	case LinkDown:
		c.linkDown(now)
	case Renew:
		c.renew(now)
	case Release:
		c.release(now)
	case Conflict:
		c.conflict(now, in)
	case Remember:
		c.remember(now, in)
	case Confirmed:
		c.confirmed(now, in)
	case Timeout:
		if at, _, ok := c.state.timer(c); ok && !now.Before(at) {
			c.state.timeout(c, now)
		}
	}
}

// Poll returns the next output, false if there is none.
func (c *Client) Poll() (Output, bool) {
	return c.out.Pop()
}

// Deadline returns when the client wants to be told Timeout next, and why;
// false if it waits for other inputs only.
func (c *Client) Deadline() (at boottime.Instant, why Timer, ok bool) {
	at, why, ok = c.state.timer(c)
	if l := c.known(); l != nil {
		if end, ends := l.Expires(); ends && (!ok || !at.Before(end)) {
			return end, TimerExpiry, true
		}
	}
	return at, why, ok
}

// State returns where the client is. Before Start and after Stop it is INIT.
func (c *Client) State() State { return c.state.name() }

// Lease returns the lease in use; false if there is none.
func (c *Client) Lease() (*Lease, bool) { return c.lease, c.lease != nil }

// Awaiting reports whether an answer is awaited: only then is there a reason
// to receive datagrams.
func (c *Client) Awaiting() bool { return c.state.awaited() != nil }

// Counters returns a copy of the counters.
func (c *Client) Counters() Counters { return c.counters.counters() }

// known returns the lease in use or remembered, nil if there is neither.
func (c *Client) known() *Lease {
	if c.lease != nil {
		return c.lease
	}
	return c.remembered
}

func (c *Client) stopped() bool {
	_, yes := c.state.(*stopped)
	return yes
}

func (c *Client) emit(o Output) { c.out.Push(o) }

// stable is how long a lease must have been held undisturbed to show that what
// went wrong before is over.
const stable = 10 * time.Second

// move changes the state.
func (c *Client) move(now boottime.Instant, to state) {
	if b, ok := c.state.(*bound); ok && now.Sub(b.since) >= stable {
		c.setbacks = 0
	}
	from := c.state.name()
	c.state = to
	if to.name() != from {
		c.emit(Moved{from, to.name()})
	}
}

func (c *Client) start(now boottime.Instant, in Start) {
	if !c.stopped() {
		return
	}
	c.replay = 0
	l := in.Lease
	if l == nil {
		c.enterInitFresh(now)
		return
	}
	if !c.revealing(l) {
		c.hint = hostOrNone(l.Address.Addr())
	}
	if end, ends := l.Expires(); !l.sane() || ends && !now.Before(end) || c.revealing(l) {
		c.emit(Lost{l, LossExpired})
		c.enterInitFresh(now)
		return
	}
	if in.InUse {
		// Deviation: "Resume" in docs/deviations.md: no packet is needed.
		c.lease = l
		b := &bound{since: now}
		c.move(now, b)
		b.timeout(c, now)
		return
	}
	c.remembered = l
	c.enterInitReboot(now)
}

func (c *Client) stop(now boottime.Instant) {
	if c.stopped() {
		c.link = false
		return
	}
	if c.lease != nil {
		c.lose(LossStopped)
	}
	c.move(now, &stopped{})
	c.answerRenew(ErrStopped)
	c.link, c.remembered, c.hint, c.setbacks, c.denied = false, nil, [4]byte{}, 0, [4]byte{}
}

func (c *Client) linkDown(now boottime.Instant) {
	c.link, c.denied = false, [4]byte{} // the next one may be another network
	c.state.linkDown(c, now)
	c.answerRenew(ErrNoLink)
}

func (c *Client) renew(now boottime.Instant) {
	switch {
	case c.stopped():
		c.emit(Done{OpRenew, ErrStopped})
	case !c.link:
		c.emit(Done{OpRenew, ErrNoLink})
	default:
		c.asked = true
		c.state.renew(c, now)
	}
}

// answerRenew answers the Renew that has not been answered yet, if there is one.
func (c *Client) answerRenew(err error) {
	if c.asked {
		c.asked = false
		c.emit(Done{OpRenew, err})
	}
}

func (c *Client) release(now boottime.Instant) {
	l := c.known()
	switch {
	case c.stopped():
		c.emit(Done{OpRelease, ErrStopped})
	case l == nil:
		c.emit(Done{OpRelease, ErrNoLease})
	case !c.link:
		c.emit(Done{OpRelease, ErrNoLink})
	default:
		c.sendRelease(l)
		c.hint = l.Address.Addr().As4()
		c.lose(LossReleased)
		c.move(now, &released{})
		c.asked = false
		c.emit(Done{OpRelease, nil})
	}
}

// conflict declines the address (RFC 2131 section 3.1, step 5). The server
// knows then, and will offer another one.
//
// Deviation: "DECLINE without a link" in docs/deviations.md: it cannot be sent.
func (c *Client) conflict(now boottime.Instant, in Conflict) {
	l := c.lease
	if l == nil || l.Address.Addr() != in.Address.Unmap() {
		return
	}
	if c.link {
		c.sendDecline(l, in.By)
	}
	c.deny(l)
	c.lose(LossConflict)
	c.hint = [4]byte{}
	c.enterInit(now, max(c.timing.ConflictPause, c.setback()))
}

// expire ends a lease whose time is over, whatever else happens now.
func (c *Client) expire(now boottime.Instant) {
	l := c.known()
	if l == nil {
		return
	}
	if end, ends := l.Expires(); !ends || now.Before(end) {
		return
	}
	c.hint = l.Address.Addr().As4()
	c.lose(LossExpired)
	c.state.expired(c, now)
}

// lose gives up the lease in use or remembered.
func (c *Client) lose(why Loss) {
	l := c.known()
	c.lease, c.remembered = nil, nil
	if l != nil {
		c.emit(Lost{l, why})
	}
}

// acquire takes a lease into use that a server has just granted.
func (c *Client) acquire(now boottime.Instant, l *Lease) {
	renewed := false
	if old := c.lease; old != nil {
		renewed = old.Address.Addr() == l.Address.Addr()
		if !renewed {
			c.emit(Lost{old, LossReplaced})
		}
	}
	c.lease, c.remembered = l, nil
	c.hint = l.Address.Addr().As4()
	c.denied = [4]byte{}
	c.emit(Acquired{l, renewed})
	c.move(now, &bound{since: now})
	c.answerRenew(nil)
}

// refused takes a NAK: the address is not ours here, and a new one is looked
// for at once, or after a pause if that happens again and again.
func (c *Client) refused(now boottime.Instant) Rejection {
	c.deny(c.known())
	c.lose(LossNAK)
	c.hint = [4]byte{}
	c.enterInit(now, c.setback())
	return accepted
}

// setback returns the pause before the next attempt: none the first time, then
// 1 s and doubling, until a lease has been held for a while.
func (c *Client) setback() time.Duration {
	n := c.setbacks
	if n < maxSetbacks {
		c.setbacks++
	}
	if n == 0 {
		return 0
	}
	return c.jitter(min(time.Second<<(n-1), maxSetback))
}

const (
	maxSetback  = 64 * time.Second
	maxSetbacks = 8
)
