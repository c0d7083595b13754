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
	// the program that removed it may be about to add it.
	putBackDelay = time.Second
	// putBackInterval is how often at most an object is put back. If it is removed
	// again within that time, it stays away.
	putBackInterval = 10 * time.Minute
	// lastMoments is how long before the end of a lease the kernel may end its
	// address by itself: it counts whole seconds, and is not told of a difference
	// of two.
	lastMoments = 4 * time.Second
)

// taken is what other programs took away of what the kernel had on our behalf.
// A nil taken is nothing, as it is for most adapters all their lives. A hint says
// that something may have changed; the truth is what the kernel has, so it is
// inspected.
type taken struct {
	// missing are the wanted objects that the kernel did not have when it was
	// inspected last. Until they are put back, no Apply adds them.
	missing []netconf.Object
	// barred are those that are not put back: they were taken away again, or
	// another DHCP client has the adapter.
	barred   []netconf.Object
	barredAt boottime.Instant // of the last of them
	why      *reason.Cause    // of the last of them
	// putBack is when what is missing is put back, putting what the Apply on its
	// way puts back, restored what was put back lately.
	putBack  alarm
	putting  []netconf.Object
	restored []restoration
	// refused are the objects that the kernel did not take when it was told last:
	// no program took them away, and they are tried again.
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
	lookStale      // so is one, and something has changed since
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

// disturbed takes a hint that the kernel may lack something, or have it again.
func (t *Tenancy) disturbed(in Disturbed) {
	if t.seq == 0 || t.ending != living || in.Object != (netconf.Object{}) && !t.wanted().Has(in.Object) {
		return
	}
	t.inspect(HintGiven)
}

// outdate makes the Inspect that is on its way count for nothing.
func (t *Tenancy) outdate() {
	if t.look == lookOut {
		t.look = lookStale
	}
}

// inspect has the kernel looked at: now, when it has done what it was told, or
// when the Inspect that is on its way, which may have come too early, has its
// report.
func (t *Tenancy) inspect(why Cause) {
	if t.look == lookOut || t.look == lookStale {
		t.look = lookStale
		return
	}
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
	k := t.takings()
	if in.Err != nil {
		k.putBack = alarm{t.now.Add(putBackDelay), true} // looks again
		return
	}
	fresh := t.noteMissing(t.takenOf(in.Missing))
	back := k.toPutBack()
	switch {
	case len(back) == 0 || !t.link.Usable: // when the link comes, the kernel is told anew
		k.putBack.on = false
	case in.Cause == HintGiven || fresh:
		if !k.putBack.on {
			k.putBack = alarm{t.now.Add(putBackDelay), true}
		}
	case in.Manager != "":
		t.bar(back, reason.Cause{Manager: in.Manager})
	default:
		k.putting = back
		t.apply(t.desired())
	}
}

// takings returns what is to be filled in.
func (t *Tenancy) takings() *taken {
	if t.taken == nil {
		t.taken = &taken{}
	}
	return t.taken
}

// takenOf returns what of the missing objects other programs took away: neither
// what the kernel did not take, nor an address that it ended in the last seconds
// of the lease, which it notes.
func (t *Tenancy) takenOf(missing []netconf.Object) []netconf.Object {
	k := t.taken
	var address netconf.Object
	if t.lease != nil {
		if end, ends := t.lease.Expires(); ends && end.Sub(t.now) <= lastMoments {
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
	// Another program put back the rest of what is wanted. Routes without their
	// source address are not listed.
	want := t.wanted()
	sourceless := k.ended.IsValid() || slices.ContainsFunc(missing, func(o netconf.Object) bool { return o.Kind == netconf.ObjectAddress })
	k.barred = slices.DeleteFunc(k.barred, func(o netconf.Object) bool {
		return want.Has(o) && !slices.Contains(missing, o) && !(sourceless && o.Kind == netconf.ObjectRoute)
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
func (k *taken) toPutBack() []netconf.Object { return without(k.missing, k.barred) }

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

// leave returns what an Apply must not add.
func (k *taken) leave() []netconf.Object {
	if k == nil {
		return nil
	}
	return without(slices.Concat(k.missing, without(k.barred, k.missing)), k.putting)
}

// tookBack notes what the kernel has again after an Apply, and what it refused.
func (t *Tenancy) tookBack(refused []netconf.Object) {
	if t.taken == nil && len(refused) == 0 {
		return
	}
	k := t.takings()
	back := without(k.putting, refused)
	k.putting, k.refused, k.ended = nil, refused, netip.Prefix{}
	k.restored = slices.DeleteFunc(k.restored, func(r restoration) bool { return t.now.Sub(r.at) >= putBackInterval })
	if len(back) > 0 {
		for _, o := range back {
			k.restored = append(k.restored, restoration{o, t.now})
		}
		t.emit(Note{Kind: event.PutBack, State: t.client.State(), Lease: t.lease, Cause: &reason.Cause{Reason: reason.PutBack, Objects: objects(back)}})
	}
	k.missing = without(k.missing, back)
	if len(k.missing)+len(k.barred)+len(k.restored)+len(k.refused) == 0 && !k.putBack.on {
		t.taken = nil
	}
}

// stillMissing reports whether the kernel must be looked at again after an Apply:
// something was left out of it.
func (t *Tenancy) stillMissing() bool {
	return t.taken != nil && (len(t.taken.missing) > 0 || len(t.taken.barred) > 0)
}

// forgive forgets all that was taken away, so that the next Apply puts it back: a
// caller wants that, or there is a new lease. It reports whether something was.
func (t *Tenancy) forgive() (had bool) {
	k := t.taken
	if k == nil {
		return false
	}
	had = len(k.missing) > 0 || k.ended.IsValid() || k.putBack.on
	if t.taken = nil; len(k.refused) > 0 {
		t.taken = &taken{refused: k.refused}
	}
	return had
}

// lapse ends the bars that are old: the lease was renewed, and the next Apply puts
// back once more what they kept away.
func (t *Tenancy) lapse() {
	if k := t.taken; k != nil && t.now.Sub(k.barredAt) >= putBackInterval {
		k.putting, k.barred = k.barred, nil
	}
}

// problem is what hinders as something is missing; false if nothing is.
func (k *taken) problem() (reason.Cause, bool) {
	if k == nil || len(k.missing) == 0 {
		return reason.Cause{}, false
	}
	if len(k.barred) == 0 {
		return reason.Cause{Reason: reason.TakenAway, Objects: objects(k.missing)}, true
	}
	c := *k.why
	c.Objects = objects(k.missing)
	return c, true
}

// lacks reports whether the kernel does not have an address of ours.
func (t *Tenancy) lacks(p netip.Prefix) bool {
	return p.IsValid() && t.taken != nil && (t.taken.ended == p || t.missed(p))
}

// missed reports whether another program took an address away.
func (t *Tenancy) missed(p netip.Prefix) bool {
	return t.taken != nil && slices.Contains(t.taken.missing, netconf.Object{Kind: netconf.ObjectAddress, Prefix: p})
}

func (k *taken) restoredLately(o netconf.Object, now boottime.Instant) bool {
	return slices.ContainsFunc(k.restored, func(r restoration) bool { return r.object == o && now.Sub(r.at) < putBackInterval })
}

// without returns a copy of the list without some of its objects.
func without(list, some []netconf.Object) []netconf.Object {
	var rest []netconf.Object
	for _, o := range list {
		if !slices.Contains(some, o) {
			rest = append(rest, o)
		}
	}
	return rest
}

func objects(list []netconf.Object) string {
	all := make([]string, len(list))
	for i, o := range list {
		all[i] = o.String()
	}
	return strings.Join(all, ", ")
}
