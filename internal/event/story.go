package event

import (
	"net/netip"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/dhcp4"
	wire "github.com/lessee/lessee/wire/dhcp4"
)

// Present is what there is to know of an adapter now, beside its journal.
type Present struct {
	Now boottime.Instant
	// Exists, Up and Carrier describe the network interface.
	Exists, Up, Carrier bool
	// Expected says that an adapter of this name is to be managed by this
	// daemon: now if Managed, or once it exists or may be.
	Expected, Managed bool
	// Hindrance is why an adapter that exists and is expected is not managed, packed.
	Hindrance string
	// Manager is who else manages it, How how that is known; "" if nobody does.
	Manager, How string

	// What follows is of a managed adapter.
	State dhcp4.State
	// Lease is the lease in use, nil if there is none.
	Lease *dhcp4.Lease
	// LinkLocal is the address that is used without a lease, not valid if none is.
	LinkLocal netip.Addr
	// TakenAway says that another program took the address of the lease away.
	TakenAway bool
	// Problem is what hinders, packed; "" if nothing does.
	Problem string
	// Next is what the client does next, nil if it waits for something to happen.
	Next *Next
}

// Next is the client's next deadline.
type Next struct {
	At    boottime.Instant
	Timer dhcp4.Timer
}

// A Fact is a code and its arguments; what has no meaning for the code is zero.
type Fact struct {
	Code Code
	// When says when it was, or will be; nil where that is not known.
	When    *When
	Count   uint32 // how often
	Message wire.MessageType
	Server  netip.Addr
	Address netip.Addr
	Link    []byte
	XID     uint32
	Why     dhcp4.Rejection
	Detail  string
}

// When is a time, or of what happened several times the first and the last.
type When struct{ First, Last boottime.Instant }

// A Story explains the present state of an adapter.
type Story struct {
	// Verdict is the explanation in one fact.
	Verdict Fact
	// Facts are what happened, in order.
	Facts []Fact
	// Next is what comes next, in order.
	Next []Fact
	// Advice is what a person can do about it.
	Advice []Fact
}

// Tell tells the story of an adapter.
func Tell(j *Journal, p Present) Story {
	t := teller{Present: p, entries: j.Entries()}
	t.facts()
	t.verdict()
	if p.Managed {
		t.next()
		if p.Problem != "" {
			t.story.Advice = append(t.story.Advice, Fact{Code: AdviceProblem, Detail: p.Problem})
		}
	}
	return t.story
}

type teller struct {
	Present
	entries []Entry
	story   Story
}

func at(i boottime.Instant) *When { return &When{i, i} }

// last returns the newest entry of one of the kinds; nil if there is none.
func (t *teller) last(kinds ...Kind) *Entry {
	for i := len(t.entries) - 1; i >= 0; i-- {
		for _, k := range kinds {
			if t.entries[i].Kind == k {
				return &t.entries[i]
			}
		}
	}
	return nil
}

// lastMessage returns the newest entry of that message, nil if there is none.
func (t *teller) lastMessage(k Kind, m wire.MessageType) *Entry {
	for i := len(t.entries) - 1; i >= 0; i-- {
		if e := &t.entries[i]; e.Kind == k && e.Message == m {
			return e
		}
	}
	return nil
}

// open returns the message that is not answered yet; nil if none is.
func (t *teller) open() *Entry {
	if t.Next == nil && t.State != dhcp4.StateSelecting {
		return nil
	}
	for i := len(t.entries) - 1; i >= 0; i-- {
		switch e := &t.entries[i]; {
		case aside(e.Kind):
		case e.Kind == Sent && (e.Message == wire.Discover || e.Message == wire.Request || e.Message == wire.Inform):
			return e
		default:
			return nil
		}
	}
	return nil
}

// facts turns the entries into facts.
func (t *teller) facts() {
	open := t.open()
	for i := range t.entries {
		e := &t.entries[i]
		f := Fact{
			Code: e.Kind.Row().Fact, When: &When{e.First, e.Last}, Count: e.Count, Message: e.Message,
			Server: e.Server, Address: e.Address, Link: e.Link, XID: e.XID, Why: e.Why, Detail: e.Detail,
		}
		switch {
		case e == open && t.Managed:
			f.Code = FactUnanswered
		case e.Kind == Received && e.Message == wire.NAK:
			f.Code = FactNAK
		}
		t.story.Facts = append(t.story.Facts, f)
	}
}

