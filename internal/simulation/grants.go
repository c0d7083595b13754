package simulation

import (
	"bytes"
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dhcptest"
	"github.com/lessee/lessee/internal/netconf"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// What servers granted and took back, as it was delivered: a grant ends the
// lease time after the last REQUEST that it may answer had left.

type grant struct {
	until   boottime.Instant
	forever bool
	at      boottime.Instant
}

// An offer is an address and the server that grants it: many networks have the
// same addresses.
type offer struct{ address, server netip.Addr }

func offerOf(l *dhcp4.Lease) offer { return offer{l.Address.Addr(), l.Server} }

// granted returns the longest grant of an address that is known.
func (r *rules) granted(a netip.Addr) (best grant, ok bool) {
	for of, g := range r.grants {
		if of.address == a && (!ok || g.forever || !best.forever && g.until.After(best.until)) {
			best, ok = g, true
		}
	}
	return best, ok
}

type question struct {
	at   boottime.Instant
	kind wire.MessageType
}

// heard: a datagram is delivered to the tenancy.
func (r *rules) heard(d dhcptest.Datagram) {
	r.granting = offer{}
	p, err := wire.Parse(d.Payload)
	if err != nil || p.Op() != wire.OpReply {
		return
	}
	r.s.tally["heard "+p.MessageType().String()]++
	q, ok := r.asked[p.XID()]
	if !ok {
		return
	}
	r.rates.heard()
	server, _ := p.Addr(wire.OptionServerID)
	switch p.MessageType() {
	case wire.ACK:
		secs, ok := p.Uint32(wire.OptionLeaseTime)
		if !ok {
			return
		}
		g := grant{
			until: q.at.Add(time.Duration(secs) * time.Second), forever: secs == 0xffffffff,
			at: r.s.now(),
		}
		r.arps.fill(6) // a new address is asked about and announced
		of := offer{p.YourAddr(), server}
		r.before, r.hadBefore = r.grants[of]
		r.granting = of
		r.grants[of] = g
		delete(r.revoked, of)
		if r.wasStale = r.stale; !r.s.m.unsaved {
			r.stale = false
		}
	case wire.NAK:
		r.refused(p, q, server, d.Link)
	default:
	}
}

// rejected: the datagram that is being told is not used.
func (r *rules) rejected() {
	if !r.granting.address.IsValid() {
		return
	}
	if r.stale = r.wasStale; r.hadBefore {
		r.grants[r.granting] = r.before
	} else {
		delete(r.grants, r.granting)
	}
}

// refused: a server takes back what the last REQUEST was about, which is in
// use. A NAK that the tenancy may have reason not to take counts for nothing.
func (r *rules) refused(p wire.Packet, q question, server netip.Addr, link dhcptest.LinkAddr) {
	m := r.s.m
	st := m.status()
	id, _ := p.Option(wire.OptionClientID)
	if st.Lease == nil || q.kind != wire.Request || p.XID() != r.last || server != st.Lease.Server || !bytes.Equal(link[:], st.Lease.ServerLink) ||
		len(id) > 0 && !bytes.Equal(id, st.Lease.ClientID) || !bytes.Equal(p.HardwareAddr(), m.cfg.DHCP4.HardwareAddr) {
		return
	}
	switch st.State {
	case dhcp4.StateRenewing, dhcp4.StateRebinding, dhcp4.StateRebooting:
		r.s.tally["NAK of a lease in use"]++
		r.revoked[offerOf(st.Lease)] = r.s.now()
	default:
	}
}

// unheard takes an ACK back that is not on record: it is as if that had been
// lost. What counts is the lease on record.
func (r *rules) unheard() {
	rec := r.s.m.disk.file(r.s.m.name()).seen
	if !bytes.Equal(rec.HardwareAddr, r.s.m.cfg.DHCP4.HardwareAddr) {
		return // another adapter's
	}
	leases := []*dhcp4.Lease{rec.Lease}
	for _, n := range rec.Networks {
		leases = append(leases, n.Lease)
	}
	for _, l := range leases {
		if l == nil {
			continue
		}
		of := offerOf(l)
		g := r.grants[of]
		end, ends := l.Expires()
		acted := slices.ContainsFunc(r.s.m.kernel.mine(), func(h netconf.Address) bool {
			return h.Prefix == l.Address && !h.Lifetime.Forever && !h.Lifetime.ValidUntil.After(g.until)
		})
		if !acted && !g.forever && (!ends || end.After(g.until)) {
			r.grants[of] = grant{until: end, forever: !ends, at: g.at}
		}
	}
}

// asks: a message that an ACK may answer is to leave. Whether it does, the
// tenancy knows later.
func (r *rules) asks(t dhcp4.Transmit) {
	p, err := wire.Parse(t.Message)
	if err != nil || t.Type != wire.Discover && t.Type != wire.Request {
		return
	}
	if len(r.asked) > 64 {
		r.forgetQuestions()
	}
	r.asked[p.XID()] = question{r.s.now(), t.Type}
}

// forgetQuestions drops those that nobody answers any more.
func (r *rules) forgetQuestions() {
	for xid, q := range r.asked {
		if r.s.now().Sub(q.at) > 10*time.Minute {
			delete(r.asked, xid)
		}
	}
}

// checkWant: no address is wanted that no server granted, nor for longer.
func (r *rules) checkWant(want netconf.Desired) {
	s, a, end := r.s, want.IPv4().Prefix, want.IPv4().Lifetime
	if !a.IsValid() || a.Addr().IsLinkLocalUnicast() || r.stale {
		return
	}
	g, ok := r.granted(a.Addr())
	switch {
	case !ok:
		s.broke("no lease, no address", "%v is wanted, which no server granted", a)
	case end.Forever && !g.forever:
		s.broke("no lease, no address", "%v is wanted for ever, and granted until %v", a, g.until)
	case !g.forever && end.ValidUntil.After(g.until):
		s.broke("no lease, no address", "%v is wanted until %v, and granted until %v", a, end.ValidUntil, g.until)
	}
	for _, route := range want.Routes {
		if route.Source != a.Addr() {
			s.broke("no lease, no address", "a route of %v has the source %v", a, route.Source)
		}
	}
}
