package driver

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/reason"
)

// DefaultPatience is how long a call without a deadline waits.
const DefaultPatience = 20 * time.Second

// endPatience is how long the end of a management may take, however patient the
// caller: each request to the kernel is bounded much tighter.
const endPatience = time.Minute

// waiting has the callers who await a result.
type waiting struct {
	mu      sync.Mutex
	results map[uint64]chan tenancy.Result
}

func (w *waiting) add(id uint64) <-chan tenancy.Result {
	w.mu.Lock()
	defer w.mu.Unlock()
	c := make(chan tenancy.Result, 1)
	w.results[id] = c
	return c
}

func (w *waiting) answer(id uint64, r tenancy.Result) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if c, ok := w.results[id]; ok {
		c <- r
		delete(w.results, id)
	}
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
	return d.call(ctx, name, tenancy.Renew)
}

// Release gives the lease back; see control.Engine.
func (d *Driver) Release(ctx context.Context, name string) error {
	return d.call(ctx, name, tenancy.Release)
}

// Up manages the adapter and waits for its lease; see control.Engine.
func (d *Driver) Up(ctx context.Context, name string) error {
	if err := d.upOnce(name); err != nil {
		return err
	}
	return d.call(ctx, name, tenancy.Await)
}

func (d *Driver) upOnce(name string) error {
	d.managing.Lock()
	defer d.managing.Unlock()
	link, err := d.cfg.Kernel.LinkByName(name)
	switch {
	case errors.Is(err, netconf.ErrNoLink):
		return noAdapter("up", name)
	case err != nil:
		return systemFailed("up", name, err)
	}
	var managed bool
	if !d.do(func() { managed = d.present(link.Index) != nil }) {
		return stopped("up", name)
	}
	if managed {
		return nil
	}
	var waits *adapter
	d.do(func() {
		if waits = d.absent(link); waits != nil {
			d.rename(waits, link.Name)
		}
	})
	if waits != nil {
		return d.begin(waits, link, true)
	}
	return d.manage(link, true)
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
		ended <- d.down(own, name, verb)
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

func (d *Driver) down(ctx context.Context, name string, verb tenancy.Verb) error {
	d.managing.Lock()
	defer d.managing.Unlock()
	var a, absent *adapter
	d.do(func() {
		if a = d.find(name); a != nil {
			return
		}
		if waits, ok := d.adapters[name]; ok {
			absent = waits
			d.drop(waits)
		}
	})
	if absent != nil {
		return nil
	}
	err := d.call(ctx, name, verb)
	var settled []<-chan struct{}
	d.do(func() {
		// Also after an error the tenancy may have ended: its RELEASE did not
		// leave, or the kernel did not take the address away.
		if a == nil || a.tenancy != nil {
			return
		}
		d.drop(a)
		settled = a.settled(d)
		d.announce(a, event.Unmanaged, netconf.Link{Index: a.link().Index, Name: a.name}, "", slog.Bool("kept", verb == tenancy.EndKeep))
	})
	for _, c := range settled {
		select {
		case <-c:
		case <-ctx.Done():
		}
	}
	return err
}

// find returns the managed adapter of that name or alternative name that has a
// tenancy, nil if there is none.
func (d *Driver) find(name string) *adapter {
	if a, ok := d.adapters[name]; ok && a.tenancy != nil {
		return a
	}
	for _, a := range d.adapters {
		if a.tenancy != nil && named(a.link(), name) {
			return a
		}
	}
	return nil
}

func named(l netconf.Link, name string) bool {
	return l.Name == name || slices.Contains(l.AltNames, name)
}

// call puts a request to an adapter's tenancy and waits for the answer.
func (d *Driver) call(ctx context.Context, name string, verb tenancy.Verb) error {
	patience := DefaultPatience
	if at, ok := ctx.Deadline(); ok {
		patience = time.Until(at)
	}
	var (
		id      uint64
		result  <-chan tenancy.Result
		a       *adapter
		refusal error
		link    netconf.Link
		exists  bool
	)
	if !d.do(func() {
		if a = d.find(name); a == nil {
			link, exists, refusal = d.whyNot(name)
			return
		}
		d.nextID++
		id = d.nextID
		result = d.waiting.add(id)
		d.tell(a, tenancy.Call{ID: id, Verb: verb, Deadline: d.cfg.Clock.Now().Add(patience)})
	}) {
		return stopped(verb.String(), name)
	}
	if a == nil {
		if exists {
			if who, how, yes := d.cfg.Others.ManagerNow(link); yes {
				return managedByOther(verb, name, who, how)
			}
		}
		return d.unmanaged(verb, name, refusal, exists)
	}
	var r tenancy.Result
	cancelled := ctx.Done()
	for {
		select {
		case r = <-result:
			return d.resultError(verb, name, r, patience)
		case <-cancelled:
			cancelled = nil
			// A deadline is the tenancy's to keep: it answers at that instant.
			if errors.Is(ctx.Err(), context.Canceled) {
				d.do(func() { d.tell(a, tenancy.Cancel{ID: id}) })
			}
		case <-d.done:
			return stopped(verb.String(), name)
		}
	}
}

// whyNot says why an adapter has no tenancy, and which it is if it exists.
func (d *Driver) whyNot(name string) (link netconf.Link, exists bool, refusal error) {
	if a, ok := d.adapters[name]; ok {
		refusal = a.refused
	}
	for _, l := range d.links {
		if named(*l, name) {
			link, exists = *l, true
		}
	}
	return link, exists, refusal
}

// managedByOther says that DHCP is at work on the adapter, and not ours: the
// other program is not asked to release or renew.
func managedByOther(verb tenancy.Verb, name, who, how string) error {
	return failed(verb.String(), name, errno.ERROR_NOT_SUPPORTED, reason.Cause{Reason: reason.ManagedElsewhere, Manager: who, How: how})
}

func (d *Driver) unmanaged(verb tenancy.Verb, name string, refusal error, exists bool) error {
	switch {
	case refusal != nil:
		return failed(verb.String(), name, errno.ERROR_FILE_NOT_FOUND, causeOf(refusal))
	case !exists:
		return noAdapter(verb.String(), name)
	}
	return failed(verb.String(), name, errno.ERROR_FILE_NOT_FOUND, reason.Cause{Reason: reason.NotManaged})
}

// resultError turns a tenancy's result into the API's error. It adds how long
// the caller waited, and what becomes of the lease.
func (d *Driver) resultError(verb tenancy.Verb, name string, r tenancy.Result, patience time.Duration) error {
	if r.Code == errno.NO_ERROR {
		return nil
	}
	e := failed(verb.String(), name, r.Code, r.Cause)
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
