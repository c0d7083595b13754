package loop

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A scene is a loop on a virtual clock, with network namespaces that are none. It notes
// what is asked of them, and what the loop's user is told. Its server answers at once.
type scene struct {
	t    *testing.T
	loop *Loop
	now  func() boottime.Instant
	home *stage
	end  context.CancelFunc
	over chan error

	calls Calls[outcome]

	mu      sync.Mutex
	notes   []string
	records map[string]v4.Record
	manager string           // who else manages all links of the namespace of the process
	fail    map[string]error // of a port, by what it is asked
}

// An outcome is what a call is answered.
type outcome struct {
	code errno.Errno
	err  error
}

// play runs a test on a scene whose namespace has these links.
func play(t *testing.T, f func(*scene), links ...netconf.Link) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		s := &scene{
			t: t, records: make(map[string]v4.Record), fail: make(map[string]error), over: make(chan error, 1),
			now: func() boottime.Instant { return boottime.Instant(time.Hour + time.Since(start)) },
		}
		s.home = s.place("home", links...)
		s.loop = New(Config{
			Home:     func(poll.Loop) Space { return Space{Kernel: s.home, Transport: s.home} },
			Resolver: s, Store: s, Others: s, Hooks: s,
			Poller: &idlePoller{s.now, make(chan struct{}, 1)},
			Now:    s.now,
			Tenancy: func(_ core.NS, l netconf.Link) v4.Config {
				return v4.Config{
					DHCP4:    dhcp4.Config{HardwareType: 1, HardwareAddr: l.HardwareAddr, Seed: 1, ForceRenew: true},
					Policy:   v4.Policy{Metric: 1002, DNS: true},
					Conflict: v4.ConflictOptimistic,
				}
			},
			Log: slog.New(slog.DiscardHandler),
		})
		ctx, cancel := context.WithCancel(t.Context())
		s.end = cancel
		go func() { s.over <- s.loop.Run(ctx) }()
		synctest.Wait()
		f(s)
		s.stop()
	})
}

// stop ends the loop.
func (s *scene) stop() {
	s.end()
	select {
	case err := <-s.over:
		if err != nil {
			s.t.Errorf("the loop ended with %v", err)
		}
		s.over <- nil
	case <-time.After(time.Minute):
		s.t.Fatal("the loop does not end")
	}
	synctest.Wait()
}

// note notes what was asked for.
func (s *scene) note(format string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.notes = append(s.notes, fmt.Sprintf(format, args...))
}

// set has a port fail in what it is asked, or not any more.
func (s *scene) set(of string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail[of] = err
}

// failure returns how a port fails.
func (s *scene) failure(of string) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.fail[of]
}

func (s *scene) fails(of string) bool { return s.failure(of) != nil }

// noted awaits that all is done that follows from what was, and returns the notes since
// the last time that begin with one of these words; without any: all.
func (s *scene) noted(words ...string) []string {
	synctest.Wait()
	s.mu.Lock()
	defer s.mu.Unlock()
	all := s.notes
	s.notes = nil
	return slices.DeleteFunc(all, func(n string) bool {
		return len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(n, w) })
	})
}

// want compares the notes.
func (s *scene) want(what string, got []string, want ...string) {
	s.t.Helper()
	if !slices.Equal(got, want) {
		s.t.Errorf("%s:\n got %q\nwant %q", what, got, want)
	}
}

// ask has the core handle a call, and returns its answer.
func (s *scene) ask(build func(call uint64, deadline boottime.Instant) core.Input) outcome {
	s.t.Helper()
	o, err := s.calls.Ask(s.t.Context(), s.loop, Cancelled, func(call uint64) core.Input {
		return build(call, s.loop.Now().Add(30*time.Second))
	})
	if err != nil {
		s.t.Errorf("a call ends with %v", err)
	}
	return o
}