func (t *teller) says(f Fact, advice ...Code) {
	t.story.Verdict = f
	for _, c := range advice {
		t.story.Advice = append(t.story.Advice, Fact{Code: c})
	}
}

func (t *teller) waits(c Code) { t.story.Next = append(t.story.Next, Fact{Code: c}) }

// verdict finds the one fact that explains the rest.
func (t *teller) verdict() {
	switch {
	case !t.Exists && t.Expected:
		t.says(Fact{Code: VerdictAwaited})
		t.waits(NextAdapter)
	case !t.Exists:
		t.says(Fact{Code: VerdictAbsent}, AdviceList)
	case !t.Managed && t.Manager != "":
		t.says(Fact{Code: VerdictOther, Detail: t.Manager}, AdviceStopOther)
		t.story.Facts = append(t.story.Facts, Fact{Code: FactOther, Detail: t.How})
	case !t.Managed && t.Hindrance != "":
		t.says(Fact{Code: VerdictHindered, Detail: t.Hindrance}, AdviceUp)
	case !t.Managed:
		t.says(Fact{Code: VerdictUnmanaged}, AdviceUp)
	case !t.Up:
		t.withoutLink(VerdictDown, AdviceSetUp)
	case !t.Carrier:
		t.withoutLink(VerdictNoCarrier, AdviceCable)
	case t.TakenAway:
		t.says(Fact{Code: VerdictTakenAway, Detail: t.Problem}, AdviceRenew)
	default:
		t.linked()
	}
}

// linked is the verdict on a managed adapter with a link.
func (t *teller) linked() {
	switch t.State {
	case dhcp4.StateIPv6Only:
		t.says(Fact{Code: VerdictIPv6Only})
		return
	case dhcp4.StateInforming:
		f := Fact{Code: VerdictInforming}
		if open := t.open(); open != nil && t.late(open) {
			t.says(f, AdviceNetwork)
			return
		}
		t.says(f)
		return
	case dhcp4.StateInformed:
		f := Fact{Code: VerdictInformed}
		if e := t.last(Informed); e != nil {
			f.Server = e.Server
		}
		t.says(f)
		return
	default:
	}
	if t.Lease != nil {
		t.leased()
		return
	}
	t.leaseless()
}

// late reports whether the answer to a message is overdue.
func (t *teller) late(e *Entry) bool { return e.Count > 1 || t.Now.Sub(e.First) >= patience }

// withoutLink is the verdict on an adapter that can send nothing.
func (t *teller) withoutLink(c, advice Code) {
	f := Fact{Code: c}
	if e := t.last(NoCarrier, Carrier); e != nil && e.Kind == NoCarrier {
		f.When = at(e.Last)
	}
	if t.Lease != nil {
		f.Address = t.Lease.Address.Addr()
	}
	t.says(f, advice)
	if t.Next == nil || t.Next.Timer == dhcp4.TimerExpiry {
		t.waits(NextCarrier)
	}
}

// leased is the verdict on an adapter that has its address.
func (t *teller) leased() {
	f := Fact{Code: VerdictBound, Address: t.Lease.Address.Addr(), Server: t.Lease.Server, When: at(t.Lease.Start)}
	open := t.open()
	if open == nil {
		t.says(f)
		return
	}
	switch t.State {
	case dhcp4.StateRenewing:
		f.Code = VerdictRenewing
	case dhcp4.StateRebinding:
		f.Code = VerdictRebinding
	case dhcp4.StateRebooting, dhcp4.StateInitReboot, dhcp4.StateInit, dhcp4.StateSelecting, dhcp4.StateRequesting:
		f.Code = VerdictVerifying
	default:
	}
	if t.late(open) && f.Code != VerdictBound {
		t.says(f, AdviceServerGone)
		return
	}
	t.says(f)
}

