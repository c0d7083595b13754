package tenancy

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dna"
	"github.com/lessee/lessee/internal/event"
)

// held is the lease that the client has, in use or not yet.
func (t *Tenancy) held() *dhcp4.Lease {
	if t.candidate != nil {
		return t.candidate
	}
	return t.lease
}

// current is what the adapter is configured by: a lease, or the parameters for
// the address that others set; nil if there is neither.
func (t *Tenancy) current() *dhcp4.Lease {
	if t.informed != nil {
		return t.informed
	}
	return t.lease
}

// acquired takes a lease that a server has granted.
func (t *Tenancy) acquired(o dhcp4.Acquired) {
	address := o.Lease.Address.Addr()
	t.answered()
	first := t.orderOf(o.Lease)
	t.followLease(o)
	switch {
	case o.Renewed && t.candidate != nil:
		t.candidate = o.Lease
	case o.Renewed:
		t.use(o.Lease, event.Renewed, first)
	case t.guard.taken == address:
		// Another host answered for it before the server did.
		t.candidate = o.Lease
		t.tell(dhcp4.Conflict{Address: address, By: t.guard.takenBy[:]})
	case t.guard.mode == ConflictProbe && !t.networks.here:
		t.lease = nil
		if len(t.ours) > 0 {
			t.apply(t.desired()) // another address, which is not ours any more
		}
		t.candidate, t.release, t.given = o.Lease, NotReleased, nil
		t.save()
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
	failing := t.resave.delay > 0
	if !failing && (covers(t.recorded, l) || t.networks.covered(l)) {
		return kernelFirst
	}
	return recordFirst
}

// use configures the address of a lease and puts the lease on record. Where the
// kernel comes first, catchUp saves the record afterwards.
func (t *Tenancy) use(l *dhcp4.Lease, announce event.Kind, first order) {
	base := t.baseMTU
	t.endLocal()
	if announce == event.Bound {
		t.forgive()
	}
	t.lapse()
	t.lease, t.release, t.given = l, NotReleased, nil
	d := t.desired()
	t.networks.learnFrom(l, t.now)
	if !t.pending || t.announce != event.Bound {
		t.announce = announce // else the kernel does not even have the lease before
	}
	t.pending = true
	if first == recordFirst || base != t.baseMTU {
		t.save()
	}
	t.apply(d)
}

func (t *Tenancy) lost(o dhcp4.Lost, from []byte, server netip.Addr) {
	t.lease, t.candidate, t.pending = nil, nil, false
	t.forgive()
	var kind event.Kind
	switch o.Why {
	case dhcp4.LossReplaced:
		// An Acquired follows with the lease that takes its place: until the
		// kernel has that one, this address may stay.
		return
	case dhcp4.LossReleased:
		kind = event.Released
		t.given = o.Lease
		t.endLocal()
		t.tellFinder(dna.Stop{})
	case dhcp4.LossExpired, dhcp4.LossIPv6Only:
		kind = event.Expired // or ends before its time, as the network wants no IPv4
	case dhcp4.LossNAK:
		kind = event.NAK
	case dhcp4.LossConflict:
		kind = event.Conflict
		defer t.declined(o.Lease.Address.Addr())
	case dhcp4.LossStopped:
		return
	}
	t.emit(Note{Kind: kind, State: t.client.State(), Lease: o.Lease, Server: o.Lease.Server, Link: from})
	t.tellDetector(acd.Stop{})
	t.forgetNetwork(o, from, server)
	t.apply(t.desired())
	if o.Why != dhcp4.LossReleased {
		// After the kernel, so that a crash between the two leaves a record
		// that is verified with the server and not an address without one.
		t.save()
	}
}

// giveBack puts the release on record, then sends it: a process that dies in
// between must not come back to an address that it gave away.
func (t *Tenancy) giveBack() {
	if given := t.held(); given != nil && t.link.Usable {
		t.networks.forget(given)
		t.release, t.given = Releasing, given
		t.save()
	}
	t.went(func(w *troubles) { w.unsent = nil })
	t.tell(dhcp4.Release{})
}

func (t *Tenancy) record() Record {
	r := Record{
		HardwareAddr: t.hardwareAddr,
		Lease:        t.held(),
		Release:      t.release,
		Ours:         slices.Clone(t.ours),
		BaseMTU:      t.baseMTU,
		Up:           t.byCall,
		Networks:     slices.Clone(t.networks.known),
	}
	if t.local != nil {
		r.LinkLocal = t.local.last
	}
	if t.release != NotReleased {
		r.Lease = t.given
	}
	if r.Release == releaseSent {
		r.Release = Releasing
	}
	return r
}

// save puts what there is now on record.
func (t *Tenancy) save() {
	r := t.record()
	t.recorded = nil
	if r.Release == NotReleased {
		t.recorded = r.Lease
	}
	t.resave.on = false
	t.emit(Save{Record: r})
}

// catchUp records what the kernel was given before it was on record: a renewed
// lease, and a release whose RELEASE has left.
func (t *Tenancy) catchUp() {
	if t.applied != t.seq || t.ending != living {
		return
	}
	switch {
	case t.release == releaseSent && t.troubles().unsent == nil:
		t.release = Released
		t.save()
	case t.release == NotReleased && t.held() != nil && t.held() != t.recorded && !t.resave.on:
		t.save()
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
