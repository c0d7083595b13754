package tenancy

import (
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/reason"
)

const (
	// putBackDelay is how long something may be missing before it is put back:
	// whoever removed it may be about to add it.
	putBackDelay = time.Second
	// putBackInterval is how often at most an object is put back. Who removes it
	// again within that time means it.
	putBackInterval = 10 * time.Minute
	// earlyEnd is how long before the end of a lease the kernel may end its
	// address by itself: it counts whole seconds, and is not told of a difference
	// of two.
	earlyEnd = 4 * time.Second
)

// taken is what other programs took away of what the kernel had on our behalf.
// A nil taken is nothing, as it is for most adapters all their lives. A hint says
// that something may have changed; the truth is what the kernel has, so it is
// inspected.
type taken struct {
	// missing are the wanted objects that the kernel did not have when it was
	// inspected last.
	missing []netconf.Object
	// barred are those of missing that are not put back: they were taken away
	// again, or another DHCP client has the adapter.
	barred   []netconf.Object
	barredAt boottime.Instant // of the last of them
	why      *reason.Cause    // of the last of them
	// restored are the objects that were put back lately.
	restored []restoration
	putBack  alarm
	// refused are the objects that the kernel did not take when it was told last:
	// no one took them away, and they are tried again.
	refused []netconf.Object
	// ended is the address of a lease in its last seconds, which the kernel has
	// ended already; not valid if there is none.
	ended netip.Prefix
}

// A look says whether the kernel is being inspected.
type look uint8

const (
	lookIdle  look = iota
	lookDue        // when the kernel has done what it was told last
	lookOut        // an Inspect is on its way
	lookStale      // so is one, and there was a hint since
)

// An alarm is an instant that may be set.
type alarm struct {
	at boottime.Instant
	on bool
}

type restoration struct {
	object netconf.Object
	at     boottime.Instant
}

// disturbed takes a hint that the kernel may lack something.
func (t *Tenancy) disturbed() {
	if t.seq == 0 || t.ending != living {
		return
	}
	switch t.look {
	case lookIdle, lookDue:
		t.inspect(HintGiven)
	case lookOut, lookStale:
		t.look = lookStale
	}
}

// inspect has the kernel looked at, now or when it has done what it was told.
func (t *Tenancy) inspect(why Cause) {
	if t.applied != t.seq {
		t.look = lookDue
		return
	}
	t.look = lookOut
	t.emit(Inspect{Seq: t.seq, Want: t.wanted(), Cause: why})
}

// inspected takes what the kernel lacks.
func (t *Tenancy) inspected(in Inspected) {
	stale := t.look == lookStale
	t.look = lookIdle
	switch {
	case t.ending != living:
		return
	case stale || in.Seq != t.seq:
		t.inspect(HintGiven) // it is out of date
		return
	case in.Err == nil && len(in.Missing) == 0 && t.taken == nil:
		return
	}
	if t.taken == nil {
		t.taken = &taken{}
	}
	k := t.taken
	if in.Err != nil {
		k.putBack = alarm{t.now.Add(putBackDelay), true} // looks again
		return
	}
	fresh := t.noteMissing(t.takenOf(in.Missing))
	back := k.toPutBack()
	switch {
	case len(back) == 0 || !t.link.Usable: // when the link comes, all is applied
		k.putBack.on = false
	case in.Cause == HintGiven || fresh:
		if !k.putBack.on {
			k.putBack = alarm{t.now.Add(putBackDelay), true}
		}
	case in.Manager != "":
		t.bar(back, reason.Cause{Manager: in.Manager})
	default:
		t.emit(Note{Kind: event.PutBack, State: t.client.State(), Lease: t.lease, Cause: &reason.Cause{Reason: reason.PutBack, Objects: objects(back)}})
		t.apply(t.desired())
	}
}

// takenOf returns what of the missing objects others took away: neither what the
// kernel did not take, nor an address that it ended in the last seconds of the
// lease, which it notes.
func (t *Tenancy) takenOf(missing []netconf.Object) []netconf.Object {
	k := t.taken
	var address netconf.Object
	if t.lease != nil {
		if end, ends := t.lease.Expires(); ends && end.Sub(t.now) <= earlyEnd {
			address.Prefix = t.lease.Address
		}
	}
	var list []netconf.Object
	for _, o := range missing {
		switch {
		case slices.Contains(k.refused, o):
		case o == address:
			k.ended = address.Prefix
		default:
			list = append(list, o)
		}
	}
	return list
}

