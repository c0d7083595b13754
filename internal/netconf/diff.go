package netconf

import (
	"net/netip"
	"slices"
)

// A Plan is how the kernel comes to hold what is wanted: two batches of
// operations, and what is not changed because it is not ours.
type Plan struct {
	// Add adds and replaces. Nothing is missing that was there before.
	Add []Op
	// Remove removes what was before. Which of it may be done once the answers
	// to Add are known is what [Plan.Cleanup] says.
	Remove []Op
	// Foreign are the wanted addresses that the adapter has and that are not
	// ours. They are used as they are: neither their lifetimes are changed nor
	// are they removed later.
	Foreign []netip.Prefix
	// Blocked are the wanted routes whose place another's route has, one that
	// leads elsewhere.
	Blocked []Blocked
	// Waiting are the wanted routes that the kernel takes when the link is up.
	Waiting []Route
}

// Blocked is a wanted route and the other's that has its key.
type Blocked struct{ Route, By Route }

// Diff compares what the kernel has with what is wanted. owned are the
// addresses and prefixes that are ours by the record. It changes nothing that
// is there as wanted, and nothing that is not ours.
func Diff(have State, owned []netip.Prefix, want Desired) Plan {
	d := differ{have: have, owned: owned, want: want.normal(have.Link, have.At)}
	d.claim = claim{owned, d.want}
	if mtu := want.MTU; mtu != 0 && mtu != have.Link.MTU {
		d.add(SetMTU{mtu})
	}
	d.setAddresses()
	d.setRoutes()
	d.removeAddresses()
	return d.Plan
}

type differ struct {
	have  State
	owned []netip.Prefix
	want  Desired
	claim claim
	// without are the wanted addresses that are left out.
	without []netip.Addr
	Plan
}

// add appends to Add, which mostly stays empty or gets all that it has room for.
func (d *differ) add(op Op) {
	if d.Add == nil {
		d.Add = make([]Op, 0, 2+len(d.want.Addresses)+len(d.want.Routes))
	}
	d.Add = append(d.Add, op)
}

// setAddresses adds the addresses or, where they are there and ours, gives them
// their lifetimes without removing them for a moment.
func (d *differ) setAddresses() {
	for _, a := range d.want.Addresses {
		valid, preferred := a.Lifetime.Seconds(d.have.At)
		h, there := d.have.address(a.Prefix)
		switch {
		case !there && slices.Contains(d.want.Leave, Object{Kind: ObjectAddress, Prefix: a.Prefix}):
			d.without = append(d.without, a.Prefix.Addr())
		case !there:
			d.add(AddAddress{a, valid, preferred})
		case !owns(d.owned, h):
			d.Foreign = append(d.Foreign, a.Prefix)
		default:
			hasValid, hasPreferred := h.Lifetime.remaining(d.have.At)
			if !near(hasValid, valid) || !near(hasPreferred, preferred) {
				a.Prefix = h.Prefix
				d.add(ReplaceAddress{a, valid, preferred})
			}
		}
	}
}

// setRoutes makes our routes those that are wanted, in their order: routes on
// the link first, then those through its routers.
func (d *differ) setRoutes() {
	for _, r := range d.want.Routes {
		if contains(d.have.Routes, r) || slices.Contains(d.without, r.Source) || slices.Contains(d.want.Leave, r.Object()) {
			continue
		}
		if r.Type == Unicast && !d.have.Link.Up {
			d.Waiting = append(d.Waiting, r)
			continue
		}
		ours, other := false, -1
		for i, h := range d.have.Routes {
			switch {
			case !h.sameKey(r):
			case d.claim.owns(h):
				ours = true
			default:
				other = i
			}
		}
		switch {
		case ours:
			d.add(AppendRoute{r})
		case other >= 0:
			d.Blocked = append(d.Blocked, Blocked{r, d.have.Routes[other]})
		default:
			d.add(AddRoute{r})
		}
	}
	for _, h := range d.have.Routes {
		if d.claim.owns(h) && !contains(d.want.Routes, h) {
			d.Remove = append(d.Remove, RemoveRoute{h})
		}
	}
}

