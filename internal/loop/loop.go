package loop

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"sync"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/fault"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
)

// A Config is what a loop works with.
type Config struct {
	// Home returns the namespace of the process; the loop serves its sockets.
	Home     func(poll.Loop) Space
	Resolver Resolver
	Store    Store
	Others   Others
	Poller   Poller
	// Now is the clock, which counts suspended time.
	Now   func() boottime.Instant
	Hooks core.Hooks
	// Tenancy returns how the adapter of a link is managed.
	Tenancy func(core.NS, netconf.Link) v4.Config
	Log     *slog.Logger
}

// A Loop runs a core. Its goroutine, that of Run, owns the core and the sockets.
type Loop struct {
	cfg  Config
	core *core.Core
	pool *pool
	done chan struct{} // closed when nothing is taken any more

	mu    sync.Mutex
	tasks []func() // for the goroutine of Run
	state state

	// Owned by the goroutine of Run.
	now     boottime.Instant
	spaces  map[core.NS]*space
	sockets map[core.ID]*socket
	keeper  *keeper
	batch   []func() // kept for the next use
	// unkept are the adapters whose records have changed in this turn: the keeper is
	// told afterwards, as that wakes a thread.
	unkept []string
	// asides wait for the end of the turn, for the same reason.
	asides []func()
	// rehearsal is held when an adapter first waits for its carrier.
	rehearsal rehearsed
}

type state uint8

const (
	running state = iota
	stopped       // tasks are not taken any more
)

// A space is a namespace in use.
type space struct {
	Space

	watch io.Closer
	// neighbours reports link addresses while somebody waits for one, nil otherwise.
	neighbours io.Closer
	waits      int // for a link address
}

// A socket is what a link's exchange needs, and counts what it refuses.
type socket struct {
	exchange packet.Exchange // nil: it is not open
	refused  Refusals
}

// Refusals count the packets that did not come to the client, by reason.
type Refusals [packet.Refusals]uint64

// New returns a loop that knows of no adapter yet.
func New(cfg Config) *Loop {
	l := &Loop{
		cfg:     cfg,
		pool:    newPool(),
		done:    make(chan struct{}),
		spaces:  make(map[core.NS]*space),
		sockets: make(map[core.ID]*socket),
		now:     cfg.Now(),
	}
	l.core = core.New(core.Config{
		Ports:   core.Ports{Kernel: l, Transport: l, Resolver: l, Store: l, Hooks: cfg.Hooks},
		Tenancy: cfg.Tenancy,
	})
	l.keeper = newKeeper(cfg.Store.Persist, func(name string, err error) { l.Tell(core.Persisted{Name: name, Err: systemError(err)}) })
	l.spaces[core.Home] = &space{Space: cfg.Home(l)}
	return l
}

// Core returns the core, which only tasks of the loop may use.
func (l *Loop) Core() *core.Core { return l.core }

// Now is the instant of the wake-up that is handled.
func (l *Loop) Now() boottime.Instant { return l.now }

// Done is closed when the loop takes nothing any more.
func (l *Loop) Done() <-chan struct{} { return l.done }

// Run serves until ctx ends. Leases, addresses and records stay as they are.
func (l *Loop) Run(ctx context.Context) error {
	defer l.end()
	stop := context.AfterFunc(ctx, l.cfg.Poller.Wake)
	defer stop()
	if err := l.enter(core.Home); err != nil {
		return err
	}
	for _, name := range l.cfg.Store.Pending() {
		l.keeper.add(name)
	}
	for ctx.Err() == nil {
		l.keep()
		at, set := l.core.Deadline()
		if _, err := l.cfg.Poller.Wait(at, set); err != nil {
			return err
		}
		l.now = l.cfg.Now()
		l.cfg.Poller.Dispatch()
		l.runTasks()
		if at, set := l.core.Deadline(); set && !at.After(l.now) {
			l.core.Handle(l.now, core.Timeout{})
		}
	}
	return nil
}

// keep has the keeper persist what has changed, and the pool do what was put aside.
func (l *Loop) keep() {
	for i, f := range l.asides {
		l.asides[i] = nil
		l.pool.do(new(aside), f)
	}
	l.asides = l.asides[:0]
	for _, name := range l.unkept {
		l.keeper.add(name)
	}
	l.unkept = l.unkept[:0]
}

