package loop

import (
	"net/netip"
	"time"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// Leave implements [core.Kernel].
func (l *Loop) Leave(a core.Adapter) { l.spaces[a.NS].Kernel.Unclaim(a.Link) }

// Apply implements [core.Kernel].
func (l *Loop) Apply(a core.Adapter, o tenancy.Apply) (tenancy.Applied, bool) {
	in := tenancy.Report(o.Seq, l.spaces[a.NS].Kernel.Apply(a.Link, o.Ours, o.Want))
	in.Err = systemError(in.Err)
	return in, true
}

// Inspect implements [core.Kernel]. Who else manages the adapter is found out beside
// the loop.
func (l *Loop) Inspect(a core.Adapter, o tenancy.Inspect) (tenancy.Inspected, bool) {
	in := tenancy.Inspected{Seq: o.Seq, Cause: o.Cause}
	in.Missing, in.Err = l.spaces[a.NS].Kernel.Inspect(a.Link, o.Want)
	if o.Cause != tenancy.PutBackDue || len(in.Missing) == 0 {
		return in, true
	}
	l.pool.do(a.ID, func() {
		in.Manager, _, _ = l.cfg.Others.ManagerNow(a.Link)
		l.Tell(core.Inspected{Of: a.Of, Turn: a.Turn, What: in})
	})
	return tenancy.Inspected{}, false
}

// Solicit implements [core.Kernel].
func (l *Loop) Solicit(a core.Adapter, host netip.Addr) error {
	s := l.spaces[a.NS]
	if s.neighbours == nil {
		c, err := s.Kernel.WatchNeighbours(l, func(index int, host netip.Addr, link []byte) {
			l.core.Handle(l.now, core.Neighbour{ID: core.ID{NS: a.NS, Index: index}, Host: host, Link: link})
		})
		if err != nil {
			return err
		}
		s.neighbours = c
	}
	if err := s.Kernel.Solicit(a.Link, host); err != nil {
		l.quiet(s)
		return err
	}
	s.waits++
	// It may have become known before the watch.
	if hw, known := s.Kernel.Neighbour(a.Link, host); known {
		l.Tell(core.Neighbour{ID: a.ID, Host: host, Link: hw})
	}
	return nil
}

// Desist implements [core.Kernel].
func (l *Loop) Desist(a core.Adapter) {
	s := l.spaces[a.NS]
	s.waits--
	l.quiet(s)
}

// quiet ends the watch of the neighbours if nobody waits for one.
func (l *Loop) quiet(s *space) {
	if s.waits == 0 && s.neighbours != nil {
		_ = s.neighbours.Close()
		s.neighbours = nil
	}
}

// socket returns what a link's exchange needs.
func (l *Loop) socket(id core.ID) *socket {
	s := l.sockets[id]
	if s == nil {
		s = &socket{}
		l.sockets[id] = s
	}
	return s
}

// Open implements [core.Transport].
func (l *Loop) Open(a core.Adapter) error {
	s, id := l.socket(a.ID), a.ID
	if s.exchange != nil {
		return nil
	}
	x, err := l.spaces[a.NS].Transport.Open(a.Link,
		func(in packet.Datagram) { l.core.Handle(l.now, core.Datagram{ID: id, What: dhcp4.Datagram(in)}) },
		func(r packet.Refusal, n uint64) {
			if r < packet.Refusals {
				s.refused[r] += n
			}
		})
	if err != nil {
		return systemError(err)
	}
	s.exchange = x
	if !a.Link.Usable() { // there is time
		l.spaces[a.NS].Kernel.Ahead(a.Link)
		if l.rehearsal == unrehearsed {
			l.rehearsal = wellRehearsed
			l.Do(l.rehearse)
			time.AfterFunc(rehearseAgain, func() { l.Do(l.rehearse) })
		}
	}
	return nil
}

// Close implements [core.Transport].
func (l *Loop) Close(a core.Adapter) { l.close(a.ID) }

func (l *Loop) close(id core.ID) {
	if s := l.sockets[id]; s != nil && s.exchange != nil {
		_ = s.exchange.Close()
		s.exchange = nil
	}
}

// Send implements [core.Transport].
func (l *Loop) Send(a core.Adapter, t dhcp4.Transmit) error {
	if err := l.Open(a); err != nil {
		return err
	}
	return systemError(l.sockets[a.ID].exchange.Send(a.Link, packet.Transmit(t)))
}

// Post implements [core.Transport].
func (l *Loop) Post(a core.Adapter, t dhcp4.Transmit) error {
	return systemError(l.spaces[a.NS].Transport.Send(a.Link, packet.Transmit(t)))
}

// SendARP implements [core.Transport].
func (l *Loop) SendARP(a core.Adapter, packet, to []byte) error {
	return systemError(l.spaces[a.NS].Transport.SendARP(a.Link, packet, to))
}

// ListenARP implements [core.Transport].
func (l *Loop) ListenARP(a core.Adapter, addresses []netip.Addr) error {
	id := a.ID // the function lives as long as the lease: it is to hold no adapter
	return systemError(l.spaces[a.NS].Transport.Listen(a.Link, addresses, func(in packet.ARP) {
		l.core.Handle(l.now, core.ARP{ID: id, Packet: in.Packet, From: in.From, Unicast: in.Unicast})
	}))
}

// ListenForceRenew implements [core.Transport].
func (l *Loop) ListenForceRenew(a core.Adapter, address netip.Addr) error {
	id := a.ID
	return systemError(l.spaces[a.NS].Transport.ListenForceRenew(a.Link, address, func(in packet.Datagram) {
		l.core.Handle(l.now, core.Datagram{ID: id, What: dhcp4.Datagram(in)})
	}))
}

// Resolve implements [core.Resolver].
func (l *Loop) Resolve(a core.Adapter, seq uint64, d netconf.DNS) {
	l.pool.do(resolving{}, func() {
		err := l.cfg.Resolver.Set(a.Link, d)
		l.Tell(core.Resolved{Of: a.Of, Turn: a.Turn, Seq: seq, Err: systemError(err)})
	})
}

// resolving is the key of what the resolver does.
type resolving struct{}

// Save implements [core.Store].
func (l *Loop) Save(a core.Adapter, r v4.Record) error {
	err := l.cfg.Store.Save(a.Name, r)
	l.unkept = append(l.unkept, a.Name)
	return systemError(err)
}

// Forget implements [core.Store].
func (l *Loop) Forget(_ core.Adapter, name string) {
	if err := l.cfg.Store.Remove(name); err != nil {
		l.cfg.Log.Error("the lease file could not be removed", "adapter", name, "error", err)
	}
	l.unkept = append(l.unkept, name)
}
