package core

import (
	"slices"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/reason"
)

// nobody is the caller of a call that is carried out though it has its answer already.
const nobody = 0

// answer answers a call that no tenancy answers.
func (c *Core) answer(call uint64, why Refusal) {
	if call == nobody {
		return
	}
	delete(c.calls, call)
	c.cfg.Hooks.Answer(call, tenancy.Result{Code: why.Code, Cause: why.Cause}, why.Err)
}

// request passes a call on to an adapter's tenancy.
func (c *Core) request(a *adapter, in tenancy.Call) {
	if in.ID != nobody {
		c.calls[in.ID] = a.number
	}
	c.tell(a, in)
}

// wait has a call wait until an adapter is managed, or is not any more.
func (c *Core) wait(a *adapter, in Input) {
	if call := callOf(in); call != nobody {
		c.calls[call] = a.number
	}
	waits := a.waits()
	*waits = append(*waits, in)
	c.arm(a)
}

// callOf returns the number of a call that waits.
func callOf(in Input) uint64 {
	switch in := in.(type) {
	case Manage:
		return in.Call
	case Up:
		return in.Call
	case Call:
		return in.Call
	}
	return nobody
}

// deadlineOf returns by when a call that waits is answered; false if it has time.
func deadlineOf(in Input) (boottime.Instant, bool) {
	switch in := in.(type) {
	case Up:
		return in.Deadline, in.Call != nobody
	case Call:
		return in.Deadline, in.Call != nobody
	}
	return 0, false
}

// answerWaits answers some of the calls that wait. What they want is still done.
func (c *Core) answerWaits(a *adapter, which func(Input) bool, why Refusal) {
	waits := a.waits()
	if waits == nil {
		return
	}
	*waits = slices.Clone(*waits)
	for i, w := range *waits {
		if call := callOf(w); call == nobody || !which(w) {
			continue
		}
		c.answer(callOf(w), why)
		switch w := w.(type) {
		case Manage:
			w.Call = nobody
			(*waits)[i] = w
		case Up:
			w.Call = nobody
			(*waits)[i] = w
		case Call:
			w.Call = nobody
			(*waits)[i] = w
		}
	}
	c.arm(a)
}

// endWaits answers the calls that waited for a tenancy which does not begin, and goes on
// with the others.
func (c *Core) endWaits(waits []Input, manage, up Refusal) {
	for _, w := range waits {
		switch w := w.(type) {
		case Manage:
			c.answer(w.Call, manage)
		case Up:
			c.answer(w.Call, up)
		default:
			c.then(w)
		}
	}
}

// expireWaits answers the calls whose time is up while they wait.
func (c *Core) expireWaits(a *adapter) {
	c.answerWaits(a, func(w Input) bool {
		at, has := deadlineOf(w)
		return has && !at.After(c.now)
	}, refuse(errno.ERROR_SEM_TIMEOUT, reason.KernelSlow))
}

// cancel answers a caller who gave up. What the call set going goes on.
func (c *Core) cancel(in Cancel) {
	if s := c.asked[in.Call]; s != nil {
		c.endScan(s, refuse(errno.ERROR_CANCELLED, reason.GaveUp))
		return
	}
	a := c.adapters.numbered(c.calls[in.Call])
	if a == nil {
		return
	}
	c.answerWaits(a, func(w Input) bool { return callOf(w) == in.Call }, refuse(errno.ERROR_CANCELLED, reason.Cancelled))
	if _, waits := c.calls[in.Call]; waits {
		c.tell(a, tenancy.Cancel{ID: in.Call})
	}
}

// manage takes an adapter that the configuration names.
func (c *Core) manage(in Manage) {
	a, link, exists := c.find(in.NS, in.Name)
	if a == nil {
		a = c.adapters.add(in.NS, in.Name)
		c.await(a, Refusal{})
	}
	a.wanted = byConfig
	switch _, absent := a.phase.(absent); {
	case a.waits() != nil:
		c.wait(a, in)
	case absent && exists:
		c.prepare(a, ID{in.NS, link.Index}, Prepare{SetUpIfDown, link.Name}, dropped, in)
	default:
		c.answer(in.Call, Refusal{})
	}
}

// up takes an adapter under management and awaits its lease.
func (c *Core) up(in Up) {
	if !Acceptable(in.Link) {
		c.answer(in.Call, refuse(errno.ERROR_NOT_SUPPORTED, reason.NoEthernet))
		return
	}
	id := ID{in.NS, in.Link.Index}
	if !c.Has(id) {
		if in.NS != Home { // all of its links are known, so this one has gone
			c.answer(in.Call, refuse(errno.ERROR_FILE_NOT_FOUND, reason.NoSuchAdapter))
			return
		}
		c.links.set(id, in.Link) // the caller knows before we do
	}
	a := c.adapters.at[id]
	if a == nil {
		fails := kept
		if a = c.waiting(in.NS, c.links.at(id)); a == nil {
			a, fails = c.adapters.add(in.NS, in.Link.Name), dropped
			a.wanted = byCall
		}
		c.prepare(a, id, Prepare{SetUpIfDown, c.links.at(id).Name}, fails, in)
		return
	}
	if a.waits() != nil {
		c.wait(a, in)
		return
	}
	c.request(a, tenancy.Call{ID: in.Call, Verb: tenancy.Await, Deadline: in.Deadline})
}

// call takes a request to the adapter of a name.
func (c *Core) call(in Call) {
	a, _, exists := c.find(in.NS, in.Name)
	if a == nil {
		c.answer(in.Call, whyNot(absent{}, exists))
		return
	}
	ends := in.Verb.Ends()
	switch p := a.phase.(type) {
	case *living:
		if !ends {
			break
		}
		leaves := &leaving{living: p, verb: in.Verb}
		a.phase = leaves
		c.request(a, tenancy.Call{ID: in.Call, Verb: in.Verb, Deadline: in.Deadline})
		if p.tenancy.Stage() == tenancy.Living { // it was refused
			a.phase = p
			c.arm(a)
		}
		return
	case *leaving: // one that ends joins
	case *preparing:
		if ends {
			c.wait(a, in)
		} else {
			c.answer(in.Call, whyNot(absent{}, exists))
		}
		return
	case absent:
		if ends {
			c.drop(a)
			c.answer(in.Call, Refusal{})
		} else {
			c.answer(in.Call, whyNot(p, exists))
		}
		return
	}
	c.request(a, tenancy.Call{ID: in.Call, Verb: in.Verb, Deadline: in.Deadline})
}

// find returns the adapter and the link of a name or alternative name. The adapter
// is nil if there is none.
func (c *Core) find(ns NS, name string) (a *adapter, link netconf.Link, exists bool) {
	id, link, exists := c.links.find(ns, name)
	if exists {
		if a = c.adapters.at[id]; a == nil {
			a = c.waiting(ns, link)
		}
		return a, link, true
	}
	return c.adapters.waits[place{ns, name}], link, false
}

// whyNot says why an adapter has no tenancy.
func whyNot(p absent, exists bool) Refusal {
	switch {
	case p.why.Code != errno.NO_ERROR:
		return Refusal{Code: errno.ERROR_FILE_NOT_FOUND, Cause: p.why.Cause}
	case !exists:
		return refuse(errno.ERROR_FILE_NOT_FOUND, reason.NoSuchAdapter)
	}
	return refuse(errno.ERROR_FILE_NOT_FOUND, reason.NotManaged)
}
