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
	"github.com/lessee/lessee/internal/core"
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

// A Driver runs the core. One goroutine, [Driver.Run], owns it; whatever takes time
// (disk, kernel) runs beside it, one thing at a time per adapter and in the order in
// which the core asked for it.
type Driver struct {
	cfg   Config
	hub   hub
	inbox chan func()
	done  chan struct{}
	timer Timer

	// Owned by the goroutine of Run.
	core    *core.Core
	workers map[core.Number]*worker
	lastID  uint64
	renames <-chan struct{} // closed when the last renaming of a record is done; nil: there was none

	// preparing is held while it is found out whether an adapter can be managed.
	preparing sync.Mutex
	waiting   waiting
	effects   sync.WaitGroup
	keeper    *keeper
	traces    traces
	scans     scans
}

// New returns a driver that manages nothing yet.
func New(cfg Config) *Driver {
	if cfg.Wall == nil {
		cfg.Wall = time.Now
	}
	d := &Driver{
		cfg:     cfg,
		inbox:   make(chan func()),
		done:    make(chan struct{}),
		timer:   cfg.Clock.NewTimer(),
		workers: make(map[core.Number]*worker),
		waiting: waiting{results: make(map[uint64]chan tenancy.Result)},
	}
	d.core = core.New(core.Config{Tenancy: d.tenancyConfig})
	d.keeper = newKeeper(cfg.Store.Persist, d.persisted)
	return d
}

// persisted tells the core whether a record would survive a power failure.
func (d *Driver) persisted(name string, err error) {
	d.tell(core.Persisted{Name: name, Err: systemError(err)})
}

// Run serves until ctx ends. Leases, addresses and records stay as they are.
func (d *Driver) Run(ctx context.Context) error {
	// First the watch, then the list: what happens in between is told after it.
	watch, err := d.cfg.Kernel.Watch(func(n netconf.Notice) {
		switch n := n.(type) {
		case netconf.LinkChange:
			d.tell(core.LinkChanged{Link: n.Link, Gone: n.Gone})
			if n.Gone {
				d.traces.endAll(n.Link.Index)
			}
		case netconf.Disturbed:
			d.tell(core.Disturbed{Notice: n})
		}
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
		d.handle(core.LinkChanged{Link: l})
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
			d.handle(core.Timeout{})
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
	for a := range d.core.Living() {
		w := d.worker(a)
		w.enqueue(d, effect{kind: effectClose, Adapter: a})
		w.enqueue(d, effect{kind: effectDeafen, Adapter: a})
		w.enqueue(d, effect{kind: effectReceive, Adapter: a})
	}
	d.effects.Wait()
	d.keeper.close(persistPatience)
	for a := range d.core.Living() {
		d.cfg.Kernel.Unclaim(a.Link)
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

// tell has the core handle an input; false if the driver has stopped.
func (d *Driver) tell(in core.Input) bool { return d.do(func() { d.handle(in) }) }

// handle hands an input to the core and sets going what follows. It belongs to the
// driver's goroutine.
func (d *Driver) handle(in core.Input) {
	d.core.Handle(d.cfg.Clock.Now(), in)
	for {
		o, ok := d.core.Poll()
		if !ok {
			break
		}
		d.begin(o)
	}
	d.rearm()
}

// begin sets an output of the core going.
func (d *Driver) begin(o core.Output) {
	switch o := o.(type) {
	case core.Do:
		d.worker(o.Adapter).enqueue(d, effect{kind: effectOutput, Adapter: o.Adapter, output: o.What})
	case core.Close:
		d.worker(o.Adapter).enqueue(d, effect{kind: effectClose, Adapter: o.Adapter})
	case core.Receive:
		d.worker(o.Adapter).enqueue(d, effect{kind: effectReceive, Adapter: o.Adapter, address: o.Address})
	case core.Leave:
		d.leave(o)
	case core.Dropped:
		delete(d.workers, o.Of)
	case core.Prepare:
		go d.prepare(o)
	case core.Rename:
		d.rename(o)
	case core.Say:
		d.announce(o)
	case core.Unmanageable:
		d.cfg.Log.Error("the adapter cannot be managed", "adapter", o.Name, "error", refusalError("up", o.Name, o.Why))
	case core.Answer:
		d.waiting.answer(o.Call, o.Result)
	}
}

func (d *Driver) rearm() {
	if at, ok := d.core.Deadline(); ok {
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
