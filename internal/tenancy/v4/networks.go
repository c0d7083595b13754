package v4

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dna"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/wire/arp"
)

// maxNetworks is how many networks are remembered.
const maxNetworks = 8

// networks are those where the adapter has a lease. Each is known by the link
// address of its router (RFC 4436), so that a lease is in use again as soon as
// the router has answered.
type networks struct {
	known []Network // the latest first
	where where
	// finder asks routers; nil before the first question.
	finder *finder
}

// where says what is known of the network that the adapter is on.
type where uint8

const (
	unknown  where = iota
	asked          // its router was asked for its link address
	here           // it is known[0]
	notAsked       // nothing is remembered, and no router told who is asking
)

// is says what is known now. Where nothing may be asked it stays so.
func (n *networks) is(w where) {
	if n.where != notAsked {
		n.where = w
	}
}

// of reports whether the lease there is l, or was before l was granted.
func (k *Network) of(l *dhcp4.Lease) bool {
	return k.Lease.Address == l.Address && k.Lease.Server == l.Server
}

// A finder asks routers, and knows why.
type finder struct {
	prober *dna.Prober
	// asked are the leases of the prober's candidates.
	asked []*dhcp4.Lease
	// learning is the lease of the router whose link address is asked for.
	learning *dhcp4.Lease
}

// restore takes over what is on record. inUse says that the adapter is still
// where its lease is from.
func (n *networks) restore(r Record, inUse bool) {
	if n.where == notAsked {
		return
	}
	n.known = append(n.known, r.Networks...)
	if inUse && len(n.known) > 0 && n.known[0].Lease == r.Lease {
		n.is(here)
	}
}

// seek asks the routers of the known networks whether this is theirs.
func (t *Tenancy) seek() {
	n := &t.networks
	from, leases := t.candidates()
	if len(from) == 0 || !t.findWith() {
		return
	}
	if t.client.State() == dhcp4.StateInit && t.lease() == nil {
		// The last one is the likeliest: it is verified meanwhile.
		t.tell(dhcp4.Remember{Lease: leases[0]})
	}
	n.finder.asked = leases
	t.tellFinder(dna.Start{Candidates: from})
}

// candidates returns the networks whose routers are asked when the link comes
// up, and the leases there.
func (t *Tenancy) candidates() (from []dna.Candidate, leases []*dhcp4.Lease) {
	switch t.phase.(type) {
	case released, informing, addressless:
		return nil, nil
	}
	if t.life.Stage() != tenancy.Living {
		return nil, nil
	}
	for _, k := range t.networks.known {
		if ended(k.Lease, t.life.Now()) || len(k.RouterLink) != len(arp.HardwareAddr{}) {
			continue
		}
		from = append(from, dna.Candidate{
			Address: k.Lease.Address.Addr(), Router: k.Router, RouterLink: arp.HardwareAddr(k.RouterLink),
		})
		if leases = append(leases, k.Lease); len(leases) == dna.MaxCandidates {
			break
		}
	}
	return from, leases
}

// learn finds out by which link address this network can be recognised.
func (t *Tenancy) learn() {
	l := t.lease()
	if t.networks.where != unknown || len(l.Routers) == 0 || !t.life.Usable() {
		return
	}
	t.networks.is(asked)
	if router := l.Routers[0]; l.Address.Contains(router) && router != l.Address.Addr() && t.findWith() {
		t.networks.finder.learning = l
		t.tellFinder(dna.Learn{Address: l.Address.Addr(), Router: router})
	}
}

// learnFrom takes the router's link address from the ACK, where the router is the
// server.
func (n *networks) learnFrom(l *dhcp4.Lease, now boottime.Instant) {
	if n.where != notAsked && n.where != here && len(l.Routers) > 0 && l.Routers[0] == l.Server && !l.Relay.IsValid() && len(l.ServerLink) > 0 {
		n.remember(l.Server, l.ServerLink, l, now)
	}
}

// findWith makes a finder if there can be one.
func (t *Tenancy) findWith() bool {
	if t.networks.finder != nil {
		return true
	}
	if t.networks.where == notAsked || len(t.hardwareAddr) != len(arp.HardwareAddr{}) {
		return false
	}
	p, err := dna.New(dna.Config{HardwareAddr: arp.HardwareAddr(t.hardwareAddr)})
	if err != nil {
		return false // no host's address: nobody would answer
	}
	t.networks.finder = &finder{prober: p}
	return true
}

