package tenancy

import "github.com/lessee/lessee/reason"

// Troubles are what went wrong last and has not gone well since.
type Troubles struct {
	Save error
	// Persist is why the record would not survive a power failure.
	Persist error
	Apply   error // what the kernel did not take
	MTU     int   // what another program changed the MTU to; 0: it did not
	Send    SendTrouble
	// Unsent is why the last RELEASE did not leave.
	Unsent error
}

// A SendTrouble is a message that did not leave the host, and why.
type SendTrouble struct {
	Message string
	Err     error
}

// Failed reports whether there is one.
func (s SendTrouble) Failed() bool { return s.Err != nil }

// Cause returns what hinders then.
func (s SendTrouble) Cause() reason.Cause {
	c := Because(reason.SendFailed, s.Err)
	c.Message = s.Message
	return c
}

// Troubles returns what is wrong.
func (l *Life) Troubles() Troubles {
	if l.amiss == nil {
		return Troubles{}
	}
	return l.amiss.troubles
}

// went notes how something went.
func (l *Life) went(note func(*Troubles)) {
	w := l.Troubles()
	note(&w)
	if l.amiss == nil && w == (Troubles{}) {
		return
	}
	l.damage().troubles = w
	l.mend()
}

// damage returns what is to be filled in.
func (l *Life) damage() *amiss {
	if l.amiss == nil {
		l.amiss = &amiss{}
	}
	return l.amiss
}

// mend forgets what is amiss if nothing is any more.
func (l *Life) mend() {
	if a := l.amiss; a != nil && a.troubles == (Troubles{}) && a.taken.none() {
		l.amiss = nil
	}
}

// Sent notes how the sending of a message went.
func (l *Life) Sent(s SendTrouble) { l.went(func(w *Troubles) { w.Send = s }) }

// ReleaseSent notes how the sending of a RELEASE went.
func (l *Life) ReleaseSent(err error) { l.went(func(w *Troubles) { w.Unsent = err }) }

// Hindrance is what hinders now, without a reason if nothing does.
func (l *Life) Hindrance() reason.Cause {
	if l.amiss == nil {
		return reason.Cause{}
	}
	taken, missing := l.amiss.taken.problem()
	switch wrong := l.amiss.troubles; {
	case missing:
		return taken
	case wrong.MTU != 0:
		return l.mtuChanged()
	case wrong.Apply != nil:
		return Because(reason.KernelRefused, wrong.Apply)
	case wrong.Save != nil:
		return Because(reason.LeaseUnsaved, wrong.Save)
	case wrong.Persist != nil:
		return Because(reason.LeaseNotDurable, wrong.Persist)
	case wrong.Send.Failed():
		return wrong.Send.Cause()
	}
	return reason.Cause{}
}
