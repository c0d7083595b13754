package loop

import (
	"context"
	"errors"
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
	// Home opens the namespace of the process; the loop serves its sockets.
	Home     func(poll.Loop) Space
	Resolver Resolver
	Store    Store
	Others   Others
	Poller   Poller
	// Now is the clock, which counts suspended time.
	Now   func() boottime.Instant
	Hooks core.Hooks
	// Kernel returns the port that configures the adapters: it is given the loop's own,
	// and what answers that come later are told to; nil: the loop's own.
	Kernel func(own core.Kernel, tell func(core.Input) bool) core.Kernel
	// Tenancy returns how the adapter of a link is managed.
	Tenancy func(core.NS, netconf.Link) v4.Config
	Log     *slog.Logger
	// Record, where set, puts a recorder between the core and its ports.
	Record func(core.Config) core.Config
}

// A Loop runs a core. Its goroutine, that of Run, owns the core and the sockets.
type Loop struct {
	cfg  Config
	core *core.Core
	pool *pool
	// closing closes sockets.
	closing *pool
	done    chan struct{} // closed when nothing is taken any more
	home    Space

	mu    sync.Mutex
	tasks []func() // for the goroutine of Run
	state state

	// Owned by the goroutine of Run.
	now     boottime.Instant
	spaces  map[core.NS]*space
	places  map[any]*space    // by identity
	records map[string]*space // by the id of their records
	lastNS  core.NS
	visited []*space // others than that of the process, which are open
	keeper  *keeper
	batch   []func() // kept for the next use
	// unkept are the adapters whose records have changed in this turn: the keeper is
	// told afterwards, as that wakes a thread.
	unkept []string
	// asides and said wait for the end of the turn, too: no event or job stands between
	// a packet and its answer.
	asides []func()
	said   []saying
	// rehearsal is held when an adapter first waits for its carrier.
	rehearsal rehearsed
}

type state uint8

const (
	running state = iota
	stopped       // tasks are not taken any more
)

// Refusals count the packets that did not come to the client, by reason.
type Refusals [packet.Refusals]uint64

// A saying is an event that was not reported yet.
type saying struct {
	core.Adapter
	core.Said
}

// hooks are those of the loop's user, but events come at the end of the turn.
type hooks struct {
	core.Hooks
	l *Loop
}

// Say implements [core.Hooks].
func (h hooks) Say(a core.Adapter, s core.Said) { h.l.said = append(h.l.said, saying{a, s}) }

// New returns a loop that knows of no adapter yet.
func New(cfg Config) *Loop {
	l := &Loop{
		cfg:     cfg,
		pool:    newPool(workers),
		closing: newPool(closers),
		done:    make(chan struct{}),
		spaces:  make(map[core.NS]*space),
		places:  make(map[any]*space),
		records: make(map[string]*space),
		now:     cfg.Now(),
	}
	var kernel core.Kernel = l
	if cfg.Kernel != nil {
		kernel = cfg.Kernel(l, l.Tell)
	}
	how := core.Config{
		Ports:   core.Ports{Kernel: kernel, Transport: l, Resolver: l, Store: l, Hooks: hooks{cfg.Hooks, l}},
		Tenancy: func(ns core.NS, link netconf.Link) v4.Config { return abroad(ns, cfg.Tenancy(ns, link)) },
	}
	if cfg.Record != nil {
		how = cfg.Record(how)
	}
	l.core = core.New(how)
	l.keeper = newKeeper(cfg.Store.Persist, l.persisted)
	l.home = cfg.Home(l)
	l.spaces[core.Home] = newSpace(core.Home, Place{})
	l.spaces[core.Home].Space = l.home
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
	l.now = l.cfg.Now()
	stop := context.AfterFunc(ctx, l.cfg.Poller.Wake)
	defer stop()
	home := l.spaces[core.Home]
	// First the watch, then the list: what happens in between is told after it.
	if err := l.watch(home); err != nil {
		return err
	}
	links, err := home.Kernel.Links()
	if err != nil {
		return err
	}
	for _, link := range links {
		l.core.Handle(l.now, core.LinkChanged{Link: link})
	}
	for _, name := range l.cfg.Store.Pending() {
		l.keeper.add(name)
	}
	for ctx.Err() == nil {
		l.afterwards()
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

// persisted tells whether a record would survive a power failure.
func (l *Loop) persisted(record string, err error) {
	l.Do(func() {
		if ns, name, ok := l.adapterOf(record); ok {
			l.core.Handle(l.now, core.Persisted{NS: ns, Name: name, Err: systemError(err)})
		}
	})
}

// afterwards does what waits for the end of a turn: what others are told of, what the
// pool does, what the keeper persists.
func (l *Loop) afterwards() {
	for i, s := range l.said {
		l.said[i] = saying{}
		l.cfg.Hooks.Say(s.Adapter, s.Said)
	}
	l.said = l.said[:0]
	l.leaveIdle() // before the pool is given what is to be closed: nothing may wake the loop for long
	for i, f := range l.asides {
		l.asides[i] = nil
		l.closing.do(new(aside), f)
	}
	l.asides = l.asides[:0]
	for _, name := range l.unkept {
		l.keeper.add(name)
	}
	l.unkept = l.unkept[:0]
}

func (l *Loop) linkChanged(ns core.NS, n netconf.LinkChange) {
	l.core.Handle(l.now, core.LinkChanged{NS: ns, Link: n.Link, Gone: n.Gone})
	s := l.spaces[ns]
	switch {
	case s == nil:
	case n.Gone:
		s.close(n.Link.Index)
		delete(s.refused, n.Link.Index)
	case s.Transport != nil:
		if err := s.Transport.Recheck(n.Link); err != nil {
			l.cfg.Log.Warn("ARP and FORCERENEW are not heard", "adapter", n.Link.Name, "error", err)
		}
	}
}

// end ends what runs beside the loop.
func (l *Loop) end() {
	l.mu.Lock()
	l.state = stopped
	l.tasks = nil // whoever waits for one looks at done
	l.mu.Unlock()
	close(l.done)
	for a := range l.core.Living() {
		if s := l.spaces[a.NS]; s != nil && s.Kernel != nil {
			_ = l.ListenARP(a, nil)
			_ = l.ListenForceRenew(a, netip.Addr{})
		}
	}
	for _, s := range l.spaces {
		if s.ns == core.Home {
			continue
		}
		if s.Kernel != nil {
			l.leave(s)
		}
		_ = s.end.Close()
	}
	l.spaces[core.Home].fallSilent()
	l.afterwards()
	l.pool.wait(persistPatience)
	l.closing.wait(persistPatience)
	l.keeper.close(persistPatience)
	for a := range l.core.Living() {
		if a.NS == core.Home {
			l.Leave(a)
		}
	}
}

// Home returns the namespace of the process. It may be called from any goroutine.
func (l *Loop) Home() Space { return l.home }

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
func (l *Loop) Aside(f func()) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.state == stopped {
		go f() // what is closed after the end
		return
	}
	l.asides = append(l.asides, f)
}

// An aside is the key of what Aside is given: each has its own.
type aside struct{ _ byte }

// Refused returns the packets of a link that did not come to its client.
func (l *Loop) Refused(id core.ID) Refusals {
	if in := l.spaces[id.NS]; in != nil {
		if r := in.refused[id.Index]; r != nil {
			return *r
		}
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
