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
func (l *Loop) Leave(a core.Adapter) {
	if s := l.spaces[a.NS]; s != nil && s.Kernel != nil {
		s.Kernel.Unclaim(a.Link)
	}
}

// Apply implements [core.Kernel].
func (l *Loop) Apply(a core.Adapter, o tenancy.Apply) (tenancy.Applied, bool) {
	s, err := l.in(a.NS)
	outcome := netconf.Outcome{Unread: err}
	if err == nil {
		outcome = s.Kernel.Apply(a.Link, o.Ours, o.Want)
	}
	in := tenancy.Report(o.Seq, outcome)
	in.Err = systemError(in.Err)
	return in, true
}

// Inspect implements [core.Kernel]. Who else manages the adapter is found out beside
// the loop.
func (l *Loop) Inspect(a core.Adapter, o tenancy.Inspect) (tenancy.Inspected, bool) {
	in := tenancy.Inspected{Seq: o.Seq, Cause: o.Cause}
	s, err := l.in(a.NS)
	if err != nil {
		in.Err = systemError(err)
		return in, true
	}
	in.Missing, in.Err = s.Kernel.Inspect(a.Link, o.Want)
	if o.Cause != tenancy.PutBackDue || len(in.Missing) == 0 || a.NS != core.Home {
		return in, true
	}
	l.pool.do(looking{}, func() {
		in.Manager, _, _ = l.cfg.Others.ManagerNow(a.Link)
		l.Tell(core.Inspected{Of: a.Of, Turn: a.Turn, What: in})
	})
	return tenancy.Inspected{}, false
}

// Solicit implements [core.Kernel].
func (l *Loop) Solicit(a core.Adapter, host netip.Addr) error {
	s, err := l.in(a.NS)
	if err != nil {
		return err
	}
	if s.neighbours == nil {
		s.neighbours, err = s.Kernel.WatchNeighbours(l, func(index int, host netip.Addr, link []byte) {
			l.core.Handle(l.now, core.Neighbour{ID: core.ID{NS: a.NS, Index: index}, Host: host, Link: link})
		})
		if err != nil {
			s.neighbours = nil
			return err
		}
	}
	s.waits++
	if err := s.Kernel.Solicit(a.Link, host); err != nil {
		l.Desist(a)
		return err
	}
	// It may have become known before the watch.
	if hw, known := s.Kernel.Neighbour(a.Link, host); known {
		l.Tell(core.Neighbour{ID: a.ID, Host: host, Link: hw})
	}
	return nil
}

// Desist implements [core.Kernel].
func (l *Loop) Desist(a core.Adapter) {
	s := l.spaces[a.NS]
	if s == nil || s.waits == 0 {
		return // the namespace has ended
	}
	if s.waits--; s.waits == 0 && s.neighbours != nil {
		_ = s.neighbours.Close()
		s.neighbours = nil
	}
}

// Open implements [core.Transport].
func (l *Loop) Open(a core.Adapter) error {
	in, err := l.in(a.NS)
	if err != nil {
		return systemError(err)
	}
	id := a.ID // the functions live as long as the exchange: they are to hold no adapter
	if in.exchanges[id.Index] != nil {
		return nil
	}
	x, err := in.Transport.Open(a.Link,
		func(in packet.Datagram) { l.core.Handle(l.now, core.Datagram{ID: id, What: dhcp4.Datagram(in)}) },
		func(r packet.Refusal, n uint64) {
			if l.core.Has(id) { // the last are told after Close
				in.refuse(id.Index, r, n)
			}
		})
	if err != nil {
		return systemError(err)
	}
	in.exchanges[id.Index] = x
	if !a.Link.Usable() { // there is time
		in.Kernel.Ahead(a.Link)
		if l.rehearsal == unrehearsed {
			l.rehearsal = wellRehearsed
			l.Do(l.rehearse)
			time.AfterFunc(rehearseAgain, func() { l.Do(l.rehearse) })
		}
	}
	return nil
}

// Close implements [core.Transport].
func (l *Loop) Close(a core.Adapter) {
	if s := l.spaces[a.NS]; s != nil {
		s.close(a.Index)
	}
}

// Send implements [core.Transport].
func (l *Loop) Send(a core.Adapter, t dhcp4.Transmit) error {
	if err := l.Open(a); err != nil {
		return err
	}
	return systemError(l.spaces[a.NS].exchanges[a.Index].Send(a.Link, packet.Transmit(t)))
}

// Post implements [core.Transport].
func (l *Loop) Post(a core.Adapter, t dhcp4.Transmit) error {
	s, err := l.in(a.NS)
	if err != nil {
		return systemError(err)
	}
	return systemError(s.Transport.Send(a.Link, packet.Transmit(t)))
}

// SendARP implements [core.Transport].
func (l *Loop) SendARP(a core.Adapter, packet, to []byte) error {
	s, err := l.in(a.NS)
	if err != nil {
		return systemError(err)
	}
	return systemError(s.Transport.SendARP(a.Link, packet, to))
}

// ListenARP implements [core.Transport].
func (l *Loop) ListenARP(a core.Adapter, addresses []netip.Addr) error {
	id := a.ID // the function lives as long as the lease: it is to hold no adapter
	s := l.spaces[a.NS]
	if len(addresses) == 0 && (s == nil || s.Kernel == nil) {
		return nil
	}
	s, err := l.in(a.NS)
	if err != nil {
		return systemError(err)
	}
	if delete(s.listening, a.Index); len(addresses) > 0 {
		s.listening[a.Index] = struct{}{}
	}
	return systemError(s.Transport.Listen(a.Link, addresses, func(in packet.ARP) {
		l.core.Handle(l.now, core.ARP{ID: id, Packet: in.Packet, From: in.From, Unicast: in.Unicast})
	}))
}

// ListenForceRenew implements [core.Transport].
func (l *Loop) ListenForceRenew(a core.Adapter, address netip.Addr) error {
	if a.NS != core.Home {
		return nil // it would keep the namespace
	}
	id := a.ID
	return systemError(l.Home().Transport.ListenForceRenew(a.Link, address, func(in packet.Datagram) {
		l.core.Handle(l.now, core.Datagram{ID: id, What: dhcp4.Datagram(in)})
	}))
}

// Resolve implements [core.Resolver].
func (l *Loop) Resolve(a core.Adapter, seq uint64, d netconf.DNS) {
	l.pool.do(resolving{}, func() {
		if l.hasEnded() {
			return
		}
		err := l.cfg.Resolver.Set(a.Link, d)
		l.Tell(core.Resolved{Of: a.Of, Turn: a.Turn, Seq: seq, Err: systemError(err)})
	})
}

// looking is the key of the search for other clients, which share what they find.
type looking struct{}

// resolving is the key of what the resolver does.
type resolving struct{}

// Save implements [core.Store].
func (l *Loop) Save(a core.Adapter, r v4.Record) error {
	record := l.record(a.NS, a.Name)
	err := l.cfg.Store.Save(record, r)
	l.unkept = append(l.unkept, record)
	return systemError(err)
}

// Forget implements [core.Store].
func (l *Loop) Forget(a core.Adapter, name string) {
	name = l.record(a.NS, name)
	if err := l.cfg.Store.Remove(name); err != nil {
		l.cfg.Log.Error("the lease file could not be removed", "adapter", name, "error", err)
	}
	l.unkept = append(l.unkept, name)
}
