package v4

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dna"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/tenancy"
)

// acquired takes a lease that a server has granted.
func (t *Tenancy) acquired(o dhcp4.Acquired) {
	address := o.Lease.Address.Addr()
	t.answered()
	first := t.orderOf(o.Lease)
	t.followLease(o)
	_, isProbing := t.phase.(probing)
	switch {
	case o.Renewed && isProbing:
		t.phase = probing{o.Lease}
	case o.Renewed:
		t.use(o.Lease, event.Renewed, first)
	case t.guard.taken == address:
		// Another host answered for it before the server did.
		t.phase = probing{o.Lease}
		t.tell(dhcp4.Conflict{Address: address, By: t.guard.takenBy[:]})
	case t.guard.mode.probes() && t.networks.where != here:
		t.vacate()
		if len(t.life.Ours()) > 0 {
			t.life.Configure() // another address, which is not ours any more
		}
		t.phase = probing{o.Lease}
		t.Save()
		t.watch(address, acd.Probe)
	default:
		t.use(o.Lease, event.Bound, first)
		t.watch(address, acd.Optimistic)
	}
}

// An order says what comes first when a lease is taken into use.
type order uint8

const (
	// recordFirst: a process that dies must not leave an address of which the
	// next one does not know.
	recordFirst order = iota
	// kernelFirst: the record has the lease with earlier times. A process that
	// goes by it gives the address up no later.
	kernelFirst
)

// orderOf returns the order for a lease that was granted.
func (t *Tenancy) orderOf(l *dhcp4.Lease) order {
	if !t.life.Unsaved() && (covers(t.recorded, l) || t.networks.covered(l)) {
		return kernelFirst
	}
	return recordFirst
}

// use configures the address of a lease and puts the lease on record. Where the
// kernel comes first, catchUp saves the record afterwards.
func (t *Tenancy) use(l *dhcp4.Lease, announce event.Kind, first order) {
	base := t.life.BaseMTU()
	t.endLocal()
	if announce == event.Bound {
		t.life.Forgive()
	}
	t.life.Lapse()
	t.phase = leased{l}
	d := t.life.Desired()
	t.networks.learnFrom(l, t.life.Now())
	if t.announce != event.Bound {
		t.announce = announce // else the kernel does not even have the lease before
	}
	if first == recordFirst || base != t.life.BaseMTU() {
		t.Save()
	}
	t.life.Apply(d)
}

func (t *Tenancy) lost(o dhcp4.Lost, from []byte, server netip.Addr) {
	t.vacate()
	t.announce = 0
	t.life.Forgive()
	var kind event.Kind
	switch o.Why {
	case dhcp4.LossReplaced:
		// An Acquired follows with the lease that takes its place: until the
		// kernel has that one, this address may stay.
		return
	case dhcp4.LossReleased:
		kind = event.Released
		t.phase = released{given: o.Lease, how: t.given().how}
		t.endLocal()
		t.tellFinder(dna.Stop{})
	case dhcp4.LossExpired, dhcp4.LossIPv6Only:
		kind = event.Expired // or ends before its time, as the network wants no IPv4
	case dhcp4.LossNAK:
		kind = event.NAK
	case dhcp4.LossConflict:
		kind = event.Conflict
		defer t.life.Declined(o.Lease.Address.Addr())
	case dhcp4.LossStopped:
		return
	}
	t.life.Emit(Note{Kind: kind, State: t.client.State(), Lease: o.Lease, Server: o.Lease.Server, Link: from})
	t.tellDetector(acd.Stop{})
	t.forgetNetwork(o, from, server)
	t.life.Configure()
	if o.Why != dhcp4.LossReleased {
		// After the kernel, so that a crash between the two leaves a record
		// that is verified with the server and not an address without one.
		t.Save()
	}
}

// giveBack puts the release on record, then sends it: a process that dies in
// between must not come back to an address that it gave away.
func (t *Tenancy) giveBack() {
	given := t.held()
	t.networks.forget(given)
	t.phase = released{given: given, how: Releasing}
	t.Save()
	t.life.ReleaseSent(nil)
	t.tell(dhcp4.Release{})
}

func (t *Tenancy) record() Record {
	r := Record{
		HardwareAddr: t.hardwareAddr,
		Lease:        t.held(),
		Ours:         slices.Clone(t.life.Ours()),
		BaseMTU:      t.life.BaseMTU(),
		Up:           t.byCall,
		Networks:     slices.Clone(t.networks.known),
	}
	if t.local != nil {
		r.LinkLocal = t.local.last
	}
	if p, is := t.phase.(released); is {
		r.Lease, r.Release = p.given, p.how
		if p.how == releaseSent {
			r.Release = Releasing
		}
	}
	return r
}

// Save implements [tenancy.Protocol].
func (t *Tenancy) Save() {
	r := t.record()
	t.recorded = nil
	if r.Release == NotReleased {
		t.recorded = r.Lease
	}
	t.life.Saved()
	t.life.Emit(Save{Record: r})
}

// catchUp records what the kernel was given before it was on record: a renewed
// lease, and a release whose RELEASE has left.
func (t *Tenancy) catchUp() {
	if !t.life.Applied() || t.life.Stage() != tenancy.Living {
		return
	}
	if p := t.given(); p.how == releaseSent && t.life.Troubles().Unsent == nil {
		t.phase = released{given: p.given, how: Released}
		t.Save()
	} else if l := t.held(); l != nil && l != t.recorded && !t.life.Resaving() {
		t.Save()
	}
}

// ended reports whether the lease is over.
func ended(l *dhcp4.Lease, now boottime.Instant) bool {
	end, ends := l.Expires()
	return ends && !now.Before(end)
}

// covers reports whether a lease on record may stand for another one: it is of
// the same address, and who goes by it gives the address up no later.
func covers(saved, l *dhcp4.Lease) bool {
	if saved == nil || saved.Address != l.Address {
		return false
	}
	was, ended := saved.Expires()
	end, ends := l.Expires()
	return !ends || ended && !was.After(end)
}
