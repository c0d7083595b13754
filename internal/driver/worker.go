package driver

import (
	"bytes"
	"errors"
	"net/netip"
	"sync"

	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/core"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A worker carries out what the core asks for an adapter.
type worker struct {
	// rejected counts the packets that did not come to the tenancy.
	rejected refused

	// What follows belongs to the goroutine that carries out the effects:
	// exchange is open while an answer is awaited; unsaved and unsent say that
	// the last Save or Transmit failed, so that the next success is reported.
	exchange        packet.Exchange
	unsaved, unsent bool
	deafToServer    bool
	// And to the one for those about ARP: unsaid and deaf say that a failed
	// TransmitARP or Listen was told; hears that ARP is listened to.
	unsaid, deaf, hears bool

	mu      sync.Mutex
	pending []effect
	asks    []effect // those about ARP
	running bool
	asking  bool // the goroutine for asks runs
}

// worker returns the one for an adapter.
func (d *Driver) worker(a core.Adapter) *worker {
	w := d.workers[a.Of]
	if w == nil {
		w = &worker{}
		d.workers[a.Of] = w
	}
	return w
}

// An effect is something that may take time.
type effect struct {
	core.Adapter

	kind    effectKind
	output  tenancy.Output
	address netip.Addr
	do      func()
}

type effectKind uint8

const (
	effectOutput  effectKind = iota // carry out output
	effectDo                        // call do
	effectAsked                     // call do, after what was asked for about ARP
	effectClose                     // close the exchange
	effectDeafen                    // stop listening to ARP
	effectReceive                   // listen for a FORCERENEW at address, or no more
)

// enqueue has the effect carried out after those before it. The goroutine that
// does so lives only as long as there is something to do.
func (w *worker) enqueue(d *Driver, e effect) {
	w.mu.Lock()
	defer w.mu.Unlock()
	queue, runs := &w.pending, &w.running
	if e.aboutARP() {
		queue, runs = &w.asks, &w.asking
	}
	*queue = append(*queue, e)
	if !*runs {
		*runs = true
		d.effects.Go(func() { w.run(d, queue, runs) })
	}
}

// leave ends what was begun for an adapter. What is about ARP is over before what
// is enqueued next: who is answered then may begin anew.
func (d *Driver) leave(o core.Leave) {
	w := d.worker(o.Adapter)
	w.enqueue(d, effect{kind: effectDeafen, Adapter: o.Adapter})
	quiet := make(chan struct{})
	w.enqueue(d, effect{kind: effectAsked, do: func() { close(quiet) }})
	w.enqueue(d, effect{kind: effectDo, do: func() { <-quiet }})
	d.cfg.Kernel.Unclaim(o.Link)
}

// aboutARP reports whether the effect goes its own way, in order with others of
// its kind: the sockets for the question whether another host has an address
// are opened while the server's answer is on its way, and do not hold it up.
func (e effect) aboutARP() bool {
	if e.kind != effectOutput {
		return e.kind == effectDeafen || e.kind == effectAsked
	}
	switch e.output.(type) {
	case v4.Listen, v4.TransmitARP:
		return true
	default:
		return false
	}
}

// maxPending bounds what may wait to be carried out before packets are not
// looked at any more: a flood must not fill the memory while the kernel or the
// disk takes its time.
const maxPending = 1000

func (w *worker) congested() bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.pending) > maxPending
}

func (w *worker) run(d *Driver, queue *[]effect, runs *bool) {
	for {
		w.mu.Lock()
		if len(*queue) == 0 {
			*queue, *runs = nil, false
			w.mu.Unlock()
			return
		}
		batch := *queue
		*queue = nil
		w.mu.Unlock()
		for _, e := range batch {
			d.carryOut(w, e)
		}
	}
}

func (d *Driver) carryOut(w *worker, e effect) {
	switch e.kind {
	case effectClose:
		if w.exchange != nil {
			_ = w.exchange.Close()
			w.exchange = nil
		}
	case effectDeafen:
		d.listen(w, e, nil)
	case effectReceive:
		err := d.cfg.Transport.ListenForceRenew(e.Link, e.address, d.receiver(w, e.Adapter))
		d.trouble(e.Adapter, &w.deafToServer, err)
	case effectDo, effectAsked:
		e.do()
	case effectOutput:
		d.carryOutput(w, e)
	}
}

