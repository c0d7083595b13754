package tenancy

import (
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
	fresh := t.noteMissing(in.Missing)
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
	// What is there again, somebody else put back.
	k.barred = slices.DeleteFunc(k.barred, func(o netconf.Object) bool { return !slices.Contains(missing, o) })
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
	for _, o := range k.toPutBack() {
		k.restored = append(k.restored, restoration{o, t.now})
	}
	k.missing, k.putBack.on = slices.Clone(k.barred), false
	if len(k.missing) == 0 && len(k.restored) == 0 {
		t.taken = nil
	}
}

// forgive forgets all that was taken away: somebody wants it back, or there is a
// new lease.
func (t *Tenancy) forgive() (had bool) {
	had = t.taken != nil && len(t.taken.missing) > 0
	t.taken = nil
	return had
}

// lapse forgives what was taken away long ago: the lease was renewed.
func (t *Tenancy) lapse() {
	if k := t.taken; k != nil && len(k.barred) > 0 && t.now.Sub(k.barredAt) >= putBackInterval {
		t.forgive()
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

// lacksAddress reports whether the kernel does not have the address of the lease.
func (t *Tenancy) lacksAddress() bool {
	return t.lease != nil && t.taken != nil && slices.Contains(t.taken.missing, netconf.Object{Kind: netconf.ObjectAddress, Prefix: t.lease.Address})
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
