package driver

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/loop"
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
	Home     func(poll.Loop) loop.Space
	Resolver loop.Resolver
	Store    loop.Store
	Others   loop.Others
	Poller   loop.Poller
	Log      *slog.Logger
	// Now is the clock, which counts suspended time.
	Now func() boottime.Instant
	// Wall returns the time of day; nil: time.Now.
	Wall func() time.Time
	// Seed returns the seed of a client's randomness.
	Seed func() uint64
	// Adapter returns how the adapter of that name is to be managed.
	Adapter func(name string) AdapterConfig
	// Record, where set, puts a recorder between the core and its ports.
	Record func(core.Config) core.Config
}

// A Driver serves the API by a loop: it passes calls on, and gives what the core knows
// the forms of the API.
type Driver struct {
	cfg    Config
	loop   *loop.Loop
	hub    hub
	calls  loop.Calls[answer]
	traces traces
}

// New returns a driver that manages nothing yet.
func New(cfg Config) *Driver {
	if cfg.Wall == nil {
		cfg.Wall = time.Now
	}
	d := &Driver{cfg: cfg}
	d.loop = loop.New(loop.Config{
		Home: cfg.Home, Resolver: cfg.Resolver, Store: cfg.Store, Others: cfg.Others, Poller: cfg.Poller,
		Now: cfg.Now, Hooks: d, Tenancy: d.tenancyConfig, Log: cfg.Log, Record: cfg.Record,
	})
	return d
}

// Run serves until ctx ends. Leases, addresses and records stay as they are.
func (d *Driver) Run(ctx context.Context) error {
	defer d.traces.stopAll()
	return d.loop.Run(ctx)
}

// do runs f in the loop's goroutine and returns when it has run; false if the
// driver has stopped.
func (d *Driver) do(f func()) bool { return d.loop.Call(f) }

// wall converts an instant to the time of day, in whole seconds: the two
// clocks cannot be read at once, and nobody needs to see that.
func (d *Driver) wall(at boottime.Instant) time.Time {
	return wallAt(d.cfg.Wall(), at, d.cfg.Now())
}

// wallAt is the time of day at an instant, if it is wall now.
func wallAt(wall time.Time, at, now boottime.Instant) time.Time {
	return wall.Add(at.Sub(now)).UTC().Truncate(time.Second)
}

// Alive returns when the loop's goroutine has answered; false if it has
// stopped. It is what a watchdog asks.
func (d *Driver) Alive() bool { return d.do(func() {}) }
