//go:build linux

// Package engine runs DHCP clients for a Go program: without a daemon, a socket or a
// configuration file, and with the program's own ports where it wants to keep records
// or configure the adapters itself.
package engine

import (
	"context"
	"log/slog"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/linux/clock"
	"github.com/lessee/lessee/internal/linux/netlink"
	"github.com/lessee/lessee/internal/linux/netns"
	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/loop"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
)

// A Config says how clients run.
type Config struct {
	// Client returns how an adapter is managed.
	Client func(netconf.Link) v4.Config
	// Store keeps the record; nil: nothing outlives the engine.
	Store loop.Store
	// Kernel returns the port that configures the adapters. It is given our own, for
	// what it does not do itself, and what answers that come later are told to; nil:
	// our own.
	Kernel func(own core.Kernel, tell func(core.Input) bool) core.Kernel
	// Say is told what happens, on the engine's goroutine; nil: nobody is.
	Say func(core.Adapter, core.Said)
}

// An Engine runs clients.
type Engine struct {
	cfg     Config
	loop    *loop.Loop
	watcher *netns.Watcher
	calls   loop.Calls[error]
	ended   chan struct{} // closed when the loop has
}

// Start starts an engine without clients. It ends with ctx; Wait returns then. Addresses
// stay as they are.
func Start(ctx context.Context, cfg Config) (*Engine, error) {
	home, err := netns.Open()
	if err != nil {
		return nil, err
	}
	kernel, err := netlink.New(home, netlink.Options{})
	if err != nil {
		_ = home.Close()
		return nil, err
	}
	poller, err := poll.New()
	if err != nil {
		kernel.Close()
		_ = home.Close()
		return nil, err
	}
	e := &Engine{cfg: cfg, ended: make(chan struct{})}
	if e.cfg.Store == nil {
		e.cfg.Store = &memory{}
	}
	var own loop.Space
	e.loop = loop.New(loop.Config{
		Home: func(l poll.Loop) loop.Space {
			own = opened(home, kernel, l)
			return own
		},
		Resolver: nobody{}, Others: nobody{}, Store: e.cfg.Store, Poller: poller, Now: clock.Now, Hooks: e,
		Kernel:  cfg.Kernel,
		Tenancy: func(_ core.NS, link netconf.Link) v4.Config { return cfg.Client(link) },
		Log:     slog.New(slog.DiscardHandler),
	})
	e.watcher = netns.NewWatcher(e.loop)
	go func() {
		defer close(e.ended)
		_ = e.loop.Run(ctx) // it fails where the kernel does not list its links
		own.Close()
		_ = poller.Close()
	}()
	return e, nil
}

// A Client is one adapter's. It does nothing before Up.
type Client struct {
	e       *Engine
	ns      core.NS
	adapter string
}

// Client returns that of an adapter in the namespace of the process.
func (e *Engine) Client(adapter string) *Client { return &Client{e: e, adapter: adapter} }

// ClientAt returns that of an adapter in the network namespace that a path leads to: a
// file in /run/netns, or one in /proc/PID/ns. Nothing of ours stays open there while
// nothing is under way. The records of its adapters are known by id, the container's.
func (e *Engine) ClientAt(path, id, adapter string) (*Client, error) {
	p, err := e.place(path, id)
	if err != nil {
		return nil, err
	}
	ns, err := e.loop.Join(p)
	return &Client{e, ns, adapter}, err
}

// Wait returns when the engine has ended.
func (e *Engine) Wait() { <-e.ended }

// Up has the adapter managed, and returns when its address is usable.
func (c *Client) Up(ctx context.Context) error {
	return c.e.call(ctx, func(id uint64, deadline boottime.Instant) core.Input {
		if _, link, ok := c.e.loop.Core().Link(c.ns, c.adapter); ok {
			return core.Up{Call: id, NS: c.ns, Link: link, Deadline: deadline}
		}
		return c.request(id, tenancy.Renew, deadline) // says why it cannot be
	})
}

// Renew extends the lease or gets one, and returns when it is usable.
func (c *Client) Renew(ctx context.Context) error { return c.verb(ctx, tenancy.Renew) }

// Release gives the lease back, and returns when the address is gone.
func (c *Client) Release(ctx context.Context) error { return c.verb(ctx, tenancy.Release) }

// Down gives the lease back and ends the management.
func (c *Client) Down(ctx context.Context) error { return c.verb(ctx, tenancy.End) }

func (c *Client) verb(ctx context.Context, v tenancy.Verb) error {
	return c.e.call(ctx, func(id uint64, deadline boottime.Instant) core.Input { return c.request(id, v, deadline) })
}

func (c *Client) request(id uint64, v tenancy.Verb, deadline boottime.Instant) core.Input {
	return core.Call{Call: id, NS: c.ns, Name: c.adapter, Verb: v, Deadline: deadline}
}

// Status returns what there is to know of the adapter.
func (c *Client) Status() (s v4.Status) {
	c.e.loop.Call(func() {
		if id, _, ok := c.e.loop.Core().Link(c.ns, c.adapter); ok {
			s = c.e.loop.Core().View(id).Status
		}
	})
	return s
}

// An Error is a call that was not carried out: a code of the contract and why.
type Error struct {
	Code  errno.Errno
	Cause reason.Cause
	Err   error // the system's, where there was one
}

func (e *Error) Error() string { return e.Code.Name() + " " + e.Cause.String() }

// Unwrap returns the system's error.
func (e *Error) Unwrap() error { return e.Err }

// forever is how long a caller without a deadline waits.
const forever = 100 * 365 * 24 * time.Hour

// call hands the core a request and waits for the answer.
func (e *Engine) call(ctx context.Context, build func(id uint64, deadline boottime.Instant) core.Input) error {
	patience := forever
	if at, ok := ctx.Deadline(); ok {
		patience = time.Until(at)
	}
	failed, err := e.calls.Ask(ctx, e.loop, loop.Cancelled, func(id uint64) core.Input {
		return build(id, e.loop.Now().Add(patience))
	})
	if err != nil {
		return err
	}
	return failed
}

// Answer implements [core.Hooks].
func (e *Engine) Answer(call uint64, r tenancy.Result, err error) {
	if r.Code != errno.NO_ERROR {
		err = &Error{r.Code, r.Cause, err}
	}
	e.calls.Answer(call, err)
}

// Say implements [core.Hooks].
func (e *Engine) Say(a core.Adapter, s core.Said) {
	if e.cfg.Say != nil {
		e.cfg.Say(a, s)
	}
}

// Unmanageable implements [core.Hooks].
func (e *Engine) Unmanageable(core.Adapter, core.Refusal) {}

// Dropped implements [core.Hooks].
func (e *Engine) Dropped(core.Adapter) {}

// Gone implements [core.Hooks].
func (e *Engine) Gone(core.ID) {}

// Discovered implements [core.Hooks].
func (e *Engine) Discovered(uint64, core.Discovery) {}
