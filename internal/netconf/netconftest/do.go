package netconftest

import (
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/netconf"
)

// An actor is who changes the configuration. What we do is not reported to us.
type actor uint8

const (
	us actor = iota
	others
)

func (k *Kernel) notify(d netconf.Disturbed, by actor) {
	if k.Notify != nil && by == others {
		k.Notify(d)
	}
}

func (k *Kernel) do(op netconf.Op, by actor) error {
	switch op := op.(type) {
	case netconf.SetMTU:
		k.Link.MTU = op.MTU
	case netconf.SetPromote:
		k.PromoteSecondaries = op.Promote == netconf.PromoteOn
	case netconf.AddAddress:
		if k.find(op.Address.Prefix) >= 0 {
			return errExists
		}
		k.insert(op.Address, op.Valid, op.Preferred)
	case netconf.ReplaceAddress:
		i := k.find(op.Address.Prefix)
		if i < 0 {
			k.insert(op.Address, op.Valid, op.Preferred)
			return nil
		}
		k.Addresses[i].Lifetime = k.lifetime(op.Valid, op.Preferred)
	case netconf.RemoveAddress:
		i := k.find(op.Prefix)
		if i < 0 {
			return errAbsent
		}
		k.removeAddress(i, by)
	case netconf.AddRoute:
		if slices.ContainsFunc(k.Routes, func(h netconf.Route) bool { return h.Object() == op.Route.Object() }) {
			return errExists
		}
		return k.addRoute(op.Route)
	case netconf.AppendRoute:
		if slices.Contains(k.Routes, op.Route) {
			return errExists
		}
		return k.addRoute(op.Route)
	case netconf.RemoveRoute:
		i := slices.Index(k.Routes, op.Route)
		if i < 0 {
			return errAbsent
		}
		k.Routes = slices.Delete(k.Routes, i, i+1)
		if op.Route.Protocol == netconf.ProtocolDHCP {
			k.notify(netconf.Disturbed{Index: k.Link.Index, Object: op.Route.Object()}, by)
		}
	}
	return nil
}

// find returns the index of the address that the kernel takes for p: there is
// one of a prefix (IPv4), or one of an address (IPv6). Below 0: there is none.
func (k *Kernel) find(p netip.Prefix) int {
	return slices.IndexFunc(k.Addresses, func(h netconf.Address) bool {
		return !h.Peer.IsValid() && (h.Prefix == p || p.Addr().Is6() && h.Prefix.Addr() == p.Addr())
	})
}

func (k *Kernel) insert(a netconf.Address, valid, preferred uint32) {
	a.Lifetime = k.lifetime(valid, preferred)
	if k.NoProtocol {
		a.Protocol = 0
	}
	a.Flags &^= netconf.Secondary
	if a.Prefix.Addr().Is4() && slices.ContainsFunc(k.Addresses, func(h netconf.Address) bool { return h.Prefix.Masked() == a.Prefix.Masked() }) {
		a.Flags |= netconf.Secondary
	}
	k.Addresses = append(k.Addresses, a)
}

func (k *Kernel) lifetime(valid, preferred uint32) netconf.Lifetime {
	if valid == netconf.Forever {
		return netconf.Lifetime{Forever: true}
	}
	return netconf.Lifetime{
		ValidUntil:     k.At.Add(time.Duration(valid) * time.Second),
		PreferredUntil: k.At.Add(time.Duration(preferred) * time.Second),
	}
}

func (k *Kernel) addRoute(r netconf.Route) error {
	switch {
	case !k.Link.Up && r.Type == netconf.Unicast:
		return errDown
	case r.Source.IsValid() && !k.local(r.Source):
		return errSource
	}
	k.Routes = append(k.Routes, r)
	return nil
}

// local reports whether the adapter has the address.
func (k *Kernel) local(a netip.Addr) bool {
	return slices.ContainsFunc(k.Addresses, func(h netconf.Address) bool { return h.Prefix.Addr() == a })
}

// removeAddress removes the address of an index and what the kernel removes with
// it.
func (k *Kernel) removeAddress(i int, by actor) {
	gone := k.Addresses[i]
	k.Addresses = slices.Delete(k.Addresses, i, i+1)
	removed := []netconf.Address{gone}
	if gone.Prefix.Addr().Is4() && gone.Flags&netconf.Secondary == 0 {
		removed = append(removed, k.removePrimary(gone.Prefix.Masked())...)
	}
	k.dropRoutes(gone.Prefix.Addr().Is4())
	for _, a := range removed {
		k.notify(netconf.Disturbed{Index: k.Link.Index, Object: netconf.Object{Kind: netconf.ObjectAddress, Prefix: a.Prefix}}, by)
	}
}

// removePrimary promotes the next address of the subnet, or removes all.
func (k *Kernel) removePrimary(subnet netip.Prefix) (removed []netconf.Address) {
	promoted := false
	rest := make([]netconf.Address, 0, len(k.Addresses))
	for _, h := range k.Addresses {
		if h.Prefix.Masked() == subnet && h.Flags&netconf.Secondary != 0 {
			if !k.PromoteSecondaries {
				removed = append(removed, h)
				continue
			}
			if !promoted {
				h.Flags &^= netconf.Secondary
				promoted = true
			}
		}
		rest = append(rest, h)
	}
	k.Addresses = rest
	return removed
}

// dropRoutes removes the routes whose source is not there any more and, after
// the last IPv4 address, all of IPv4.
func (k *Kernel) dropRoutes(ipv4 bool) {
	none := ipv4 && !slices.ContainsFunc(k.Addresses, func(h netconf.Address) bool { return h.Prefix.Addr().Is4() })
	k.Routes = slices.DeleteFunc(k.Routes, func(r netconf.Route) bool {
		return r.Source.IsValid() && !k.local(r.Source) || none && r.Destination.Addr().Is4()
	})
}

// SetUp sets the link up or down.
func (k *Kernel) SetUp(up bool) {
	k.Link.Up = up
	if up {
		return
	}
	k.Routes = slices.DeleteFunc(k.Routes, func(r netconf.Route) bool { return r.Type == netconf.Unicast })
	k.removeIf(func(a netconf.Address) bool { return a.Prefix.Addr().Is6() })
}

// Advance lets the time pass until now. What has ended goes.
func (k *Kernel) Advance(now boottime.Instant) {
	k.At = now
	k.removeIf(func(a netconf.Address) bool { return !a.Lifetime.Forever && !now.Before(a.Lifetime.ValidUntil) })
}

// removeIf has the kernel itself remove addresses.
func (k *Kernel) removeIf(which func(netconf.Address) bool) {
	for {
		i := slices.IndexFunc(k.Addresses, which)
		if i < 0 {
			return
		}
		k.removeAddress(i, others)
	}
}

// Next returns when the next address ends.
func (k *Kernel) Next() (at boottime.Instant, ok bool) {
	for _, a := range k.Addresses {
		if !a.Lifetime.Forever && (!ok || a.Lifetime.ValidUntil.Before(at)) {
			at, ok = a.Lifetime.ValidUntil, true
		}
	}
	return at, ok
}

// Suspended says that the machine slept for a while, in which the kernel's
// timers stood still.
func (k *Kernel) Suspended(d time.Duration) {
	for i := range k.Addresses {
		l := &k.Addresses[i].Lifetime
		if l.Forever {
			continue
		}
		l.ValidUntil, l.PreferredUntil = l.ValidUntil.Add(d), l.PreferredUntil.Add(d)
	}
}
