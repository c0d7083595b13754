package driver

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/linux/poll"
	"github.com/lessee/lessee/internal/loop"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy/v4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A world is everything that a driver asks of: kernel, disk, clock and one
// DHCP server, all played in memory. Inside a synctest bubble its time is virtual.
type world struct {
	mu        sync.Mutex
	log       []string // what was asked, in order
	links     map[int]netconf.Link
	loop      *loop.Loop
	changed   func(netconf.Notice)
	addresses map[int][]netip.Prefix
	claimed   map[int]bool
	mine      map[int]bool // of the claimed
	records   map[string]v4.Record
	dns       map[string]netconf.DNS
	open      int // exchanges
	captures  int
	frames    func(packet.Frame) // into the last capture
	last      *exchange          // that was opened
	ears      map[int]ear        // by interface index
	forced    map[int]func(packet.Datagram)

	says     func(*wire.Builder) // adds to every answer
	logger   *slog.Logger        // nil: none
	quiet    bool                // it keeps no account of what was asked
	silent   bool                // the server does not answer
	linksErr error               // the interfaces cannot be listed
	listed   func()              // called by Addresses
	applyErr error               // the kernel refuses
	arpErr   error               // no ARP can be sent or heard
	force    bool                // FORCERENEW is listened to

	persisted []string // calls of Persist
	diskErr   error    // what Persist answers
	diskDelay time.Duration
	pending   []string
	deafens   func() // called by Listen and ListenForceRenew where they are to end
	manager   string
	start     time.Time
}

func newWorld() *world {
	return &world{
		links:     map[int]netconf.Link{1: {Index: 1, Name: "lo", Loopback: true, Up: true, Carrier: true}},
		addresses: map[int][]netip.Prefix{},
		claimed:   map[int]bool{},
		mine:      map[int]bool{},
		records:   map[string]v4.Record{},
		dns:       map[string]netconf.DNS{},
		ears:      map[int]ear{},
		forced:    map[int]func(packet.Datagram){},
		start:     time.Now(),
	}
}

func (w *world) addLink(index int, name string) netconf.Link {
	l := netconf.Link{
		Index: index, Name: name, HardwareType: 1, MTU: 1500, Up: true, Carrier: true,
		HardwareAddr: net.HardwareAddr{2, 0, 0, 0, byte(index >> 8), byte(index)},
	}
	w.setLink(l)
	return l
}

func (w *world) setLink(l netconf.Link) {
	w.mu.Lock()
	w.links[l.Index] = l
	changed := w.changed
	w.mu.Unlock()
	if changed != nil {
		changed(netconf.LinkChange{Link: l})
	}
}

func (w *world) removeLink(index int) {
	w.mu.Lock()
	l, changed := w.links[index], w.changed
	delete(w.links, index)
	delete(w.addresses, index)
	w.mu.Unlock()
	changed(netconf.LinkChange{Link: l, Gone: true})
}

func (w *world) note(format string, args ...any) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.quiet {
		return
	}
	w.log = append(w.log, fmt.Sprintf(format, args...))
}

// count returns how many entries of the log satisfy f.
func (w *world) count(f func(string) bool) (n int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.log {
		if f(l) {
			n++
		}
	}
	return n
}

func (w *world) entries() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return slices.Clone(w.log)
}

func (w *world) Links() ([]netconf.Link, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.linksErr != nil {
		return nil, w.linksErr
	}
	var all []netconf.Link
	for _, l := range w.links {
		all = append(all, l)
	}
	return all, nil
}

func (w *world) LinkByName(name string) (netconf.Link, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, l := range w.links {
		if named(l, name) {
			return l, nil
		}
	}
	return netconf.Link{}, fmt.Errorf("%s: %w", name, netconf.ErrNoLink)
}

func (w *world) LinkByIndex(index int) (netconf.Link, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if l, ok := w.links[index]; ok {
		return l, nil
	}
	return netconf.Link{}, netconf.ErrNoLink
}

func (w *world) home(l poll.Loop) loop.Space {
	w.loop = l.(*loop.Loop)
	return loop.Space{Kernel: w, Transport: w}
}

// inLoop returns f as it is called from any goroutine but the loop's.
func inLoop[T any](w *world, f func(T)) func(T) {
	l := w.loop
	return func(v T) { l.Call(func() { f(v) }) }
}

func (w *world) Watch(_ poll.Loop, changed func(netconf.Notice)) (io.Closer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.changed = inLoop(w, changed)
	return io.NopCloser(nil), nil
}

func (w *world) Neighbour(netconf.Link, netip.Addr) (net.HardwareAddr, bool) { return nil, false }

