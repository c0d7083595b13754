package v4

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/tenancy"
	"github.com/lessee/lessee/reason"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// A Config says how an adapter is managed.
type Config struct {
	DHCP4  dhcp4.Config
	Policy Policy
	// Conflict says how conflicts with other hosts are found.
	Conflict ConflictMode
	// LinkLocal takes a link-local address while no server answers.
	LinkLocal bool
	// Inform asks for parameters only: others set the address.
	Inform bool
	// Up is kept in the record: see [Record].
	Up bool
}

// A Tenancy is the life of one adapter. It is not safe for concurrent use.
type Tenancy struct {
	hardwareAddr []byte
	policy       Policy
	byCall       bool // see Record.Up

	life   tenancy.Life
	client *dhcp4.Client
	phase  phase

	// recorded is the lease that the record has; nil: none, or it is not known.
	recorded *dhcp4.Lease
	// announce is to be said when the kernel has what it was told; 0: nothing is.
	announce event.Kind

	guard     guard
	networks  networks
	local     *linkLocal   // nil where no link-local address is to be used
	listening []netip.Addr // as the last Listen said
}

// everybody is where a message to no server in particular goes.
var everybody = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// New returns a tenancy that waits for Begin.
func New(cfg Config) (*Tenancy, error) {
	cfg.DHCP4.AutoConfigure = cfg.LinkLocal
	c, err := dhcp4.New(cfg.DHCP4)
	if err != nil {
		return nil, err
	}
	t := &Tenancy{hardwareAddr: cfg.DHCP4.HardwareAddr, policy: cfg.Policy, byCall: cfg.Up, client: c, phase: seeking{}}
	t.life = tenancy.NewLife(t)
	if cfg.Inform {
		t.phase = informing{}
	}
	if cfg.DHCP4.Anonymous {
		t.networks.where = notAsked // RFC 7844: the questions tell where the host was
	}
	if t.guard, err = newGuard(cfg); err != nil {
		return nil, err
	}
	if t.local, err = newLinkLocal(cfg); err != nil {
		return nil, err
	}
	return t, nil
}

// Handle tells the tenancy what happened at the instant now.
func (t *Tenancy) Handle(now boottime.Instant, in tenancy.Input) {
	t.life.At(now)
	defer t.listen()
	if t.life.Stage() == tenancy.Over {
		if c, ok := in.(tenancy.Call); ok {
			t.life.Refuse(c, errno.ERROR_FILE_NOT_FOUND, reason.ManagementEnded)
		}
		return
	}
	if l := t.held(); l != nil && ended(l, now) && linked(in) {
		// Whatever comes first after a suspend finds no lease that has ended.
		t.tell(dhcp4.Timeout{})
	}
	switch in := in.(type) {
	case Begin:
		t.begin(in)
	case tenancy.Link:
		t.linkChanged(in)
	case tenancy.Gone:
		t.vacate()
		t.announce = 0
		t.life.Finish(reason.AdapterRemoved)
	case Datagram:
		t.tell(dhcp4.Datagram(in))
	case ARP:
		t.heard(in)
	case tenancy.Call:
		t.call(in)
	case SendFailed:
		t.sendFailed(in)
	case tenancy.Timeout:
		t.life.Timeout()
		t.arpTimeout()
		t.tell(dhcp4.Timeout{})
		t.life.ExpireCalls()
	case tenancy.SaveFailed:
		if in.Err != nil {
			t.recorded = nil
		}
		t.life.Handle(in)
	default:
		t.life.Handle(in)
	}
	t.catchUp()
}

// linked reports whether an input leaves the adapter as able to send as it was.
func linked(in tenancy.Input) bool {
	switch in := in.(type) {
	case tenancy.Link:
		return in.Usable
	case tenancy.Gone:
		return false
	default:
		return true
	}
}

// Poll returns the next thing to do, false if there is none. The outputs of
// all that happened so far come in order.
func (t *Tenancy) Poll() (tenancy.Output, bool) { return t.life.Poll() }

