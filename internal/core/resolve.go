package core

import (
	"errors"
	"net/netip"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
)

// A hold is what an adapter's tenancy asked for and what waits for the link address
// of a host: a message, and all that comes after it.
type hold struct {
	until   boottime.Instant
	hop     netip.Addr
	message dhcp4.Transmit
	why     error // that the message did not leave at once
	rest    []tenancy.Output
}

// resolvePatience bounds the wait for an ARP answer.
const resolvePatience = 500 * time.Millisecond

// neighbour goes on with what waits for a host's link address.
func (c *Core) neighbour(in Neighbour) {
	if !in.Host.IsValid() {
		for _, a := range c.adapters.inOrder() {
			if l := a.living(); l != nil && l.hold != nil && a.id.NS == in.NS {
				c.lookAgain(a, l)
			}
		}
		return
	}
	a := c.adapters.at[in.ID]
	if a == nil {
		return
	}
	if l := a.living(); l != nil && l.hold != nil && l.hold.hop == in.Host {
		message := l.hold.message
		message.Link = in.Link
		c.resume(a, l, c.transmit(a, message))
	}
}

// lookAgain sends what waits, if the link address is known by now.
func (c *Core) lookAgain(a *adapter, l *living) {
	err := c.transmit(a, l.hold.message)
	if _, waits := errors.AsType[*netconf.UnresolvedError](err); !waits {
		c.resume(a, l, err)
	}
}

// unresolved goes on without a host's link address.
func (c *Core) unresolved(a *adapter, l *living) { c.resume(a, l, l.hold.why) }

// giveUp goes on without what an adapter waits for.
func (c *Core) giveUp(a *adapter) {
	for l := a.living(); l != nil && l == a.living() && l.hold != nil; {
		c.unresolved(a, l)
	}
}

// resume says how a message that waited was sent, and does what has waited behind it.
func (c *Core) resume(a *adapter, l *living, err error) {
	typ, rest := l.hold.message.Type, l.hold.rest
	l.hold = nil
	c.cfg.Kernel.Desist(c.about(a))
	c.sent(a, l, typ, err)
	for i, o := range rest {
		if l.hold != nil {
			l.hold.rest = append(l.hold.rest, rest[i:]...)
			break
		}
		c.carry(a, l, o)
	}
	if a.living() == l {
		c.drain(a, l)
	}
}
