package tenancy

import (
	"net/netip"
	"slices"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/reason"
)

// A retry is the schedule of trying again what failed.
type retry struct {
	at    boottime.Instant
	delay time.Duration
	on    bool
}

// again sets the next attempt.
func (r *retry) again(now boottime.Instant) {
	r.delay = min(max(2*r.delay, firstRetry), lastRetry)
	r.at, r.on = now.Add(r.delay), true
}

// Delays between attempts.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// wanted is what the kernel must hold now. The MTU is the lease's, or the one from
// before ours.
func (t *Tenancy) wanted() netconf.Desired {
	var d netconf.Desired
	switch {
	case t.informed != nil:
		d = planInformed(t.informed, t.policy)
	case t.lease != nil:
		d = plan(t.lease, t.policy)
	default:
		d = planLocal(t.localAddress(), t.policy)
	}
	if d.MTU == 0 {
		d.MTU = t.baseMTU
	}
	return d
}

// desired is what the kernel is about to be told to hold: what is wanted. What
// other programs took away is not added. It notes the MTU from before ours.
func (t *Tenancy) desired() netconf.Desired {
	d := t.wanted()
	if d.MTU != 0 && t.baseMTU == 0 && t.link.MTU != d.MTU {
		t.baseMTU = t.link.MTU
	}
	d.Leave = t.taken.leave()
	return d
}

func (t *Tenancy) apply(want netconf.Desired) {
	t.own(want.IPv4().Prefix)
	t.seq++
	t.retry.on = false
	t.emit(Apply{Seq: t.seq, Ours: slices.Clone(t.ours), Want: want})
}

// reported takes the kernel's verdict on an Apply.
func (t *Tenancy) reported(in Applied) {
	if in.Seq != t.seq {
		return // a later one is on its way, and its verdict counts
	}
	if in.Err != nil && !in.Partly {
		t.refused(in.Err)
		return
	}
	t.applied = in.Seq
	if t.lease == nil || t.link.Usable {
		t.complain(in.Err)
	}
	if in.Err == nil {
		t.cleaned()
	}
	t.tookBack(in.Refused)
	t.settle()
	if t.pending && t.ending == living {
		t.announced()
	}
	if t.ending == living && (t.look == lookDue || t.stillMissing()) {
		t.inspect(HintGiven)
	}
}

// cleaned notes that the kernel has nothing of ours but what is wanted. Where it
// refused something, a route of an address that was wanted before may be left,
// or the MTU.
func (t *Tenancy) cleaned() {
	t.ours = t.ours[:0]
	if t.lease != nil {
		t.own(t.lease.Address)
		return
	}
	t.own(t.localAddress())
	if t.informed == nil {
		t.baseMTU = 0 // it is back
	}
}

// announced says what the kernel now has.
func (t *Tenancy) announced() {
	t.pending = false
	n := Note{Kind: t.announce, State: t.client.State(), Lease: t.lease}
	if t.informed != nil {
		n.Lease, n.Server = t.informed, t.informed.Server
		t.emit(n)
		return
	}
	if t.lease == nil {
		n.Address = t.localAddress().Addr()
		t.emit(n)
		return
	}
	n.Server = t.lease.Server
	t.emit(n)
	t.learn()
}

// own notes that the kernel may hold an address of ours.
func (t *Tenancy) own(p netip.Prefix) {
	if p.IsValid() && !slices.Contains(t.ours, p) {
		t.ours = append(t.ours, p)
	}
}

func (t *Tenancy) refused(err error) {
	if !t.link.Usable && t.lease != nil {
		// The kernel takes no routes while the link is down; when it comes
		// back they are applied again.
		t.answerAll(func(c call) bool { return c.stage == applying }, errno.ERROR_NO_NETWORK, reason.Cause{Reason: reason.NoLink})
		return
	}
	t.complain(err)
	t.answerAll(func(c call) bool { return c.stage == applying }, errno.ERROR_GEN_FAILURE, because(reason.KernelRefused, err))
	if t.ending != living {
		t.finish(reason.ManagementEnded)
	}
}

// checkMTU notes whether the link has another MTU than it was told to have. That
// is shown and not undone.
func (t *Tenancy) checkMTU() {
	want, had, now := t.wanted().MTU, t.troubles().mtu, 0
	if want != 0 && want != t.link.MTU && t.applied == t.seq {
		now = t.link.MTU
	}
	t.went(func(w *troubles) { w.mtu = now })
	if now != 0 && had == 0 {
		t.problem(t.mtuChanged())
	}
}

// mtuChanged is the cause where another program changed the MTU.
func (t *Tenancy) mtuChanged() reason.Cause {
	return reason.Cause{Reason: reason.MTUChanged, Count: int64(t.troubles().mtu), Limit: int64(t.wanted().MTU)}
}

// complain says what the kernel did not take, once, and has it tried again
// later; a nil err says that all is well.
func (t *Tenancy) complain(err error) {
	was := t.troubles().apply
	t.went(func(w *troubles) { w.apply = err })
	if err == nil {
		t.retry = retry{}
		return
	}
	if was == nil || was.Error() != err.Error() {
		t.problem(because(reason.KernelRefused, err))
	}
	t.retry.again(t.now)
}
