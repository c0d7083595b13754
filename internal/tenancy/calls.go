package tenancy

import (
	"errors"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/reason"
)

// A call is a caller who has not been answered yet.
type call struct {
	id       uint64
	verb     Verb
	deadline boottime.Instant
	stage    stage
	// declined is an address that was given meanwhile and is another host's.
	declined netip.Addr
}

// A stage is what a call waits for.
type stage uint8

const (
	asking   stage = iota // the network's answer
	applying              // the kernel's
)

// call takes a caller's request. A renew joins one that runs already, and so
// does a release: one exchange on the wire, the same answer to both.
func (t *Tenancy) call(in Call) {
	c := call{id: in.ID, verb: in.Verb, deadline: in.Deadline}
	if t.ending != living && (in.Verb == Renew || in.Verb == Await) {
		t.refuse(in.ID, errno.ERROR_FILE_NOT_FOUND, reason.ManagementEnded)
		return
	}
	if t.addressless && (in.Verb == Renew || in.Verb == Await) {
		t.refuse(in.ID, errno.ERROR_ADDRESS_NOT_ASSOCIATED, reason.NoOwnAddress)
		return
	}
	switch in.Verb {
	case Renew:
		if !t.link.Usable {
			t.refuse(in.ID, errno.ERROR_NO_NETWORK, reason.NoLink)
			return
		}
		if t.renewing() {
			t.calls = append(t.calls, c)
			if t.forgive() {
				t.apply(t.desired())
			}
			return
		}
		if t.candidate != nil && t.client.State() == dhcp4.StateBound {
			// It has just been granted, and may not be used to ask before it is clear.
			c.stage = applying
			t.calls = append(t.calls, c)
			return
		}
		t.calls = append(t.calls, c)
		t.leaseWanted()
		if t.forgive() {
			t.apply(t.desired()) // the REQUEST leaves from the address
		}
		t.tell(dhcp4.Renew{})
	case Release:
		t.callRelease(c)
	case Await:
		settled := t.current() != nil && t.applied == t.seq
		if settled && !t.link.Usable && !t.lacks(t.current().Address) {
			t.succeed(in.ID)
			return
		}
		t.calls = append(t.calls, c)
		if settled {
			// Somebody may have taken the address away meanwhile.
			t.forgive()
			t.apply(t.desired())
			return
		}
		if t.release != NotReleased && t.link.Usable {
			t.leaseWanted()
			t.tell(dhcp4.Renew{})
		}
		t.refuseIPv4()
	case End:
		switch {
		case t.releasing(): // joins
			t.leaseUnwanted()
			t.ending = leaving
			c.stage = applying
			t.calls = append(t.calls, c)
		case t.held() != nil && !t.link.Usable:
			t.refuse(in.ID, errno.ERROR_NO_NETWORK, reason.DownNeedsLink)
		case t.held() != nil:
			t.ending = leaving
			t.calls = append(t.calls, c)
			t.giveBack()
		case len(t.ours) > 0 || t.informed != nil: // the kernel may still have something
			t.endApplied(c, leaving)
		default:
			t.end(in.ID, true)
		}
	case EndKeep:
		if t.localAddress().IsValid() {
			t.byCall = false
			t.save()
			t.endApplied(c, leavingRecord)
			return
		}
		t.end(in.ID, false)
	}
}

// renewing reports whether an exchange runs that a renew joins. A client that is
// bound again has given up, and the calls that wait for it are answered by the
// next one.
func (t *Tenancy) renewing() bool {
	return t.client.State() != dhcp4.StateBound &&
		slices.ContainsFunc(t.calls, func(c call) bool { return c.verb == Renew && c.stage == asking })
}

// leaseWanted ends a release on record: a daemon that starts anew looks for a
// lease then, as this one does.
func (t *Tenancy) leaseWanted() {
	if t.release != NotReleased {
		t.release, t.given = NotReleased, nil
		t.save()
	}
}

