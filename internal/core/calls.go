package core

import (
	"slices"

	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/reason"
)

func (c *Core) answer(call uint64, why Refusal) {
	delete(c.calls, call)
	c.emit(Answer{Call: call, Result: tenancy.Result{Code: why.Code, Cause: why.Cause}})
}

// request passes a call on to an adapter's tenancy.
func (c *Core) request(a *adapter, in tenancy.Call) {
	c.calls[in.ID] = a.number
	c.tell(a, in)
}

// wait has a call wait until it is known whether the adapter can be managed.
func (c *Core) wait(a *adapter, p preparing, call uint64, in Input) {
	c.calls[call] = a.number
	p.waits = append(slices.Clip(p.waits), in)
	a.phase = p
}

// cancel answers a caller who gave up. What the call set going goes on.
func (c *Core) cancel(in Cancel) {
	a := c.adapters.numbered(c.calls[in.Call])
	if a == nil {
		return
	}
	p, waits := a.phase.(preparing)
	if !waits {
		c.tell(a, tenancy.Cancel{ID: in.Call})
		return
	}
	for i, w := range p.waits {
		if up, is := w.(Up); is && up.Call == in.Call {
			p.waits = slices.Delete(slices.Clone(p.waits), i, i+1)
			a.phase = p
			c.answer(in.Call, Refusal{errno.ERROR_CANCELLED, reason.Cause{Reason: reason.Cancelled}})
			return
		}
	}
}

// manage takes an adapter that the configuration names.
func (c *Core) manage(in Manage) {
	a, link, exists := c.find(in.NS, in.Name)
	if a == nil {
		a = c.add(in.NS, in.Name, false)
	}
	if _, absent := a.phase.(absent); !absent || !exists {
		c.answer(in.Call, Refusal{})
		return
	}
	c.prepare(a, link, true, dropped, in)
}

// up takes an adapter under management and awaits its lease.
func (c *Core) up(in Up) {
	id := ID{in.NS, in.Link.Index}
	if _, known := c.links.all[id]; !known {
		c.links.set(id, in.Link) // the caller knows before we do
	}
	link := c.links.all[id]
	a := c.adapters.at[id]
	if a == nil {
		fails := kept
		if a = c.awaiting(in.NS, link); a == nil {
			a, fails = c.add(in.NS, link.Name, true), dropped
		}
		c.calls[in.Call] = a.number
		c.prepare(a, link, true, fails, in)
		return
	}
	if p, yes := a.phase.(preparing); yes {
		c.wait(a, p, in.Call, in)
		return
	}
	c.request(a, tenancy.Call{ID: in.Call, Verb: tenancy.Await, Deadline: in.Deadline})
}

// call takes a request to the adapter of a name.
func (c *Core) call(in Call) {
	a, _, exists := c.find(in.NS, in.Name)
	c.callTo(a, exists, in)
}

// callTo takes a request to an adapter, nil if there is none; exists says that there
// is such a link.
func (c *Core) callTo(a *adapter, exists bool, in Call) {
	ends := in.Verb == tenancy.End || in.Verb == tenancy.EndKeep
	if a != nil {
		switch p := a.phase.(type) {
		case *living:
			if ends {
				a.verb = in.Verb
			}
			c.request(a, tenancy.Call{ID: in.Call, Verb: in.Verb, Deadline: in.Deadline})
			return
		case preparing:
			if ends {
				c.wait(a, p, in.Call, in)
				return
			}
		case absent:
			if ends {
				c.drop(a)
				c.answer(in.Call, Refusal{})
				return
			}
		}
	}
	c.answer(in.Call, whyNot(a, exists))
}

// find returns the adapter and the link of a name or alternative name. The adapter
// is nil if there is none.
func (c *Core) find(ns NS, name string) (a *adapter, link netconf.Link, exists bool) {
	id, link, exists := c.links.find(ns, name)
	if a := c.adapters.at[id]; exists && a != nil {
		return a, link, true
	}
	if a := c.adapters.named[place{ns, name}]; a != nil {
		return a, link, exists
	}
	if exists {
		return c.awaiting(ns, link), link, true
	}
	return nil, link, false
}

// whyNot says why an adapter has no tenancy.
func whyNot(a *adapter, exists bool) Refusal {
	r := Refusal{Code: errno.ERROR_FILE_NOT_FOUND, Cause: reason.Cause{Reason: reason.NotManaged}}
	if a != nil {
		if p, yes := a.phase.(absent); yes && p.why.Code != errno.NO_ERROR {
			r.Cause = p.why.Cause
			return r
		}
	}
	if !exists {
		r.Cause.Reason = reason.NoSuchAdapter
	}
	return r
}

// resumeWait goes on with a call that waited for an adapter to be managed.
func (c *Core) resumeWait(a *adapter, in Input) {
	switch in := in.(type) {
	case Manage:
		c.answer(in.Call, Refusal{})
	case Up:
		if a.living() == nil { // another caller has ended it by now
			c.up(in)
			return
		}
		c.request(a, tenancy.Call{ID: in.Call, Verb: tenancy.Await, Deadline: in.Deadline})
	case Call:
		c.callTo(c.adapters.numbered(a.number), true, in)
	}
}

// unwait answers a call that waited for an adapter that went.
func (c *Core) unwait(a *adapter, in Input) {
	switch in := in.(type) {
	case Manage:
		c.answer(in.Call, Refusal{})
	case Up:
		c.answer(in.Call, Refusal{errno.ERROR_FILE_NOT_FOUND, reason.Cause{Reason: reason.AdapterRemoved}})
	case Call:
		c.callTo(c.adapters.numbered(a.number), false, in)
	}
}
