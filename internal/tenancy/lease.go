package tenancy

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/dna"
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
	t.followLease(o)
	switch {
	case o.Renewed && t.candidate != nil:
		t.candidate = o.Lease
	case o.Renewed:
		t.use(o.Lease, NoteRenewed)
	case t.guard.taken == address:
		// Another host answered for it before the server did.
		t.candidate = o.Lease
		t.tell(dhcp4.Conflict{Address: address, By: t.guard.takenBy[:]})
	case t.guard.mode == ConflictProbe && !t.networks.here:
		t.lease = nil
		if len(t.ours) > 0 {
			t.apply(t.desired()) // another address, which is not ours any more
		}
		t.candidate, t.released, t.given = o.Lease, false, nil
		t.save(FlushNow)
		t.watch(address, acd.Probe)
	default:
		t.use(o.Lease, NoteBound)
		t.watch(address, acd.Optimistic)
	}
}

// use configures the address of a lease, once it is on record.
func (t *Tenancy) use(l *dhcp4.Lease, announce NoteKind) {
	base := t.baseMTU
	t.endLocal()
	t.lease, t.released, t.given = l, false, nil
	d := t.desired()
	t.networks.learnFrom(l, t.now)
	if !t.pending || t.announce != NoteBound {
		t.announce = announce // else the kernel does not even have the lease before
	}
	t.pending = true
	if t.onDisk(l) && base == t.baseMTU {
		// All but the times is on the disk already, and a record with the old
		// ones errs on the safe side: no need to wait.
		t.apply(d)
		t.save(FlushLater)
		return
	}
	t.save(FlushNow)
	t.apply(d)
}

func (t *Tenancy) lost(o dhcp4.Lost, from []byte, server netip.Addr) {
	t.lease, t.candidate, t.pending = nil, nil, false
	var kind NoteKind
	switch o.Why {
	case dhcp4.LossReplaced:
		// An Acquired follows with the lease that takes its place: until the
		// kernel has that one, this address may stay.
		return
	case dhcp4.LossReleased:
		kind = NoteReleased
		t.released, t.given = true, o.Lease
		t.endLocal()
		t.tellFinder(dna.Stop{})
	case dhcp4.LossExpired, dhcp4.LossIPv6Only:
		kind = NoteExpired // or ends before its time, as the network wants no IPv4
	case dhcp4.LossNAK:
		kind = NoteNAK
	case dhcp4.LossConflict:
		kind = NoteConflict
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
		t.save(FlushNever)
	}
}

// release puts the release on record, then sends it: a process that dies in
// between must not come back to an address that it gave away.
func (t *Tenancy) release() {
	if given := t.held(); given != nil && t.link.Usable {
		t.networks.forget(given)
		r := t.record()
		r.Lease, r.Released = given, true
		t.saveRecord(r, FlushNever)
	}
	t.went(func(w *troubles) { w.unsent = nil })
	t.tell(dhcp4.Release{})
}

func (t *Tenancy) record() Record {
	r := Record{
		HardwareAddr: t.hardwareAddr,
		Lease:        t.held(),
		Released:     t.released,
		Ours:         slices.Clone(t.ours),
		BaseMTU:      t.baseMTU,
		Up:           t.byCall,
		Networks:     t.networks.record(),
	}
	if t.local != nil {
		r.LinkLocal = t.local.last
	}
	if t.released {
		r.Lease = t.given
	}
	return r
}

func (t *Tenancy) save(flush Flush) { t.saveRecord(t.record(), flush) }

// saveRecord saves a record and notes what of it would survive a power failure.
func (t *Tenancy) saveRecord(r Record, flush Flush) {
	keeps := flush == FlushNow || flush == FlushLater && r.Lease != nil && t.onDisk(r.Lease)
	if !keeps || r.Released {
		t.recorded = nil
	} else {
		t.recorded = r.Lease
	}
	switch flush {
	case FlushNow:
		t.networks.setDurable(true)
	case FlushNever:
		t.networks.setDurable(false)
	case FlushLater: // what it adds is not there yet; what it renews may be
		t.networks.renewed()
	}
	t.emit(Save{Record: r, Flush: flush})
}

// saveOffer puts a lease on record that is not granted yet. Whoever finds it
// there and not in the kernel asks servers for its address.
func (t *Tenancy) saveOffer(l *dhcp4.Lease) {
	r := t.record()
	r.Lease, r.Offered, r.Released = l, true, false
	t.saveRecord(r, FlushNow)
}

// onDisk reports whether a record that would survive a power failure has a
// lease of that address, and one that does not end later.
func (t *Tenancy) onDisk(l *dhcp4.Lease) bool { return covers(t.recorded, l) || t.networks.durable(l) }

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