// refuseIPv4 answers those who await an address in a network that wants none
// used (RFC 8925).
func (t *Tenancy) refuseIPv4() {
	if t.client.State() == dhcp4.StateIPv6Only {
		t.answerAll(func(c call) bool { return c.verb == Await }, errno.ERROR_NOT_SUPPORTED, reason.Cause{Reason: reason.NoIPv4Wanted})
	}
}

// endApplied ends the tenancy when the kernel has what was there before us: a
// link-local address would have nobody to defend it.
func (t *Tenancy) endApplied(c call, how verdict) {
	t.ending = how
	c.stage = applying
	t.calls = append(t.calls, c)
	t.endLocal()
	t.informed = nil
	t.tell(dhcp4.Stop{}) // no lease is to come meanwhile
	t.apply(t.desired())
}

func (t *Tenancy) callRelease(c call) {
	if t.releasing() { // joins
		t.leaseUnwanted()
		c.stage = applying
		t.calls = append(t.calls, c)
		return
	}
	switch {
	case t.held() == nil:
		t.refuse(c.id, errno.ERROR_ADDRESS_NOT_ASSOCIATED, reason.NoLease)
	case !t.link.Usable:
		t.refuse(c.id, errno.ERROR_NO_NETWORK, reason.ReleaseNeedsLink)
	default:
		t.calls = append(t.calls, c)
		t.giveBack()
	}
}

// releasing reports whether a release waits for the kernel, and nobody has
// asked for a lease since.
func (t *Tenancy) releasing() bool {
	if t.client.State() != dhcp4.StateReleased {
		return false
	}
	for _, c := range t.calls {
		if (c.verb == Release || c.verb == End) && c.stage == applying {
			return true
		}
	}
	return false
}

// end ends the tenancy at once: there is no lease to give back, or it is kept.
func (t *Tenancy) end(id uint64, forget bool) {
	if forget {
		t.emit(Forget{})
	} else {
		t.byCall = false
		t.save()
	}
	t.succeed(id)
	t.finish(reason.ManagementEnded)
}

// done takes the client's answer to a Renew or Release.
func (t *Tenancy) done(o dhcp4.Done) {
	switch o.Op {
	case dhcp4.OpRenew:
		renewing := func(c call) bool { return c.verb == Renew && c.stage == asking }
		if o.Err != nil {
			t.answerFailed(renewing, o.Err)
			return
		}
		t.advance(renewing)
	case dhcp4.OpRelease:
		releasing := func(c call) bool { return (c.verb == Release || c.verb == End) && c.stage == asking }
		if o.Err != nil {
			t.answerFailed(releasing, o.Err)
			return
		}
		t.leaseUnwanted()
		t.advance(releasing)
	}
}

// leaseUnwanted answers those who wait for a lease: a release came after them.
func (t *Tenancy) leaseUnwanted() {
	t.answerAll(func(c call) bool { return c.verb == Renew || c.verb == Await },
		errno.ERROR_CANCELLED, reason.Cause{Reason: reason.ReleasedMeanwhile})
}

// answerFailed answers calls with an error of the client.
func (t *Tenancy) answerFailed(which func(call) bool, err error) {
	code, cause := errno.ERROR_GEN_FAILURE, because(reason.SystemFailed, err)
	switch {
	case errors.Is(err, dhcp4.ErrNoLease):
		code, cause = errno.ERROR_ADDRESS_NOT_ASSOCIATED, reason.Cause{Reason: reason.NoLease}
	case errors.Is(err, dhcp4.ErrNoLink):
		code, cause = errno.ERROR_NO_NETWORK, reason.Cause{Reason: reason.NoLink}
	case errors.Is(err, dhcp4.ErrStopped):
		code, cause = errno.ERROR_CANCELLED, reason.Cause{Reason: reason.Cancelled}
	case errors.Is(err, dhcp4.ErrIPv6Only):
		code, cause = errno.ERROR_NOT_SUPPORTED, reason.Cause{Reason: reason.NoIPv4Wanted}
	}
	t.answerAll(which, code, cause)
}

