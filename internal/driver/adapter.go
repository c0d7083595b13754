package driver

import (
	"bytes"
	"errors"
	"net/netip"
	"sync"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/linux/packet"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/internal/tenancy/v4"
	"github.com/lessee/lessee/reason"
	"github.com/lessee/lessee/wire/arp"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// An adapter is one that the driver manages, present or not. All fields but
// those under mu and exchange belong to the driver's goroutine.
type adapter struct {
	name string
	// present is the link, which the driver's list has as well; nil while there
	// is none.
	present *netconf.Link
	// tenancy is nil while the adapter is absent or its management ends.
	tenancy *v4.Tenancy
	// byCall says that it came under management by a call to Up.
	byCall bool
	// refused is why an adapter that we were told to manage is not.
	refused error
	// journal has what happened lately, events how often each kind of it did.
	journal event.Journal
	events  event.Tally
	// listening says that an exchange is open or about to be.
	listening bool
	// receptive is where a FORCERENEW is listened for, or about to be.
	receptive netip.Addr

	due      boottime.Instant
	position int // in the queue of deadlines

	// What follows belongs to the goroutine that carries out the effects:
	// exchange is open while an answer is awaited; unsaved and unsent say that
	// the last Save or Transmit failed, so that the next success is reported.
	exchange        packet.Exchange
	unsaved, unsent bool
	deafToServer    bool
	// And to the one for those about ARP: unsaid and deaf say that a failed
	// TransmitARP or Listen was told; hears that ARP is listened to.
	unsaid, deaf, hears bool

	// unreadable counts records that could not be used.
	unreadable uint64
	// rejected counts the packets that did not come to the tenancy.
	rejected refused

	mu      sync.Mutex
	pending []effect
	asks    []effect // those about ARP
	running bool
	asking  bool // the goroutine for asks runs
}

// link returns the link, the zero Link while there is none.
func (a *adapter) link() netconf.Link {
	if a.present == nil {
		return netconf.Link{}
	}
	return *a.present
}

func (a *adapter) deadline() (boottime.Instant, bool) {
	if a.position == notQueued {
		return 0, false
	}
	return a.due, true
}

// An effect is something that may take time.
type effect struct {
	kind    effectKind
	tenancy *v4.Tenancy
	link    netconf.Link
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
func (a *adapter) enqueue(d *Driver, e effect) {
	a.mu.Lock()
	defer a.mu.Unlock()
	queue, runs := &a.pending, &a.running
	if e.aboutARP() {
		queue, runs = &a.asks, &a.asking
	}
	*queue = append(*queue, e)
	if !*runs {
		*runs = true
		d.effects.Go(func() { a.run(d, queue, runs) })
	}
}

// settled returns what is closed when all effects so far are carried out. The
// interface's next life is another adapter's, with queues of its own: what ends
// here must not come after what begins there.
func (a *adapter) settled(d *Driver) []<-chan struct{} {
	rest, asks := make(chan struct{}), make(chan struct{})
	a.enqueue(d, effect{kind: effectDo, do: func() { close(rest) }})
	a.enqueue(d, effect{kind: effectAsked, do: func() { close(asks) }})
	return []<-chan struct{}{rest, asks}
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

func (a *adapter) congested() bool {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.pending) > maxPending
}

func (a *adapter) run(d *Driver, queue *[]effect, runs *bool) {
	for {
		a.mu.Lock()
		if len(*queue) == 0 {
			*queue, *runs = nil, false
			a.mu.Unlock()
			return
		}
		batch := *queue
		*queue = nil
		a.mu.Unlock()
		for _, e := range batch {
			d.carryOut(a, e)
		}
	}
}

func (d *Driver) carryOut(a *adapter, e effect) {
	switch e.kind {
	case effectClose:
		if a.exchange != nil {
			_ = a.exchange.Close()
			a.exchange = nil
		}
	case effectDeafen:
		d.listen(a, e, nil)
	case effectReceive:
		err := d.cfg.Transport.ListenForceRenew(e.link, e.address, d.receiver(a, e.tenancy, e.link.Index))
		d.trouble(a, e.link, &a.deafToServer, err)
	case effectDo, effectAsked:
		e.do()
	case effectOutput:
		d.carryOutput(a, e)
	}
}

func (d *Driver) carryOutput(a *adapter, e effect) {
	report := func(in tenancy.Input) {
		d.do(func() {
			if a.tenancy == e.tenancy {
				d.tell(a, in)
			}
		})
	}
	switch o := e.output.(type) {
	case v4.Transmit:
		err := d.transmit(a, e, dhcp4.Transmit(o))
		if err != nil || a.unsent {
			report(v4.SendFailed{Type: o.Type, Err: systemError(err)})
		}
		a.unsent = err != nil
	case v4.TransmitARP:
		err := d.cfg.Transport.SendARP(e.link, o.Packet, o.To)
		if errors.Is(err, netconf.ErrLinkDown) {
			return // the tenancy is about to hear of it, and asks again
		}
		d.trouble(a, e.link, &a.unsaid, err)
	case v4.Listen:
		d.listen(a, e, o.Addresses)
	case v4.Save:
		err := d.cfg.Store.Save(e.link.Name, o.Record)
		d.keeper.add(e.link.Name)
		if err != nil || a.unsaved {
			report(tenancy.SaveFailed{Err: systemError(err)})
		}
		a.unsaved = err != nil
	case tenancy.Forget:
		if err := d.cfg.Store.Remove(e.link.Name); err != nil {
			d.cfg.Log.Error("the lease file could not be removed", "adapter", e.link.Name, "error", err)
		}
		d.keeper.add(e.link.Name)
	case tenancy.Apply:
		outcome := d.cfg.Kernel.Apply(e.link, o.Ours, o.Want)
		err := outcome.Err()
		if dnsErr := d.cfg.Resolver.Set(e.link, o.Want.DNS); dnsErr != nil && err == nil {
			trouble := problem(reason.ResolverFailed, dnsErr)
			d.say(e.link, trouble)
			d.do(func() { d.remember(a, trouble) })
		}
		in := tenancy.Report(o.Seq, outcome)
		in.Err = systemError(in.Err)
		report(in)
	case tenancy.Inspect:
		in := tenancy.Inspected{Seq: o.Seq, Cause: o.Cause}
		in.Missing, in.Err = d.cfg.Kernel.Inspect(e.link, o.Want)
		if o.Cause == tenancy.PutBackDue && len(in.Missing) > 0 {
			in.Manager, _, _ = d.cfg.Others.ManagerNow(e.link)
		}
		report(in)
	case tenancy.Answer:
		d.waiting.answer(o.ID, o.Result)
	case v4.Note:
		d.say(e.link, o)
	case tenancy.Ended:
		// The driver's goroutine has seen to it.
	}
}

// listen replaces the addresses whose ARP the adapter's tenancy wants.
func (d *Driver) listen(a *adapter, e effect, addresses []netip.Addr) {
	if len(addresses) == 0 && !a.hears {
		return
	}
	a.hears = len(addresses) > 0
	t := e.tenancy // the function lives as long as the lease: it is to hold no effect
	err := d.cfg.Transport.Listen(e.link, addresses, func(in packet.ARP) {
		if a.congested() {
			return
		}
		d.do(func() {
			if a.tenancy == t {
				d.tell(a, v4.ARP{Packet: in.Packet, From: in.From, Unicast: in.Unicast, Ours: d.sentByUs(in.Packet)})
			}
		})
	})
	d.trouble(a, e.link, &a.deaf, err)
}

// sentByUs reports whether an ARP packet names one of this host's adapters as
// its sender: the kernel answers on one adapter for the addresses of another.
func (d *Driver) sentByUs(packet []byte) bool {
	p, err := arp.Parse(packet)
	if err != nil {
		return false
	}
	for _, l := range d.links {
		if bytes.Equal(l.HardwareAddr, p.SenderHardware[:]) {
			return true
		}
	}
	return false
}

// trouble tells an error once; told remembers that until all is well again.
func (d *Driver) trouble(a *adapter, link netconf.Link, told *bool, err error) {
	if err != nil && !*told {
		n := problem(reason.SystemFailed, err)
		d.say(link, n)
		d.do(func() { d.remember(a, n) })
	}
	*told = err != nil
}

// receiver returns what takes the datagrams for a tenancy.
func (d *Driver) receiver(a *adapter, t *v4.Tenancy, index int) func(packet.Datagram) {
	return func(in packet.Datagram) {
		if d.scans.own(index, in.Message) {
			return
		}
		if a.congested() {
			a.rejected.count(packet.RefuseOverflow, 1)
			return
		}
		d.do(func() {
			if a.tenancy == t {
				d.tell(a, v4.Datagram(in))
			}
		})
	}
}

// transmit sends through the adapter's exchange, which it opens if an answer
// is awaited, or past it where none is.
func (d *Driver) transmit(a *adapter, e effect, t dhcp4.Transmit) error {
	switch t.Type {
	case wire.Release, wire.Decline:
		return d.cfg.Transport.Send(e.link, packet.Transmit(t))
	default:
	}
	if a.exchange == nil {
		x, err := d.cfg.Transport.Open(e.link, d.receiver(a, e.tenancy, e.link.Index), a.rejected.count)
		if err != nil {
			return err
		}
		a.exchange = x
	}
	return a.exchange.Send(packet.Transmit(t))
}