func (s *scene) up(ns core.NS, name string) outcome {
	s.t.Helper()
	return s.ask(func(call uint64, deadline boottime.Instant) core.Input {
		_, link, _ := s.loop.Core().Link(ns, name)
		return core.Up{Call: call, NS: ns, Link: link, Deadline: deadline}
	})
}

func (s *scene) call(ns core.NS, name string, verb tenancy.Verb) outcome {
	s.t.Helper()
	return s.ask(func(call uint64, deadline boottime.Instant) core.Input {
		return core.Call{Call: call, NS: ns, Name: name, Verb: verb, Deadline: deadline}
	})
}

// well checks that a call was carried out.
func (s *scene) well(what string, o outcome) {
	s.t.Helper()
	if o.code != errno.NO_ERROR || o.err != nil {
		s.t.Errorf("%s: %v, %v", what, o.code, o.err)
	}
}

// A stage is a namespace of a scene: its kernel and its transport.
type stage struct {
	s    *scene
	name string

	// Of the loop's goroutine, or while it sleeps.
	links     []netconf.Link
	tell      func(netconf.Notice)
	learn     func(index int, host netip.Addr, link []byte)
	deliver   map[int]func(packet.Datagram)
	refuse    map[int]func(packet.Refusal, uint64)
	hear      map[int]func(packet.ARP)
	force     map[int]func(packet.Datagram)
	neighbour map[netip.Addr]net.HardwareAddr
	missing   []netconf.Object
	gone      func()
}

func (s *scene) place(name string, links ...netconf.Link) *stage {
	return &stage{
		s: s, name: name, links: links, neighbour: make(map[netip.Addr]net.HardwareAddr),
		deliver: make(map[int]func(packet.Datagram)), refuse: make(map[int]func(packet.Refusal, uint64)),
		hear: make(map[int]func(packet.ARP)), force: make(map[int]func(packet.Datagram)),
	}
}

// where returns how the loop finds the namespace.
func (p *stage) where() Place {
	return Place{
		Identity: p.name, ID: "id-" + p.name,
		Enter: func(poll.Loop) (Space, error) {
			if err := p.s.failure("enter " + p.name); err != nil {
				return Space{}, err
			}
			p.s.note("enter %s", p.name)
			return Space{Kernel: p, Transport: p, Close: func() {
				p.s.note("leave %s", p.name)
				p.s.loop.Aside(func() { p.s.note("closed %s", p.name) })
			}}, nil
		},
		Watch: func(gone func()) (io.Closer, error) {
			p.gone = gone
			return p.closer("the watch of " + p.name), p.s.failure("watch " + p.name)
		},
	}
}

func link(index int, name string) netconf.Link {
	return netconf.Link{Index: index, Name: name, HardwareType: 1, HardwareAddr: []byte{2, 0, 0, 0, 0, byte(index)}, MTU: 1500, Up: true, Carrier: true}
}

type closer func()

func (c closer) Close() error { c(); return nil }

func (p *stage) closer(what string) io.Closer {
	return closer(func() { p.s.note("close %s", what) })
}

func (p *stage) Links() ([]netconf.Link, error) { return slices.Clone(p.links), p.s.failure("links") }

func (p *stage) LinkByName(string) (netconf.Link, error) { return netconf.Link{}, netconf.ErrNoLink }

func (p *stage) LinkByIndex(index int) (netconf.Link, error) {
	for _, l := range p.links {
		if l.Index == index {
			return l, nil
		}
	}
	return netconf.Link{}, netconf.ErrNoLink
}

func (p *stage) Watch(_ poll.Loop, notify func(netconf.Notice)) (io.Closer, error) {
	p.tell = notify
	return p.closer("links of " + p.name), p.s.failure("watch links")
}

func (p *stage) Claim(l netconf.Link) error {
	p.s.note("claim %s/%s", p.name, l.Name)
	return p.s.failure("claim")
}

func (p *stage) Unclaim(l netconf.Link) { p.s.note("unclaim %s/%s", p.name, l.Name) }

