package tenancy

import (
	"net/netip"
	"slices"

	"github.com/lessee/lessee/boottime"
	"github.com/lessee/lessee/errno"
	"github.com/lessee/lessee/internal/event"
	"github.com/lessee/lessee/internal/netconf"
	"github.com/lessee/lessee/internal/queue"
	"github.com/lessee/lessee/reason"
)

// A Protocol is the side of a tenancy that knows its protocol.
type Protocol interface {
	// Wanted is what the kernel is to hold now; an MTU of 0 is the one from
	// before ours.
	Wanted() netconf.Desired
	// Lease is the lease in use: configured or about to be.
	Lease() Holding
	// InUse is what the adapter is configured by: Lease, or what a server said
	// of an address that others set.
	InUse() Holding
	// Note reports an event, with what hinders where the cause has a reason.
	Note(kind event.Kind, why reason.Cause)
	// Save puts what there is now on record.
	Save()
	// Settled is called when the kernel is as desired and the callers are answered.
	Settled()
	// Stop ends all that is under way, without a packet.
	Stop()
	// Silence is called after Stop, to listen to nothing any more.
	Silence()
}

// A Life is the part of a tenancy that knows no protocol. It is not safe for
// concurrent use.
type Life struct {
	protocol Protocol

	now  boottime.Instant
	link Link
	out  queue.Queue[Output]

	calls []waiter
	stage Stage

	ours    []netip.Prefix // what the kernel may hold of ours
	seq     uint64         // of the last Apply
	applied uint64         // the last Seq that succeeded
	retry   Retry          // of an Apply that failed
	resave  Retry          // of a Save that failed
	baseMTU int            // from before ours, 0 if we set none
	look    look

	// amiss is nil as long as all is well, as it is for most adapters all their lives.
	amiss *amiss
}

// amiss is what is not as it should be.
type amiss struct {
	taken    taken
	troubles Troubles
}

// A Stage says how far the end of the tenancy has come.
type Stage uint8

// The stages.
const (
	// Living: it goes on.
	Living Stage = iota
	// Leaving: it is over when the kernel has nothing of ours; nothing stays on record.
	Leaving
	// LeavingRecord is Leaving, and what is on record stays there.
	LeavingRecord
	// Over: Ended was the last output.
	Over
)

// NewLife returns the life of an adapter.
func NewLife(p Protocol) Life { return Life{protocol: p} }

// Begin takes over what an earlier life left: the MTU from before ours and what
// of the configured addresses is ours.
func (l *Life) Begin(ours, configured []netip.Prefix, baseMTU, mtu int) {
	l.link.MTU, l.baseMTU = mtu, baseMTU
	for _, p := range ours {
		if slices.Contains(configured, p) {
			l.Own(p)
		}
	}
}

// Now is the instant of the input that is handled.
func (l *Life) Now() boottime.Instant { return l.now }

// At begins to handle an input that came at the instant now.
func (l *Life) At(now boottime.Instant) { l.now = now }

// Usable reports whether frames can be sent.
func (l *Life) Usable() bool { return l.link.Usable }

// Stage returns how far the end has come.
func (l *Life) Stage() Stage { return l.stage }

// SetLink takes the state of the link without what follows from it.
func (l *Life) SetLink(in Link) { l.link = in }

// LinkChanged takes the new state of the link and returns the old one.
func (l *Life) LinkChanged(in Link) (was Link) {
	was = l.link
	l.link = in
	l.outdate() // the kernel drops routes with the link, and we give them back
	if in.MTU != was.MTU {
		l.checkMTU()
	}
	return was
}

// Handle takes the inputs of this package but Link, Gone, Call and Timeout, which
// the protocol takes.
func (l *Life) Handle(in Input) {
	switch in := in.(type) {
	case Cancel:
		l.cancel(in.ID)
	case Applied:
		l.reported(in)
	case Disturbed:
		l.Disturbed(in.Object)
	case Inspected:
		l.inspected(in)
	case SaveFailed:
		l.saveFailed(in.Err)
	case PersistFailed:
		l.went(func(w *Troubles) { w.Persist = in.Err })
		if in.Err != nil {
			l.Problem(Because(reason.LeaseNotDurable, in.Err))
		}
	}
}

// Timeout tries again what is due. The protocol's time comes between this and
// [Life.ExpireCalls].
func (l *Life) Timeout() {
	if l.retry.Rang(l.now) {
		l.retry.Stop()
		l.Configure()
	}
	if l.resave.Rang(l.now) {
		l.protocol.Save()
	}
	l.putBackDue()
}

// Deadlines adds the instants at which a Timeout is due.
func (l *Life) Deadlines(s *Soonest) {
	s.add(l.retry.Alarm)
	s.add(l.resave.Alarm)
	if l.amiss != nil {
		s.add(l.amiss.taken.putBack)
	}
	for i := range l.calls {
		s.Add(l.calls[i].deadline, true)
	}
}

// Poll returns the next thing to do, false if there is none. The outputs of
// all that happened so far come in order.
func (l *Life) Poll() (Output, bool) {
	return l.out.Pop()
}

// Emit adds an output.
func (l *Life) Emit(o Output) { l.out.Push(o) }

// Problem reports what hinders.
func (l *Life) Problem(why reason.Cause) { l.protocol.Note(event.Problem, why) }

// Because returns the cause that an error is.
func Because(r reason.Reason, err error) reason.Cause {
	return reason.Cause{Reason: r, Fault: reason.FaultOf(err)}
}

// saveFailed has a Save that failed tried again later. A nil err means that the
// record is as it should be.
func (l *Life) saveFailed(err error) {
	l.went(func(w *Troubles) { w.Save = err })
	if err == nil {
		l.resave = Retry{}
		return
	}
	if !l.resave.Failing() {
		l.Problem(Because(reason.LeaseUnsaved, err))
	}
	l.resave.Again(l.now)
}

// Saved notes that a Save is on its way, so that none is due.
func (l *Life) Saved() { l.resave.Stop() }

// Resaving reports whether a Save that failed waits for its next attempt.
func (l *Life) Resaving() bool { return l.resave.IsSet() }

// Unsaved reports whether the last Save failed.
func (l *Life) Unsaved() bool { return l.resave.Failing() }

// Leave has the tenancy end when the kernel has done what it was told.
func (l *Life) Leave(how Stage) { l.stage = how }

// Finish ends the tenancy; those who still wait are told why.
func (l *Life) Finish(why reason.Reason) {
	l.protocol.Stop()
	l.AnswerAll(func(Waiting) bool { return true }, errno.ERROR_FILE_NOT_FOUND, reason.Cause{Reason: why})
	l.stage = Over
	l.retry.Stop()
	l.protocol.Silence()
	l.Emit(Ended{})
}