// enter begins with the links of a namespace.
func (l *Loop) enter(ns core.NS) error {
	s := l.spaces[ns]
	// First the watch, then the list: what happens in between is told after it.
	watch, err := s.Kernel.Watch(l, func(n netconf.Notice) {
		switch n := n.(type) {
		case netconf.LinkChange:
			l.linkChanged(ns, n)
		case netconf.Disturbed:
			l.core.Handle(l.now, core.Disturbed{NS: ns, Notice: n})
		}
	})
	if err != nil {
		return err
	}
	s.watch = watch
	links, err := s.Kernel.Links()
	if err != nil {
		return err
	}
	for _, link := range links {
		l.core.Handle(l.now, core.LinkChanged{NS: ns, Link: link})
	}
	return nil
}

func (l *Loop) linkChanged(ns core.NS, n netconf.LinkChange) {
	l.core.Handle(l.now, core.LinkChanged{NS: ns, Link: n.Link, Gone: n.Gone})
	if n.Gone {
		id := core.ID{NS: ns, Index: n.Link.Index}
		l.close(id)
		delete(l.sockets, id)
	}
}

// end ends what runs beside the loop.
func (l *Loop) end() {
	l.mu.Lock()
	l.state = stopped
	tasks := l.tasks
	l.tasks = nil
	l.mu.Unlock()
	close(l.done)
	_ = tasks // whoever waits for one looks at done
	for id := range l.sockets {
		l.close(id)
	}
	for _, s := range l.spaces {
		if s.watch != nil {
			_ = s.watch.Close()
		}
		if s.neighbours != nil {
			_ = s.neighbours.Close()
		}
	}
	for a := range l.core.Living() {
		_ = l.ListenARP(a, nil)
		_ = l.ListenForceRenew(a, netip.Addr{})
	}
	l.keep()
	l.pool.wait()
	l.keeper.close(persistPatience)
	for a := range l.core.Living() {
		l.Leave(a)
	}
}

// Home returns the namespace of the process.
func (l *Loop) Home() Space { return l.spaces[core.Home].Space }

// Do implements [poll.Loop].
func (l *Loop) Do(f func()) { l.Submit(f) }

// Submit has f run on the loop's goroutine, soon, after everything that was posted
// before; false if the loop takes nothing any more. It is called from any goroutine.
func (l *Loop) Submit(f func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == stopped {
		return false
	}
	l.tasks = append(l.tasks, f)
	if len(l.tasks) == 1 {
		l.cfg.Poller.Wake()
	}
	return true
}

// Call runs f on the loop's goroutine and returns when it has run; false if the loop
// takes nothing any more.
func (l *Loop) Call(f func()) bool {
	ran := make(chan struct{})
	if !l.Submit(func() { f(); close(ran) }) {
		return false
	}
	select {
	case <-ran:
		return true
	case <-l.done:
		return false
	}
}

// Tell has the core handle an input, soon; false if the loop takes nothing any more.
func (l *Loop) Tell(in core.Input) bool {
	return l.Submit(func() { l.core.Handle(l.now, in) })
}

// Handle has the core handle an input. It is for tasks of the loop.
func (l *Loop) Handle(in core.Input) { l.core.Handle(l.now, in) }

// runTasks runs what was posted until now.
func (l *Loop) runTasks() {
	l.mu.Lock()
	l.batch, l.tasks = l.tasks, l.batch[:0]
	l.mu.Unlock()
	for i, f := range l.batch {
		l.batch[i] = nil
		f()
	}
}

// Add implements [poll.Loop].
func (l *Loop) Add(fd int, ready func()) error { return l.cfg.Poller.Add(fd, ready) }

// Remove implements [poll.Loop].
func (l *Loop) Remove(fd int) { l.cfg.Poller.Remove(fd) }

// Aside implements [poll.Loop].
func (l *Loop) Aside(f func()) { l.asides = append(l.asides, f) }

// An aside is the key of what Aside is given: each has its own.
type aside struct{ _ byte }

// Refused returns the packets of a link that did not come to its client.
func (l *Loop) Refused(id core.ID) Refusals {
	if s := l.sockets[id]; s != nil {
		return s.refused
	}
	return Refusals{}
}

// systemError takes an error of the system apart; nil stays nil.
func systemError(err error) error {
	if err == nil {
		return nil
	}
	if _, waits := errors.AsType[*netconf.UnresolvedError](err); waits {
		return err
	}
	if errors.Is(err, netconf.ErrLinkDown) {
		return err
	}
	return fault.Of(err)
}
