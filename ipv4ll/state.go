package ipv4ll

import (
	"math/rand/v2"
	"net/netip"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/wire/arp"
)

// A state is what the client does when the link comes or goes; what it does
// with packets is the detector's part.
type state interface {
	name() State
	// linkUp follows a time without a link, or Start.
	linkUp(c *Client, now boottime.Instant)
	linkDown(c *Client, now boottime.Instant)
}

// stopped: no address is wanted.
type stopped struct{}

func (stopped) name() State                        { return StateStopped }
func (stopped) linkUp(*Client, boottime.Instant)   {}
func (stopped) linkDown(*Client, boottime.Instant) {}

// waiting: there is no link.
type waiting struct{ stopped }

func (waiting) name() State { return StateWaiting }

// linkUp asks about the address, which may be the one that we had before.
//
// RFC 3927 section 2.2: "When a network interface transitions from an inactive
// to an active state, the host does not have knowledge of what IPv4 Link-Local
// addresses may currently be in use on that link".
func (waiting) linkUp(c *Client, now boottime.Instant) { c.try(now) }

// resting: too many addresses were taken.
type resting struct{ until boottime.Instant }

func (resting) name() State                            { return StateResting }
func (resting) linkUp(*Client, boottime.Instant)       {}
func (resting) linkDown(c *Client, _ boottime.Instant) { c.state = waiting{} }

// claiming: the link is asked about the address.
type claiming struct{}

func (claiming) name() State                              { return StateClaiming }
func (claiming) linkUp(*Client, boottime.Instant)         {}
func (claiming) linkDown(c *Client, now boottime.Instant) { c.wait(now) }

// bound: the address is ours.
type bound struct{ since boottime.Instant }

func (bound) name() State                      { return StateBound }
func (bound) linkUp(*Client, boottime.Instant) {}

func (bound) linkDown(c *Client, now boottime.Instant) {
	c.lose(LossLink, arp.HardwareAddr{})
	c.settle(now)
	c.wait(now)
}

func (c *Client) wait(now boottime.Instant) {
	c.state = waiting{}
	c.ask(now, acd.Stop{})
}

// seed prepares the order of addresses.
//
// RFC 3927 section 2.1: "If the host has access to persistent information that
// is different for each host, such as its IEEE 802 MAC address, then the
// pseudo-random number generator SHOULD be seeded using a value derived from
// this information."
func (c *Client) seed(hw arp.HardwareAddr) {
	var seed [2]uint64
	for i := range seed {
		sum := uint64(14695981039346656037) + uint64(i)
		for _, b := range hw {
			sum = (sum ^ uint64(b)) * 1099511628211
		}
		seed[i] = sum
	}
	c.addresses = *rand.NewPCG(seed[0], seed[1])
}

// next returns the next address, another one than that before.
//
// RFC 3927 section 2.1: "it selects an address using a pseudo-random number
// generator with a uniform distribution in the range from 169.254.1.0 to
// 169.254.254.255 inclusive." "The first 256 and last 256 addresses in the
// 169.254/16 prefix are reserved for future use and MUST NOT be selected".
func (c *Client) next() netip.Addr {
	for {
		n := c.addresses.Uint64() % rangeSize // the bias is one in 2^48
		a := netip.AddrFrom4([4]byte{169, 254, byte(1 + n/256), byte(n)})
		if a != c.address {
			return a
		}
	}
}