func (w *world) Solicit(netconf.Link, netip.Addr) error { return nil }

func (w *world) WatchNeighbours(poll.Loop, func(int, netip.Addr, []byte)) (io.Closer, error) {
	return io.NopCloser(nil), nil
}

// A fakePoller is one whose descriptors never are ready.
type fakePoller struct {
	now  func() boottime.Instant
	wake chan struct{}
}

func newPoller(w *world) *fakePoller { return &fakePoller{w.Now, make(chan struct{}, 1)} }

func (*fakePoller) Add(int, func()) error { return nil }
func (*fakePoller) Remove(int)            {}
func (*fakePoller) Dispatch()             {}
func (*fakePoller) Close() error          { return nil }

func (p *fakePoller) Wake() {
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *fakePoller) Wait(until boottime.Instant, set bool) (int, error) {
	var due <-chan time.Time
	if set {
		t := time.NewTimer(until.Sub(p.now()))
		defer t.Stop()
		due = t.C
	}
	select {
	case <-p.wake:
	case <-due:
	}
	return 0, nil
}

// Claim is refused where another daemon has a claim.
func (w *world) Claim(l netconf.Link) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.claimed[l.Index] && !w.mine[l.Index] {
		return netconf.ErrClaimed
	}
	w.claimed[l.Index], w.mine[l.Index] = true, true
	return nil
}

func (w *world) Unclaim(l netconf.Link) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.mine[l.Index] {
		delete(w.claimed, l.Index)
		delete(w.mine, l.Index)
	}
}

func (w *world) Addresses(index int) ([]netconf.Address, error) {
	w.mu.Lock()
	listed := w.listed
	w.listed = nil
	w.mu.Unlock()
	if listed != nil {
		listed()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []netconf.Address
	for _, p := range w.addresses[index] {
		all = append(all, netconf.Address{Prefix: p})
	}
	return all, nil
}

func (w *world) SetUp(index int) error {
	l, err := w.LinkByIndex(index)
	l.Up = true
	w.setLink(l)
	return err
}

func (w *world) Apply(link netconf.Link, ours []netip.Prefix, want netconf.Desired) netconf.Outcome {
	address := want.IPv4().Prefix
	w.note("%s apply %v", link.Name, address)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.applyErr != nil {
		return netconf.Outcome{Unread: w.applyErr}
	}
	w.addresses[link.Index] = slices.DeleteFunc(w.addresses[link.Index], func(p netip.Prefix) bool { return slices.Contains(ours, p) })
	if address.IsValid() {
		w.addresses[link.Index] = append(w.addresses[link.Index], address)
	}
	return netconf.Outcome{}
}

func (w *world) RehearseSave(v4.Record) error { return nil }

func (w *world) Ahead(netconf.Link) {}

func (w *world) RehearseApply(netconf.Link, netconf.Desired) {}

func (w *world) Inspect(link netconf.Link, want netconf.Desired) ([]netconf.Object, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	have := netconf.State{Link: link}
	for _, p := range w.addresses[link.Index] {
		have.Addresses = append(have.Addresses, netconf.Address{Prefix: p})
	}
	want.Routes = nil // it has none
	return netconf.Missing(have, want), nil
}

func (w *world) Send(link netconf.Link, t packet.Transmit) error {
	w.note("%s send %v from %v", link.Name, t.Type, t.Source)
	return nil
}

func (w *world) Listen(link netconf.Link, addresses []netip.Addr, deliver func(packet.ARP)) error {
	w.note("%s listen %v", link.Name, addresses)
	if len(addresses) == 0 {
		w.deafening()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.arpErr != nil {
		return w.arpErr
	}
	delete(w.ears, link.Index)
	if len(addresses) > 0 {
		w.ears[link.Index] = ear{slices.Clone(addresses), inLoop(w, deliver)}
	}
	return nil
}

func (w *world) Recheck(netconf.Link) error { return nil }

func (w *world) ListenForceRenew(link netconf.Link, address netip.Addr, deliver func(packet.Datagram)) error {
	w.note("%s listen to FORCERENEW at %v", link.Name, address)
	if !address.IsValid() {
		w.deafening()
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.forced, link.Index)
	if address.IsValid() {
		w.forced[link.Index] = inLoop(w, deliver)
	}
	return nil
}

func (w *world) SendARP(link netconf.Link, packet, to []byte) error {
	w.note("%s arp %x to %x", link.Name, packet, to)
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.arpErr
}

func (w *world) deafening() {
	w.mu.Lock()
	f := w.deafens
	w.mu.Unlock()
	if f != nil {
		f()
	}
}

// An ear is what an adapter listens for.
type ear struct {
	addresses []netip.Addr
	deliver   func(packet.ARP)
}

// Capture delivers what the test puts on the link.
func (w *world) Capture(_ netconf.Link, _ bool, deliver func(packet.Frame)) (io.Closer, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.captures++
	w.frames = deliver
	return closer(func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		w.captures--
	}), nil
}

type closer func()

func (c closer) Close() error { c(); return nil }

// An exchange of a world is answered by the server, a millisecond later.
type exchange struct {
	w       *world
	link    netconf.Link
	deliver func(packet.Datagram)
	refused func(packet.Refusal, uint64)
}

func (w *world) Open(link netconf.Link, deliver func(packet.Datagram), refused func(packet.Refusal, uint64)) (packet.Exchange, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.open++
	w.last = &exchange{w: w, link: link, deliver: inLoop(w, deliver), refused: func(r packet.Refusal, n uint64) { w.loop.Call(func() { refused(r, n) }) }}
	return w.last, nil
}

func (x *exchange) Close() error {
	x.w.mu.Lock()
	defer x.w.mu.Unlock()
	x.w.open--
	return nil
}

func (x *exchange) Send(_ netconf.Link, t packet.Transmit) error {
	x.w.note("%s send %v from %v", x.link.Name, t.Type, t.Source)
	x.w.mu.Lock()
	silent := x.w.silent
	x.w.mu.Unlock()
	if silent {
		return nil
	}
	p, err := wire.Parse(t.Message)
	if err != nil {
		return err
	}
	b := wire.NewBuilder(wire.OpReply, 1, p.HardwareAddr(), p.XID())
	kind := wire.Offer
	if t.Type == wire.Request {
		kind = wire.ACK
	}
	b.AddMessageType(kind)
	b.SetYourAddr(netip.AddrFrom4([4]byte{10, 77, byte(x.link.Index >> 8), byte(x.link.Index)}))
	b.AddAddr(wire.OptionServerID, netip.MustParseAddr("10.77.255.1"))
	b.AddAddr(wire.OptionSubnetMask, netip.MustParseAddr("255.255.0.0"))
	b.AddAddr(wire.OptionRouter, netip.MustParseAddr("10.77.255.1"))
	b.AddAddr(wire.OptionDNS, netip.MustParseAddr("10.77.255.1"))
	b.AddUint32(wire.OptionLeaseTime, 3600)
	if x.w.says != nil {
		x.w.says(b)
	}
	answer := packet.Datagram{Message: b.Bytes(), From: netip.MustParseAddr("10.77.255.1"), Link: []byte{2, 0, 0, 0, 0, 1}}
	time.AfterFunc(time.Millisecond, func() { x.deliver(answer) })
	return nil
}

func (w *world) Set(link netconf.Link, d netconf.DNS) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.quiet {
		w.dns[link.Name] = d
	}
	return nil
}

