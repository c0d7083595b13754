package tenancy

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/reason"
)

// Ours are the addresses that the kernel may hold of ours.
func (l *Life) Ours() []netip.Prefix { return l.ours }

// BaseMTU is the MTU from before ours was set, 0 if we set none.
func (l *Life) BaseMTU() int { return l.baseMTU }

// Told reports whether the kernel was told anything yet.
func (l *Life) Told() bool { return l.seq > 0 }

// Applied reports whether the kernel has done what it was told last.
func (l *Life) Applied() bool { return l.applied == l.seq }

// wanted is what the kernel must hold now, the MTU included.
func (l *Life) wanted() netconf.Desired {
	d := l.protocol.Wanted()
	if d.MTU == 0 {
		d.MTU = l.baseMTU
	}
	return d
}

// Desired is what the kernel is about to be told to hold: what is wanted. What
// other programs took away is not added. It notes the MTU from before ours.
func (l *Life) Desired() netconf.Desired {
	d := l.wanted()
	if d.MTU != 0 && l.baseMTU == 0 && l.link.MTU != d.MTU {
		l.baseMTU = l.link.MTU
	}
	if l.amiss != nil {
		d.Leave = l.amiss.taken.leave()
	}
	return d
}

// Configure tells the kernel what it is to hold now.
func (l *Life) Configure() { l.Apply(l.Desired()) }

// Apply tells the kernel what it is to hold.
func (l *Life) Apply(want netconf.Desired) {
	for _, a := range want.Addresses {
		l.Own(a.Prefix)
	}
	l.seq++
	l.retry.Stop()
	l.Emit(Apply{Seq: l.seq, Ours: slices.Clone(l.ours), Want: want})
}

// Own notes that the kernel may hold an address of ours.
func (l *Life) Own(p netip.Prefix) {
	if p.IsValid() && !slices.Contains(l.ours, p) {
		l.ours = append(l.ours, p)
	}
}

// reported takes the kernel's verdict on an Apply.
func (l *Life) reported(in Applied) {
	if in.Seq != l.seq {
		return // a later one is on its way, and its verdict counts
	}
	if in.Extent == AppliedNothing {
		l.refused(in.Err)
		return
	}
	l.applied = in.Seq
	if l.link.Usable || !l.protocol.Lease().Valid() {
		l.complain(in.Err)
	}
	if in.Extent == AppliedAll {
		l.cleaned()
	}
	l.tookBack(in.Refused)
	l.settle()
	if l.stage == Living {
		l.protocol.Settled()
	}
	if l.stage == Living && (l.look == lookDue || l.stillMissing()) {
		l.inspect(HintGiven)
	}
}

// cleaned notes that the kernel has nothing of ours but what is wanted. Where it
// refused something, a route of an address that was wanted before may be left,
// or the MTU.
func (l *Life) cleaned() {
	l.ours = l.ours[:0]
	for _, a := range l.protocol.Wanted().Addresses {
		l.Own(a.Prefix)
	}
	if !l.protocol.InUse().Valid() {
		l.baseMTU = 0 // it is back
	}
}

func (l *Life) refused(err error) {
	if !l.link.Usable && l.protocol.Lease().Valid() {
		// The kernel takes no routes while the link is down; when it comes
		// back they are applied again.
		l.AnswerAll(func(c Waiting) bool { return c.For == ForKernel }, errno.ERROR_NO_NETWORK, reason.Cause{Reason: reason.NoLink})
		return
	}
	l.complain(err)
	l.AnswerAll(func(c Waiting) bool { return c.For == ForKernel }, errno.ERROR_GEN_FAILURE, Because(reason.KernelRefused, err))
	if l.stage != Living {
		l.Finish(reason.ManagementEnded)
	}
}

// checkMTU notes whether the link has another MTU than it was told to have. That
// is shown and not undone.
func (l *Life) checkMTU() {
	want, had, now := l.wanted().MTU, l.Troubles().MTU, 0
	if want != 0 && want != l.link.MTU && l.Applied() {
		now = l.link.MTU
	}
	l.went(func(w *Troubles) { w.MTU = now })
	if now != 0 && had == 0 {
		l.Problem(l.mtuChanged())
	}
}

// mtuChanged is the cause where another program changed the MTU.
func (l *Life) mtuChanged() reason.Cause {
	return reason.Cause{Reason: reason.MTUChanged, Count: int64(l.Troubles().MTU), Limit: int64(l.wanted().MTU)}
}

// complain says what the kernel did not take, once, and has it tried again
// later; a nil err says that all is well.
func (l *Life) complain(err error) {
	was := l.Troubles().Apply
	l.went(func(w *Troubles) { w.Apply = err })
	if err == nil {
		l.retry = Retry{}
		return
	}
	if was == nil || was.Error() != err.Error() {
		l.Problem(Because(reason.KernelRefused, err))
	}
	l.retry.Again(l.now)
}