// noteMissing compares what is missing with what was, and reports whether there is
// something new that may be put back.
func (t *Tenancy) noteMissing(missing []netconf.Object) bool {
	k := t.taken
	var fresh, again []netconf.Object
	for _, o := range missing {
		switch {
		case slices.Contains(k.missing, o) || slices.Contains(k.barred, o):
		case k.restoredLately(o, t.now):
			again = append(again, o)
		default:
			fresh = append(fresh, o)
		}
	}
	k.missing = missing
	// What is there again, somebody else put back. Routes without their source
	// address are not listed.
	sourceless := k.ended.IsValid() || slices.ContainsFunc(missing, func(o netconf.Object) bool { return o.Kind == netconf.ObjectAddress })
	k.barred = slices.DeleteFunc(k.barred, func(o netconf.Object) bool {
		return !slices.Contains(missing, o) && !(sourceless && o.Kind == netconf.ObjectRoute)
	})
	if len(fresh) > 0 {
		t.emit(Note{Kind: event.TakenAway, State: t.client.State(), Lease: t.lease, Cause: &reason.Cause{Reason: reason.TakenAway, Objects: objects(fresh)}})
	}
	if len(again) > 0 {
		t.bar(again, reason.Cause{Count: 2})
	}
	return len(fresh) > 0
}

// toPutBack returns what is missing and not barred.
func (k *taken) toPutBack() []netconf.Object {
	var back []netconf.Object
	for _, o := range k.missing {
		if !slices.Contains(k.barred, o) {
			back = append(back, o)
		}
	}
	return back
}

// bar has objects stay away. why has what is known besides them.
func (t *Tenancy) bar(list []netconf.Object, why reason.Cause) {
	t.taken.barred, t.taken.barredAt = append(t.taken.barred, list...), t.now
	why.Reason, why.Objects = reason.TakenAway, objects(list)
	t.taken.why = &why
	t.problem(why)
}

// putBackDue looks whether what was missing still is.
func (t *Tenancy) putBackDue() {
	if k := t.taken; k != nil && k.putBack.on && !t.now.Before(k.putBack.at) {
		k.putBack.on = false
		t.inspect(PutBackDue)
	}
}

// restores notes what an Apply puts back.
func (t *Tenancy) restores() {
	k := t.taken
	if k == nil {
		return
	}
	k.restored = slices.DeleteFunc(k.restored, func(r restoration) bool { return t.now.Sub(r.at) >= putBackInterval })
	for i, r := range k.restored {
		if slices.Contains(k.refused, r.object) {
			k.restored[i].at = t.now // it is tried again
		}
	}
	for _, o := range k.toPutBack() {
		k.restored = append(k.restored, restoration{o, t.now})
	}
	k.missing, k.putBack.on, k.ended = slices.Clone(k.barred), false, netip.Prefix{}
	t.drop()
}

// refuses notes what the kernel did not take.
func (t *Tenancy) refuses(list []netconf.Object) {
	if t.taken == nil && len(list) > 0 {
		t.taken = &taken{}
	}
	if t.taken != nil {
		t.taken.refused = list
		t.drop()
	}
}

// drop holds nothing where nothing is to be known.
func (t *Tenancy) drop() {
	k := t.taken
	if len(k.missing)+len(k.barred)+len(k.restored)+len(k.refused) == 0 && !k.putBack.on && !k.ended.IsValid() {
		t.taken = nil
	}
}

// forgive forgets all that was taken away: somebody wants it back, or there is a
// new lease.
func (t *Tenancy) forgive() (had bool) {
	k := t.taken
	if k == nil {
		return false
	}
	had = len(k.missing) > 0 || k.ended.IsValid() || k.putBack.on
	*k = taken{refused: k.refused}
	t.drop()
	return had
}

// lapse has what was barred long ago put back by the Apply that follows: the lease
// was renewed.
func (t *Tenancy) lapse() {
	if k := t.taken; k != nil && len(k.barred) > 0 && t.now.Sub(k.barredAt) >= putBackInterval {
		k.barred = nil
	}
}

// problem is what hinders as something is missing; false if nothing is.
func (k *taken) problem() (reason.Cause, bool) {
	if k == nil || len(k.missing) == 0 {
		return reason.Cause{}, false
	}
	c := reason.Cause{Reason: reason.TakenAway}
	if len(k.barred) > 0 {
		c = *k.why
	}
	c.Objects = objects(k.missing)
	return c, true
}

// lacks reports whether the kernel does not have an address of ours.
func (t *Tenancy) lacks(p netip.Prefix) bool {
	k := t.taken
	return k != nil && p.IsValid() && (k.ended == p || slices.Contains(k.missing, netconf.Object{Kind: netconf.ObjectAddress, Prefix: p}))
}

func (k *taken) restoredLately(o netconf.Object, now boottime.Instant) bool {
	return slices.ContainsFunc(k.restored, func(r restoration) bool { return r.object == o && now.Sub(r.at) < putBackInterval })
}

func objects(list []netconf.Object) string {
	all := make([]string, len(list))
	for i, o := range list {
		all[i] = o.String()
	}
	return strings.Join(all, ", ")
}
