package core

import (
	"errors"
	"net/netip"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// tell passes an input to an adapter's tenancy and does what follows.
func (c *Core) tell(a *adapter, in tenancy.Input) {
	if l := a.living(); l != nil {
		l.tenancy.Handle(c.now, in)
		c.drain(a, l)
	}
}

// drain does what an adapter's tenancy asks for.
func (c *Core) drain(a *adapter, l *living) {
	if l.ear == deaf && l.tenancy.Awaiting() {
		l.ear = open
		_ = c.cfg.Transport.Open(c.about(a)) // Send tries it again
	}
	for {
		o, ok := l.tenancy.Poll()
		if !ok {
			break
		}
		if l.hold != nil && !fails(o) {
			l.hold.rest = append(l.hold.rest, o)
			continue
		}
		c.carry(a, l, o)
	}
	if a.living() != l {
		return // it has ended
	}
	if l.ear == open && !l.tenancy.Awaiting() {
		l.ear = deaf
		c.close(a.id)
	}
	if to := l.tenancy.Receptive(); to != l.receptive {
		l.receptive = to
		c.trouble(a, l, deafToServer, c.cfg.Transport.ListenForceRenew(c.about(a), to))
	}
	c.arm(a)
}

// fails reports whether an output tells a caller that something was not done: that
// waits for nothing.
func fails(o tenancy.Output) bool {
	answer, is := o.(tenancy.Answer)
	return is && answer.Result.Code != errno.NO_ERROR
}

// close ends what receives from a link, unless somebody still awaits an answer.
func (c *Core) close(id ID) {
	if c.scans[id] != nil {
		return
	}
	if a := c.adapters.at[id]; a != nil {
		if l := a.living(); l != nil && l.ear == open {
			return
		}
	}
	c.cfg.Transport.Close(Adapter{ID: id, Link: c.links.at(id)})
}

// carry carries out an output of an adapter's tenancy.
func (c *Core) carry(a *adapter, l *living, o tenancy.Output) {
	about := c.about(a)
	switch o := o.(type) {
	case v4.Transmit:
		c.send(a, l, dhcp4.Transmit(o))
	case v4.Save:
		c.adapters.records[place{a.id.NS, a.name}] = a.number
		err := c.cfg.Store.Save(about, o.Record)
		if err != nil || l.tenancy.Unsaved() {
			c.report(a, tenancy.SaveFailed{Err: err})
		}
		if err == nil {
			c.forgetFormer(a)
		}
	case tenancy.Apply:
		in, now := c.cfg.Kernel.Apply(about, o)
		c.name(a, l, o.Seq, o.Want.DNS)
		if now {
			c.report(a, in)
		}
	case tenancy.Answer:
		if o.ID != nobody {
			delete(c.calls, o.ID)
			c.cfg.Hooks.Answer(o.ID, o.Result, nil)
		}
	case v4.Note:
		c.say(a, Said{Note: o})
	case v4.TransmitARP:
		if err := c.cfg.Transport.SendARP(about, o.Packet, o.To); !errors.Is(err, netconf.ErrLinkDown) { // else the tenancy is about to hear of it, and asks again
			c.trouble(a, l, unsaid, err)
		}
	case v4.Listen:
		c.trouble(a, l, deafToARP, c.cfg.Transport.ListenARP(about, o.Addresses))
	case tenancy.Forget:
		c.cfg.Store.Forget(about, a.name)
		c.forgetFormer(a)
	case tenancy.Inspect:
		if in, now := c.cfg.Kernel.Inspect(about, o); now {
			c.report(a, in)
		}
	case tenancy.Ended:
		c.ended(a, l)
	}
}

// ended takes down what an adapter had while its tenancy lived.
func (c *Core) ended(a *adapter, l *living) {
	about := c.about(a)
	if l.ear == open {
		l.ear = deaf
		c.close(a.id)
	}
	if l.receptive.IsValid() {
		l.receptive = netip.Addr{}
		_ = c.cfg.Transport.ListenForceRenew(about, netip.Addr{})
	}
	if p, is := a.phase.(*leaving); is {
		c.over(a, p)
	}
}

// send sends a message of an adapter's tenancy. Where that waits for a link address,
// all that follows for the adapter does, too.
func (c *Core) send(a *adapter, l *living, t dhcp4.Transmit) {
	err := c.transmit(a, t)
	if unresolved, waits := errors.AsType[*netconf.UnresolvedError](err); waits {
		if solicited := c.cfg.Kernel.Solicit(c.about(a), unresolved.Hop); solicited == nil {
			l.hold = &hold{until: c.now.Add(resolvePatience), message: t, hop: unresolved.Hop, why: err}
			return
		}
	}
	c.sent(a, l, t.Type, err)
}

func (c *Core) transmit(a *adapter, t dhcp4.Transmit) error {
	switch t.Type {
	case wire.Release, wire.Decline:
		return c.cfg.Transport.Post(c.about(a), t)
	default:
		return c.cfg.Transport.Send(c.about(a), t)
	}
}

// sent tells the tenancy of a message that did not leave, and of the first one that
// does afterwards.
func (c *Core) sent(a *adapter, l *living, typ wire.MessageType, err error) {
	if err != nil || l.tenancy.Unsent() {
		c.report(a, v4.SendFailed{Type: typ, Err: err})
	}
}

// trouble says an error once; l.told remembers that until all is well again.
func (c *Core) trouble(a *adapter, l *living, which troubles, err error) {
	if err == nil {
		l.told &^= which
		return
	}
	if l.told&which == 0 {
		l.told |= which
		c.say(a, Said{Note: problem(reason.SystemFailed, err)})
	}
}

// datagram passes on what arrived for a link's client.
func (c *Core) datagram(in Datagram) {
	if s := c.scans[in.ID]; s != nil && s.expects(in.What.Message) {
		s.scan.Handle(c.now, in.What)
		c.drainScan(s)
		return
	}
	if a := c.adapters.at[in.ID]; a != nil {
		c.tell(a, v4.Datagram(in.What))
	}
}

// arp passes on an ARP packet.
func (c *Core) arp(in ARP) {
	if a := c.adapters.at[in.ID]; a != nil {
		c.tell(a, v4.ARP{Packet: in.Packet, From: in.From, Unicast: in.Unicast, Ours: c.sentByUs(in.Packet)})
	}
}

// EntryOf returns what the journal keeps of an event.
func EntryOf(n v4.Note) event.Entry {
	e := event.Entry{
		Kind: n.Kind, State: n.State, Message: n.Message, Why: n.Why, Server: n.Server,
		Address: n.Address, Link: n.Link, XID: n.XID, Detail: n.Text,
	}
	if n.Cause.Reason != reason.None {
		e.Detail = n.Cause.Pack()
	}
	if n.Lease != nil {
		switch n.Kind.Row().Subject {
		case event.OfNothing:
		case event.OfLease:
			if !e.Server.IsValid() {
				e.Server = n.Lease.Server
			}
			fallthrough
		case event.OfAddress:
			if !e.Address.IsValid() {
				e.Address = n.Lease.Address.Addr()
			}
		}
	}
	if e.Address.IsUnspecified() {
		e.Address = netip.Addr{}
	}
	return e
}
