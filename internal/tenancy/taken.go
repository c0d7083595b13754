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
// A hint says that something may have changed; the truth is what the kernel has, so
// it is inspected.
type taken struct {
	// missing are the wanted objects that the kernel did not have when it was
	// inspected last. Until they are put back, no Apply adds them.
	missing []netconf.Object
	// barred are those that are not put back: they were taken away again, or
	// another DHCP client has the adapter.
	barred   []netconf.Object
	barredAt boottime.Instant // of the last of them
	why      reason.Cause     // of the last of them
	// putBack is when what is missing is put back, putting what the Apply on its
	// way puts back, restored what was put back lately.
	putBack  Alarm
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

type restoration struct {
	object netconf.Object
	at     boottime.Instant
}

// Disturbed takes a hint that the kernel may lack an object, or have it again. The
// zero Object is anything.
func (l *Life) Disturbed(o netconf.Object) {
	if l.seq == 0 || l.stage != Living || o != (netconf.Object{}) && !l.wanted().Has(o) {
		return
	}
	l.inspect(HintGiven)
}

// outdate makes the Inspect that is on its way count for nothing.
func (l *Life) outdate() {
	if l.look == lookOut {
		l.look = lookStale
	}
}

// inspect has the kernel looked at: now, when it has done what it was told, or
// when the Inspect that is on its way, which may have come too early, has its
// report.
func (l *Life) inspect(why Cause) {
	if l.look == lookOut || l.look == lookStale {
		l.look = lookStale
		return
	}
	if !l.Applied() {
		l.look = lookDue
		return
	}
	l.look = lookOut
	l.Emit(Inspect{Seq: l.seq, Want: l.wanted(), Cause: why})
}

// inspected takes what the kernel lacks.
func (l *Life) inspected(in Inspected) {
	stale := l.look == lookStale
	l.look = lookIdle
	switch {
	case l.stage != Living:
		return
	case stale || in.Seq != l.seq:
		l.inspect(HintGiven) // it is out of date
		return
	case in.Err == nil && len(in.Missing) == 0 && l.amiss == nil:
		return
	}
	defer l.mend()
	k := &l.damage().taken
	if in.Err != nil {
		k.putBack.Set(l.now.Add(putBackDelay)) // looks again
		return
	}
	fresh := l.noteMissing(k, l.takenOf(k, in.Missing))
	back := k.toPutBack()
	switch {
	case len(back) == 0 || !l.link.Usable: // when the link comes, the kernel is told anew
		k.putBack.Stop()
	case in.Cause == HintGiven || fresh:
		if !k.putBack.IsSet() {
			k.putBack.Set(l.now.Add(putBackDelay))
		}
	case in.Manager != "":
		l.bar(k, back, reason.Cause{Manager: in.Manager})
	default:
		k.putting = back
		l.Configure()
	}
}

// takenOf returns what of the missing objects other programs took away: neither
// what the kernel did not take, nor an address that it ended in the last seconds
// of the lease, which it notes.
func (l *Life) takenOf(k *taken, missing []netconf.Object) []netconf.Object {
	var address netconf.Object
	if held := l.protocol.Lease(); held.Ends != 0 && held.Ends.Sub(l.now) <= lastMoments {
		address.Prefix = held.Address
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
func (l *Life) noteMissing(k *taken, missing []netconf.Object) bool {
	var fresh, again []netconf.Object
	for _, o := range missing {
		switch {
		case slices.Contains(k.missing, o) || slices.Contains(k.barred, o):
		case k.restoredLately(o, l.now):
			again = append(again, o)
		default:
			fresh = append(fresh, o)
		}
	}
	k.missing = missing
	// Another program put back the rest of what is wanted. Routes without their
	// source address are not listed.
	want := l.wanted()
	sourceless := k.ended.IsValid() || slices.ContainsFunc(missing, func(o netconf.Object) bool { return o.Kind == netconf.ObjectAddress })
	k.barred = slices.DeleteFunc(k.barred, func(o netconf.Object) bool {
		return want.Has(o) && !slices.Contains(missing, o) && !(sourceless && o.Kind == netconf.ObjectRoute)
	})
	if len(fresh) > 0 {
		l.protocol.Note(event.TakenAway, reason.Cause{Reason: reason.TakenAway, Objects: objects(fresh)})
	}
	if len(again) > 0 {
		l.bar(k, again, reason.Cause{Count: 2})
	}
	return len(fresh) > 0
}

// toPutBack returns what is missing and not barred.
func (k *taken) toPutBack() []netconf.Object { return without(k.missing, k.barred) }

// bar has objects stay away. why has what is known besides them.
func (l *Life) bar(k *taken, list []netconf.Object, why reason.Cause) {
	k.barred, k.barredAt = append(k.barred, list...), l.now
	why.Reason, why.Objects = reason.TakenAway, objects(list)
	k.why = why
	l.Problem(why)
}

// putBackDue looks whether what was missing still is.
func (l *Life) putBackDue() {
	if l.amiss != nil && l.amiss.taken.putBack.Rang(l.now) {
		l.amiss.taken.putBack.Stop()
		l.inspect(PutBackDue)
	}
}

// leave returns what an Apply must not add.
func (k *taken) leave() []netconf.Object {
	return without(slices.Concat(k.missing, without(k.barred, k.missing)), k.putting)
}

// tookBack notes what the kernel has again after an Apply, and what it refused.
func (l *Life) tookBack(refused []netconf.Object) {
	if l.amiss == nil && len(refused) == 0 {
		return
	}
	defer l.mend()
	k := &l.damage().taken
	back := without(k.putting, refused)
	k.putting, k.refused, k.ended = nil, refused, netip.Prefix{}
	k.restored = slices.DeleteFunc(k.restored, func(r restoration) bool { return l.now.Sub(r.at) >= putBackInterval })
	if len(back) > 0 {
		for _, o := range back {
			k.restored = append(k.restored, restoration{o, l.now})
		}
		l.protocol.Note(event.PutBack, reason.Cause{Reason: reason.PutBack, Objects: objects(back)})
	}
	k.missing = without(k.missing, back)
}

// stillMissing reports whether the kernel must be looked at again after an Apply:
// something was left out of it.
func (l *Life) stillMissing() bool {
	return l.amiss != nil && (len(l.amiss.taken.missing) > 0 || len(l.amiss.taken.barred) > 0)
}

// Forgive forgets all that was taken away, so that the next Apply puts it back: a
// caller wants that, or there is a new lease. It reports whether something was.
func (l *Life) Forgive() (had bool) {
	if l.amiss == nil {
		return false
	}
	defer l.mend()
	k := &l.amiss.taken
	had = len(k.missing) > 0 || k.ended.IsValid() || k.putBack.IsSet()
	*k = taken{refused: k.refused}
	return had
}

// Lapse ends the bars that are old: the lease was renewed, and the next Apply puts
// back once more what they kept away.
func (l *Life) Lapse() {
	if l.amiss == nil {
		return
	}
	if k := &l.amiss.taken; l.now.Sub(k.barredAt) >= putBackInterval {
		k.putting, k.barred = append(k.putting, k.barred...), nil
	}
}

// none reports whether nothing was taken away, nor is remembered of it.
func (k *taken) none() bool {
	return len(k.missing)+len(k.barred)+len(k.putting)+len(k.restored)+len(k.refused) == 0 && !k.putBack.IsSet() && !k.ended.IsValid()
}

// problem is what hinders as something is missing; false if nothing is.
func (k *taken) problem() (reason.Cause, bool) {
	if len(k.missing) == 0 {
		return reason.Cause{}, false
	}
	if len(k.barred) == 0 {
		return reason.Cause{Reason: reason.TakenAway, Objects: objects(k.missing)}, true
	}
	c := k.why
	c.Objects = objects(k.missing)
	return c, true
}

// Lacks reports whether the kernel does not have an address of ours.
func (l *Life) Lacks(p netip.Prefix) bool {
	return p.IsValid() && l.amiss != nil && (l.amiss.taken.ended == p || l.Missed(p))
}

// Missed reports whether another program took an address away.
func (l *Life) Missed(p netip.Prefix) bool {
	return l.amiss != nil && slices.Contains(l.amiss.taken.missing, netconf.Object{Kind: netconf.ObjectAddress, Prefix: p})
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
