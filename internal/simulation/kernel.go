package simulation

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/netconf/netconftest"
	"github.com/lessee/lessee/internal/tenancy"
)

// A kernel is the model of Linux, with faults.
type kernel struct {
	netconftest.Kernel
	refusing refusal
	// failAt is the operation, counted from now, that fails; 0: none.
	failAt int
	// stuck says that the addresses may be neither what is wanted nor what was;
	// partial that something else is not as it was wanted last.
	stuck, partial bool
	reports        reporting
}

// A refusal is a way in which the kernel does not do as it is told.
type refusal uint8

const (
	willing refusal = iota
	refusesAll
	refusesNew // takes away, adds nothing
	refusesOld // adds, takes nothing away
	refusesMTU
	refusesRoutes
	refusesPromotion
	unreadable
	refusals
)

// refuse returns what the kernel answers to an operation.
func (k *kernel) refuse(op netconf.Op) error {
	if k.failAt > 0 {
		if k.failAt--; k.failAt == 0 {
			return netconftest.ErrRefused
		}
	}
	var adds, removes, route, mtu, promotion bool
	switch op.(type) {
	case netconf.AddAddress, netconf.ReplaceAddress:
		adds = true
	case netconf.AddRoute, netconf.AppendRoute:
		adds, route = true, true
	case netconf.RemoveAddress:
		removes = true
	case netconf.RemoveRoute:
		removes, route = true, true
	case netconf.SetMTU:
		mtu = true
	case netconf.SetPromote:
		promotion = true
	}
	refused := false
	switch k.refusing {
	case refusesAll:
		refused = true
	case refusesNew:
		refused = adds
	case refusesOld:
		refused = removes
	case refusesMTU:
		refused = mtu
	case refusesRoutes:
		refused = route
	case refusesPromotion:
		refused = promotion
	case willing, unreadable, refusals:
	}
	if refused {
		return netconftest.ErrRefused
	}
	return nil
}

// set has the kernel refuse from now on, in one of the ways.
func (k *kernel) set(r refusal) {
	k.refusing, k.Unreadable = r, nil
	if r == unreadable {
		k.Unreadable = netconftest.ErrRefused
	}
}

// apply does what linux/netlink does.
func (k *kernel) apply(o tenancy.Apply) netconf.Outcome {
	outcome := k.Apply(o.Ours, o.Want)
	k.stuck = !outcome.AddressesSet()
	k.partial = outcome.Err() != nil
	return outcome
}

func (k *kernel) has(a netip.Addr) bool {
	return slices.ContainsFunc(k.Addresses, func(h netconf.Address) bool { return h.Prefix.Addr() == a })
}

func (k *kernel) prefixes() []netip.Prefix { return prefixes(k.Addresses) }

func prefixes(list []netconf.Address) []netip.Prefix {
	all := make([]netip.Prefix, 0, len(list))
	for _, h := range list {
		all = append(all, h.Prefix)
	}
	return all
}

// mine returns the addresses that the program set. Other programs do not set the
// flag here.
func (k *kernel) mine() (list []netconf.Address) {
	for _, h := range k.Addresses {
		if isMine(h) {
			list = append(list, h)
		}
	}
	return list
}

func isMine(h netconf.Address) bool { return h.Flags&netconf.NoPrefixRoute != 0 }

// isMyRoute reports whether the program set a route. Other programs do not use
// the protocol here.
func isMyRoute(r netconf.Route) bool { return r.Protocol == netconf.ProtocolDHCP }

// objects returns what the program set and the kernel has.
func (k *kernel) objects() map[netconf.Object]bool {
	all := map[netconf.Object]bool{}
	for _, h := range k.mine() {
		all[netconf.Object{Kind: netconf.ObjectAddress, Prefix: h.Prefix}] = true
	}
	for _, r := range k.Routes {
		if isMyRoute(r) {
			all[r.Object()] = true
		}
	}
	return all
}

// A reporting is a way in which notifications arrive.
type reporting uint8

const (
	promptly  reporting = iota
	delayed             // each by another time: their order changes
	lost                // the kernel says later that some were lost
	reporters           // how many ways there are
)