func (t *Tenancy) tellFinder(in dna.Input) {
	f := t.networks.finder
	if f == nil {
		return
	}
	f.prober.Handle(t.life.Now(), in)
	for {
		o, ok := f.prober.Poll()
		if !ok {
			return
		}
		switch o := o.(type) {
		case dna.Transmit:
			t.transmitARP(o.Packet, o.To)
		case dna.Confirmed:
			l := f.asked[o.Candidate]
			f.asked = nil
			t.recognised(l)
		case dna.Learned:
			if l := t.lease(); l != nil && l.Address == f.learning.Address {
				t.networks.remember(o.Router, o.Link[:], l, t.life.Now())
				t.Save()
			}
			f.learning = nil
		case dna.Silent:
			f.asked = nil
		}
	}
}

// recognised takes the lease that the adapter has on this network into use.
func (t *Tenancy) recognised(l *dhcp4.Lease) {
	n := &t.networks
	i := slices.IndexFunc(n.known, func(k Network) bool { return k.Lease == l })
	if i < 0 {
		return // given up since it was asked for
	}
	k := n.known[i]
	n.known = slices.Insert(slices.Delete(n.known, i, i+1), 0, k)
	n.is(here)
	t.tell(dhcp4.Confirmed{Lease: l})
	if t.held() != l {
		n.is(unknown) // a server was quicker, or says otherwise
		return
	}
	t.life.Emit(Note{Kind: event.Recognised, State: t.client.State(), Lease: l, Server: k.Router, Link: k.RouterLink})
}

// virtual are the link addresses, but for their last byte, of routers that
// several machines are in turn: VRRP (RFC 9568 section 7.3) and HSRP. Each
// network may have one under the same, so that none is known by it.
var virtual = [...]string{"\x00\x00\x5e\x00\x01", "\x00\x00\x0c\x07\xac"}

// remember notes that the lease is that of the network with this router.
func (n *networks) remember(router netip.Addr, link []byte, l *dhcp4.Lease, now boottime.Instant) {
	for _, v := range virtual {
		if bytes.HasPrefix(link, []byte(v)) {
			return
		}
	}
	n.known = slices.DeleteFunc(n.known, func(k Network) bool {
		return bytes.Equal(k.RouterLink, link) && k.Router == router || k.of(l) || ended(k.Lease, now)
	})
	n.known = slices.Insert(n.known, 0, Network{Router: router, RouterLink: bytes.Clone(link), Lease: l})
	n.known = slices.Clip(n.known[:min(len(n.known), maxNetworks)])
	n.is(here)
}

// followLease keeps what is known of the networks with the lease.
func (t *Tenancy) followLease(o dhcp4.Acquired) {
	n := &t.networks
	if !o.Renewed {
		if n.where != here || n.known[0].Lease != o.Lease {
			n.is(unknown)
		}
		// What the server said before is out of date, and may last longer.
		n.known = slices.DeleteFunc(n.known, func(k Network) bool {
			return k.of(o.Lease) && !covers(k.Lease, o.Lease)
		})
		return
	}
	old := t.held()
	for i := range n.known {
		if n.known[i].Lease == old {
			n.known[i].Lease = o.Lease
		}
	}
}

// forgetNetwork forgets where a lease is from that is not ours any more. A NAK,
// or that a network wants no IPv4, says nothing about it where another server
// sent it, on a network that is not known to be the lease's.
func (t *Tenancy) forgetNetwork(o dhcp4.Lost, from []byte, server netip.Addr) {
	n := &t.networks
	word := o.Why == dhcp4.LossNAK || o.Why == dhcp4.LossIPv6Only
	if word && !(n.where == here && n.known[0].Lease == o.Lease) && !isServerOf(o.Lease, from, server) {
		return
	}
	n.forget(o.Lease)
}

// isServerOf reports whether the sender of a message may be the lease's server.
// Many networks have a server with the same address.
func isServerOf(l *dhcp4.Lease, link []byte, server netip.Addr) bool {
	return (!server.IsValid() || server == l.Server) &&
		(len(link) == 0 || len(l.ServerLink) == 0 || bytes.Equal(link, l.ServerLink))
}

func (n *networks) forget(l *dhcp4.Lease) {
	n.known = slices.DeleteFunc(n.known, func(k Network) bool { return k.of(l) })
	n.is(unknown)
}

// covered reports whether a known network has a lease that covers this one.
func (n *networks) covered(l *dhcp4.Lease) bool {
	return slices.ContainsFunc(n.known, func(k Network) bool { return covers(k.Lease, l) })
}