// removeAddresses removes ours that are not wanted, secondary ones first. Where
// the first address of a subnet goes and others stay, the kernel would remove
// them with it: it is told to promote them.
func (d *differ) removeAddresses() {
	var primary, secondary []Op
	promote := false
	for _, h := range d.have.Addresses {
		if h.Peer.IsValid() || !owns(d.owned, h) || d.wanted(h) {
			continue
		}
		if h.Flags&Secondary != 0 {
			secondary = append(secondary, RemoveAddress{h.Prefix})
			continue
		}
		primary = append(primary, RemoveAddress{h.Prefix})
		promote = promote || d.staysBehind(h)
	}
	if promote && !d.have.PromoteSecondaries {
		d.Add = slices.Insert(d.Add, 0, Op(SetPromote{PromoteOn}))
		primary = append(primary, SetPromote{PromoteOff})
	}
	d.Remove = slices.Concat(d.Remove, secondary, primary)
}

// wanted reports whether an address that the kernel has is a wanted one.
func (d *differ) wanted(h Address) bool {
	return slices.ContainsFunc(d.want.Addresses, func(a Address) bool { return h.is(a.Prefix) })
}

// staysBehind reports whether an IPv4 address that stays or comes is in the
// subnet of the primary address p.
func (d *differ) staysBehind(p Address) bool {
	if !p.Prefix.Addr().Is4() {
		return false
	}
	subnet := p.Prefix.Masked()
	for _, h := range d.have.Addresses {
		if h.Flags&Secondary != 0 && h.Prefix.Masked() == subnet && (!owns(d.owned, h) || d.wanted(h)) {
			return true
		}
	}
	return slices.ContainsFunc(d.want.Addresses, func(a Address) bool { return a.Prefix.Masked() == subnet })
}

// Cleanup returns what of Remove may be done once the kernel has refused some
// of Add. Where a wanted address was refused, what was before in its family
// stays: it works. Where the kernel does not promote secondary addresses, none
// is removed, because addresses of others would go with it; withheld are those.
func (p Plan) Cleanup(failed []Failure) (remove, withheld []Op) {
	var ipv4, ipv6, promotion bool
	for _, f := range failed {
		switch op := f.Op.(type) {
		case AddAddress:
			ipv4, ipv6 = ipv4 || op.Address.Prefix.Addr().Is4(), ipv6 || op.Address.Prefix.Addr().Is6()
		case ReplaceAddress:
			ipv4, ipv6 = ipv4 || op.Address.Prefix.Addr().Is4(), ipv6 || op.Address.Prefix.Addr().Is6()
		case SetPromote:
			promotion = true
		default:
		}
	}
	// A route whose successor was refused stays, too.
	succeeds := func(r Route) bool {
		return slices.ContainsFunc(failed, func(f Failure) bool {
			switch op := f.Op.(type) {
			case AddRoute:
				return op.Route.Destination == r.Destination && op.Route.Table == r.Table
			case AppendRoute:
				return op.Route.Destination == r.Destination && op.Route.Table == r.Table
			default:
				return false
			}
		})
	}
	keeps := func(p netip.Prefix) bool { return p.Addr().Is4() && ipv4 || p.Addr().Is6() && ipv6 }
	for _, op := range p.Remove {
		switch o := op.(type) {
		case RemoveRoute:
			if keeps(o.Route.Destination) || succeeds(o.Route) {
				continue
			}
		case RemoveAddress:
			if keeps(o.Prefix) {
				continue
			}
			if promotion && o.Prefix.Addr().Is4() {
				withheld = append(withheld, op)
				continue
			}
		case SetPromote:
			if promotion {
				continue // it is off
			}
		default:
		}
		remove = append(remove, op)
	}
	return remove, withheld
}

// Outcome returns what came of the plan, of which the kernel refused some
// operations.
func (p Plan) Outcome(failed []Failure) Outcome {
	var refused []netip.Addr
	for _, f := range failed {
		if op, ok := f.Op.(AddAddress); ok {
			refused = append(refused, op.Address.Prefix.Addr())
		}
	}
	o := Outcome{Foreign: p.Foreign, Waiting: p.Waiting}
	for _, f := range failed {
		var source netip.Addr
		switch op := f.Op.(type) {
		case AddRoute:
			source = op.Route.Source
		case AppendRoute:
			source = op.Route.Source
		default:
		}
		// Routes need their source.
		if !slices.Contains(refused, source) {
			o.Failed = append(o.Failed, f)
		}
	}
	return o
}