// advance lets calls wait for the kernel, or answers them if it is so already.
func (t *Tenancy) advance(which func(call) bool) {
	for i := range t.calls {
		if which(t.calls[i]) {
			t.calls[i].stage = applying
		}
	}
	if t.applied == t.seq {
		t.settle()
	}
}

// settle answers the calls that waited for the kernel.
func (t *Tenancy) settle() {
	leasing := t.current() != nil
	if t.ending == leaving {
		t.emit(Forget{})
	}
	t.answerEach(func(c *call) (bool, Result) {
		r := Result{Code: errno.NO_ERROR, Lease: t.current()}
		switch c.verb {
		case Renew:
			return c.stage == applying && leasing, r
		case Await:
			return leasing, r
		case Release, End, EndKeep:
			if unsent := t.troubles().unsent; unsent != nil {
				r.Code, r.Cause = errno.ERROR_GEN_FAILURE, because(reason.ReleaseUnsent, unsent)
			}
			return c.stage == applying, r
		}
		return false, r
	})
	if t.ending != living {
		t.finish(reason.ManagementEnded)
	}
}

// expireCalls answers those whose time is up. What they asked for is still done.
func (t *Tenancy) expireCalls() {
	t.answerEach(func(c *call) (bool, Result) {
		if t.now.Before(c.deadline) {
			return false, Result{}
		}
		return true, t.outOfTime(*c)
	})
}

func (t *Tenancy) cancel(id uint64) {
	t.answerEach(func(c *call) (bool, Result) {
		switch {
		case c.id != id:
			return false, Result{}
		case !t.now.Before(c.deadline):
			return true, t.outOfTime(*c)
		}
		return true, Result{Code: errno.ERROR_CANCELLED, Cause: reason.Cause{Reason: reason.Cancelled}, Lease: t.current()}
	})
}

func (t *Tenancy) outOfTime(c call) Result {
	r := Result{Code: errno.ERROR_SEM_TIMEOUT, Cause: reason.Cause{Reason: reason.NoServer}, Lease: t.current()}
	switch {
	case c.stage == applying && t.applied != t.seq:
		r.Cause.Reason = reason.KernelSlow
	case !t.link.Usable:
		r.Code, r.Cause.Reason = errno.ERROR_NO_NETWORK, reason.NoLink
	case c.declined.IsValid():
		r.Code, r.Cause = errno.ERROR_DHCP_ADDRESS_CONFLICT, reason.Cause{Reason: reason.AddressInUse, Address: c.declined}
	case t.troubles().apply != nil:
		r.Code, r.Cause = errno.ERROR_GEN_FAILURE, because(reason.KernelRefused, t.troubles().apply)
	case t.troubles().send.Err != nil:
		r.Cause = t.troubles().send.cause()
	}
	return r
}

func (t *Tenancy) answerAll(which func(call) bool, code errno.Errno, cause reason.Cause) {
	t.answerEach(func(c *call) (bool, Result) {
		return which(*c), Result{Code: code, Cause: cause, Lease: t.current()}
	})
}

func (t *Tenancy) answerEach(which func(*call) (bool, Result)) {
	kept := t.calls[:0]
	for i := range t.calls {
		c := &t.calls[i]
		if yes, r := which(c); yes {
			t.emit(Answer{ID: c.id, Result: r})
		} else {
			kept = append(kept, *c)
		}
	}
	t.calls = kept
	if len(kept) == 0 {
		t.calls = nil
	}
}

func (t *Tenancy) refuse(id uint64, code errno.Errno, why reason.Reason) {
	t.emit(Answer{ID: id, Result: Result{Code: code, Cause: reason.Cause{Reason: why}, Lease: t.current()}})
}

func (t *Tenancy) succeed(id uint64) {
	t.emit(Answer{ID: id, Result: Result{Code: errno.NO_ERROR, Lease: t.current()}})
}