// Deadline returns when Timeout is due next.
func (t *Tenancy) Deadline() (boottime.Instant, bool) {
	if t.life.Stage() == tenancy.Over {
		return 0, false
	}
	s := tenancy.NewSoonest()
	at, _, ok := t.client.Deadline()
	s.Add(at, ok)
	t.life.Deadlines(&s)
	t.arpDeadlines(&s)
	return s.Earliest()
}

// Awaiting reports whether answers from the network are to be received: one is
// awaited, or will be as soon as there is a link.
func (t *Tenancy) Awaiting() bool {
	if t.life.Stage() != tenancy.Living {
		return false
	}
	_, given := t.phase.(released)
	return t.client.Awaiting() || !t.life.Usable() && !given
}

// Stage returns how far the end of the tenancy has come.
func (t *Tenancy) Stage() tenancy.Stage { return t.life.Stage() }

// Unsaved reports whether the last Save failed.
func (t *Tenancy) Unsaved() bool { return t.life.Unsaved() }

// Unsent reports whether the last Transmit failed.
func (t *Tenancy) Unsent() bool { return t.life.Troubles().Send.Failed() }

func (t *Tenancy) begin(in Begin) {
	r := in.Record
	ours := append(slices.Clone(r.Ours), leaseAddress(r.Lease))
	for _, k := range r.Networks {
		ours = append(ours, leaseAddress(k.Lease)) // in use perhaps, before that was on record
	}
	t.life.Begin(ours, in.Configured, r.BaseMTU, in.Link.MTU)
	if len(r.HardwareAddr) > 0 && !bytes.Equal(r.HardwareAddr, t.hardwareAddr) {
		r.Lease, r.Release, r.Networks = nil, NotReleased, nil // another adapter's, as the server sees it
	}
	if t.byCall && !r.Up {
		// Whoever restarts us is to manage the adapter again, lease or not.
		r.Up, r.HardwareAddr = true, t.hardwareAddr
		t.life.Emit(Save{Record: r})
	}
	if r.Release == NotReleased {
		t.recorded = r.Lease
	}
	if t.local != nil {
		t.local.last = r.LinkLocal
	}
	_, inform := t.phase.(informing)
	switch {
	case inform:
		t.beginInform(in)
	case r.Release != NotReleased:
		t.networks.restore(r, false)
		t.phase = released{given: r.Lease, how: r.Release}
		start := dhcp4.StartReleased{Last: leaseAddress(r.Lease).Addr()}
		if r.Release == Releasing {
			start.Unsent = r.Lease
		}
		t.tell(start)
		// What is left of the lease goes below, after the RELEASE.
	case r.Lease != nil && slices.Contains(t.life.Ours(), r.Lease.Address) && !ended(r.Lease, t.life.Now()):
		t.phase = leased{r.Lease}
		t.announce = event.Resumed
		t.life.Configure()
		t.networks.restore(r, true)
		t.watch(r.Lease.Address.Addr(), acd.Optimistic)
		t.tell(dhcp4.Start{Lease: r.Lease, InUse: true})
	default:
		t.networks.restore(r, false)
		t.tell(dhcp4.Start{Lease: r.Lease})
		if len(t.life.Ours()) > 0 {
			t.life.Configure()
		}
	}
	if in.Link.Usable {
		t.life.SetLink(in.Link)
		t.linkUp()
	} else {
		// A lease that is resumed without a link is verified when there is one.
		t.tell(dhcp4.LinkDown{})
	}
	if _, given := t.phase.(released); given {
		t.life.Configure()
	}
}

func leaseAddress(l *dhcp4.Lease) netip.Prefix {
	if l == nil {
		return netip.Prefix{}
	}
	return l.Address
}

func (t *Tenancy) sendFailed(in SendFailed) {
	if in.Err == nil {
		t.life.Sent(tenancy.SendTrouble{})
		return
	}
	trouble := tenancy.SendTrouble{Message: in.Type.String(), Err: in.Err}
	t.life.Sent(trouble)
	if in.Type == wire.Release {
		t.life.ReleaseSent(in.Err)
	}
	t.life.Problem(trouble.Cause())
	if in.Type == wire.Request && t.lease() != nil && t.life.Usable() {
		t.life.Disturbed(netconf.Object{}) // another program may have taken the address away
	}
}

