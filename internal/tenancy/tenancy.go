package tenancy

import (
	"bytes"
	"net/netip"
	"slices"

	"github.com/lessee/lessee/acd"
	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/event"
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

	client *dhcp4.Client
	now    boottime.Instant
	out    []Output

	link  Link
	lease *dhcp4.Lease // in use: configured or about to be
	// candidate is a lease whose address is not used before the link was asked.
	candidate *dhcp4.Lease
	release   ReleaseState
	given     *dhcp4.Lease // what was given back, unless NotReleased
	baseMTU   int
	recorded  *dhcp4.Lease // the lease that the record has; nil: none, or it is not known
	resave    retry        // of a Save that failed

	ours     []netip.Prefix // what the kernel may hold of ours
	seq      uint64         // of the last Apply
	applied  uint64         // the last Seq that succeeded
	announce event.Kind
	pending  bool // announce is to be said when seq has been applied
	retry    retry

	// inform: others set the address, and informed are the parameters for it,
	// nil while they are not known. addressless: there is no address.
	inform, addressless bool
	informed            *dhcp4.Lease

	look      look
	taken     *taken
	guard     guard
	networks  networks
	local     *linkLocal   // nil where no link-local address is to be used
	listening []netip.Addr // as the last Listen said

	calls  []call
	ending verdict
	// wrong is what went wrong, nil as long as nothing has.
	wrong *troubles
}

// everybody is where a message to no server in particular goes.
var everybody = netip.AddrFrom4([4]byte{255, 255, 255, 255})

// A verdict says whether the tenancy is to go on.
type verdict uint8

const (
	living verdict = iota
	leaving
	// leavingRecord is leaving, and what is on record stays there.
	leavingRecord
	over
)

// New returns a tenancy that waits for Begin.
func New(cfg Config) (*Tenancy, error) {
	cfg.DHCP4.AutoConfigure = cfg.LinkLocal
	c, err := dhcp4.New(cfg.DHCP4)
	if err != nil {
		return nil, err
	}
	t := &Tenancy{hardwareAddr: cfg.DHCP4.HardwareAddr, policy: cfg.Policy, byCall: cfg.Up, inform: cfg.Inform, client: c}
	t.networks.off = cfg.DHCP4.Anonymous // RFC 7844: the questions tell where the host was
	if t.guard, err = newGuard(cfg); err != nil {
		return nil, err
	}
	if t.local, err = newLinkLocal(cfg); err != nil {
		return nil, err
	}
	return t, nil
}

