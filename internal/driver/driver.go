package driver

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"sync"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// ErrStopped says that the driver does not run any more.
var ErrStopped = errors.New("the DHCP client service has stopped")

// An AdapterConfig says how one adapter is to be managed.
type AdapterConfig struct {
	HostName string
	ClientID []byte // option 61; empty: the hardware address
	// DUID, where set, is what the client identifier is made of, with IAID or,
	// where that is nil, the last four bytes of the hardware address (RFC 4361).
	DUID []byte
	IAID *uint32
	// Profile, Request, NoRequest, RapidCommit, IPv6Only, ForceRenew, Anonymous:
	// see [dhcp4.Config]. Adapters may share a Profile.
	Profile                                      *dhcp4.Profile
	Request, NoRequest                           []wire.OptionCode
	RapidCommit, IPv6Only, ForceRenew, Anonymous bool

	Broadcast bool
	Timing    dhcp4.Timing
	// Metric is the metric of the adapter's routes; 0: 1000 + interface index.
	Metric uint32
	// Table is the routing table; 0: the main one, or that of the adapter's VRF.
	Table uint32
	// Routes says which routes are applied.
	Routes v4.RoutePolicy
	// MTU, DNS: apply option 26, name servers.
	MTU, DNS bool
	// Conflict, LinkLocal, Inform: see [v4.Config].
	Conflict          v4.ConflictMode
	LinkLocal, Inform bool
}

// A Config is what a driver works with.
type Config struct {
	Kernel    Kernel
	Transport Transport
	Resolver  Resolver
	Store     Store
	Others    Others
	Clock     Clock
	Log       *slog.Logger
	// Wall returns the time of day; nil: time.Now.
	Wall func() time.Time
	// Seed returns the seed of a client's randomness.
	Seed func() uint64
	// Adapter returns how the adapter of that name is to be managed.
	Adapter func(name string) AdapterConfig
}

// A Driver runs tenancies. One goroutine, [Driver.Run], owns them all; whatever
// takes time (disk, kernel) runs beside it, one thing at a time per adapter and
// in the order in which the tenancy asked for it.
type Driver struct {
	cfg   Config
	hub   hub
	inbox chan func()
	done  chan struct{}
	timer Timer

	// Owned by the goroutine of Run.
	links     map[int]*netconf.Link
	adapters  map[string]*adapter // managed, present or not
	deadlines deadlines
	nextID    uint64
	resolver  string          // the resolver's file while another program's text is in it, else ""
	renames   <-chan struct{} // closed when the last renaming of a record is done; nil: there was none

	// managing is held while the set of managed adapters changes.
	managing sync.Mutex
	waiting  waiting
	effects  sync.WaitGroup
	keeper   *keeper
	traces   traces
	scans    scans
}

// New returns a driver that manages nothing yet.
func New(cfg Config) *Driver {
	if cfg.Wall == nil {
		cfg.Wall = time.Now
	}
	d := &Driver{
		cfg:      cfg,
		inbox:    make(chan func()),
		done:     make(chan struct{}),
		timer:    cfg.Clock.NewTimer(),
		links:    make(map[int]*netconf.Link),
		adapters: make(map[string]*adapter),
		waiting:  waiting{results: make(map[uint64]chan tenancy.Result)},
	}
	d.keeper = newKeeper(cfg.Store.Persist, d.persisted)
	return d
}

// persisted tells an adapter's tenancy whether its record would survive a power
// failure.
func (d *Driver) persisted(name string, err error) {
	d.do(func() {
		if a := d.adapters[name]; a != nil {
			d.tell(a, tenancy.PersistFailed{Err: systemError(err)})
		}
	})
}

// Run serves until ctx ends. Leases, addresses and records stay as they are.
func (d *Driver) Run(ctx context.Context) error {
	// First the watch, then the list: what happens in between is told after it.
	watch, err := d.cfg.Kernel.Watch(func(n netconf.Notice) {
		d.do(func() {
			switch n := n.(type) {
			case netconf.LinkChange:
				d.linkChanged(n)
			case netconf.Disturbed:
				d.disturbed(n)
			}
		})
	})
	if err != nil {
		close(d.done) // who waits for the end of Run is not to wait for ever
		return err
	}
	links, err := d.cfg.Kernel.Links()
	if err != nil {
		close(d.done)
		_ = watch.Close()
		return err
	}
	for _, l := range links {
		d.links[l.Index] = &l
	}
	for _, name := range d.cfg.Store.Pending() {
		d.keeper.add(name)
	}
	defer d.stop(watch)
	for {
		select {
		case f := <-d.inbox:
			f()
		case <-d.timer.C():
			d.expire()
		case <-ctx.Done():
			return nil
		}
	}
}