func (t *Tenancy) linkChanged(in tenancy.Link) {
	was := t.life.LinkChanged(in)
	switch {
	case in.Usable && !was.Usable:
		t.Note(event.Carrier, reason.Cause{})
		t.linkUp() // first the questions: the answers are on their way meanwhile
		if t.lease() != nil && t.life.Told() {
			// The kernel drops routes when an adapter goes down, and takes none before it is up.
			t.life.Configure()
		}
	case !in.Usable && was.Usable:
		t.Note(event.NoCarrier, reason.Cause{})
		t.linkDown()
	}
}

// Stop implements [tenancy.Protocol].
func (t *Tenancy) Stop() {
	t.arpStop()
	t.client.Handle(t.life.Now(), dhcp4.Stop{})
	for {
		if _, ok := t.client.Poll(); !ok {
			break
		}
	}
}

// Silence implements [tenancy.Protocol].
func (t *Tenancy) Silence() { t.listen() }

// tell passes an input on to the client and turns its outputs into ours.
func (t *Tenancy) tell(in dhcp4.Input) {
	t.client.Handle(t.life.Now(), in)
	from := linkOf(in)
	var server netip.Addr // that sent it
	for {
		o, ok := t.client.Poll()
		if !ok {
			return
		}
		switch o := o.(type) {
		case dhcp4.Transmit:
			t.life.Emit(Transmit(o))
			sent := Note{Kind: event.Sent, State: t.client.State(), Message: o.Type}
			if p, err := wire.Parse(o.Message); err == nil {
				sent.XID = p.XID()
				sent.Address, _ = p.Addr(wire.OptionRequestedAddress)
			}
			if o.Type == wire.Release {
				t.phase = released{given: t.given().given, how: releaseSent}
			}
			if o.Destination != everybody {
				sent.Server = o.Destination
			}
			t.life.Emit(sent)
			if o.Type == wire.Discover {
				t.guard.taken = netip.Addr{} // it was about an offer before
				t.discovered()
			}
		case dhcp4.Acquired:
			t.acquired(o)
		case dhcp4.Lost:
			t.lost(o, from, server)
		case dhcp4.Offered:
			t.offered(o.Lease)
		case dhcp4.Informed:
			t.taught(o.Lease)
		case dhcp4.AutoConfigure:
			t.autoConfigure(o.Allowed)
		case dhcp4.Done:
			t.done(o)
		case dhcp4.Moved:
			t.moved(o.To)
			t.refuseIPv4()
			if o.To == dhcp4.StateIPv6Only && t.local != nil && t.local.state == running {
				t.endLocal() // that is IPv4, too
				t.life.Configure()
			}
		case dhcp4.Received:
			server = o.Server
			t.life.Emit(Note{
				Kind: event.Received, State: t.client.State(), Message: o.Type,
				Server: o.Server, Address: o.Your, Link: from, Text: o.Text.String(),
			})
		case dhcp4.Dropped:
			t.life.Emit(Note{Kind: event.Rejected, State: t.client.State(), Lease: t.lease(), Link: from, Why: o.Why})
		}
	}
}

// moved reports the client's new state.
func (t *Tenancy) moved(to dhcp4.State) {
	kind := event.State
	if to == dhcp4.StateIPv6Only {
		kind = event.IPv6Only
	}
	t.life.Emit(Note{Kind: kind, State: to, Lease: t.lease()})
}

// linkOf returns the link address that an input came from or is about, nil if
// there is none.
func linkOf(in dhcp4.Input) []byte {
	switch in := in.(type) {
	case dhcp4.Datagram:
		return in.Link
	case dhcp4.Conflict:
		return in.By
	}
	return nil
}

// Note implements [tenancy.Protocol].
func (t *Tenancy) Note(kind event.Kind, why reason.Cause) {
	t.life.Emit(Note{Kind: kind, State: t.client.State(), Lease: t.lease(), Cause: why})
}