func (p *stage) Addresses(int) ([]netconf.Address, error) { return nil, p.s.failure("addresses") }

func (p *stage) SetUp(index int) error {
	p.s.note("set up %s/%d", p.name, index)
	return p.s.failure("set up")
}

func (p *stage) Apply(l netconf.Link, owned []netip.Prefix, want netconf.Desired) netconf.Outcome {
	p.s.note("apply %s/%s: %d addresses, %d ours", p.name, l.Name, len(want.Addresses), len(owned))
	return netconf.Outcome{Unread: p.s.failure("apply")}
}

func (p *stage) Ahead(l netconf.Link) { p.s.note("ahead %s/%s", p.name, l.Name) }

func (p *stage) RehearseApply(netconf.Link, netconf.Desired) { p.s.note("rehearse") }

func (p *stage) Inspect(netconf.Link, netconf.Desired) ([]netconf.Object, error) {
	p.s.note("inspect %s", p.name)
	return p.missing, p.s.failure("inspect")
}

func (p *stage) Neighbour(_ netconf.Link, host netip.Addr) (net.HardwareAddr, bool) {
	l, ok := p.neighbour[host]
	return l, ok
}

func (p *stage) Solicit(l netconf.Link, host netip.Addr) error {
	p.s.note("solicit %s/%s %v", p.name, l.Name, host)
	return p.s.failure("solicit")
}

func (p *stage) WatchNeighbours(_ poll.Loop, notify func(int, netip.Addr, []byte)) (io.Closer, error) {
	p.learn = notify
	return p.closer("neighbours of " + p.name), p.s.failure("neighbours")
}

// A wire4 is an exchange of a scene. A server is at the other end.
type wire4 struct {
	p     *stage
	index int
}

func (p *stage) Open(l netconf.Link, deliver func(packet.Datagram), refused func(packet.Refusal, uint64)) (packet.Exchange, error) {
	if err := p.s.failure("open"); err != nil {
		return nil, err
	}
	p.s.note("open %s/%s", p.name, l.Name)
	p.deliver[l.Index], p.refuse[l.Index] = deliver, refused
	return &wire4{p, l.Index}, nil
}

func (x *wire4) Close() error {
	x.p.s.note("close %s/%d", x.p.name, x.index)
	delete(x.p.deliver, x.index)
	return nil
}

var serverLink = []byte{2, 0, 0, 0, 0, 0xfe}

var server = netip.MustParseAddr("10.77.0.1")

func (x *wire4) Send(l netconf.Link, t packet.Transmit) error {
	x.p.s.note("send %v from %s/%s", t.Type, x.p.name, l.Name)
	if err := x.p.s.failure("send"); err != nil {
		return err
	}
	kinds := map[wire.MessageType]wire.MessageType{wire.Discover: wire.Offer, wire.Request: wire.ACK}
	kind, answers := kinds[t.Type]
	if !answers || x.p.s.fails("server") {
		return nil
	}
	m, err := wire.Parse(t.Message)
	if err != nil {
		return err
	}
	b := wire.NewBuilder(wire.OpReply, wire.HardwareEthernet, m.HardwareAddr(), m.XID())
	b.AddMessageType(kind)
	b.SetYourAddr(netip.MustParseAddr("10.77.0.100"))
	b.AddAddr(wire.OptionServerID, server)
	b.AddAddr(wire.OptionSubnetMask, netip.MustParseAddr("255.255.255.0"))
	b.AddAddr(wire.OptionDNS, server)
	b.AddUint32(wire.OptionLeaseTime, 3600)
	message := b.Bytes()
	x.p.s.loop.Do(func() {
		if deliver := x.p.deliver[x.index]; deliver != nil {
			deliver(packet.Datagram{Message: message, From: server, Link: serverLink})
		}
	})
	return nil
}

