package tenancy

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/reason"
)

// A Waiting is what a caller waits for, and what for.
type Waiting struct {
	Verb Verb
	For  For
}

// For says what has to come before a caller is answered.
type For uint8

// What callers wait for.
const (
	// ForNetwork: the network's answer, and then the kernel.
	ForNetwork For = iota
	// ForKernel: the kernel has done what it was told.
	ForKernel
	// ForAddress: the address is usable, for whatever reason.
	ForAddress
)

// A waiter is a caller who has not been answered yet.
type waiter struct {
	Waiting

	id       uint64
	deadline boottime.Instant
	// declined is an address that was given meanwhile and is another host's.
	declined netip.Addr
}

// Wait has a caller wait.
func (l *Life) Wait(c Call, what For) {
	l.calls = append(l.calls, waiter{Waiting: Waiting{c.Verb, what}, id: c.ID, deadline: c.Deadline})
}

// Waits reports whether a caller waits who is one of those.
func (l *Life) Waits(which func(Waiting) bool) bool {
	return slices.ContainsFunc(l.calls, func(c waiter) bool { return which(c.Waiting) })
}

// Advance has callers who waited for the network wait for the kernel, or answers
// them if it is so already.
func (l *Life) Advance(which func(Waiting) bool) {
	for i := range l.calls {
		if which(l.calls[i].Waiting) {
			l.calls[i].For = ForKernel
		}
	}
	if l.Applied() {
		l.settle()
	}
}

// settle answers the calls that waited for the kernel.
func (l *Life) settle() {
	held := l.protocol.InUse()
	if l.stage == Living && l.Lacks(held.Address) && l.Waits(wantsLease) {
		// Another program took the address away since they called.
		l.Forgive()
		l.Configure()
		return
	}
	if l.stage == Leaving {
		l.Emit(Forget{})
	}
	l.answerEach(func(c *waiter) (bool, Result) {
		r := Result{Code: errno.NO_ERROR, Held: held}
		switch c.Verb {
		case Renew:
			return c.For == ForKernel && held.Valid(), r
		case Await:
			return held.Valid(), r
		case Release, End, EndKeep:
			if unsent := l.Troubles().Unsent; unsent != nil {
				r.Code, r.Cause = errno.ERROR_GEN_FAILURE, Because(reason.ReleaseUnsent, unsent)
			}
			return c.For == ForKernel, r
		}
		return false, r
	})
	if l.stage != Living {
		l.Finish(reason.ManagementEnded)
	}
}

// wantsLease picks the callers who are answered when the kernel has the address.
func wantsLease(w Waiting) bool {
	return w.Verb == Await || w.Verb == Renew && w.For == ForKernel
}

// ExpireCalls answers those whose time is up. What they asked for is still done.
func (l *Life) ExpireCalls() {
	l.answerEach(func(c *waiter) (bool, Result) {
		if l.now.Before(c.deadline) {
			return false, Result{}
		}
		return true, l.outOfTime(c)
	})
}

func (l *Life) cancel(id uint64) {
	l.answerEach(func(c *waiter) (bool, Result) {
		switch {
		case c.id != id:
			return false, Result{}
		case !l.now.Before(c.deadline):
			return true, l.outOfTime(c)
		}
		return true, Result{Code: errno.ERROR_CANCELLED, Cause: reason.Cause{Reason: reason.Cancelled}, Held: l.protocol.InUse()}
	})
}

func (l *Life) outOfTime(c *waiter) Result {
	r := Result{Code: errno.ERROR_SEM_TIMEOUT, Cause: reason.Cause{Reason: reason.NoServer}, Held: l.protocol.InUse()}
	switch wrong := l.Troubles(); {
	case c.For == ForKernel && !l.Applied():
		r.Cause.Reason = reason.KernelSlow
	case !l.link.Usable:
		r.Code, r.Cause.Reason = errno.ERROR_NO_NETWORK, reason.NoLink
	case c.declined.IsValid():
		r.Code, r.Cause = errno.ERROR_DHCP_ADDRESS_CONFLICT, reason.Cause{Reason: reason.AddressInUse, Address: c.declined}
	case wrong.Apply != nil:
		r.Code, r.Cause = errno.ERROR_GEN_FAILURE, Because(reason.KernelRefused, wrong.Apply)
	case wrong.Send.Failed():
		r.Cause = wrong.Send.Cause()
	}
	return r
}

// Declined tells the callers who wait for a lease that the address they were
// given is another host's. Who is given the same one again need not wait.
func (l *Life) Declined(a netip.Addr) {
	l.answerEach(func(c *waiter) (bool, Result) {
		if !c.Verb.WantsLease() {
			return false, Result{}
		}
		again := c.declined == a
		c.declined = a
		return again, Result{Code: errno.ERROR_DHCP_ADDRESS_CONFLICT, Cause: reason.Cause{Reason: reason.AddressInUse, Address: a}}
	})
}

// LeaseUnwanted answers those who wait for a lease: a release came after them.
func (l *Life) LeaseUnwanted() {
	l.AnswerAll(func(c Waiting) bool { return c.Verb.WantsLease() },
		errno.ERROR_CANCELLED, reason.Cause{Reason: reason.ReleasedMeanwhile})
}

// AnswerAll answers some callers.
func (l *Life) AnswerAll(which func(Waiting) bool, code errno.Errno, cause reason.Cause) {
	l.answerEach(func(c *waiter) (bool, Result) {
		return which(c.Waiting), Result{Code: code, Cause: cause, Held: l.protocol.InUse()}
	})
}

func (l *Life) answerEach(which func(*waiter) (bool, Result)) {
	kept := l.calls[:0]
	for i := range l.calls {
		c := &l.calls[i]
		if yes, r := which(c); yes {
			l.Emit(Answer{ID: c.id, Result: r})
		} else {
			kept = append(kept, *c)
		}
	}
	l.calls = kept
	if len(kept) == 0 {
		l.calls = nil
	}
}

// Refuse answers a caller who does not wait.
func (l *Life) Refuse(c Call, code errno.Errno, why reason.Reason) {
	l.Emit(Answer{ID: c.ID, Result: Result{Code: code, Cause: reason.Cause{Reason: why}, Held: l.protocol.InUse()}})
}

// Succeed answers a caller who need not wait.
func (l *Life) Succeed(c Call) {
	l.Emit(Answer{ID: c.ID, Result: Result{Code: errno.NO_ERROR, Held: l.protocol.InUse()}})
}
