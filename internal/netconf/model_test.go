package netconf

import (
	"errors"
	"net/netip"
	"slices"
	"time"
)

var errRefused = errors.New("refused")

// A model is the kernel as far as a plan needs it: what a batch does to one
// adapter.
type model struct{ State }

// clone returns a copy that shares nothing.
func (m model) clone() model {
	m.Addresses, m.Routes = slices.Clone(m.Addresses), slices.Clone(m.Routes)
	return m
}

// batch carries out all operations, as the kernel does after one has failed.
func (m *model) batch(ops []Op, refuse func(Op) bool) (failed []Failure) {
	for _, op := range ops {
		if refuse(op) || !m.do(op) {
			failed = append(failed, Failure{op, errRefused})
		}
	}
	return failed
}

// apply carries out a plan.
func (m *model) apply(p Plan, refuse func(Op) bool) Outcome {
	failed := m.batch(p.Add, refuse)
	remove, withheld := p.Cleanup(failed)
	failed = append(failed, m.batch(remove, refuse)...)
	for _, op := range withheld {
		failed = append(failed, Failure{op, errRefused})
	}
	return p.Outcome(failed)
}

func (m *model) do(op Op) bool {
	switch op := op.(type) {
	case SetMTU:
		m.Link.MTU = op.MTU
	case SetPromote:
		m.PromoteSecondaries = op.Promote == PromoteOn
	case AddAddress:
		if _, there := m.address(op.Address.Prefix); there {
			return false
		}
		a := op.Address
		a.Lifetime = m.lifetime(op.Valid, op.Preferred)
		if a.Prefix.Addr().Is4() && slices.ContainsFunc(m.Addresses, func(h Address) bool { return h.Prefix.Masked() == a.Prefix.Masked() }) {
			a.Flags |= Secondary
		}
		m.Addresses = append(m.Addresses, a)
	case ReplaceAddress:
		for i, h := range m.Addresses {
			if h.is(op.Address.Prefix) {
				m.Addresses[i].Lifetime = m.lifetime(op.Valid, op.Preferred)
				return true
			}
		}
		return false
	case RemoveAddress:
		return m.removeAddress(op.Prefix)
	case AddRoute:
		return m.addRoute(op.Route, free)
	case AppendRoute:
		return m.addRoute(op.Route, shared)
	case RemoveRoute:
		i := slices.Index(m.Routes, op.Route)
		if i < 0 {
			return false
		}
		m.Routes = slices.Delete(m.Routes, i, i+1)
	}
	return true
}

// A place says whether the place of a route has to be free.
type place uint8

const (
	free place = iota
	shared
)

func (m *model) addRoute(r Route, how place) bool {
	taken := slices.ContainsFunc(m.Routes, r.sameKey)
	_, source := m.source(r.Source)
	if !m.Link.Up && r.Type == Unicast || taken && how == free || !source {
		return false
	}
	m.Routes = append(m.Routes, r)
	return true
}

func (m *model) source(a netip.Addr) (Address, bool) {
	for _, h := range m.Addresses {
		if h.Prefix.Addr() == a {
			return h, true
		}
	}
	return Address{}, !a.IsValid()
}

// removeAddress removes an address and what the kernel removes with it.
func (m *model) removeAddress(p netip.Prefix) bool {
	i := slices.IndexFunc(m.Addresses, func(a Address) bool { return a.is(p) })
	if i < 0 {
		return false
	}
	gone := m.Addresses[i]
	m.Addresses = slices.Delete(m.Addresses, i, i+1)
	if gone.Prefix.Addr().Is4() && gone.Flags&Secondary == 0 {
		var rest []Address
		promoted := false
		for _, h := range m.Addresses {
			if h.Prefix.Masked() == gone.Prefix.Masked() && h.Flags&Secondary != 0 {
				if !m.PromoteSecondaries {
					continue
				}
				if !promoted {
					h.Flags &^= Secondary
					promoted = true
				}
			}
			rest = append(rest, h)
		}
		m.Addresses = rest
	}
	m.Routes = slices.DeleteFunc(m.Routes, func(r Route) bool {
		_, there := m.source(r.Source)
		return !there
	})
	return true
}

func (m *model) lifetime(valid, preferred uint32) Lifetime {
	if valid == Forever {
		return Lifetime{Forever: true}
	}
	return Lifetime{
		ValidUntil:     m.At.Add(time.Duration(valid) * time.Second),
		PreferredUntil: m.At.Add(time.Duration(preferred) * time.Second),
	}
}