// stop ends what runs beside the loop. A caller who still waits is told.
func (d *Driver) stop(watch io.Closer) {
	close(d.done)
	_ = watch.Close()
	_ = d.timer.Close()
	d.traces.stopAll()
	for _, a := range d.adapters {
		a.enqueue(d, effect{kind: effectClose})
		a.enqueue(d, effect{kind: effectDeafen, link: a.link()})
		if a.receptive.IsValid() {
			a.enqueue(d, effect{kind: effectReceive, link: a.link()})
		}
	}
	d.effects.Wait()
	d.keeper.close(persistPatience)
	for _, a := range d.adapters {
		if a.tenancy != nil {
			d.cfg.Kernel.Unclaim(a.link())
		}
	}
}

// do runs f in the goroutine of Run and returns when it has run; false if the
// driver has stopped.
func (d *Driver) do(f func()) bool {
	ran := make(chan struct{})
	select {
	case d.inbox <- func() { f(); close(ran) }:
		<-ran
		return true
	case <-d.done:
		return false
	}
}

// expire tells every tenancy whose deadline has come.
func (d *Driver) expire() {
	now := d.cfg.Clock.Now()
	for {
		a, ok := d.deadlines.due(now)
		if !ok {
			break
		}
		d.tell(a, tenancy.Timeout{})
		if at, ok := a.deadline(); ok && !at.After(now) {
			// A deadline that its Timeout does not move would spin here.
			d.deadlines.set(a, now.Add(time.Millisecond))
		}
	}
	d.rearm()
}

// tell passes an input to an adapter's tenancy and sets going what follows.
func (d *Driver) tell(a *adapter, in tenancy.Input) {
	t := a.tenancy
	if t == nil {
		return
	}
	t.Handle(d.cfg.Clock.Now(), in)
	d.drain(a)
}

func (d *Driver) drain(a *adapter) {
	t := a.tenancy
	ended := false
	for {
		o, ok := t.Poll()
		if !ok {
			break
		}
		if _, over := o.(tenancy.Ended); over {
			ended = true
			continue
		}
		if n, ok := o.(v4.Note); ok {
			d.remember(a, n)
		}
		a.enqueue(d, effect{kind: effectOutput, tenancy: t, link: a.link(), output: o})
	}
	if a.listening && !t.Awaiting() {
		a.listening = false
		a.enqueue(d, effect{kind: effectClose})
	} else if t.Awaiting() {
		a.listening = true
	}
	if to := t.Receptive(); to != a.receptive {
		a.receptive = to
		a.enqueue(d, effect{kind: effectReceive, tenancy: t, link: a.link(), address: to})
	}
	if ended {
		a.tenancy = nil
		a.enqueue(d, effect{kind: effectDeafen, link: a.link()})
		d.cfg.Kernel.Unclaim(a.link())
		d.deadlines.remove(a)
	} else if at, ok := t.Deadline(); ok {
		d.deadlines.set(a, at)
	} else {
		d.deadlines.remove(a)
	}
	d.rearm()
}

func (d *Driver) rearm() {
	if at, ok := d.deadlines.first(); ok {
		d.timer.Reset(at)
	} else {
		d.timer.Stop()
	}
}

// wall converts an instant to the time of day, in whole seconds: the two
// clocks cannot be read at once, and nobody needs to see that.
func (d *Driver) wall(at boottime.Instant) time.Time {
	return d.cfg.Wall().Add(at.Sub(d.cfg.Clock.Now())).UTC().Truncate(time.Second)
}

// Alive returns when the driver's goroutine has answered; false if it has
// stopped. It is what a watchdog asks.
func (d *Driver) Alive() bool { return d.do(func() {}) }
