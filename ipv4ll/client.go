package ipv4ll

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/queue"
	"github.com/lessee/lessee/wire/arp"
)

// First and Final are the ends of the range that addresses are chosen from:
// the first and the last 256 of the prefix are reserved (RFC 3927 section 2.1).
var (
	First = netip.AddrFrom4([4]byte{169, 254, 1, 0})
	Final = netip.AddrFrom4([4]byte{169, 254, 254, 255})
)

// Usable reports whether a is between First and Final.
func Usable(a netip.Addr) bool {
	a = a.Unmap()
	return a.Is4() && !a.Less(First) && !Final.Less(a)
}

const (
	prefixBits = 16
	rangeSize  = 254 * 256
)

// MaxConflicts and RateLimitInterval are RFC 3927 section 9's: after so many
// conflicts one address is tried per interval.
const (
	MaxConflicts      = 10
	RateLimitInterval = 60 * time.Second
)

// A Config says who we are. It is copied by [New].
type Config struct {
	// HardwareAddr is the adapter's link address: neither zero nor a group
	// address. The addresses and their order follow from it alone.
	HardwareAddr arp.HardwareAddr
	// Timing is the schedule; the zero value means [acd.RFC5227], whose values
	// are those of RFC 3927 section 9.
	Timing acd.Timing
	// Defence is [acd.DefendOnce] or [acd.DefendNever].
	Defence acd.Defence
	// Seed makes the random parts of the schedule. It should differ from run to
	// run.
	Seed uint64
}

// A Client looks after the link-local address of one adapter. It does no I/O;
// see the package comment. It is not safe for concurrent use.
type Client struct {
	detector *acd.Detector
	state    state
	link     bool // frames can be sent
	// conflicts is how many there were since an address was last held
	// undisturbed, up to MaxConflicts.
	conflicts int
	// tried is when the last address was begun with.
	tried boottime.Instant
	// address is the one that is ours or is to be.
	address   netip.Addr
	addresses rand.PCG
	out       queue.Queue[Output]
}

// New returns a client that waits for Start, or an error that says which value
// of the Config is not valid.
func New(cfg Config) (*Client, error) {
	// RFC 3927 section 2.5: "A host MUST respond to a conflicting ARP packet as
	// described in either (a) or (b)": it gives up, or defends once. RFC 5227's
	// (c) is not among them.
	if cfg.Defence == acd.DefendAlways {
		return nil, fmt.Errorf("ipv4ll: defence %v: a link-local address must be given up: use once or never", cfg.Defence)
	}
	if cfg.Timing == (acd.Timing{}) {
		cfg.Timing = acd.RFC5227
	}
	d, err := acd.New(acd.Config{HardwareAddr: cfg.HardwareAddr, Timing: cfg.Timing, Defence: cfg.Defence, Seed: cfg.Seed})
	if err != nil {
		return nil, fmt.Errorf("ipv4ll: %w", err)
	}
	c := &Client{detector: d, state: stopped{}}
	c.seed(cfg.HardwareAddr)
	return c, nil
}

// Handle tells the client what happened at the instant now, which must not be
// earlier than that of the call before. A nil input is ignored. After each
// Handle the outputs are to be taken with [Client.Poll].
func (c *Client) Handle(now boottime.Instant, in Input) {
	switch in := in.(type) {
	case Start:
		c.start(now, in)
	case Stop:
		c.stop(now)
	case LinkUp:
		if !c.link {
			c.link = true
			c.ask(now, acd.LinkUp{})
			c.state.linkUp(c, now)
		}
	case LinkDown:
		if c.link {
			c.link = false
			c.state.linkDown(c, now)
			c.ask(now, acd.LinkDown{})
		}
	case Packet:
		c.ask(now, acd.Packet(in))
	case Timeout:
		if r, ok := c.state.(resting); ok && !now.Before(r.until) {
			c.claim(now)
		}
		c.ask(now, acd.Timeout{})
	}
}

// Poll returns the next output, false if there is none.
func (c *Client) Poll() (Output, bool) {
	return c.out.Pop()
}

// Deadline returns when the client wants to be told Timeout next, and why;
// false if it waits for other inputs only.
func (c *Client) Deadline() (at boottime.Instant, why Timer, ok bool) {
	if r, resting := c.state.(resting); resting {
		return r.until, TimerNext, true
	}
	at, reason, ok := c.detector.Deadline()
	if !ok {
		return 0, 0, false
	}
	switch reason {
	case acd.TimerProbe:
		why = TimerProbe
	case acd.TimerClear:
		why = TimerClear
	case acd.TimerAnnounce:
		why = TimerAnnounce
	}
	return at, why, true
}

