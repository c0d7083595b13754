package v4

import (
	"errors"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/reason"
)

// call takes a caller's request. A renew joins one that runs already, and so
// does a release: one exchange on the wire, the same answer to both.
func (t *Tenancy) call(in tenancy.Call) {
	if t.life.Stage() != tenancy.Living && in.Verb.WantsLease() {
		t.life.Refuse(in, errno.ERROR_FILE_NOT_FOUND, reason.ManagementEnded)
		return
	}
	if _, none := t.phase.(addressless); none && in.Verb.WantsLease() {
		t.life.Refuse(in, errno.ERROR_ADDRESS_NOT_ASSOCIATED, reason.NoOwnAddress)
		return
	}
	if t.life.Stage() != tenancy.Living && in.Verb.Ends() { // joins
		what := tenancy.ForKernel
		if t.life.Waits(releases(tenancy.ForNetwork)) {
			what = tenancy.ForNetwork
		}
		t.life.Wait(in, what)
		return
	}
	switch in.Verb {
	case tenancy.Renew:
		t.callRenew(in)
	case tenancy.Await:
		t.callAwait(in)
	case tenancy.Release:
		t.callRelease(in)
	case tenancy.End:
		t.callEnd(in)
	case tenancy.EndKeep:
		t.byCall = false
		t.Save()
		if t.localAddress().IsValid() {
			t.endApplied(in, tenancy.LeavingRecord)
			return
		}
		t.end(in)
	}
}

func (t *Tenancy) callRenew(in tenancy.Call) {
	if !t.life.Usable() {
		t.life.Refuse(in, errno.ERROR_NO_NETWORK, reason.NoLink)
		return
	}
	if t.renewing() {
		t.life.Wait(in, tenancy.ForNetwork)
		if t.life.Forgive() {
			t.life.Configure()
		}
		return
	}
	if _, yes := t.phase.(probing); yes && t.client.State() == dhcp4.StateBound {
		// It has just been granted, and may not be used to ask before it is clear.
		t.life.Wait(in, tenancy.ForKernel)
		return
	}
	t.life.Wait(in, tenancy.ForNetwork)
	t.leaseWanted()
	if t.life.Forgive() {
		t.life.Configure() // the REQUEST leaves from the address
	}
	t.tell(dhcp4.Renew{})
}

func (t *Tenancy) callAwait(in tenancy.Call) {
	settled := t.current() != nil && t.life.Applied()
	if settled && !t.life.Usable() && !t.life.Lacks(t.current().Address) {
		t.life.Succeed(in)
		return
	}
	t.life.Wait(in, tenancy.ForAddress)
	if settled {
		// Somebody may have taken the address away meanwhile.
		t.life.Forgive()
		t.life.Configure()
		return
	}
	if t.life.Usable() && t.leaseWanted() {
		t.tell(dhcp4.Renew{})
	}
	t.refuseIPv4()
}

func (t *Tenancy) callRelease(in tenancy.Call) {
	switch {
	case t.releasing(): // joins
		t.life.LeaseUnwanted()
		t.life.Wait(in, tenancy.ForKernel)
	case t.held() == nil:
		t.life.Refuse(in, errno.ERROR_ADDRESS_NOT_ASSOCIATED, reason.NoLease)
	case !t.life.Usable():
		t.life.Refuse(in, errno.ERROR_NO_NETWORK, reason.ReleaseNeedsLink)
	default:
		t.life.Wait(in, tenancy.ForNetwork)
		t.giveBack()
	}
}

func (t *Tenancy) callEnd(in tenancy.Call) {
	switch {
	case t.releasing(): // joins
		t.life.LeaseUnwanted()
		t.life.Leave(tenancy.Leaving)
		t.life.Wait(in, tenancy.ForKernel)
	case t.held() != nil && !t.life.Usable():
		t.life.Refuse(in, errno.ERROR_NO_NETWORK, reason.DownNeedsLink)
	case t.held() != nil:
		t.life.Leave(tenancy.Leaving)
		t.life.Wait(in, tenancy.ForNetwork)
		t.giveBack()
	case len(t.life.Ours()) > 0 || t.current() != nil: // the kernel may still have something
		t.endApplied(in, tenancy.Leaving)
	default:
		t.life.Emit(tenancy.Forget{})
		t.end(in)
	}
}

// renewing reports whether an exchange runs that a renew joins. A client that is
// bound again has given up, and the calls that wait for it are answered by the
// next one.
func (t *Tenancy) renewing() bool {
	return t.client.State() != dhcp4.StateBound && t.life.Waits(asksToRenew)
}

func asksToRenew(w tenancy.Waiting) bool {
	return w.Verb == tenancy.Renew && w.For == tenancy.ForNetwork
}

// leaseWanted ends a release on record, and reports whether there was one: a daemon
// that starts anew looks for a lease then, as this one does.
func (t *Tenancy) leaseWanted() bool {
	_, was := t.phase.(released)
	if was {
		t.phase = seeking{}
		t.Save()
	}
	return was
}

// refuseIPv4 answers those who await an address in a network that wants none
// used (RFC 8925).
func (t *Tenancy) refuseIPv4() {
	if t.client.State() == dhcp4.StateIPv6Only {
		t.life.AnswerAll(awaits, errno.ERROR_NOT_SUPPORTED, reason.Cause{Reason: reason.NoIPv4Wanted})
	}
}

func awaits(w tenancy.Waiting) bool { return w.Verb == tenancy.Await }

// endApplied ends the tenancy when the kernel has what was there before us: a
// link-local address would have nobody to defend it.
func (t *Tenancy) endApplied(in tenancy.Call, how tenancy.Stage) {
	t.life.Leave(how)
	t.life.Wait(in, tenancy.ForKernel)
	t.endLocal()
	if _, yes := t.phase.(informing); yes {
		t.phase = informing{}
	}
	t.tell(dhcp4.Stop{}) // no lease is to come meanwhile
	t.life.Configure()
}

// end ends the tenancy at once: there is no lease to give back, or it is kept.
func (t *Tenancy) end(in tenancy.Call) {
	t.life.Succeed(in)
	t.life.Finish(reason.ManagementEnded)
}

// releasing reports whether a release waits for the kernel, and nobody has
// asked for a lease since.
func (t *Tenancy) releasing() bool {
	return t.client.State() == dhcp4.StateReleased && t.life.Waits(releases(tenancy.ForKernel))
}

// releases returns what picks the callers whose release waits for that.
func releases(what tenancy.For) func(tenancy.Waiting) bool {
	return func(w tenancy.Waiting) bool {
		return (w.Verb == tenancy.Release || w.Verb == tenancy.End) && w.For == what
	}
}

// done takes the client's answer to a Renew or Release.
func (t *Tenancy) done(o dhcp4.Done) {
	which := asksToRenew
	if o.Op == dhcp4.OpRelease {
		which = releases(tenancy.ForNetwork)
	}
	if o.Err != nil {
		t.answerFailed(which, o.Err)
		return
	}
	if o.Op == dhcp4.OpRelease {
		t.life.LeaseUnwanted()
	}
	t.life.Advance(which)
}

// answerFailed answers calls with an error of the client.
func (t *Tenancy) answerFailed(which func(tenancy.Waiting) bool, err error) {
	code, cause := errno.ERROR_GEN_FAILURE, tenancy.Because(reason.SystemFailed, err)
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
	t.life.AnswerAll(which, code, cause)
}