// Handle tells the tenancy what happened at the instant now.
func (t *Tenancy) Handle(now boottime.Instant, in Input) {
	t.now = now
	defer t.listen()
	if t.ending == over {
		if c, ok := in.(Call); ok {
			t.refuse(c.ID, errno.ERROR_FILE_NOT_FOUND, reason.ManagementEnded)
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
	case Link:
		t.linkChanged(in)
	case Gone:
		t.gone()
	case Datagram:
		t.tell(dhcp4.Datagram(in))
	case ARP:
		t.heard(in)
	case Call:
		t.call(in)
	case Cancel:
		t.cancel(in.ID)
	case Applied:
		t.reported(in)
	case Disturbed:
		t.disturbed(in)
	case Inspected:
		t.inspected(in)
	case SaveFailed:
		t.saveFailed(in.Err)
	case PersistFailed:
		t.went(func(w *troubles) { w.persist = in.Err })
		if in.Err != nil {
			t.problem(because(reason.LeaseNotDurable, in.Err))
		}
	case SendFailed:
		t.sendFailed(in)
	case Timeout:
		t.timeout()
	}
	t.catchUp()
}

// saveFailed notes that the record is not as it was last saved, and has that
// tried again later; a nil err says that all is well.
func (t *Tenancy) saveFailed(err error) {
	t.went(func(w *troubles) { w.save = err })
	if err == nil {
		t.resave = retry{}
		return
	}
	t.recorded = nil
	if t.resave.delay == 0 {
		t.problem(because(reason.LeaseUnsaved, err))
	}
	t.resave.again(t.now)
}

// linked reports whether an input leaves the adapter as able to send as it was.
func linked(in Input) bool {
	switch in := in.(type) {
	case Link:
		return in.Usable
	case Gone:
		return false
	default:
		return true
	}
}

// Poll returns the next thing to do, false if there is none. The outputs of
// all that happened so far come in order.
func (t *Tenancy) Poll() (Output, bool) {
	if len(t.out) == 0 {
		t.out = nil // an idle tenancy holds no queue
		return nil, false
	}
	o := t.out[0]
	t.out[0] = nil
	t.out = t.out[1:]
	return o, true
}

// Deadline returns when Timeout is due next.
func (t *Tenancy) Deadline() (boottime.Instant, bool) {
	if t.ending == over {
		return 0, false
	}
	var s soonest
	at, _, ok := t.client.Deadline()
	s.add(at, ok)
	s.add(t.retry.at, t.retry.on)
	s.add(t.resave.at, t.resave.on)
	if k := t.taken; k != nil {
		s.add(k.putBack.at, k.putBack.on)
	}
	t.arpDeadlines(&s)
	for i := range t.calls {
		s.add(t.calls[i].deadline, true)
	}
	return s.at, s.ok
}

// soonest keeps the earliest of the instants that are set.
type soonest struct {
	at boottime.Instant
	ok bool
}

func (s *soonest) add(at boottime.Instant, ok bool) {
	if ok && (!s.ok || at.Before(s.at)) {
		s.at, s.ok = at, true
	}
}

// Awaiting reports whether an answer from the network is awaited.
func (t *Tenancy) Awaiting() bool { return t.ending == living && t.client.Awaiting() }

func (t *Tenancy) begin(in Begin) {
	r := in.Record
	t.link.MTU = in.Link.MTU
	t.baseMTU = r.BaseMTU
	ours := append(slices.Clone(r.Ours), leaseAddress(r.Lease))
	for _, k := range r.Networks {
		ours = append(ours, leaseAddress(k.Lease)) // in use perhaps, before that was on record
	}
	for _, p := range ours {
		if slices.Contains(in.Configured, p) && !slices.Contains(t.ours, p) {
			t.ours = append(t.ours, p)
		}
	}
	if len(r.HardwareAddr) > 0 && !bytes.Equal(r.HardwareAddr, t.hardwareAddr) {
		r.Lease, r.Release, r.Networks = nil, NotReleased, nil // another adapter's, as the server sees it
	}
	if t.byCall && !r.Up {
		// Whoever restarts us is to manage the adapter again, lease or not.
		r.Up, r.HardwareAddr = true, t.hardwareAddr
		t.emit(Save{Record: r})
	}
	if r.Release == NotReleased {
		t.recorded = r.Lease
	}
	if t.local != nil {
		t.local.last = r.LinkLocal
	}
	switch {
	case t.inform:
		t.beginInform(in)
	case r.Release != NotReleased:
		t.networks.restore(r, false)
		t.release, t.given = r.Release, r.Lease
		start := dhcp4.StartReleased{Last: leaseAddress(r.Lease).Addr()}
		if r.Release == Releasing {
			start.Unsent = r.Lease
		}
		t.tell(start)
		// What is left of the lease goes below, after the RELEASE.
	case r.Lease != nil && slices.Contains(t.ours, r.Lease.Address) && !ended(r.Lease, t.now):
		t.lease = r.Lease
		t.announce, t.pending = event.Resumed, true
		t.apply(t.desired())
		t.networks.restore(r, true)
		t.watch(r.Lease.Address.Addr(), acd.Optimistic)
		t.tell(dhcp4.Start{Lease: r.Lease, InUse: true})
	default:
		t.networks.restore(r, false)
		t.tell(dhcp4.Start{Lease: r.Lease})
		if len(t.ours) > 0 {
			t.apply(t.desired())
		}
	}
	if in.Link.Usable {
		t.link = in.Link
		t.linkUp()
	} else {
		// A lease that is resumed without a link is verified when there is one.
		t.tell(dhcp4.LinkDown{})
	}
	if t.release != NotReleased {
		t.apply(t.desired())
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
		t.went(func(w *troubles) { w.send = SendFailed{} })
		return
	}
	t.went(func(w *troubles) { w.send = in })
	if in.Type == wire.Release {
		t.went(func(w *troubles) { w.unsent = in.Err })
	}
	t.problem(in.cause())
	if in.Type == wire.Request && t.lease != nil && t.link.Usable {
		t.disturbed(Disturbed{}) // another program may have taken the address away
	}
}

func (t *Tenancy) linkChanged(in Link) {
	was := t.link
	t.link = in
	t.outdate() // the kernel drops routes with the link, and we give them back
	if in.MTU != was.MTU {
		t.checkMTU()
	}
	switch {
	case in.Usable && !was.Usable:
		t.note(event.Carrier)
		t.linkUp() // first the questions: the answers are on their way meanwhile
		if t.lease != nil && t.seq > 0 {
			// The kernel drops routes when an adapter goes down, and takes none before it is up.
			t.apply(t.desired())
		}
	case !in.Usable && was.Usable:
		t.note(event.NoCarrier)
		t.linkDown()
	}
}

func (t *Tenancy) gone() {
	t.lease, t.candidate, t.informed, t.pending = nil, nil, nil, false
	t.finish(reason.AdapterRemoved)
}

// finish ends the tenancy; those who still wait are told why.
func (t *Tenancy) finish(why reason.Reason) {
	t.arpStop()
	t.client.Handle(t.now, dhcp4.Stop{})
	for {
		if _, ok := t.client.Poll(); !ok {
			break
		}
	}
	t.answerAll(func(call) bool { return true }, errno.ERROR_FILE_NOT_FOUND, reason.Cause{Reason: why})
	t.ending = over
	t.retry.on = false
	t.listen()
	t.emit(Ended{})
}

func (t *Tenancy) timeout() {
	if t.retry.on && !t.now.Before(t.retry.at) {
		t.retry.on = false
		t.apply(t.desired())
	}
	if t.resave.on && !t.now.Before(t.resave.at) {
		t.save()
	}
	t.putBackDue()
	t.arpTimeout()
	t.tell(dhcp4.Timeout{})
	t.expireCalls()
}

// tell passes an input on to the client and turns its outputs into ours.
func (t *Tenancy) tell(in dhcp4.Input) {
	t.client.Handle(t.now, in)
	from := linkOf(in)
	var server netip.Addr // that sent it
	for {
		o, ok := t.client.Poll()
		if !ok {
			return
		}
		switch o := o.(type) {
		case dhcp4.Transmit:
			t.emit(Transmit(o))
			sent := Note{Kind: event.Sent, State: t.client.State(), Message: o.Type}
			if p, err := wire.Parse(o.Message); err == nil {
				sent.XID = p.XID()
				sent.Address, _ = p.Addr(wire.OptionRequestedAddress)
			}
			if o.Type == wire.Release {
				t.release = releaseSent
			}
			if o.Destination != everybody {
				sent.Server = o.Destination
			}
			t.emit(sent)
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
			if o.To == dhcp4.StateIPv6Only && t.local != nil && t.local.running {
				t.endLocal() // that is IPv4, too
				t.apply(t.desired())
			}
		case dhcp4.Received:
			server = o.Server
			t.emit(Note{
				Kind: event.Received, State: t.client.State(), Message: o.Type,
				Server: o.Server, Address: o.Your, Link: from, Text: o.Text.String(),
			})
		case dhcp4.Dropped:
			t.emit(Note{Kind: event.Rejected, State: t.client.State(), Lease: t.lease, Link: from, Why: o.Why})
		}
	}
}

// moved reports the client's new state.
func (t *Tenancy) moved(to dhcp4.State) {
	kind := event.State
	if to == dhcp4.StateIPv6Only {
		kind = event.IPv6Only
	}
	t.emit(Note{Kind: kind, State: to, Lease: t.lease})
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

func (t *Tenancy) emit(o Output) { t.out = append(t.out, o) }

func (t *Tenancy) note(kind event.Kind) {
	t.emit(Note{Kind: kind, State: t.client.State(), Lease: t.lease})
}

// problem reports what hinders.
func (t *Tenancy) problem(c reason.Cause) {
	t.emit(Note{Kind: event.Problem, State: t.client.State(), Lease: t.lease, Cause: &c})
}

// because returns the cause that an error is.
func because(r reason.Reason, err error) reason.Cause {
	return reason.Cause{Reason: r, Fault: reason.FaultOf(err)}
}

func (in SendFailed) cause() reason.Cause {
	c := because(reason.SendFailed, in.Err)
	c.Message = in.Type.String()
	return c
}