func (w *world) Save(name string, r v4.Record) error {
	w.note("%s save %s", name, saved[r.Release])
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.quiet {
		w.records[name] = r
	}
	return nil
}

// saved says what a record is about.
var saved = map[v4.ReleaseState]string{v4.NotReleased: "lease", v4.Releasing: "releasing", v4.Released: "released"}

func (w *world) Persist(name string) error {
	if w.diskDelay > 0 {
		time.Sleep(w.diskDelay)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.persisted = append(w.persisted, name)
	return w.diskErr
}

func (w *world) Pending() []string { return w.pending }

func (w *world) Load(name string) (v4.Record, bool, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	r, ok := w.records[name]
	return r, ok, nil
}

func (w *world) Remove(name string) error {
	w.note("%s forget", name)
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.records, name)
	return nil
}

func (w *world) Manager(netconf.Link) (name, how string, ok bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.manager, "pid 7 has UDP port 68 open", w.manager != ""
}

func (w *world) ManagerNow(l netconf.Link) (name, how string, ok bool) { return w.Manager(l) }

func (w *world) Now() boottime.Instant { return boottime.Instant(time.Since(w.start)) }

// run starts a driver in the world; it stops with the test.
func (w *world) run(t *testing.T) *Driver {
	t.Helper()
	d := New(Config{
		Home: w.home, Resolver: w, Store: w, Others: w, Poller: newPoller(w), Now: w.Now,
		Log:     cmp.Or(w.logger, slog.New(slog.DiscardHandler)),
		Seed:    func() uint64 { return 1 },
		Adapter: func(string) AdapterConfig { return AdapterConfig{MTU: true, DNS: true, ForceRenew: w.force} },
	})
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- d.Run(ctx) }()
	t.Cleanup(func() {
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run: %v", err)
		}
	})
	return d
}
