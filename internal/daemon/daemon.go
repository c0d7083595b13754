// Package daemon is the DHCP client service: it reads the configuration, puts
// the driver, the kernel, the lease store and the control API together, and
// takes them apart again.
package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/lessee/lessee"
	"github.com/lessee/lessee/internal/control"
	"github.com/lessee/lessee/internal/driver"
	"github.com/lessee/lessee/internal/leases"
	"github.com/lessee/lessee/internal/linux/clients"
	"github.com/lessee/lessee/internal/linux/clock"
	"github.com/lessee/lessee/internal/linux/netlink"
	"github.com/lessee/lessee/internal/linux/netns"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/linux/resolver"
	"github.com/lessee/lessee/internal/loop"
)

// DefaultState is the state folder. NoState keeps none.
const (
	DefaultState = "/var/lib/lessee"
	NoState      = "none"
)

// Options say how a daemon runs.
type Options struct {
	// Adapters are managed from the start, besides those of the configuration.
	Adapters []string
	// ConfigPath is the configuration file; empty: DefaultConfig.
	// ConfigRequired makes its absence an error.
	ConfigPath     string
	ConfigRequired bool
	// SocketPath is the control socket, StateDir the state folder or NoState; empty:
	// the defaults.
	SocketPath, StateDir string
	// RunDir is the folder for what a process leaves to the next one of the same
	// boot, best on a tmpfs; empty: the control socket's folder.
	RunDir string
	// Record is the file of a recording to be made; empty: none is.
	Record string
	// Verbose logs packets and states too.
	Verbose bool
	// Log receives the log; nil: standard error.
	Log io.Writer
}

// farewell is how long clients have to take their last answer when the daemon stops.
const farewell = 2 * time.Second

// Run runs the service until ctx ends; then it leaves addresses, routes and
// leases as they are and returns nil. Any other end is an error that says what
// failed and what to do.
func Run(ctx context.Context, o Options) error {
	required := o.ConfigRequired
	if o.ConfigPath == "" {
		o.ConfigPath = DefaultConfig
	}
	if o.StateDir == "" {
		o.StateDir = DefaultState
	}
	if o.SocketPath == "" {
		o.SocketPath = lessee.DefaultSocket
	}
	if o.RunDir == "" {
		o.RunDir = filepath.Dir(o.SocketPath)
	}
	state := o.StateDir
	if state == NoState {
		state = ""
	}
	config, err := LoadConfig(o.ConfigPath, required)
	if err != nil {
		return err
	}
	if err := permitted(); err != nil {
		return err
	}
	log, endLog := newLog(o.Log, o.Verbose || config.Verbose)
	defer endLog()
	others := clients.New()
	others.Ahead()

	listener, err := control.Listen(o.SocketPath)
	if err != nil {
		return err
	}
	defer listener.Close()
	store, err := leases.Open(leases.Options{Run: o.RunDir, State: state, Log: log})
	if err != nil {
		return err
	}
	defer store.Close()
	space, err := netns.Open()
	if err != nil {
		return err
	}
	defer space.Close()
	kernel, err := netlink.New(space, netlink.Options{})
	if err != nil {
		return err
	}
	defer kernel.Close()
	poller, err := poll.New()
	if err != nil {
		return err
	}
	defer poller.Close()
	var transport *packet.Transport
	var engine *driver.Driver
	names, err := resolver.New(space, resolver.Options{
		Mode:     resolver.Mode(config.DNS.Mode),
		StateDir: cmp.Or(state, o.RunDir),
		Log:      log,
		Changed: func(path string, by resolver.Writer) {
			if by == resolver.Us {
				path = ""
			}
			engine.ResolverChanged(path)
		},
	})
	if err != nil {
		return err
	}
	defer names.Close()

	record, end, err := beginRecording(o.Record, log)
	if err != nil {
		return err
	}
	defer end()
	engine = driver.New(driver.Config{
		Home: func(l poll.Loop) loop.Space {
			transport = packet.New(space, kernel, l)
			return loop.Space{Kernel: kernel, Transport: transport}
		},
		Resolver: names,
		Store:    store,
		Others:   others,
		Poller:   poller,
		Now:      clock.Now,
		Log:      log,
		Seed:     rand.Uint64,
		Adapter:  config.adapter,
		Record:   record,
	})
	defer transport.Close()
	server := control.NewServer(engine, control.Options{
		Version: lessee.Build(),
		Logger:  log,
	})
	return serve(ctx, engine, server, listener, log, func() error {
		return manage(engine, store, slices.Concat(config.Adapters, o.Adapters), log)
	})
}

// serve runs the engine and the API's server side by side until ctx ends or
// one of them fails.
func serve(ctx context.Context, engine *driver.Driver, server *control.Server, l *control.Listener, log *slog.Logger, begin func() error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		// The cause is set even where err is nil, which is fine: ctx has ended then.
		cancel(engine.Run(ctx))
	}()
	if err := begin(); err != nil {
		cancel(err)
	} else {
		// Who calls meanwhile waits in the socket's queue: an adapter that is
		// about to be managed is not to be told of as one that is not.
		go func() { //nolint:contextcheck // Serve ends with Shutdown
			if err := server.Serve(l); err != nil {
				cancel(err)
			}
		}()
		log.Info("ready", "socket", l.Addr().String(), "pid", os.Getpid())
		stop := announce(ctx, engine.Alive, log)
		defer stop()
	}
	<-ctx.Done()
	log.Info("stopping; addresses and leases stay")
	<-ended
	last, done := context.WithTimeout(context.WithoutCancel(ctx), farewell)
	defer done()
	_ = server.Shutdown(last) // who has not listened until now will not
	if cause := context.Cause(ctx); !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}

// manage begins with the adapters that the configuration, the command line or
// an earlier call of this boot names. It fails if none of them can be managed.
func manage(engine *driver.Driver, store *leases.Store, names []string, log *slog.Logger) error {
	names = append(names, store.Up()...)
	var failures []error
	slices.Sort(names)
	names = slices.Compact(names)
	for _, name := range names {
		if err := engine.Manage(name); err != nil {
			log.Error("the adapter cannot be managed", "adapter", name, "error", err)
			failures = append(failures, err)
		}
	}
	if len(names) > 0 && len(failures) == len(names) {
		return fmt.Errorf("none of the adapters can be managed: %w", errors.Join(failures...))
	}
	return nil
}