func (p *stage) Send(l netconf.Link, t packet.Transmit) error {
	p.s.note("post %v from %s/%s to %v", t.Type, p.name, l.Name, net.HardwareAddr(t.Link))
	if slices.Equal(t.Link, serverLink) {
		return p.s.failure("post")
	}
	return nil
}

func (p *stage) Capture(netconf.Link, bool, func(packet.Frame)) (io.Closer, error) {
	return nil, errors.ErrUnsupported
}

func (p *stage) Listen(l netconf.Link, addresses []netip.Addr, deliver func(packet.ARP)) error {
	p.s.note("listen %s/%s %v", p.name, l.Name, addresses)
	if p.hear[l.Index] = deliver; len(addresses) == 0 {
		delete(p.hear, l.Index)
	}
	return p.s.failure("listen")
}

func (p *stage) ListenForceRenew(l netconf.Link, address netip.Addr, deliver func(packet.Datagram)) error {
	p.s.note("force %s/%s %v", p.name, l.Name, address)
	p.force[l.Index] = deliver
	return p.s.failure("force")
}

func (p *stage) Recheck(l netconf.Link) error {
	p.s.note("recheck %s/%s", p.name, l.Name)
	return p.s.failure("recheck")
}

func (p *stage) SendARP(l netconf.Link, _, _ []byte) error {
	p.s.note("ARP from %s/%s", p.name, l.Name)
	return p.s.failure("ARP")
}

// Set implements [Resolver].
func (s *scene) Set(l netconf.Link, d netconf.DNS) error {
	s.note("resolve %s %v", l.Name, d.Servers)
	return s.failure("resolve")
}

// Save implements [Store].
func (s *scene) Save(adapter string, r v4.Record) error {
	s.note("save %s", adapter)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[adapter] = r
	return s.fail["save"]
}

// RehearseSave implements [Store].
func (s *scene) RehearseSave(v4.Record) error { return nil }

// Persist implements [Store].
func (s *scene) Persist(adapter string) error {
	s.note("persist %s", adapter)
	return s.failure("persist")
}

// Pending implements [Store].
func (s *scene) Pending() []string { return []string{"pending"} }

// Load implements [Store].
func (s *scene) Load(adapter string) (v4.Record, bool, error) {
	s.note("load %s", adapter)
	s.mu.Lock()
	defer s.mu.Unlock()
	r, ok := s.records[adapter]
	return r, ok, s.fail["load"]
}

// Remove implements [Store].
func (s *scene) Remove(adapter string) error {
	s.note("remove %s", adapter)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.records, adapter)
	return s.fail["remove"]
}

// Manager implements [Others].
func (s *scene) Manager(l netconf.Link) (name, how string, ok bool) { return s.ManagerNow(l) }

// ManagerNow implements [Others].
func (s *scene) ManagerNow(l netconf.Link) (name, how string, ok bool) {
	s.note("look for others at %s", l.Name)
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.manager, "seen", s.manager != ""
}

// Say implements [core.Hooks].
func (s *scene) Say(a core.Adapter, said core.Said) {
	s.note("say %s %v %v", a.Name, said.Kind, said.Cause.Reason)
}

// Unmanageable implements [core.Hooks].
func (s *scene) Unmanageable(a core.Adapter, why core.Refusal) {
	s.note("unmanageable %s %v", a.Name, why.Code)
}

// Dropped implements [core.Hooks].
func (s *scene) Dropped(a core.Adapter) { s.note("dropped %d/%s", a.NS, a.Name) }

// Gone implements [core.Hooks].
func (s *scene) Gone(id core.ID) { s.note("gone %d/%d", id.NS, id.Index) }

// Answer implements [core.Hooks].
func (s *scene) Answer(call uint64, r tenancy.Result, err error) {
	s.calls.Answer(call, outcome{r.Code, err})
}

// Discovered implements [core.Hooks].
func (s *scene) Discovered(call uint64, _ core.Discovery) { s.calls.Answer(call, outcome{}) }