func (d *Driver) carryOutput(w *worker, e effect) {
	report := func(in tenancy.Input) { d.tell(core.Happened{Of: e.Of, Turn: e.Turn, What: in}) }
	switch o := e.output.(type) {
	case v4.Transmit:
		err := d.transmit(w, e, dhcp4.Transmit(o))
		if err != nil || w.unsent {
			report(v4.SendFailed{Type: o.Type, Err: systemError(err)})
		}
		w.unsent = err != nil
	case v4.TransmitARP:
		err := d.cfg.Transport.SendARP(e.Link, o.Packet, o.To)
		if errors.Is(err, netconf.ErrLinkDown) {
			return // the tenancy is about to hear of it, and asks again
		}
		d.trouble(e.Adapter, &w.unsaid, err)
	case v4.Listen:
		d.listen(w, e, o.Addresses)
	case v4.Save:
		err := d.cfg.Store.Save(e.Name, o.Record)
		d.keeper.add(e.Name)
		if err != nil || w.unsaved {
			report(tenancy.SaveFailed{Err: systemError(err)})
		}
		w.unsaved = err != nil
	case tenancy.Forget:
		if err := d.cfg.Store.Remove(e.Name); err != nil {
			d.cfg.Log.Error("the lease file could not be removed", "adapter", e.Name, "error", err)
		}
		d.keeper.add(e.Name)
	case tenancy.Apply:
		outcome := d.cfg.Kernel.Apply(e.Link, o.Ours, o.Want)
		err := outcome.Err()
		if dnsErr := d.cfg.Resolver.Set(e.Link, o.Want.DNS); dnsErr != nil && err == nil {
			d.complain(e.Adapter, problem(reason.ResolverFailed, dnsErr))
		}
		in := tenancy.Report(o.Seq, outcome)
		in.Err = systemError(in.Err)
		report(in)
	case tenancy.Inspect:
		in := tenancy.Inspected{Seq: o.Seq, Cause: o.Cause}
		in.Missing, in.Err = d.cfg.Kernel.Inspect(e.Link, o.Want)
		if o.Cause == tenancy.PutBackDue && len(in.Missing) > 0 {
			in.Manager, _, _ = d.cfg.Others.ManagerNow(e.Link)
		}
		report(in)
	case tenancy.Answer:
		d.waiting.answer(o.ID, o.Result)
	case v4.Note:
		d.say(e.Link, o)
	case tenancy.Ended:
		// The driver's goroutine has seen to it.
	}
}

// listen replaces the addresses whose ARP the adapter's tenancy wants.
func (d *Driver) listen(w *worker, e effect, addresses []netip.Addr) {
	if len(addresses) == 0 && !w.hears {
		return
	}
	w.hears = len(addresses) > 0
	of, turn := e.Of, e.Turn // the function lives as long as the lease: it is to hold no effect
	err := d.cfg.Transport.Listen(e.Link, addresses, func(in packet.ARP) {
		if w.congested() {
			return
		}
		d.do(func() {
			d.handle(core.Happened{Of: of, Turn: turn, What: v4.ARP{Packet: in.Packet, From: in.From, Unicast: in.Unicast, Ours: d.sentByUs(in.Packet)}})
		})
	})
	d.trouble(e.Adapter, &w.deaf, err)
}

// sentByUs reports whether an ARP packet names one of this host's adapters as
// its sender: the kernel answers on one adapter for the addresses of another.
func (d *Driver) sentByUs(packet []byte) bool {
	p, err := arp.Parse(packet)
	if err != nil {
		return false
	}
	for _, l := range d.core.Links() {
		if bytes.Equal(l.HardwareAddr, p.SenderHardware[:]) {
			return true
		}
	}
	return false
}

// trouble tells an error once; told remembers that until all is well again.
func (d *Driver) trouble(a core.Adapter, told *bool, err error) {
	if err != nil && !*told {
		d.complain(a, problem(reason.SystemFailed, err))
	}
	*told = err != nil
}

// complain reports and remembers what hinders an adapter.
func (d *Driver) complain(a core.Adapter, n v4.Note) {
	d.say(a.Link, n)
	d.tell(core.Noticed{Of: a.Of, Note: n})
}

// receiver returns what takes the datagrams for an adapter's tenancy.
func (d *Driver) receiver(w *worker, a core.Adapter) func(packet.Datagram) {
	of, turn, index := a.Of, a.Turn, a.Link.Index
	return func(in packet.Datagram) {
		if d.scans.own(index, in.Message) {
			return
		}
		if w.congested() {
			w.rejected.count(packet.RefuseOverflow, 1)
			return
		}
		d.tell(core.Happened{Of: of, Turn: turn, What: v4.Datagram(in)})
	}
}

// transmit sends through the adapter's exchange, which it opens if an answer
// is awaited, or past it where none is.
func (d *Driver) transmit(w *worker, e effect, t dhcp4.Transmit) error {
	switch t.Type {
	case wire.Release, wire.Decline:
		return d.cfg.Transport.Send(e.Link, packet.Transmit(t))
	default:
	}
	if w.exchange == nil {
		x, err := d.cfg.Transport.Open(e.Link, d.receiver(w, e.Adapter), w.rejected.count)
		if err != nil {
			return err
		}
		w.exchange = x
	}
	return w.exchange.Send(packet.Transmit(t))
}