// State returns what the client does.
func (c *Client) State() State { return c.state.name() }

// Address returns the address that is ours; false if none is.
func (c *Client) Address() (netip.Prefix, bool) {
	if c.State() != StateBound {
		return netip.Prefix{}, false
	}
	return c.prefix(), true
}

// Listening returns the address whose packets are wanted; false if none are.
func (c *Client) Listening() (netip.Addr, bool) {
	if !c.detector.Listening() {
		return netip.Addr{}, false
	}
	return c.detector.Address(), true
}

func (c *Client) prefix() netip.Prefix { return netip.PrefixFrom(c.address, prefixBits) }

func (c *Client) emit(o Output) { c.out.Push(o) }

// ask tells the detector what happened, and does what it says.
func (c *Client) ask(now boottime.Instant, in acd.Input) {
	c.detector.Handle(now, in)
	for {
		o, ok := c.detector.Poll()
		if !ok {
			return
		}
		switch o := o.(type) {
		case acd.Transmit:
			// RFC 3927 section 2.5: "All ARP packets (*replies* as well as
			// requests) that contain a Link-Local 'sender IP address' MUST be
			// sent using link-layer broadcast".
			//
			// Deviation: "Broadcast replies" in docs/deviations.md.
			c.emit(Transmit(o))
		case acd.Clear:
			c.state = bound{since: now}
			c.emit(Acquired{c.prefix()})
		case acd.Defended:
			c.emit(Defended(o))
		case acd.Conflict:
			c.conflict(now, o.By)
		}
	}
}

// start looks for an address.
//
// RFC 3927 section 2.1: "On booting, hosts with a previously recorded address
// SHOULD use that address as their first candidate when probing."
func (c *Client) start(now boottime.Instant, in Start) {
	if c.State() != StateStopped {
		return
	}
	if last := in.Last.Unmap(); Usable(last) {
		c.address = last
	} else if !c.address.IsValid() {
		c.address = c.next()
	}
	c.state = waiting{}
	if c.link {
		c.state.linkUp(c, now)
	}
}

func (c *Client) stop(now boottime.Instant) {
	c.lose(LossStopped, arp.HardwareAddr{})
	c.settle(now)
	c.state = stopped{}
	c.ask(now, acd.Stop{})
}

// lose gives up the address, if it is ours.
func (c *Client) lose(why Loss, by arp.HardwareAddr) {
	if c.State() == StateBound {
		c.emit(Lost{c.prefix(), why, by})
	}
}

// settle forgets the conflicts if an address was held undisturbed for so long
// that what went wrong is over.
func (c *Client) settle(now boottime.Instant) {
	if b, ok := c.state.(bound); ok && now.Sub(b.since) >= RateLimitInterval {
		c.conflicts = 0
	}
}

// conflict goes on to the next address.
//
// RFC 3927 section 1.5: "MUST expect address conflicts, and MUST be prepared to
// handle them gracefully by automatically selecting a new address whenever a
// conflict is detected".
func (c *Client) conflict(now boottime.Instant, by arp.HardwareAddr) {
	if c.State() == StateBound {
		c.lose(LossConflict, by)
		c.settle(now)
	} else {
		c.emit(Taken{c.address, by})
	}
	c.conflicts = min(c.conflicts+1, MaxConflicts)
	c.address = c.next()
	c.try(now)
}

// try begins with an address as soon as that is allowed.
//
// RFC 3927 section 2.2.1: "if the number of conflicts exceeds MAX_CONFLICTS then
// the host MUST limit the rate at which it probes for new addresses to no more
// than one new address per RATE_LIMIT_INTERVAL." RFC 5227 section 2.1.1 begins
// one conflict earlier ("MAX_CONFLICTS or more"), and so do we.
func (c *Client) try(now boottime.Instant) {
	if until := c.tried.Add(RateLimitInterval); c.conflicts == MaxConflicts && now.Before(until) {
		c.state = resting{until}
		return
	}
	c.claim(now)
}

// claim asks about the address.
//
// RFC 3927 section 2.2: "a host MUST test to see if the IPv4 Link-Local address
// is already in use before beginning to use it."
func (c *Client) claim(now boottime.Instant) {
	c.tried = now
	c.state = claiming{}
	c.ask(now, acd.Start{Address: c.address, Mode: acd.Probe})
}