// leaseless is the verdict on an adapter that looks for a lease, or rests.
func (t *teller) leaseless() {
	switch t.State {
	case dhcp4.StateReleased:
		f := Fact{Code: VerdictReleased}
		if e := t.last(Released); e != nil {
			f.When, f.Address, f.Server = at(e.Last), e.Address, e.Server
		}
		t.says(f, AdviceRenew)
		t.waits(NextRenew)
		return
	case dhcp4.StateInitReboot, dhcp4.StateRebooting:
		t.says(Fact{Code: VerdictVerifying})
		return
	case dhcp4.StateRequesting:
		t.requesting()
		return
	default:
	}
	if t.LinkLocal.IsValid() {
		t.says(Fact{Code: VerdictLinkLocal, Address: t.LinkLocal}, AdviceNetwork)
		return
	}
	if e := t.setback(); e != nil {
		switch e.Kind {
		case Conflict:
			t.says(Fact{Code: VerdictConflict, When: at(e.Last), Address: e.Address, Link: e.Link}, AdviceFindHost)
		default:
			t.says(Fact{Code: VerdictNAK, When: at(e.Last), Server: e.Server, Link: e.Link, Detail: e.Detail, Count: e.Count}, AdviceNAK)
		}
		return
	}
	t.searching()
}

// setback returns what the search began anew for, a conflict or a NAK, if no
// DISCOVER has waited long since; else nil.
func (t *teller) setback() *Entry {
	conflict, nak := t.last(Conflict), t.lastMessage(Received, wire.NAK)
	e := conflict
	if e == nil || nak != nil && nak.Last.After(e.Last) {
		e = nak
	}
	if e == nil {
		return nil
	}
	if open := t.open(); open != nil && t.late(open) {
		return nil
	}
	if b := t.last(Bound, Resumed, Renewed); b != nil && b.Last.After(e.Last) {
		return nil
	}
	return e
}

func (t *teller) requesting() {
	if e := t.lastMessage(Sent, wire.Request); e != nil && t.late(e) {
		f := Fact{Code: VerdictUnconfirmed, When: &When{e.First, e.Last}, Count: e.Count, Address: e.Address}
		if o := t.lastMessage(Received, wire.Offer); o != nil {
			f.Server = o.Server
		}
		t.says(f, AdviceServerLog)
		return
	}
	t.says(Fact{Code: VerdictAsking})
}

func (t *teller) searching() {
	open := t.open()
	if open == nil || t.State == dhcp4.StateInit {
		t.says(Fact{Code: VerdictPause})
		return
	}
	f := Fact{Code: VerdictAsking, When: &When{open.First, open.Last}, Count: open.Count}
	if r := t.last(Rejected); r != nil && !r.Last.Before(open.First) {
		f.Code, f.Why, f.Link = VerdictUnusable, r.Why, r.Link
		t.says(f, AdviceUnusable)
		return
	}
	if t.late(open) {
		f.Code = VerdictNoAnswer
		t.says(f, AdviceNetwork)
		return
	}
	t.says(f)
}

// next tells what the client's next deadline is for, and when the lease ends.
func (t *teller) next() {
	if n := t.Present.Next; n != nil {
		f := Fact{Code: NextTimer, When: at(n.At)}
		switch n.Timer {
		case dhcp4.TimerBegin:
			f.Code = NextSearch
			if t.State == dhcp4.StateInitReboot {
				f.Code = NextVerify
			}
		case dhcp4.TimerRetransmit:
			f.Code, f.Message = NextRetransmit, wire.Request
			switch t.State {
			case dhcp4.StateSelecting, dhcp4.StateInit:
				f.Message = wire.Discover
			case dhcp4.StateInforming:
				f.Message = wire.Inform
			default:
			}
		case dhcp4.TimerT1:
			f.Code = NextRenewal
		case dhcp4.TimerT2:
			f.Code = NextRebinding
		case dhcp4.TimerExpiry:
			f.Code = NextExpiry
		default:
			f.Detail = n.Timer.String()
		}
		t.story.Next = append(t.story.Next, f)
	}
	if t.Lease == nil {
		return
	}
	end, ends := t.Lease.Expires()
	switch {
	case !ends && t.Present.Next == nil:
		t.waits(NextNothing)
	case ends && (t.Present.Next == nil || t.Present.Next.Timer != dhcp4.TimerExpiry):
		t.story.Next = append(t.story.Next, Fact{Code: NextExpiry, When: at(end)})
	}
}
