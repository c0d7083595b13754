package driver

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/loop"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/reason"
)

// DefaultPatience is how long a call without a deadline waits.
const DefaultPatience = 20 * time.Second

// endPatience is how long the end of a management may take, however patient the
// caller: each request to the kernel is bounded much tighter.
const endPatience = time.Minute

// An answer is what comes of a call. err is the system's error where there was one,
// discovery what a Discover found.
type answer struct {
	tenancy.Result

	err       error
	discovery core.Discovery
}

// Adapters lists all adapters but loopback; see control.Engine.
func (d *Driver) Adapters(context.Context) ([]lessee.Adapter, error) {
	views, err := d.views(func(netconf.Link) bool { return true })
	if err != nil {
		return nil, err
	}
	all := make([]lessee.Adapter, 0, len(views))
	for _, v := range views {
		all = append(all, d.describe(v, false))
	}
	slices.SortFunc(all, func(a, b lessee.Adapter) int { return cmp.Compare(a.Index, b.Index) })
	return all, nil
}

// Adapter describes one adapter; see control.Engine.
func (d *Driver) Adapter(_ context.Context, name string) (lessee.Adapter, error) {
	views, err := d.views(func(l netconf.Link) bool { return named(l, name) })
	if err != nil {
		return lessee.Adapter{}, err
	}
	if len(views) == 0 {
		return lessee.Adapter{}, noAdapter("show", name)
	}
	return d.describe(views[0], true), nil
}

// Subscribe hands out events; see control.Engine.
func (d *Driver) Subscribe() (<-chan lessee.Event, func()) { return d.hub.subscribe() }

// Renew extends the lease or gets one; see control.Engine.
func (d *Driver) Renew(ctx context.Context, name string) error {
	return d.request(ctx, name, tenancy.Renew)
}

// Release gives the lease back; see control.Engine.
func (d *Driver) Release(ctx context.Context, name string) error {
	return d.request(ctx, name, tenancy.Release)
}

// Up manages the adapter and waits for its lease; see control.Engine.
func (d *Driver) Up(ctx context.Context, name string) error {
	const verb = tenancy.Await
	link, err := d.loop.Home().Kernel.LinkByName(name)
	switch {
	case errors.Is(err, netconf.ErrNoLink):
		return noAdapter(verb.String(), name)
	case err != nil:
		return systemFailed(verb.String(), name, err)
	}
	return d.call(ctx, name, verb, func(id uint64, deadline boottime.Instant) core.Input {
		return core.Up{Call: id, Link: link, Deadline: deadline}
	})
}

// Down ends the management; see control.Engine. A caller who gives up does not
// stop it: half ended, the adapter would be taken up again.
func (d *Driver) Down(ctx context.Context, name string, keep bool) error {
	verb := tenancy.End
	if keep {
		verb = tenancy.EndKeep
	}
	ended := make(chan error, 1)
	go func() {
		own, cancel := context.WithTimeout(context.WithoutCancel(ctx), endPatience)
		defer cancel()
		ended <- d.request(own, name, verb)
	}()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	if errors.Is(ctx.Err(), context.Canceled) {
		return failed(verb.String(), name, errno.ERROR_CANCELLED, reason.Cause{Reason: reason.Cancelled})
	}
	return failed(verb.String(), name, errno.ERROR_SEM_TIMEOUT, reason.Cause{Reason: reason.KernelSlow})
}

func named(l netconf.Link, name string) bool {
	return l.Name == name || slices.Contains(l.AltNames, name)
}

// request puts a request to an adapter and waits for the answer.
func (d *Driver) request(ctx context.Context, name string, verb tenancy.Verb) error {
	return d.call(ctx, name, verb, func(id uint64, deadline boottime.Instant) core.Input {
		return core.Call{Call: id, Name: name, Verb: verb, Deadline: deadline}
	})
}

// ask hands the core an input and returns what comes of it; see [loop.Calls].
func (d *Driver) ask(ctx context.Context, op, name string, givesUp func(error) bool, build func(id uint64) core.Input) (answer, error) {
	a, err := d.calls.Ask(ctx, d.loop, givesUp, build)
	if err != nil {
		return answer{}, stopped(op, name)
	}
	return a, nil
}

// call hands the core a caller's request and waits for the answer.
func (d *Driver) call(ctx context.Context, name string, verb tenancy.Verb, build func(id uint64, deadline boottime.Instant) core.Input) error {
	patience := DefaultPatience
	if at, ok := ctx.Deadline(); ok {
		patience = time.Until(at)
	}
	a, err := d.ask(ctx, verb.String(), name, loop.Cancelled, func(id uint64) core.Input {
		return build(id, d.loop.Now().Add(patience))
	})
	if err != nil {
		return err
	}
	return d.resultError(verb, name, a, patience)
}

// Answer implements [core.Hooks].
func (d *Driver) Answer(call uint64, r tenancy.Result, err error) {
	d.calls.Answer(call, answer{Result: r, err: err})
}

// Discovered implements [core.Hooks].
func (d *Driver) Discovered(call uint64, found core.Discovery) {
	d.calls.Answer(call, answer{discovery: found})
}

// managedByOther says that DHCP is at work on the adapter, and not ours: the
// other program is not asked to release or renew.
func managedByOther(verb tenancy.Verb, name, who, how string) error {
	return failed(verb.String(), name, errno.ERROR_NOT_SUPPORTED, reason.Cause{Reason: reason.ManagedElsewhere, Manager: who, How: how})
}

// unmanaged finds a link that exists and is not managed by us.
func (d *Driver) unmanaged(name string) (link netconf.Link, yes bool) {
	d.do(func() {
		var id core.ID
		if id, link, yes = d.loop.Core().Link(core.Home, name); yes {
			yes = d.loop.Core().View(id).Of == 0
		}
	})
	return link, yes
}

// resultError turns a tenancy's result into the API's error. It adds how long
// the caller waited, and what becomes of the lease.
func (d *Driver) resultError(verb tenancy.Verb, name string, r answer, patience time.Duration) error {
	if r.Code == errno.NO_ERROR {
		return nil
	}
	if r.Code == errno.ERROR_FILE_NOT_FOUND && verb != tenancy.Await {
		if link, unmanaged := d.unmanaged(name); unmanaged {
			if who, how, yes := d.cfg.Others.ManagerNow(link); yes {
				return managedByOther(verb, name, who, how)
			}
		}
	}
	e := failed(verb.String(), name, r.Code, r.Cause)
	e.Err = r.err
	if r.Code != errno.ERROR_SEM_TIMEOUT {
		return e
	}
	if e.Cause.Reason == reason.NoServer {
		e.Cause.Timeout = reason.Duration(roundPatience(patience))
	}
	switch {
	case !r.Held.Valid() || e.Cause.Reason == reason.KernelSlow:
	case r.Held.Ends != 0:
		e.Cause.Expires = d.wall(r.Held.Ends)
	default:
		e.Cause.Infinite = true
	}
	return e
}

// roundPatience takes away what the way to us cost: the caller said "20s".
func roundPatience(d time.Duration) time.Duration {
	if d < 900*time.Millisecond {
		return max(d.Round(10*time.Millisecond), time.Millisecond)
	}
	return d.Round(100 * time.Millisecond)
}
