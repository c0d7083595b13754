package tenancy

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/dhcp4"
)

func (t *Tenancy) acquired(o dhcp4.Acquired) {
	base := t.baseMTU
	t.lease, t.released, t.given = o.Lease, false, nil
	d := t.desired()
	t.announce, t.pending = NoteBound, true
	if o.Renewed {
		t.announce = NoteRenewed
	}
	if t.recorded == o.Lease.Address && base == t.baseMTU {
		// All but the times is on the disk already, and a record with the old
		// times errs on the safe side: no need to wait.
		t.apply(d)
		t.save(FlushLater)
		return
	}
	t.save(FlushNow)
	t.apply(d)
}

func (t *Tenancy) lost(o dhcp4.Lost, from []byte) {
	t.lease, t.pending = nil, false
	var kind NoteKind
	switch o.Why {
	case dhcp4.LossReplaced:
		// An Acquired follows with the lease that takes its place: until the
		// kernel has that one, this address may stay.
		return
	case dhcp4.LossReleased:
		kind = NoteReleased
		t.released, t.given = true, o.Lease
	case dhcp4.LossExpired:
		kind = NoteExpired
	case dhcp4.LossNAK:
		kind = NoteNAK
	case dhcp4.LossConflict:
		kind = NoteConflict
	case dhcp4.LossStopped:
		return
	}
	t.emit(Note{Kind: kind, State: t.client.State(), Lease: o.Lease, Server: o.Lease.Server, Link: from})
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
	if t.lease != nil && t.link.Usable {
		given := t.lease
		t.lease, t.released, t.given = nil, true, given
		t.save(FlushNever)
		t.lease, t.released, t.given = given, false, nil
	}
	t.unsent = nil
	t.tell(dhcp4.Release{})
}

func (t *Tenancy) record() Record {
	r := Record{
		HardwareAddr: t.hardwareAddr,
		Lease:        t.lease,
		Released:     t.released,
		Ours:         slices.Clone(t.ours),
		BaseMTU:      t.baseMTU,
		Up:           t.byCall,
	}
	if t.released {
		r.Lease = t.given
	}
	return r
}

func (t *Tenancy) save(flush Flush) {
	r := t.record()
	keeps := flush == FlushNow || flush == FlushLater && t.recorded == leaseAddress(r.Lease)
	if !keeps || r.Lease == nil || r.Released {
		t.recorded = netip.Prefix{}
	} else {
		t.recorded = r.Lease.Address
	}
	t.emit(Save{Record: r, Flush: flush})
}
